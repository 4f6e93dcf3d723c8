//! One rule, one call, one verdict.

use jiff::civil::Time;

use crate::{
    Channel, Class, Clause, EndedBy, Evidence, Language, OutcomeKind, Owner, Pace, Pattern, Reason, Rounds,
    Rule, Ruling, Span, Trigger, Verdict,
};

use super::{
    case::{Case, Hit},
    condition::{Truth, clock, in_scope, truth},
    window::{due, find, is_heard},
};

/// A verdict shows this many places at the most; a reviewer needs no more to rule.
const MOST_EVIDENCE: usize = 8;

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
    if let Some(answer) = unfit(case, rule) {
        return answer;
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
    match (rule.class, answer.ruling, doubt) {
        (Class::Praise, Ruling::Violated, _) => Answer::not_applicable(Reason::PreconditionAbsent),
        // An obligation that was met anyway is met, whatever could not be known; praise must be deserved.
        (Class::Praise, Ruling::Met, Some(reason)) | (_, Ruling::Violated, Some(reason)) => {
            Answer::unknown(reason, answer.evidence)
        }
        _ => answer,
    }
}

/// Why a rule can't be judged in this call at all, if it can't.
fn unfit(case: &Case<'_>, rule: &Rule) -> Option<Answer> {
    match in_scope(case) {
        Truth::Yes => {}
        Truth::No => return Some(Answer::not_applicable(Reason::PreconditionAbsent)),
        Truth::Unknown(reason) => return Some(Answer::unknown(reason, Vec::new())),
    }
    if case.observations.is_mono() {
        return rule.needs_roles().then(|| Answer::unknown(Reason::Mono, Vec::new()));
    }
    let sides = [Channel::Agent, Channel::Customer];
    let said = |speaker: &Channel| case.said_by(*speaker).next().is_some();
    if !sides.iter().all(|side| said(side) || !case.observations.speech(*side).is_empty()) {
        return Some(Answer::not_applicable(Reason::NoConversation));
    }
    if !sides.iter().all(said) {
        return Some(Answer::unknown(Reason::LowCoverage, Vec::new()));
    }
    // A classifier that does not declare when a label counts has not judged it.
    let declared = rule.labels().iter().all(|label| case.observations.thresholds.contains_key(label));
    (!declared).then(|| Answer::unknown(Reason::ModelInDoubt, Vec::new()))
}

fn triggered(case: &Case<'_>, rule: &Rule, trigger: &Trigger) -> Answer {
    let (certain, doubtful): (Vec<Hit>, Vec<Hit>) =
        triggers(case, trigger).into_iter().partition(|hit| hit.certain);
    let Some(first) = certain.first().or(doubtful.first()) else {
        let heard = trigger.patterns().into_iter().all(|pattern| is_heard(case, pattern, None));
        return if heard {
            Answer::not_applicable(Reason::PreconditionAbsent)
        } else {
            Answer::unknown(Reason::LowCoverage, Vec::new())
        };
    };
    if certain.is_empty() {
        return Answer::unknown(Reason::ModelInDoubt, vec![first.evidence.clone()]);
    }
    let mut answer = joined(certain.iter().map(|hit| obligation(case, rule, Some(hit))).collect());
    let differs = |hit: &&Hit| {
        let violated = obligation(case, rule, Some(hit)).ruling == Ruling::Violated;
        match trigger {
            // It may have fallen due there instead …
            Trigger::First(_) => violated != (answer.ruling == Ruling::Violated),
            // … or there too.
            Trigger::Every(_) | Trigger::Rounds(_) => violated && answer.ruling != Ruling::Violated,
        }
    };
    if let Some(hit) = doubtful.iter().find(differs) {
        return Answer::unknown(Reason::ModelInDoubt, vec![hit.evidence.clone()]);
    }
    // Where something was rightly left undone, what to play is the occasion.
    if answer.ruling == Ruling::Met && rule.must_not.is_some() {
        answer.evidence.insert(0, first.evidence.clone());
    }
    answer
}

