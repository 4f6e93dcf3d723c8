//! Whether the customer's want was met: an estimate from the cues of one call, not first-call resolution.

use serde::{Deserialize, Serialize};

use crate::{Channel, Label, Observations, Observed, rounded};

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
    /// Its calibrated probability, 0–1; 0 where unknown.
    pub probability: f32,
}

impl Outcome {
    pub(crate) const UNKNOWN: Self = Self { kind: OutcomeKind::Unknown, probability: 0.0 };
}

/// What the outcome model says of a call: calibrated probabilities that sum to 1, each to four places.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OutcomeEstimate {
    /// Of [`OutcomeKind::Resolved`].
    pub resolved: f32,
    /// Of [`OutcomeKind::PartiallyResolved`].
    pub partially_resolved: f32,
    /// Of [`OutcomeKind::Unresolved`].
    pub unresolved: f32,
}

impl OutcomeEstimate {
    /// The likeliest outcome, if it is likely enough to be told.
    #[must_use]
    pub fn likeliest(&self) -> Outcome {
        let each = [
            (OutcomeKind::Resolved, self.resolved),
            (OutcomeKind::PartiallyResolved, self.partially_resolved),
            (OutcomeKind::Unresolved, self.unresolved),
        ];
        each.into_iter().fold(Outcome::UNKNOWN, |best, (kind, probability)| {
            if probability >= UNSURE_BELOW && probability > best.probability {
                Outcome { kind, probability: rounded(probability) }
            } else {
                best
            }
        })
    }
}

/// An outcome that is hardly likelier than each of the two others is not told.
const UNSURE_BELOW: f32 = 0.4;

/// The labels whose probabilities the outcome model reads, in the order of its columns.
pub const OUTCOME_CUES: [Label; 26] = [
    Label::StatesIssue,
    Label::RepeatContact,
    Label::Explains,
    Label::OffersSolution,
    Label::RejectsExplanation,
    Label::ConfirmsResolved,
    Label::SaysUnresolved,
    Label::PromisesCallback,
    Label::Escalates,
    Label::Dissatisfied,
    Label::ThreatensEscalation,
    Label::AsksSupervisor,
    Label::NothingMore,
    Label::Greeting,
    Label::IdentityVerification,
    Label::EmpathyApology,
    Label::AnythingElse,
    Label::SurveyInvitation,
    Label::Closing,
    Label::DisclosesAccountData,
    Label::BlameShifting,
    Label::RefusesIdentification,
    Label::ImproperPromise,
    Label::Courteous,
    Label::Dismissive,
    Label::Rude,
];
/// Numbers of a call that the outcome model reads.
pub const OUTCOME_COLUMNS: usize = 3 * OUTCOME_CUES.len() + 3;
/// A cue counts this much less for each utterance that came after it.
const FADE: f32 = 0.9;

/// What the outcome model reads of a call. For each cue: its highest probability in the call, its highest in the
/// last third of the utterances, and its highest after fading. Then the customer's share of the utterances,
/// whether the customer spoke last, and the logarithm of one more than the number of utterances. On a mono recording each speaker
/// has half of the utterances.
#[must_use]
pub fn outcome_columns(utterances: &[Observed]) -> Vec<f32> {
    let count = utterances.len();
    let score = |i: usize, cue: Label| utterances[i].scores.get(&cue).copied().unwrap_or(0.0);
    let faded = |i: usize| FADE.powi(i32::try_from(count - 1 - i).unwrap_or(i32::MAX));
    let mut columns = Vec::with_capacity(OUTCOME_COLUMNS);
    for cue in OUTCOME_CUES {
        columns.push((0..count).map(|i| score(i, cue)).fold(0.0, f32::max));
        columns.push((count - count.div_ceil(3)..count).map(|i| score(i, cue)).fold(0.0, f32::max));
        columns.push((0..count).map(|i| score(i, cue) * faded(i)).fold(0.0, f32::max));
    }
    let customers = |observed: &Observed| match observed.utterance.channel {
        Channel::Agent => 0.0,
        Channel::Customer => 1.0,
        Channel::Mixed => 0.5,
    };
    columns.push(utterances.iter().map(customers).sum::<f32>() / count.max(1) as f32);
    columns.push(utterances.last().map_or(0.0, customers));
    columns.push((count as f32).ln_1p());
    columns
}

