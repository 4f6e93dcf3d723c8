//! Where a match counts, and whether the call lasted long enough for it to fall due.

use crate::{After, Before, Channel, Extent, Measure, Pattern, Span, Window};

use super::case::{Case, Hit};

/// The stretch in which something was due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) span: Span,
    /// The call ended before all of it had passed.
    pub(super) cut: bool,
}

/// The matches of a pattern inside its window; `trigger` is what the window speaks of.
pub(super) fn find(case: &Case<'_>, pattern: &Pattern, trigger: Option<&Hit>) -> Vec<Hit> {
    let mut hits = case.matches(pattern);
    if let Some(window) = &pattern.window {
        let bound = window.before_last.as_deref().map(|last| Bound::of(&find(case, last, trigger)));
        hits.retain_mut(|hit| {
            if admits(case, window, pattern.speaker, trigger, hit) {
                return true;
            }
            let Some(bound) = &bound else { return false };
            // Whether it came in time hangs on a match that is in doubt.
            let sure = bound.admits_surely(hit);
            (hit.certain, hit.holds) = (hit.certain && sure, hit.holds && sure);
            sure || bound.may_admit(hit)
        });
    }
    if let Some(answerer) = pattern.answered_by {
        hits.retain(|hit| is_answered(case, hit, answerer, trigger));
    }
    hits
}

/// The last match that another must not come after.
struct Bound {
    sure: Option<Hit>,
    /// Of all, those in doubt too.
    possible: Option<Hit>,
}

impl Bound {
    fn of(hits: &[Hit]) -> Self {
        let when = |hit: &&Hit| (hit.span.start_ms, hit.utterance);
        let last = |hits: &mut dyn Iterator<Item = &Hit>| hits.max_by_key(when).cloned();
        Self { sure: last(&mut hits.iter().filter(|hit| hit.holds)), possible: last(&mut hits.iter()) }
    }

    /// Nothing bounds where nothing was found.
    fn admits_surely(&self, hit: &Hit) -> bool {
        self.sure.as_ref().or(self.possible.as_ref()).is_none_or(|bound| !is_before(bound, hit))
    }

    fn may_admit(&self, hit: &Hit) -> bool {
        self.sure.is_none() || self.possible.as_ref().is_some_and(|bound| !is_before(bound, hit))
    }
}

/// Whether somebody spoke after a question, and before the trigger: in words, or in speech without words,
/// which may have been the answer.
fn is_answered(case: &Case<'_>, question: &Hit, answerer: Channel, trigger: Option<&Hit>) -> bool {
    let before = trigger.map_or(u64::MAX, |trigger| trigger.span.start_ms);
    let follows = |at: Span| {
        at.start_ms >= question.span.start_ms && at.end_ms > question.span.end_ms && at.start_ms < before
    };
    case.said_by(answerer).any(|(_, answer)| follows(answer.utterance.span))
        || case.wordless(answerer).any(follows)
}

/// Whether enough of the speech in which a pattern was due was heard to say that it was not there. Silence
/// needs no words.
pub(super) fn is_heard(case: &Case<'_>, pattern: &Pattern, trigger: Option<&Hit>) -> bool {
    matches!(pattern.measure, Some(Measure::DeadAir | Measure::Silence | Measure::Overtalk))
        || case.is_heard_within(&[pattern.speaker], due(case, pattern, trigger).span)
}

fn admits(case: &Case<'_>, window: &Window, speaker: Channel, trigger: Option<&Hit>, hit: &Hit) -> bool {
    let first = || window.first.as_ref().is_some_and(|extent| in_first(case, extent, speaker, hit));
    let last_turns = || window.last_turns.is_some_and(|turns| in_last_turns(case, turns, speaker, hit));
    let last_share = || window.last_share.is_some_and(|share| hit.span.start_ms >= share_start(case, share));
    let last_seconds =
        || window.last_seconds.is_some_and(|seconds| hit.span.start_ms >= seconds_start(case, seconds));
    let before = || match (&window.before_trigger, trigger) {
        (Some(before), Some(trigger)) => is_shortly_before(case, before, speaker, trigger, hit),
        _ => false,
    };
    let after = || match (&window.after_trigger, trigger) {
        (Some(after), Some(trigger)) => is_after(case, after, speaker, trigger, hit),
        _ => false,
    };
    first() || last_turns() || last_seconds() || last_share() || before() || after()
}

fn in_first(case: &Case<'_>, extent: &Extent, speaker: Channel, hit: &Hit) -> bool {
    let early = hit.span.start_ms < case.conversation.start_ms.saturating_add(milliseconds(extent.seconds));
    early || case.turns_of(speaker).take(extent.turns).any(|(number, _)| Some(number) == hit.turn)
}

