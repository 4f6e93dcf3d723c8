//! Whether the customer's want was met: an estimate from the cues of one call, not first-call resolution.

use serde::{Deserialize, Serialize};

use crate::{Channel, Label, Observations, rounded};

/// How a call came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// The want was met or answered, or needs nothing more from the customer.
    Resolved,
    /// Part done, or a named follow-up is pending.
    PartiallyResolved,
    /// The call ends with the want unmet and no accepted path.
    Unresolved,
    /// Cut off, or nothing to go by.
    Unknown,
}

impl OutcomeKind {
    /// The published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::PartiallyResolved => "partially_resolved",
            Self::Unresolved => "unresolved",
            Self::Unknown => "unknown",
        }
    }
}

/// An outcome and how sure we are of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The likeliest.
    pub kind: OutcomeKind,
    /// Its share of the evidence, 0–1; 0 where unknown. Not calibrated yet: an order, not a frequency.
    pub probability: f32,
}

/// A late cue outweighs an early one: what was said in the last third of the call counts in full, what was
/// said before counts this much, since it may have been settled in between.
const EARLY_WEIGHT: f32 = 0.4;
/// Weight of having no cue of this kind at all: keeps a single faint cue from looking certain.
const PRIOR: f32 = 0.15;

/// Which label speaks for which outcome, and how loudly.
const CUES: &[(Label, OutcomeKind, f32)] = &[
    (Label::ConfirmsResolved, OutcomeKind::Resolved, 1.0),
    (Label::NothingMore, OutcomeKind::Resolved, 0.6),
    (Label::PromisesCallback, OutcomeKind::PartiallyResolved, 0.8),
    (Label::Escalates, OutcomeKind::PartiallyResolved, 0.8),
    (Label::SaysUnresolved, OutcomeKind::Unresolved, 1.0),
    (Label::RejectsExplanation, OutcomeKind::Unresolved, 0.7),
    (Label::Dissatisfied, OutcomeKind::Unresolved, 0.5),
    (Label::ThreatensEscalation, OutcomeKind::Unresolved, 0.7),
    (Label::AsksSupervisor, OutcomeKind::Unresolved, 0.5),
];

/// Weighs the cues of a call: the strongest of each label, late ones more.
#[must_use]
pub fn outcome(observations: &Observations) -> Outcome {
    let unknown = Outcome { kind: OutcomeKind::Unknown, probability: 0.0 };
    let customer_spoke = observations.utterances.iter().any(|o| o.utterance.channel != Channel::Agent);
    let last_third_from = observations.duration_ms / 3 * 2;
    let mut weight = [
        (OutcomeKind::Resolved, PRIOR),
        (OutcomeKind::PartiallyResolved, PRIOR),
        (OutcomeKind::Unresolved, PRIOR),
    ];
    let mut heard_any = false;
    for &(label, kind, loudness) in CUES {
        let Some(threshold) = observations.thresholds.get(&label) else { continue };
        let strongest = observations
            .utterances
            .iter()
            .filter_map(|o| Some((o.utterance.span.start_ms, *o.scores.get(&label)?)))
            .filter(|&(_, probability)| probability >= threshold.holds)
            .map(
                |(at, probability)| {
                    if at >= last_third_from { probability } else { probability * EARLY_WEIGHT }
                },
            )
            .fold(0.0, f32::max);
        heard_any |= strongest > 0.0;
        for entry in weight.iter_mut().filter(|entry| entry.0 == kind) {
            entry.1 += strongest * loudness;
        }
    }
    if !customer_spoke || !heard_any {
        return unknown;
    }
    let total: f32 = weight.iter().map(|(_, weight)| weight).sum();
    weight.iter().fold(unknown, |best, &(kind, weight)| {
        let probability = rounded(weight / total);
        if probability > best.probability { Outcome { kind, probability } } else { best }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_call::call_from;

    #[track_caller]
    fn check(lines: &str, expect: OutcomeKind) {
        assert_eq!(outcome(&call_from(lines)).kind, expect);
    }

    #[test]
    fn the_last_word_counts_most() {
        check(
            "c 我的网断了 #says_unresolved | a 已经修好了 #offers_solution | c 好了可以了谢谢 #confirms_resolved",
            OutcomeKind::Resolved,
        );
        check(
            "c 可以了 #confirms_resolved | a 请稍等 | c 还是不行啊 #says_unresolved",
            OutcomeKind::Unresolved,
        );
    }

    #[test]
    fn a_promised_follow_up_is_part_of_the_way() {
        check(
            "c 我要退款 #states_issue | a 明天给您回电话 #promises_callback",
            OutcomeKind::PartiallyResolved,
        );
    }

    #[test]
    fn without_cues_nothing_is_known() {
        check("c 喂 | a 您好", OutcomeKind::Unknown);
        check("a 您好 #escalates", OutcomeKind::Unknown);
    }
}