/// What tells how a call came out; the other cues only colour it.
const TELLING: [Label; 11] = [
    Label::ConfirmsResolved,
    Label::NothingMore,
    Label::SaysUnresolved,
    Label::RejectsExplanation,
    Label::Explains,
    Label::OffersSolution,
    Label::PromisesCallback,
    Label::Escalates,
    Label::Dissatisfied,
    Label::ThreatensEscalation,
    Label::AsksSupervisor,
];

/// The outcome of a call: what its estimate says, where a customer spoke and there is anything to go by.
#[must_use]
pub fn outcome(observations: &Observations) -> Outcome {
    let customer_spoke = observations.utterances.iter().any(|o| o.utterance.channel != Channel::Agent);
    let told = observations.utterances.iter().any(|observed| {
        TELLING.iter().any(|label| {
            let threshold = observations.thresholds.get(label);
            threshold.zip(observed.scores.get(label)).is_some_and(|(threshold, &p)| p >= threshold.holds)
        })
    });
    match observations.outcome {
        Some(estimate) if customer_spoke && told => estimate.likeliest(),
        _ => Outcome::UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_call::{call_from, transcript};

    fn estimate(resolved: f32, partially_resolved: f32, unresolved: f32) -> OutcomeEstimate {
        OutcomeEstimate { resolved, partially_resolved, unresolved }
    }

    #[track_caller]
    fn check(lines: &str, estimate: Option<OutcomeEstimate>, expect: OutcomeKind) {
        let observations = Observations { outcome: estimate, ..call_from(lines) };
        assert_eq!(outcome(&observations).kind, expect);
    }

    #[test]
    fn the_likeliest_is_told_where_it_stands_out() {
        let lines = "c 好了可以了谢谢 #confirms_resolved | a 不客气";
        check(lines, Some(estimate(0.7, 0.2, 0.1)), OutcomeKind::Resolved);
        check(lines, Some(estimate(0.2, 0.5, 0.3)), OutcomeKind::PartiallyResolved);
        check(lines, Some(estimate(0.34, 0.27, 0.39)), OutcomeKind::Unknown);
        check(lines, Some(estimate(f32::NAN, f32::NAN, f32::NAN)), OutcomeKind::Unknown);
        check(lines, None, OutcomeKind::Unknown);
    }

    #[test]
    fn without_cues_nothing_is_known() {
        check("c 喂 | a 您好", Some(estimate(0.9, 0.05, 0.05)), OutcomeKind::Unknown);
        check("a 您好 #escalates", Some(estimate(0.9, 0.05, 0.05)), OutcomeKind::Unknown);
    }

    #[test]
    fn columns_are_laid_out_as_the_model_learned_them() {
        let columns = outcome_columns(&transcript(
            "c 坏了 #states_issue | a 您好 #greeting | c 好 #states_issue? | a 再见",
        ));
        assert_eq!(columns.len(), OUTCOME_COLUMNS);
        let of = |cue: Label| {
            let place = OUTCOME_CUES.iter().position(|&c| c == cue).unwrap();
            columns[3 * place..][..3].to_vec()
        };
        assert_eq!(of(Label::StatesIssue), [0.9, 0.5, 0.9 * 0.9f32.powi(3)]);
        assert_eq!(of(Label::Greeting), [0.9, 0.0, 0.9 * 0.9f32.powi(2)]);
        assert_eq!(columns[OUTCOME_COLUMNS - 3..], [0.5, 0.0, 5f32.ln()]);
        assert!(outcome_columns(&[]).iter().all(|&c| c == 0.0));
    }
}
