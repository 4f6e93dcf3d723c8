//! The endings that are no assessment.

use serde::{Deserialize, Serialize};

/// Why a call was not judged, though nothing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExclusionReason {
    /// The event's purpose is `test`.
    TestCall,
    /// A machine answered.
    Voicemail,
    /// The customer did not agree to quality inspection.
    OptOut,
    /// Shorter than the least that is worth a verdict.
    TooShort,
    /// Nobody spoke.
    NoSpeech,
}

impl ExclusionReason {
    /// The published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TestCall => "test_call",
            Self::Voicemail => "voicemail",
            Self::OptOut => "opt_out",
            Self::TooShort => "too_short",
            Self::NoSpeech => "no_speech",
        }
    }
}
