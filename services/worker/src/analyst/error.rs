//! Why a call could not be assessed, and what becomes of it.

use callqa_audio::AudioError;
use callqa_domain::{ChannelLayout, DeadLetterReason};
use callqa_models::ModelError;

use crate::decoding::DecoderFault;
use crate::disposition::Disposition;

/// Why a call could not be assessed.
#[derive(Debug, thiserror::Error)]
pub enum AssessError {
    /// The recording was refused.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The recording was refused by the process that decoded it.
    #[error("{said}")]
    Refused {
        /// The published reason.
        reason: DeadLetterReason,
        /// Whether it is worth trying again.
        disposition: Disposition,
        /// Why, in a sentence.
        said: String,
    },
    /// The process that decoded it did not do so to the end.
    #[error(transparent)]
    Decoder(#[from] DecoderFault),
    /// The event describes another recording than this one.
    #[error("the event says {}, and the recording has {channels} channel{}", said(*declared), if *channels == 1 { "" } else { "s" })]
    WrongChannelLayout {
        /// What the event says.
        declared: ChannelLayout,
        /// Channels of the recording.
        channels: usize,
    },
    /// A model failed.
    #[error(transparent)]
    Model(ModelError),
    /// The stop signal came.
    #[error("stopped before the end")]
    Stopped,
}

impl From<ModelError> for AssessError {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::Stopped => Self::Stopped,
            error => Self::Model(error),
        }
    }
}

impl AssessError {
    /// A stable name for metrics and dead letters.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Audio(error) => error.reason(),
            Self::Refused { reason, .. } => reason.name(),
            Self::Decoder(fault) => fault.reason().name(),
            Self::WrongChannelLayout { .. } => "wrong_channel_layout",
            Self::Model(error) => error.reason(),
            Self::Stopped => "stopped",
        }
    }

    /// Whether it is worth trying again.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Audio(error) => match error {
                AudioError::Read(_) => Disposition::Retry,
                AudioError::Empty
                | AudioError::NotAudio { .. }
                | AudioError::UnsupportedFormat { .. }
                | AudioError::UnsupportedCodec { .. }
                | AudioError::TooLarge { .. }
                | AudioError::TooManyChannels { .. }
                | AudioError::SampleRateOutOfRange { .. }
                | AudioError::TooLong { .. }
                | AudioError::TooShort { .. }
                | AudioError::Truncated { .. }
                | AudioError::Damaged { .. }
                | AudioError::TooMuchWork { .. }
                | AudioError::Corrupt { .. } => Disposition::DeadLetter,
            },
            Self::Refused { disposition, .. } => *disposition,
            // Somebody else may have ended it, or taken the machine's memory.
            Self::Decoder(_) => Disposition::Retry,
            Self::WrongChannelLayout { .. } => Disposition::DeadLetter,
            Self::Model(error) => match error {
                // Memory may be short for a while, and another analyst's models may be whole.
                ModelError::Whisper { .. }
                | ModelError::Onnx { .. }
                | ModelError::Runtime { .. }
                | ModelError::Unreadable { .. }
                | ModelError::Stopped => Disposition::Retry,
                ModelError::Tokenizer { .. }
                | ModelError::Manifest { .. }
                | ModelError::NotListed { .. }
                | ModelError::WrongHash { .. }
                | ModelError::Unfit { .. }
                | ModelError::NoDevice { .. }
                | ModelError::MissingHead { .. } => Disposition::DeadLetter,
            },
            Self::Stopped => Disposition::Retry,
        }
    }
}

/// The published reason of a refused recording.
pub(crate) fn recording_reason(error: &AudioError) -> DeadLetterReason {
    match error {
        AudioError::Empty => DeadLetterReason::RecordingEmpty,
        AudioError::NotAudio { .. }
        | AudioError::UnsupportedFormat { .. }
        | AudioError::UnsupportedCodec { .. } => DeadLetterReason::NotAudio,
        AudioError::TooLarge { .. } => DeadLetterReason::RecordingTooLarge,
        AudioError::TooManyChannels { .. } => DeadLetterReason::TooManyChannels,
        AudioError::SampleRateOutOfRange { .. } => DeadLetterReason::SampleRateOutOfRange,
        AudioError::TooLong { .. } => DeadLetterReason::RecordingTooLong,
        AudioError::TooShort { .. } => DeadLetterReason::RecordingTooShort,
        AudioError::Truncated { .. } | AudioError::Damaged { .. } | AudioError::Corrupt { .. } => {
            DeadLetterReason::DamagedAudio
        }
        AudioError::TooMuchWork { .. } => DeadLetterReason::DecodeWorkExceeded,
        AudioError::Read(_) => DeadLetterReason::RecordingUnreachable,
    }
}

fn said(layout: ChannelLayout) -> &'static str {
    match layout {
        ChannelLayout::AgentFirst => "that the agent is on the first of two channels",
        ChannelLayout::CustomerFirst => "that the customer is on the first of two channels",
        ChannelLayout::Mono => "that there is one channel",
    }
}
