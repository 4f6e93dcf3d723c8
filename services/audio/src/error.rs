//! Why a recording was refused.

use std::io;

use crate::Format;

/// A refusal. All but [`AudioError::Read`] are properties of the recording: trying again changes nothing.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// Not a single byte.
    #[error("recording is empty")]
    Empty,
    /// The content is of no known audio format, whatever its name or declared type says.
    #[error("recording is not audio{}", declared.map(|f| format!(", though declared as {f}")).unwrap_or_default())]
    NotAudio {
        /// The format that the declared content type promised, if it named one of ours.
        declared: Option<Format>,
    },
    /// A known format that is not read here.
    #[error("recording is {format}, which is not supported")]
    UnsupportedFormat {
        /// What the content was recognised as.
        format: &'static str,
    },
    /// A supported container with another codec inside, or a feature of it that is not read here.
    #[error("recording uses {codec}, which is not supported")]
    UnsupportedCodec {
        /// The codec or feature.
        codec: String,
    },
    /// More bytes than allowed.
    #[error("recording is {actual} bytes, more than the {limit} allowed")]
    TooLarge {
        /// Bytes of the recording.
        actual: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// More channels than allowed, or none.
    #[error("recording has {actual} channels; 1 to {limit} are allowed")]
    TooManyChannels {
        /// Channels of the recording.
        actual: u16,
        /// Channels allowed.
        limit: u16,
    },
    /// Sampled too slowly or too fast.
    #[error("recording is sampled at {actual} Hz, outside {min} to {max} Hz")]
    SampleRateOutOfRange {
        /// Hertz of the recording.
        actual: u32,
        /// Lowest rate allowed, hertz.
        min: u32,
        /// Highest rate allowed, hertz.
        max: u32,
    },
    /// Longer than allowed; `actual_ms` is what the container promises or what was decoded so far.
    #[error("recording is at least {actual_ms} ms long, more than the {limit_ms} allowed")]
    TooLong {
        /// Milliseconds, at least.
        actual_ms: u64,
        /// Milliseconds allowed.
        limit_ms: u64,
    },
    /// Too short to say anything of it.
    #[error("recording is {actual_ms} ms long, less than the {minimum_ms} needed")]
    TooShort {
        /// Milliseconds of audio.
        actual_ms: u64,
        /// Milliseconds needed.
        minimum_ms: u64,
    },
    /// The container promised more audio than is there: a verdict on half a call would be a guess.
    #[error("recording is cut: {present_ms} ms of audio{}", promised_ms.map(|p| format!(" where {p} ms were promised")).unwrap_or_else(|| ", then no end-of-stream mark".to_owned()))]
    Truncated {
        /// Milliseconds of audio that are there (0 where not even that is known).
        present_ms: u64,
        /// Milliseconds that the container promised, where it says a length.
        promised_ms: Option<u64>,
    },
    /// More unreadable audio than allowed.
    #[error("recording has {damaged_ms} ms of unreadable audio, more than the {limit_ms} allowed")]
    Damaged {
        /// Unreadable milliseconds so far.
        damaged_ms: u64,
        /// Milliseconds allowed.
        limit_ms: u64,
    },
    /// Packets or pages that hold no audio, again and again: work without a result.
    #[error("recording has {actual} packets or pages without audio, more than the {limit} allowed")]
    TooMuchWork {
        /// Packets or pages without audio so far.
        actual: u64,
        /// Packets or pages without audio allowed.
        limit: u64,
    },
    /// The structure is broken.
    #[error("recording is corrupt: {what}")]
    Corrupt {
        /// What was found wrong; never content.
        what: &'static str,
    },
    /// The source itself could not be read.
    #[error("recording could not be read")]
    Read(#[source] io::Error),
}

impl AudioError {
    /// A stable name for metrics and dead letters.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotAudio { .. } => "not_audio",
            Self::UnsupportedFormat { .. } => "unsupported_format",
            Self::UnsupportedCodec { .. } => "unsupported_codec",
            Self::TooLarge { .. } => "too_large",
            Self::TooManyChannels { .. } => "too_many_channels",
            Self::SampleRateOutOfRange { .. } => "sample_rate_out_of_range",
            Self::TooLong { .. } => "too_long",
            Self::TooShort { .. } => "too_short",
            Self::Truncated { .. } => "truncated",
            Self::Damaged { .. } => "damaged",
            Self::TooMuchWork { .. } => "too_much_work",
            Self::Corrupt { .. } => "corrupt",
            Self::Read(_) => "read",
        }
    }
}