fn in_last_turns(case: &Case<'_>, turns: usize, speaker: Channel, hit: &Hit) -> bool {
    case.turns_of(speaker).rev().take(turns).any(|(number, _)| Some(number) == hit.turn)
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn share_start(case: &Case<'_>, share: f32) -> u64 {
    (case.observations.duration_ms as f64 * f64::from(1.0 - share)) as u64
}

fn seconds_start(case: &Case<'_>, seconds: f64) -> u64 {
    case.observations.duration_ms.saturating_sub(milliseconds(seconds))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked: not negative, a part of a call
fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1000.0) as u64
}

pub(super) fn is_before(hit: &Hit, trigger: &Hit) -> bool {
    match (hit.utterance, trigger.utterance) {
        (Some(hit), Some(trigger)) => hit < trigger,
        _ => hit.span.start_ms < trigger.span.start_ms,
    }
}

fn is_after(case: &Case<'_>, after: &After, speaker: Channel, trigger: &Hit, hit: &Hit) -> bool {
    let own_turn = trigger.turn.is_some() && hit.turn == trigger.turn;
    if after.same_turn && own_turn {
        return true;
    }
    let follows = match (hit.utterance, trigger.utterance) {
        (Some(hit), Some(trigger)) => hit > trigger || after.same_turn && hit == trigger,
        _ => hit.span.start_ms >= trigger.span.end_ms,
    };
    if after.turns.is_none() && after.seconds.is_none() {
        return follows;
    }
    let in_turns = |turns| {
        !own_turn && turns_after(case, speaker, trigger).take(turns).any(|number| Some(number) == hit.turn)
    };
    let in_time = |seconds| hit.span.start_ms <= trigger.span.end_ms.saturating_add(milliseconds(seconds));
    follows && (after.turns.is_some_and(in_turns) || after.seconds.is_some_and(in_time))
}

fn is_shortly_before(case: &Case<'_>, before: &Before, speaker: Channel, trigger: &Hit, hit: &Hit) -> bool {
    if before.turns.is_none() && before.seconds.is_none() {
        return is_before(hit, trigger);
    }
    let in_turns =
        |turns| last_turns_before(case, speaker, trigger, turns).any(|number| Some(number) == hit.turn);
    let in_time = |seconds| hit.span.start_ms >= trigger.span.start_ms.saturating_sub(milliseconds(seconds));
    is_before(hit, trigger) && (before.turns.is_some_and(in_turns) || before.seconds.is_some_and(in_time))
}

/// The speaker's last turns that have words before the trigger, the latest first.
fn last_turns_before<'c>(
    case: &'c Case<'_>,
    speaker: Channel,
    trigger: &Hit,
    turns: usize,
) -> impl Iterator<Item = usize> + 'c {
    let (at, start) = (trigger.utterance, trigger.span.start_ms);
    let earlier = move |&utterance: &usize| match at {
        Some(at) => utterance < at,
        None => case.observations.utterances[utterance].utterance.span.start_ms < start,
    };
    let before = case.turns_of(speaker).rev().filter(move |(_, turn)| turn.utterances.iter().any(earlier));
    before.take(turns).map(|(number, _)| number)
}

/// The speaker's turns that have words after the trigger, the trigger's own turn apart.
///
/// A hold has no turn of its own: the turn that the speaker goes on with afterwards is the first.
fn turns_after<'c>(case: &'c Case<'_>, speaker: Channel, trigger: &Hit) -> impl Iterator<Item = usize> + 'c {
    let (own, end) = (trigger.turn, trigger.span.end_ms);
    let at = trigger.utterance;
    case.turns_of(speaker)
        .filter(move |(number, turn)| {
            let later = |&utterance: &usize| match at {
                Some(at) => utterance > at,
                None => case.observations.utterances[utterance].utterance.span.start_ms >= end,
            };
            own != Some(*number) && turn.utterances.iter().any(later)
        })
        .map(|(number, _)| number)
}

