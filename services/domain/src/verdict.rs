//! What a rule says of a call, and why.

use serde::{Deserialize, Serialize};

use crate::{Channel, Label, Span};

/// A rule's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// The obligation held.
    Met,
    /// It did not.
    Violated,
    /// Its precondition did not arise.
    NotApplicable,
    /// It can't be judged; an unknown never deducts.
    Unknown,
}

impl Ruling {
    /// The published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Violated => "violated",
            Self::NotApplicable => "not_applicable",
            Self::Unknown => "unknown",
        }
    }
}

/// Why a rule is not applicable, or why it can't be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Agent and customer did not both speak.
    NoConversation,
    /// What the rule waits for did not happen.
    PreconditionAbsent,
    /// The rulebook does not judge such a call: its scope or its days leave it out.
    OutOfScope,
    /// The call ended before the obligation fell due.
    CutShort,
    /// One track with both speakers.
    Mono,
    /// Less than 80 % of the speech where it was due was transcribed with enough confidence.
    LowCoverage,
    /// A model is inside its declared band of doubt.
    ModelInDoubt,
    /// The event does not say what the rule needs to know.
    MissingAttribute,
}

impl Reason {
    /// The published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoConversation => "no_conversation",
            Self::PreconditionAbsent => "precondition_absent",
            Self::OutOfScope => "out_of_scope",
            Self::CutShort => "cut_short",
            Self::Mono => "mono",
            Self::LowCoverage => "low_coverage",
            Self::ModelInDoubt => "model_in_doubt",
            Self::MissingAttribute => "missing_attribute",
        }
    }
}

/// Something that can be played: words of an utterance, or a span of the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// On which channel; `None` for a span of the whole call.
    #[serde(rename = "speaker", skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// When.
    #[serde(flatten)]
    pub span: Span,
    /// The words, with where they stand.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    /// What the classifier said, where a classifier said it.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
}

/// Characters of an utterance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Index of the utterance in the transcript.
    pub utterance: usize,
    /// First character (Unicode scalar value) of the redacted text.
    pub from_char: usize,
    /// First character that is not quoted any more.
    pub to_char: usize,
    /// The quoted words.
    pub text: String,
}

/// A label that a classifier gave, with the numbers behind it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The label.
    pub label: Label,
    /// Its probability, 0–1.
    pub probability: f32,
    /// The probability from which it counts.
    pub threshold: f32,
}

/// One rule's answer for one call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The rule's id.
    pub rule: String,
    /// The answer.
    pub ruling: Ruling,
    /// Why, where it is neither met nor violated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Points that this verdict takes off the score.
    pub deducted: u32,
    /// What to play; for something missing, the span in which it was due.
    pub evidence: Vec<Evidence>,
}
