//! How near a pattern came to matching: words below the threshold, or in the wrong place.

use crate::{Claim, Evidence, Measure, Pattern, Span};

use super::case::{Case, Hit};
use super::demand::stretch;
use super::window::due;

/// What came nearest, in so many places: more would hide it again.
const MOST_NEAR: usize = 3;

/// Something that nearly matched, or that matched and did not count.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// What to play.
    pub evidence: Evidence,
    /// What was wanting.
    pub by: Distance,
}

/// How far something was from counting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Distance {
    /// The label's probability is so much below its threshold.
    Probability {
        /// 0–1.
        short_by: f32,
    },
    /// The label counts, but the words were heard with less confidence than the rulebook asks for.
    Confidence {
        /// Mean token probability, 0–1.
        heard: f32,
        /// From which on words count, 0–1.
        floor: f32,
    },
    /// It counts elsewhere: so long before its window began.
    TooEarly {
        /// Milliseconds from its end to the window.
        by_ms: u64,
        /// Turns of the speaker from it to the window.
        turns: usize,
    },
    /// It counts elsewhere: so long after its window had ended.
    TooLate {
        /// Milliseconds from the window to its start.
        by_ms: u64,
        /// Turns of the speaker from the window to it.
        turns: usize,
    },
    /// It was asked, and nobody answered.
    Unanswered,
    /// A stretch of time that is so much too short.
    Length {
        /// Milliseconds.
        short_by_ms: u64,
    },
}

/// What came nearest to a pattern that was looked for here.
pub(super) fn nearest(case: &Case<'_>, pattern: &Pattern, trigger: Option<&Hit>, found: &[Hit]) -> Vec<Near> {
    let mut near: Vec<Near> = found.iter().filter_map(|hit| unheard(case, hit)).collect();
    let is_found =
        |hit: &Hit| found.iter().any(|other| other.utterance == hit.utterance && other.span == hit.span);
    let elsewhere = case.matches(pattern).into_iter().filter(|hit| hit.holds && !is_found(hit));
    let mut elsewhere: Vec<Near> = elsewhere.map(|hit| outside(case, pattern, trigger, hit)).collect();
    elsewhere.sort_by_key(|near| match near.by {
        Distance::TooEarly { by_ms, .. } | Distance::TooLate { by_ms, .. } => by_ms,
        _ => 0,
    });
    near.extend(elsewhere);
    near.extend(below_threshold(case, pattern, due(case, pattern, trigger).span));
    near.extend(too_short(case, pattern));
    near.truncate(MOST_NEAR);
    near
}

fn unheard(case: &Case<'_>, hit: &Hit) -> Option<Near> {
    let heard = case.observations.utterances.get(hit.utterance?)?.utterance.confidence;
    let by = Distance::Confidence { heard, floor: case.rulebook.confidence_floor() };
    (hit.holds && !hit.certain).then(|| Near { evidence: hit.evidence.clone(), by })
}

/// A match that does not stand where it should.
fn outside(case: &Case<'_>, pattern: &Pattern, trigger: Option<&Hit>, hit: Hit) -> Near {
    let window = due(case, pattern, trigger).span;
    let between = |from: u64, to: u64| {
        let turns = case.turns_of(pattern.speaker).filter(|(number, _)| Some(*number) != hit.turn);
        turns.filter(|(_, turn)| from <= turn.span.start_ms && turn.span.end_ms <= to).count() + 1
    };
    let by = if hit.span.end_ms <= window.start_ms {
        Distance::TooEarly {
            by_ms: window.start_ms - hit.span.end_ms,
            turns: between(hit.span.end_ms, window.start_ms),
        }
    } else if hit.span.start_ms >= window.end_ms {
        Distance::TooLate {
            by_ms: hit.span.start_ms - window.end_ms,
            turns: between(window.end_ms, hit.span.start_ms),
        }
    } else if pattern.answered_by.is_some() {
        Distance::Unanswered
    } else {
        Distance::TooEarly { by_ms: 0, turns: 0 }
    };
    Near { evidence: hit.evidence, by }
}

/// The likeliest utterances of those that stand where it was due and are no match.
fn below_threshold(case: &Case<'_>, pattern: &Pattern, within: Span) -> Vec<Near> {
    let mut below: Vec<Near> = Vec::new();
    for (index, observed) in case.said_by(pattern.speaker) {
        let utterance = &observed.utterance;
        if utterance.span.overlap(&within).is_none() {
            continue;
        }
        let short = pattern.labels.iter().filter_map(|&label| {
            let (threshold, &probability) =
                (case.observations.thresholds.get(&label)?, observed.scores.get(&label)?);
            let claim = Claim { label, probability, threshold: threshold.holds };
            // What is in doubt is found already.
            (!threshold.may_hold(probability)).then_some(claim)
        });
        let best = short.min_by(|a, b| missing(a).total_cmp(&missing(b)));
        below.extend(best.map(|claim| {
            let evidence = case.whole(index, observed, claim);
            Near { evidence, by: Distance::Probability { short_by: missing(&claim) } }
        }));
    }
    below.sort_by(|a, b| short_by(a).total_cmp(&short_by(b)));
    below.truncate(1);
    below
}

fn missing(claim: &Claim) -> f32 {
    claim.threshold - claim.probability
}

fn short_by(near: &Near) -> f32 {
    match near.by {
        Distance::Probability { short_by } => short_by,
        _ => 0.0,
    }
}

/// The longest silence that is not long enough to be dead air.
fn too_short(case: &Case<'_>, pattern: &Pattern) -> Option<Near> {
    if pattern.measure != Some(Measure::DeadAir) {
        return None;
    }
    let silences = case.acoustics.silences.iter().filter(|silence| !silence.announced);
    let longest = silences.map(|silence| silence.span).max_by_key(Span::len_ms)?;
    let short_by_ms =
        crate::acoustics::DEAD_AIR_MS.checked_sub(longest.len_ms()).filter(|short| *short > 0)?;
    Some(Near { evidence: stretch(None, longest), by: Distance::Length { short_by_ms } })
}