/// The occasions on which an obligation falls due, in time order; doubtful ones as far as they matter.
fn triggers(case: &Case<'_>, trigger: &Trigger) -> Vec<Hit> {
    match trigger {
        Trigger::First(any) => {
            let mut hits = in_time(case, any);
            let upto = hits.iter().position(|hit| hit.certain).map_or(hits.len(), |first| first + 1);
            hits.truncate(upto);
            hits
        }
        Trigger::Every(any) => in_time(case, any),
        Trigger::Rounds(rounds) => last_of_rounds(case, rounds).into_iter().collect(),
    }
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

/// The matches of all patterns in time order.
fn in_time(case: &Case<'_>, any: &[Pattern]) -> Vec<Hit> {
    let mut hits: Vec<Hit> = any.iter().flat_map(|pattern| find(case, pattern, None)).collect();
    hits.sort_by_key(|hit| (hit.span.start_ms, hit.utterance, !hit.certain));
    hits
}

/// The closing match of the last round that is needed, if there were so many.
fn last_of_rounds(case: &Case<'_>, rounds: &Rounds) -> Option<Hit> {
    let (opens, closes) = (find(case, &rounds.open, None), find(case, &rounds.close, None));
    // The surest match of a turn speaks for it, the first of equals.
    let of_turn = |hits: &[Hit], turn: usize| {
        let here = || hits.iter().filter(|hit| hit.turn == Some(turn));
        here().find(|hit| hit.certain).or_else(|| here().next()).cloned()
    };
    let mut closed: Vec<(usize, Hit)> = Vec::new();
    for (number, _) in case.turns_of(rounds.open.speaker) {
        let next = case.turns_of(rounds.close.speaker).map(|(next, _)| next).find(|next| *next > number);
        if let Some(open) = of_turn(&opens, number)
            && let Some(next) = next
            && closed.last().is_none_or(|(turn, _)| *turn != next)
            && let Some(close) = of_turn(&closes, next)
        {
            closed.push((next, Hit { certain: open.certain && close.certain, ..close }));
        }
    }
    let nth = rounds.count.saturating_sub(1);
    let certain = closed.iter().filter(|(_, close)| close.certain).nth(nth);
    certain
        .cloned()
        .or_else(|| closed.get(nth).cloned().map(|(turn, hit)| (turn, Hit { certain: false, ..hit })))
        .map(|(_, hit)| hit)
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
        Clause::StartedBetween(hours) => started_between(case, hours, true),
        Clause::All(parts) => joined(parts.iter().map(|part| demanded(case, part, trigger)).collect()),
    }
}

fn demanded_pattern(case: &Case<'_>, pattern: &Pattern, trigger: Option<&Hit>) -> Answer {
    let hits = find(case, pattern, trigger);
    let (met, doubtful): (Vec<Hit>, Vec<Hit>) = hits.into_iter().partition(|hit| hit.holds);
    if met.len() >= pattern.at_least {
        return Answer::met(evidence(met));
    }
    let due = due(case, pattern, trigger);
    let missing = vec![stretch(Some(pattern.speaker), due.span)];
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
    if !is_heard(case, pattern, trigger) {
        return Answer::unknown(Reason::LowCoverage, missing);
    }
    Answer::violated(missing)
}

fn forbidden(case: &Case<'_>, clause: &Clause, trigger: Option<&Hit>) -> Answer {
    let pattern = match clause {
        Clause::Found(pattern) => pattern,
        Clause::Pace(pace) => return pace_within(case, pace),
        Clause::Outcome(kinds) => return has_outcome(case, kinds, false),
        Clause::StartedBetween(hours) => return started_between(case, hours, false),
        Clause::All(parts) => {
            return joined(parts.iter().map(|part| forbidden(case, part, trigger)).collect());
        }
    };
    // What nothing excused. Words that may excuse count, so an offence is only as sure as its lack of excuse.
    let unexcused = |hit: Hit| {
        let answer = match &pattern.unless {
            Some(excuse) => with_offence(&hit, demanded_pattern(case, excuse, Some(&hit))),
            None => Answer::violated(vec![hit.evidence.clone()]),
        };
        (answer.ruling != Ruling::Met).then_some((hit.certain, answer))
    };
    let (certain, doubtful): (Vec<_>, Vec<_>) =
        find(case, pattern, trigger).into_iter().filter_map(unexcused).partition(|(certain, _)| *certain);
    let answers =
        |offences: Vec<(bool, Answer)>| offences.into_iter().map(|(_, answer)| answer).collect::<Vec<_>>();
    if certain.len() >= pattern.at_least {
        return joined(answers(certain));
    }
    if certain.len() + doubtful.len() >= pattern.at_least {
        let evidence = answers(doubtful).into_iter().flat_map(|answer| answer.evidence).collect();
        return Answer::unknown(Reason::ModelInDoubt, evidence);
    }
    if !is_heard(case, pattern, trigger) {
        return Answer::unknown(Reason::LowCoverage, Vec::new());
    }
    Answer::met(vec![stretch(Some(pattern.speaker), due(case, pattern, trigger).span)])
}

/// A stretch of the call to play, without words.
fn stretch(channel: Option<Channel>, span: Span) -> Evidence {
    Evidence { channel, span, quote: None, claim: None }
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
    if !case.is_heard_within(&[Channel::Agent], case.conversation) {
        return Answer::unknown(Reason::LowCoverage, Vec::new());
    }
    let whole = vec![stretch(Some(Channel::Agent), case.conversation)];
    if (least..=most).contains(&measured) { Answer::met(whole) } else { Answer::violated(whole) }
}

fn has_outcome(case: &Case<'_>, kinds: &[OutcomeKind], wanted: bool) -> Answer {
    // The end of the call is where a listener hears how it came out.
    let end = case.conversation.end_ms;
    let last_third = vec![stretch(None, Span::new(end.saturating_sub(case.conversation.len_ms() / 3), end))];
    if kinds.contains(&case.outcome.kind) == wanted {
        Answer::met(last_third)
    } else {
        Answer::violated(last_third)
    }
}

fn started_between(case: &Case<'_>, [from, before]: &[Time; 2], wanted: bool) -> Answer {
    let Some(clock) = clock(case) else {
        return Answer::unknown(Reason::MissingAttribute, Vec::new());
    };
    let whole = vec![stretch(None, case.conversation)];
    if (*from..*before).contains(&clock.time()) == wanted {
        Answer::met(whole)
    } else {
        Answer::violated(whole)
    }
}
