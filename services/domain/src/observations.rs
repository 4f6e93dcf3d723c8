//! Everything that models and acoustics said of a call. Verdicts are a function of this and a rulebook.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Channel, Label, Language, OutcomeEstimate, RedactedKind, Span, Utterance};

/// Why a stretch of speech has no words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The transcriber heard speech and no words.
    NoWords,
    /// The transcriber repeated itself; what it said was thrown away.
    Repetition,
}

/// A stretch of speech that could not be transcribed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// On which channel.
    #[serde(rename = "speaker")]
    pub channel: Channel,
    /// When.
    #[serde(flatten)]
    pub span: Span,
    /// Why.
    pub reason: GapReason,
}

/// From which probability on a label counts, and from which on it is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// At or above this probability the label holds.
    pub holds: f32,
    /// At or above this, and below `holds`, the model is inside its declared band of doubt.
    pub doubt: f32,
}

impl Threshold {
    /// Whether the label holds or is in doubt. A classifier that gives no number is in doubt.
    #[must_use]
    pub fn may_hold(&self, probability: f32) -> bool {
        probability.is_nan() || probability >= self.doubt.min(self.holds)
    }
}

/// The probabilities of one utterance, by label; a label is absent where its classifier does not
/// judge this speaker. Rounded to four places.
pub type Scores = BTreeMap<Label, f32>;

/// An utterance and what the classifiers said of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// The utterance.
    #[serde(flatten)]
    pub utterance: Utterance,
    /// Probabilities, 0–1.
    pub scores: Scores,
}

/// One channel of the recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelObserved {
    /// Who is on it.
    pub channel: Channel,
    /// The language in which it was transcribed; `None` where nobody spoke.
    pub language: Option<Language>,
    /// Where somebody speaks: VAD spans, gaps under 0.3 s joined.
    pub speech: Vec<Span>,
}

/// A stretch of a channel in which something is said that was taken out of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Muted {
    /// On which channel.
    #[serde(rename = "speaker")]
    pub channel: Channel,
    /// When.
    #[serde(flatten)]
    pub span: Span,
    /// What.
    pub kinds: BTreeSet<RedactedKind>,
}

/// All that was observed of one call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observations {
    /// Length of the recording, in milliseconds.
    pub duration_ms: u64,
    /// Both tracks of the recording carry the same signal: it was judged as mono.
    pub dual_mono: bool,
    /// The channels: agent and customer, or mixed.
    pub channels: Vec<ChannelObserved>,
    /// In time order; where two begin together, the agent's first.
    pub utterances: Vec<Observed>,
    /// Speech without words.
    pub gaps: Vec<Gap>,
    /// When each label counts, as the classifiers' cards declare.
    pub thresholds: BTreeMap<Label, Threshold>,
    /// How the call came out, by the outcome model; `None` where it was not asked.
    pub outcome: Option<OutcomeEstimate>,
}

impl Observations {
    /// The channel's speech; nothing where the recording has no such channel.
    #[must_use]
    pub fn speech(&self, channel: Channel) -> &[Span] {
        self.channels.iter().find(|c| c.channel == channel).map_or(&[], |c| &c.speech)
    }

    /// Time with speech on a channel, in milliseconds.
    #[must_use]
    pub fn speech_ms(&self, channel: Channel) -> u64 {
        self.speech(channel).iter().map(Span::len_ms).fold(0, u64::saturating_add)
    }

    /// What has to be silenced before anybody may hear the recording, in time order.
    ///
    /// Words have no times of their own, so it is the whole of every utterance from which something was taken out:
    /// rather too much than a digit too little.
    #[must_use]
    pub fn muted(&self) -> Vec<Muted> {
        let redacted = self.utterances.iter().map(|o| &o.utterance).filter(|u| !u.redactions.is_empty());
        let mut muted: Vec<Muted> = Vec::new();
        for utterance in redacted {
            let kinds: BTreeSet<RedactedKind> = utterance.redactions.iter().map(|r| r.kind).collect();
            let touched = muted.iter_mut().rev().find(|one| one.channel == utterance.channel);
            match touched.filter(|one| utterance.span.start_ms <= one.span.end_ms) {
                Some(one) => {
                    one.span = one.span.cover(&utterance.span);
                    one.kinds.extend(kinds);
                }
                None => muted.push(Muted { channel: utterance.channel, span: utterance.span, kinds }),
            }
        }
        muted
    }

    /// One track with both speakers: nobody's role is known.
    #[must_use]
    pub fn is_mono(&self) -> bool {
        self.channels.iter().any(|c| c.channel == Channel::Mixed)
    }

    /// The language of the call: the agent's, or else anybody's.
    #[must_use]
    pub fn language(&self) -> Option<Language> {
        let spoken = |channel| self.channels.iter().find(|c| c.channel == channel)?.language;
        spoken(Channel::Agent).or_else(|| spoken(Channel::Customer)).or_else(|| spoken(Channel::Mixed))
    }
}

/// Rounds a probability to four places, so that a last bit never shows in a result.
#[must_use]
pub fn rounded(probability: f32) -> f32 {
    (probability.clamp(0.0, 1.0) * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_call::call_from;

    #[test]
    fn what_was_taken_out_is_silenced_whole() {
        let lines = "a@0-900 请报手机号 | c@1000-4000 13812345678 | c@3900-6000 尾号7219 | a@7000-8000 好的 | \
                     a@9000-11000 13812345678对吗";
        let muted = call_from(lines).muted();
        let spans: Vec<_> =
            muted.iter().map(|m| (m.channel.name(), m.span.start_ms, m.span.end_ms)).collect();
        assert_eq!(spans, [("customer", 1_000, 6_000), ("agent", 9_000, 11_000)]);
        assert_eq!(
            muted[0].kinds.iter().copied().collect::<Vec<_>>(),
            [RedactedKind::Phone, RedactedKind::PartialNumber]
        );
        assert!(call_from("a 一共八十八元 | c 好的").muted().is_empty());
    }
}
