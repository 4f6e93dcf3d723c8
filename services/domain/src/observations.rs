//! Everything that models and acoustics said of a call. Verdicts are a function of this and a rulebook.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Channel, Label, Language, OutcomeEstimate, Span, Utterance};

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
