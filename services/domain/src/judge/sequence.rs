//! Patterns one after the other.

use crate::{Channel, EndedBy, Evidence, Pattern, Reason, Span};

use super::answer::Answer;
use super::case::{Case, Hit};
use super::demand::{evidence, stretch};
use super::window::{due, find, is_before, is_heard};

/// As many of the steps as are found in their order, each at the first place that is left to it. `sure`: of matches
/// that hold alone.
pub(super) fn chain(case: &Case<'_>, steps: &[Pattern], trigger: Option<&Hit>, sure: bool) -> Vec<Hit> {
    let mut chain: Vec<Hit> = Vec::new();
    for step in steps {
        let mut hits = find(case, step, trigger).into_iter().filter(|hit| hit.holds || !sure);
        let next = hits.find(|hit| chain.last().is_none_or(|last| is_before(last, hit)));
        let Some(next) = next else { break };
        chain.push(next);
    }
    chain
}

/// All steps must be there.
pub(super) fn demanded(case: &Case<'_>, steps: &[Pattern], trigger: Option<&Hit>) -> Answer {
    let sure = chain(case, steps, trigger, true);
    let Some(missing) = steps.get(sure.len()) else { return Answer::met(evidence(sure)) };
    let possible = chain(case, steps, trigger, false);
    if possible.len() == steps.len() {
        return Answer::unknown(Reason::ModelInDoubt, evidence(possible));
    }
    let due = due(case, missing, trigger);
    let from = sure.last().map_or(due.span.start_ms, |last| last.span.end_ms.max(due.span.start_ms));
    let span = stretch(Some(missing.speaker), Span::new(from, due.span.end_ms));
    if due.cut {
        match case.call.ended_by {
            EndedBy::Agent => {}
            EndedBy::Customer | EndedBy::Line => return Answer::not_applicable(Reason::CutShort),
            EndedBy::Unknown => return Answer::unknown(Reason::MissingAttribute, vec![span]),
        }
    }
    if !steps.iter().all(|step| is_heard(case, step, trigger)) {
        return Answer::unknown(Reason::LowCoverage, vec![span]);
    }
    let mut shown: Vec<Evidence> = vec![span];
    shown.extend(evidence(sure));
    Answer::violated(shown)
}

/// The whole of it must not be there.
pub(super) fn forbidden(case: &Case<'_>, steps: &[Pattern], trigger: Option<&Hit>) -> Answer {
    let sure = chain(case, steps, trigger, true);
    if sure.len() == steps.len() && sure.iter().all(|hit| hit.certain) {
        return Answer::violated(evidence(sure));
    }
    let possible = chain(case, steps, trigger, false);
    if possible.len() == steps.len() {
        return Answer::unknown(Reason::ModelInDoubt, evidence(possible));
    }
    if !steps.iter().all(|step| is_heard(case, step, trigger)) {
        return Answer::unknown(Reason::LowCoverage, Vec::new());
    }
    let speakers: Vec<Channel> = steps.iter().map(|step| step.speaker).collect();
    let same = speakers.windows(2).all(|pair| pair[0] == pair[1]);
    Answer::met(vec![stretch(speakers.first().copied().filter(|_| same), case.conversation)])
}
