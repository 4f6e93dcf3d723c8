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

macro_rules! dead_letter_reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// Why a call could not be judged and never will be as it came. The names are published.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum DeadLetterReason { $($(#[$doc])* $variant),* }

        impl DeadLetterReason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The published name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

dead_letter_reasons! {
    /// The event's bytes are neither JSON nor Protobuf of the contract.
    UndecodableEvent = "undecodable_event",
    /// The event has a type or version that we don't know.
    UnknownVersion = "unknown_version",
    /// The event can be read and contradicts itself or the contract.
    InvalidEvent = "invalid_event",
    /// The event names a language that we can't judge.
    UnknownLanguage = "unknown_language",
    /// There is no recording where the event points.
    RecordingMissing = "recording_missing",
    /// The recording lies where we may not read.
    RecordingForbidden = "recording_forbidden",
    /// The recording could not be read, again and again.
    RecordingUnreachable = "recording_unreachable",
    /// The recording is another one than the event describes.
    RecordingMismatch = "recording_mismatch",
    /// More bytes than allowed.
    RecordingTooLarge = "recording_too_large",
    /// No bytes.
    RecordingEmpty = "recording_empty",
    /// Not audio of a kind that we read.
    NotAudio = "not_audio",
    /// Audio, but damaged or cut.
    DamagedAudio = "damaged_audio",
    /// More channels than a call has.
    TooManyChannels = "too_many_channels",
    /// A sample rate outside 8–48 kHz.
    SampleRateOutOfRange = "sample_rate_out_of_range",
    /// Longer than allowed.
    RecordingTooLong = "recording_too_long",
    /// Shorter than anything that could be heard.
    RecordingTooShort = "recording_too_short",
    /// Decoding took more work than its length allows, or more memory than a process of its own may have.
    DecodeWorkExceeded = "decode_work_exceeded",
    /// The tracks are not as the event says.
    WrongChannelLayout = "wrong_channel_layout",
    /// A model failed on it, again and again.
    ModelFailed = "model_failed",
    /// It took longer than its deadline, again and again.
    DeadlineExceeded = "deadline_exceeded",
    /// The worker's process ended while it was judged, again and again.
    CrashedWorker = "crashed_worker",
    /// The program failed on it.
    Internal = "internal",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_serialised_ones() {
        for &reason in DeadLetterReason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
        }
    }
}
