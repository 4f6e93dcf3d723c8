//! The rule's demand, once it has fallen due.

use jiff::civil::Time;

use crate::{
    Channel, Clause, EndedBy, Evidence, Language, OutcomeKind, Pace, Pattern, Reason, Rule, Ruling, Span,
};

use super::{
    answer::{Answer, joined},
    case::{Case, Hit, clock, count},
    sequence,
    window::{due, find, is_heard},
};

/// The rule's demand, once it has fallen due.
pub(super) fn obligation(case: &Case<'_>, rule: &Rule, trigger: Option<&Hit>) -> Answer {
    match (&rule.must, &rule.must_not) {
        (Some(clause), _) => demanded(case, clause, trigger),
        (None, Some(clause)) => forbidden(case, clause, trigger),
        (None, None) => Answer::not_applicable(Reason::PreconditionAbsent),
    }
}

fn demanded(case: &Case<'_>, clause: &Clause, trigger: Option<&Hit>) -> Answer {
    match clause {
        Clause::Found(pattern) => demanded_pattern(case, pattern, trigger),
        Clause::Sequence(steps) => sequence::demanded(case, steps, trigger),
        Clause::Pace(pace) => pace_within(case, pace),
        Clause::TalkRatio(shares) => talk_ratio_within(case, *shares, true),
        Clause::Outcome(kinds) => has_outcome(case, kinds, true),
        Clause::StartedBetween(hours) => started_between(case, hours, true),
        Clause::All(parts) => joined(parts.iter().map(|part| demanded(case, part, trigger)).collect()),
    }
}

fn demanded_pattern(case: &Case<'_>, pattern: &Pattern, trigger: Option<&Hit>) -> Answer {
    let hits = find(case, pattern, trigger);
    let (met, doubtful): (Vec<Hit>, Vec<Hit>) = hits.into_iter().partition(|hit| hit.holds);
    if count(pattern, met.iter()) >= pattern.at_least {
        return Answer::met(evidence(met));
    }
    let due = due(case, pattern, trigger);
    let missing = vec![stretch(Some(pattern.speaker), due.span)];
    if count(pattern, met.iter().chain(&doubtful)) >= pattern.at_least {
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
        Clause::Sequence(steps) => return sequence::forbidden(case, steps, trigger),
        Clause::Pace(pace) => return pace_within(case, pace),
        Clause::TalkRatio(shares) => return talk_ratio_within(case, *shares, false),
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
        (answer.ruling != Ruling::Met).then_some((hit, answer))
    };
    let offences: Vec<(Hit, Answer)> =
        find(case, pattern, trigger).into_iter().filter_map(unexcused).collect();
    if let Some(answer) = counted(pattern, offences) {
        return answer;
    }
    if !is_heard(case, pattern, trigger) {
        return Answer::unknown(Reason::LowCoverage, Vec::new());
    }
    Answer::met(vec![stretch(Some(pattern.speaker), due(case, pattern, trigger).span)])
}

/// What so many offences come to that nothing surely excused; nothing where they are too few.
fn counted(pattern: &Pattern, offences: Vec<(Hit, Answer)>) -> Option<Answer> {
    let enough = |offences: &[&Vec<(Hit, Answer)>]| {
        count(pattern, offences.iter().copied().flatten().map(|(hit, _)| hit)) >= pattern.at_least
    };
    let answers =
        |offences: Vec<(Hit, Answer)>| joined(offences.into_iter().map(|(_, answer)| answer).collect());
    let of = |ruling: Ruling| move |(hit, answer): &(Hit, Answer)| hit.certain && answer.ruling == ruling;
    let (sure, others): (Vec<_>, Vec<_>) = offences.into_iter().partition(of(Ruling::Violated));
    if enough(&[&sure]) {
        return Some(answers(sure));
    }
    // The call ended before their excuse was due.
    let (cut, doubtful): (Vec<_>, Vec<_>) = others.into_iter().partition(of(Ruling::NotApplicable));
    if enough(&[&sure, &doubtful]) {
        let unexcused = doubtful.iter().find(|(hit, _)| hit.certain);
        let reason = unexcused.and_then(|(_, answer)| answer.reason).unwrap_or(Reason::ModelInDoubt);
        let evidence = doubtful.into_iter().flat_map(|(_, answer)| answer.evidence).collect();
        return Some(Answer::unknown(reason, evidence));
    }
    enough(&[&sure, &doubtful, &cut]).then(|| answers(cut))
}

/// A stretch of the call to play, without words.
pub(super) fn stretch(channel: Option<Channel>, span: Span) -> Evidence {
    Evidence { channel, span, quote: None, claim: None }
}

pub(super) fn evidence(hits: Vec<Hit>) -> Vec<Evidence> {
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

fn talk_ratio_within(case: &Case<'_>, [least, most]: [f32; 2], wanted: bool) -> Answer {
    let Some(measured) = case.acoustics.talk_ratio else {
        return Answer::not_applicable(Reason::PreconditionAbsent);
    };
    let whole = vec![stretch(None, case.conversation)];
    if (least..=most).contains(&measured) == wanted { Answer::met(whole) } else { Answer::violated(whole) }
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
    let Some(clock) = clock(case.call) else {
        return Answer::unknown(Reason::MissingAttribute, Vec::new());
    };
    let whole = vec![stretch(None, case.conversation)];
    if (*from..*before).contains(&clock.time()) == wanted {
        Answer::met(whole)
    } else {
        Answer::violated(whole)
    }
}

/// An offence that nothing excused is played before the span in which the excuse was due.
fn with_offence(offence: &Hit, mut answer: Answer) -> Answer {
    if answer.ruling != Ruling::Met {
        answer.evidence.insert(0, offence.evidence.clone());
    }
    answer
}