/// The stretch in which the pattern was due.
pub(super) fn due(case: &Case<'_>, pattern: &Pattern, trigger: Option<&Hit>) -> Due {
    let whole = Span::new(case.conversation.start_ms, case.observations.duration_ms);
    let Some(window) = &pattern.window else { return Due { span: whole, cut: false } };
    let mut parts: Vec<Due> = Vec::new();
    if let Some(extent) = &window.first {
        parts.push(due_first(case, extent, pattern.speaker));
    }
    if let Some(turns) = window.last_turns {
        let spans = case.turns_of(pattern.speaker).rev().take(turns).map(|(_, turn)| turn.span);
        let span = spans.reduce(|all, span| all.cover(&span)).unwrap_or(whole);
        parts.push(Due { span: Span::new(span.start_ms, whole.end_ms), cut: false });
    }
    if let Some(seconds) = window.last_seconds {
        parts.push(Due { span: Span::new(seconds_start(case, seconds), whole.end_ms), cut: false });
    }
    if let Some(share) = window.last_share {
        parts.push(Due { span: Span::new(share_start(case, share), whole.end_ms), cut: false });
    }
    if let Some(last) = &window.before_last {
        let end = Bound::of(&find(case, last, trigger)).possible.map_or(whole.end_ms, |hit| hit.span.end_ms);
        parts.push(Due { span: Span::new(whole.start_ms, end), cut: false });
    }
    if let Some(trigger) = trigger {
        if let Some(before) = &window.before_trigger {
            let start = due_before(case, before, pattern.speaker, trigger).unwrap_or(whole.start_ms);
            parts.push(Due { span: Span::new(start, trigger.span.end_ms), cut: false });
        }
        if let Some(after) = &window.after_trigger {
            parts.push(due_after(case, after, pattern.speaker, trigger));
        }
    }
    let joined = parts.into_iter().reduce(|a, b| Due { span: a.span.cover(&b.span), cut: a.cut || b.cut });
    joined.unwrap_or(Due { span: whole, cut: false })
}

/// Until when something was due, and whether the call ended before that.
type Until = (u64, bool);

/// What is inside either the turns or the seconds counts, so it is due until the later of the two. One of them that
/// passed was chance enough: the call cut the window only where it ended before both. No turns or no seconds are no
/// part of it.
fn later(by_turns: Option<Until>, by_time: Option<Until>) -> Option<Until> {
    by_turns.into_iter().chain(by_time).reduce(|a, b| (a.0.max(b.0), a.1 && b.1))
}

fn due_first(case: &Case<'_>, extent: &Extent, speaker: Channel) -> Due {
    let (start, end) = (case.conversation.start_ms, case.observations.duration_ms);
    let by_turns = extent.turns.checked_sub(1).map(|before| {
        let last = case.turns_of(speaker).nth(before);
        last.map_or((end, true), |(_, turn)| (turn.span.end_ms, false))
    });
    let by_time = by_seconds(start, Some(extent.seconds), end);
    let (until, cut) = later(by_turns, by_time).unwrap_or((end, false));
    Due { span: Span::new(start, until), cut }
}

/// So many seconds from a moment.
fn by_seconds(from: u64, seconds: Option<f64>, end: u64) -> Option<Until> {
    let seconds = seconds.filter(|seconds| *seconds > 0.0)?;
    let until = from.saturating_add(milliseconds(seconds));
    Some((until.min(end), until > end))
}

/// From when on something was due before a trigger; `None`, from the beginning.
fn due_before(case: &Case<'_>, before: &Before, speaker: Channel, trigger: &Hit) -> Option<u64> {
    let turns = before.turns.map(|turns| {
        let first = last_turns_before(case, speaker, trigger, turns).last();
        first.map_or(trigger.span.start_ms, |number| case.turns[number].span.start_ms)
    });
    let seconds = before.seconds.map(|seconds| trigger.span.start_ms.saturating_sub(milliseconds(seconds)));
    turns.into_iter().chain(seconds).min()
}

/// Of no turns, what is due is the rest of the trigger's own.
fn due_after(case: &Case<'_>, after: &After, speaker: Channel, trigger: &Hit) -> Due {
    let end = case.observations.duration_ms;
    let own = trigger.turn.filter(|_| after.same_turn).and_then(|number| case.turns.get(number));
    let start = own.map_or(trigger.span.end_ms, |turn| turn.span.start_ms);
    let by_turns = after.turns.filter(|turns| *turns > 0).map(|turns| {
        let following: Vec<usize> = turns_after(case, speaker, trigger).take(turns).collect();
        let last = following.last().map(|&number| case.turns[number].span.end_ms);
        let cut = following.len() < turns;
        (if cut { end } else { last.unwrap_or(end) }, cut)
    });
    if after.turns.is_none() && after.seconds.is_none() {
        return Due { span: Span::new(trigger.span.start_ms, end), cut: false };
    }
    let own_end = own.map_or(start, |turn| turn.span.end_ms);
    let by_time = by_seconds(trigger.span.end_ms, after.seconds, end);
    let (until, cut) = later(by_turns, by_time).unwrap_or((own_end, false));
    Due { span: Span::new(start, until.max(own_end)), cut }
}
