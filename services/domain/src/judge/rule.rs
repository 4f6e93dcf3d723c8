//! One rule, one call, one verdict.

use crate::{
    Attribute, AttributeName, Channel, Class, Clause, Condition, Direction, EndedBy, Evidence, Language,
    OutcomeKind, Owner, Pace, Pattern, Reason, Rounds, Rule, Ruling, Span, Trigger, Verdict,
};

use super::{
    case::{Case, Hit},
    window::{due, find},
};

/// Of the speech in which something was due, this share must have been heard to say that it was missing.
const COVERAGE_NEEDED: f32 = 0.8;
/// A verdict shows this many places at the most; a reviewer needs no more to rule.
const MOST_EVIDENCE: usize = 8;

/// Yes, no, or why it can't be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    Yes,
    No,
    Unknown(Reason),
}

impl Truth {
    fn of(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}

/// What came of one obligation.
struct Answer {
    ruling: Ruling,
    reason: Option<Reason>,
    evidence: Vec<Evidence>,
}

impl Answer {
    fn met(evidence: Vec<Evidence>) -> Self {
        Self { ruling: Ruling::Met, reason: None, evidence }
    }
    fn violated(evidence: Vec<Evidence>) -> Self {
        Self { ruling: Ruling::Violated, reason: None, evidence }
    }
    fn not_applicable(reason: Reason) -> Self {
        Self { ruling: Ruling::NotApplicable, reason: Some(reason), evidence: Vec::new() }
    }
    fn unknown(reason: Reason, evidence: Vec<Evidence>) -> Self {
        Self { ruling: Ruling::Unknown, reason: Some(reason), evidence }
    }
}

/// Judges one rule.
pub(super) fn verdict(case: &Case<'_>, rule: &Rule) -> Verdict {
    let Answer { ruling, reason, mut evidence } = answer(case, rule);
    evidence.truncate(MOST_EVIDENCE);
    let deducts = ruling == Ruling::Violated && rule.owner == Owner::Agent;
    let deducted = if !deducts {
        0
    } else if rule.class == Class::Fatal {
        100
    } else {
        rule.points
    };
    Verdict { rule: rule.id.clone(), ruling, reason, deducted, evidence }
}

fn answer(case: &Case<'_>, rule: &Rule) -> Answer {
    if case.observations.is_mono() {
        return Answer::unknown(Reason::Mono, Vec::new());
    }
    let spoke = |speaker| case.said_by(speaker).next().is_some();
    if !spoke(Channel::Agent) || !spoke(Channel::Customer) {
        return Answer::not_applicable(Reason::NoConversation);
    }
    let mut doubt = None;
    for precondition in &rule.when {
        match truth(case, &precondition.holds) {
            Truth::Yes => {}
            Truth::No => return Answer::not_applicable(precondition.otherwise),
            Truth::Unknown(reason) => doubt = doubt.or(Some(reason)),
        }
    }
    let answer = match &rule.trigger {
        None => obligation(case, rule, None),
        Some(trigger) => triggered(case, rule, trigger),
    };
    match (rule.class, doubt) {
        // An obligation that was met anyway is met, whatever could not be known.
        (_, Some(reason)) if answer.ruling == Ruling::Violated => Answer::unknown(reason, answer.evidence),
        (Class::Praise, _) if answer.ruling == Ruling::Violated => {
            Answer::not_applicable(Reason::PreconditionAbsent)
        }
        _ => answer,
    }
}

fn triggered(case: &Case<'_>, rule: &Rule, trigger: &Trigger) -> Answer {
    let triggers = match trigger {
        Trigger::First(any) => earliest(case, any).into_iter().take(1).collect(),
        Trigger::Every(any) => earliest(case, any),
        Trigger::Rounds(rounds) => last_of_rounds(case, rounds).into_iter().collect(),
    };
    let (certain, doubtful): (Vec<Hit>, Vec<Hit>) = triggers.into_iter().partition(|hit| hit.certain);
    if certain.is_empty() {
        return match doubtful.into_iter().next() {
            Some(hit) => Answer::unknown(Reason::ModelInDoubt, vec![hit.evidence]),
            None => Answer::not_applicable(Reason::PreconditionAbsent),
        };
    }
    joined(certain.iter().map(|trigger| obligation(case, rule, Some(trigger))).collect())
}

/// An offence that nothing excused is played before the span in which the excuse was due.
fn with_offence(offence: &Hit, mut answer: Answer) -> Answer {
    if answer.ruling != Ruling::Met {
        answer.evidence.insert(0, offence.evidence.clone());
    }
    answer
}

/// One verdict out of the answers to several occasions.
fn joined(answers: Vec<Answer>) -> Answer {
    // One failure violates; then doubt; then one obligation that fell due and was met.
    let order = [Ruling::Violated, Ruling::Unknown, Ruling::Met, Ruling::NotApplicable];
    let ruling = order.into_iter().find(|ruling| answers.iter().any(|answer| answer.ruling == *ruling));
    let ruling = ruling.unwrap_or(Ruling::NotApplicable);
    let deciding: Vec<Answer> = answers.into_iter().filter(|answer| answer.ruling == ruling).collect();
    let reason = deciding.first().and_then(|answer| answer.reason);
    Answer { ruling, reason, evidence: deciding.into_iter().flat_map(|answer| answer.evidence).collect() }
}

/// The matches of all patterns in time order, the certain ones before doubtful ones: a rule falls due where
/// a model is sure, and only where none is sure does its doubt matter.
fn earliest(case: &Case<'_>, any: &[Pattern]) -> Vec<Hit> {
    let mut hits: Vec<Hit> = any.iter().flat_map(|pattern| find(case, pattern, None)).collect();
    hits.sort_by_key(|hit| (!hit.certain, hit.span.start_ms, hit.utterance));
    hits
}

/// The closing match of the last round that is needed, if there were so many.
fn last_of_rounds(case: &Case<'_>, rounds: &Rounds) -> Option<Hit> {
    let opens = find(case, &rounds.open, None);
    let closes = find(case, &rounds.close, None);
    let mut closed: Vec<Hit> = Vec::new();
    for open in opens.iter().filter_map(|hit| hit.turn) {
        let Some((next, _)) = case.turns_of(rounds.close.speaker).find(|(number, _)| *number > open) else {
            break;
        };
        if let Some(close) = closes.iter().find(|hit| hit.turn == Some(next))
            && closed.iter().all(|hit| hit.turn != close.turn)
        {
            closed.push(close.clone());
        }
    }
    let certain: Vec<Hit> = closed.iter().filter(|hit| hit.certain).cloned().collect();
    let nth = |hits: Vec<Hit>| hits.into_iter().nth(rounds.count.saturating_sub(1));
    nth(certain).or_else(|| nth(closed).map(|hit| Hit { certain: false, ..hit }))
}

/// The rule's demand, once it has fallen due.
fn obligation(case: &Case<'_>, rule: &Rule, trigger: Option<&Hit>) -> Answer {
    match (&rule.must, &rule.must_not) {
        (Some(clause), _) => demanded(case, clause, trigger),
        (None, Some(clause)) => forbidden(case, clause, trigger),
        (None, None) => Answer::not_applicable(Reason::PreconditionAbsent),
    }
}

fn demanded(case: &Case<'_>, clause: &Clause, trigger: Option<&Hit>) -> Answer {
    match clause {
        Clause::Found(pattern) => demanded_pattern(case, pattern, trigger),
        Clause::Pace(pace) => pace_within(case, pace),
        Clause::Outcome(kinds) => has_outcome(case, kinds, true),
    }
}

fn demanded_pattern(case: &Case<'_>, pattern: &Pattern, trigger: Option<&Hit>) -> Answer {
    let hits = find(case, pattern, trigger);
    let (met, doubtful): (Vec<Hit>, Vec<Hit>) = hits.into_iter().partition(|hit| hit.holds);
    if met.len() >= pattern.at_least {
        return Answer::met(evidence(met));
    }
    let due = due(case, pattern, trigger);
    let missing = vec![Evidence { channel: Some(pattern.speaker), span: due.span, quote: None, claim: None }];
    if met.len() + doubtful.len() >= pattern.at_least {
        return Answer::unknown(Reason::ModelInDoubt, evidence(doubtful));
    }
    if due.cut {
        match case.call.ended_by {
            EndedBy::Agent => {}
            EndedBy::Customer | EndedBy::Line => return Answer::not_applicable(Reason::CutShort),
            EndedBy::Unknown => return Answer::unknown(Reason::MissingAttribute, missing),
        }
    }
    if case.coverage(&[pattern.speaker], due.span) < COVERAGE_NEEDED {
        return Answer::unknown(Reason::LowCoverage, missing);
    }
    Answer::violated(missing)
}

fn forbidden(case: &Case<'_>, clause: &Clause, trigger: Option<&Hit>) -> Answer {
    let pattern = match clause {
        Clause::Found(pattern) => pattern,
        Clause::Pace(pace) => return pace_within(case, pace),
        Clause::Outcome(kinds) => return has_outcome(case, kinds, false),
    };
    let hits = find(case, pattern, trigger);
    let (certain, doubtful): (Vec<Hit>, Vec<Hit>) = hits.into_iter().partition(|hit| hit.certain);
    if let Some(excuse) = &pattern.unless
        && !certain.is_empty()
    {
        let answers = certain.iter().map(|hit| (hit, demanded_pattern(case, excuse, Some(hit))));
        return joined(answers.map(|(hit, answer)| with_offence(hit, answer)).collect());
    }
    if certain.len() >= pattern.at_least {
        return Answer::violated(evidence(certain));
    }
    if certain.len() + doubtful.len() >= pattern.at_least {
        return Answer::unknown(Reason::ModelInDoubt, evidence(doubtful));
    }
    let due = due(case, pattern, trigger);
    if case.coverage(&[pattern.speaker], due.span) < COVERAGE_NEEDED {
        return Answer::unknown(Reason::LowCoverage, Vec::new());
    }
    Answer::met(Vec::new())
}

fn evidence(hits: Vec<Hit>) -> Vec<Evidence> {
    hits.into_iter().map(|hit| hit.evidence).collect()
}

fn pace_within(case: &Case<'_>, pace: &Pace) -> Answer {
    let Some(measured) = case.acoustics.agent_pace else {
        return Answer::not_applicable(Reason::PreconditionAbsent);
    };
    let [least, most] = match case.observations.language() {
        Some(Language::En) => pace.en,
        Some(Language::Zh) => pace.zh,
        None => return Answer::not_applicable(Reason::PreconditionAbsent),
    };
    if case.coverage(&[Channel::Agent], case.conversation) < COVERAGE_NEEDED {
        return Answer::unknown(Reason::LowCoverage, Vec::new());
    }
    let span = Evidence { channel: Some(Channel::Agent), span: case.conversation, quote: None, claim: None };
    if (least..=most).contains(&measured) { Answer::met(Vec::new()) } else { Answer::violated(vec![span]) }
}

fn has_outcome(case: &Case<'_>, kinds: &[OutcomeKind], wanted: bool) -> Answer {
    if kinds.contains(&case.outcome.kind) == wanted {
        return Answer::met(Vec::new());
    }
    // The end of the call is where a listener hears how it came out.
    let third = case.conversation.len_ms() / 3;
    let span = Span::new(case.conversation.end_ms - third, case.conversation.end_ms);
    Answer::violated(vec![Evidence { channel: None, span, quote: None, claim: None }])
}

fn truth(case: &Case<'_>, condition: &Condition) -> Truth {
    match condition {
        Condition::All(parts) => fold(case, parts, Truth::No, Truth::Yes),
        Condition::Any(parts) => fold(case, parts, Truth::Yes, Truth::No),
        Condition::Not(part) => match truth(case, part) {
            Truth::Yes => Truth::No,
            Truth::No => Truth::Yes,
            unknown @ Truth::Unknown(_) => unknown,
        },
        Condition::Found(pattern) => found(case, pattern),
        Condition::Attribute(attribute) => attribute_is(case, attribute),
        Condition::Outcome(kinds) => Truth::of(kinds.contains(&case.outcome.kind)),
        Condition::Spoken(spoken) => {
            #[allow(clippy::cast_precision_loss)] // milliseconds of one call
            let seconds = case.observations.speech_ms(spoken.speaker) as f64 / 1000.0;
            Truth::of(seconds >= spoken.at_least_seconds)
        }
    }
}

/// `decisive` as soon as one part is; unknown where a part is unknown and none decides; else `otherwise`.
fn fold(case: &Case<'_>, parts: &[Condition], decisive: Truth, otherwise: Truth) -> Truth {
    let truths: Vec<Truth> = parts.iter().map(|part| truth(case, part)).collect();
    if truths.contains(&decisive) {
        return decisive;
    }
    truths.into_iter().find(|truth| matches!(truth, Truth::Unknown(_))).unwrap_or(otherwise)
}

fn found(case: &Case<'_>, pattern: &Pattern) -> Truth {
    let hits = find(case, pattern, None);
    let holds = hits.iter().filter(|hit| hit.holds).count();
    if holds >= pattern.at_least {
        Truth::Yes
    } else if hits.len() >= pattern.at_least {
        Truth::Unknown(Reason::ModelInDoubt)
    } else {
        Truth::No
    }
}

fn attribute_is(case: &Case<'_>, attribute: &Attribute) -> Truth {
    let value = match attribute.name {
        AttributeName::EndedBy => match case.call.ended_by {
            EndedBy::Agent => Some("agent"),
            EndedBy::Customer => Some("customer"),
            EndedBy::Line => Some("line"),
            EndedBy::Unknown => None,
        },
        AttributeName::AutoAnnounced => {
            Some(if case.call.auto_announced == Some(true) { "true" } else { "false" })
        }
        AttributeName::Direction => match case.call.direction {
            Direction::Inbound => Some("inbound"),
            Direction::Outbound => Some("outbound"),
            Direction::Unknown => None,
        },
        AttributeName::Queue => case.call.queue.as_deref(),
    };
    value.map_or(Truth::Unknown(Reason::MissingAttribute), |value| {
        Truth::of(attribute.is.iter().any(|wanted| wanted == value))
    })
}
