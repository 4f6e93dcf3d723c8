//! Why one call could not be judged, in one sentence that names the file and what to do.

use std::io;
use std::path::Path;

use callqa_audio::AudioError;
use callqa_domain::DeadLetterReason;
use callqa_proto::DecodeError;
use callqa_worker::analyst::AssessError;
use callqa_worker::analysts::WorkError;

/// Why one call could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The file can't be read.
    #[error("{0}")]
    File(#[from] io::Error),
    /// What is known of the call contradicts itself.
    #[error("{0}")]
    Description(DecodeError),
    /// What is known of the call can't be written down.
    #[error("{0}")]
    Event(serde_json::Error),
    /// The recording was refused, or a model or the program failed.
    #[error("{0}")]
    Work(#[from] WorkError),
}

impl From<AssessError> for Failure {
    fn from(error: AssessError) -> Self {
        Self::Work(error.into())
    }
}

impl Failure {
    /// What a worker's dead letter would call it.
    pub fn reason(&self) -> DeadLetterReason {
        match self {
            Self::File(_) => DeadLetterReason::RecordingUnreachable,
            Self::Description(error) => error.reason(),
            Self::Event(_) => DeadLetterReason::InvalidEvent,
            Self::Work(error) => error.reason(),
        }
    }

    /// `call.wav: recording is empty; export it again`.
    pub fn sentence(&self, path: &Path) -> String {
        format!("{}: {self}; {}", path.display(), self.advice())
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::File(_) => "check the path and its permissions",
            Self::Description(_) | Self::Event(_) => "correct the CSV that describes the call",
            Self::Work(WorkError::Assess(AssessError::Audio(error))) => of_audio(error),
            // Where a child process decodes, as workers can have it.
            Self::Work(WorkError::Assess(AssessError::Refused { .. } | AssessError::Decoder(_))) => {
                "export or copy the recording again"
            }
            Self::Work(WorkError::Assess(AssessError::WrongChannelLayout { .. })) => {
                "say --layout agent-first, customer-first or mono, as the recording is"
            }
            Self::Work(WorkError::Assess(AssessError::Model(_))) => {
                "check the models with `callqa verify-models`, and free memory"
            }
            Self::Work(
                WorkError::Assess(AssessError::Stopped) | WorkError::NotWanted | WorkError::Blocked(_),
            ) => "run it again",
            Self::Work(WorkError::Panicked | WorkError::Unanswered) => {
                "please report it with the message above"
            }
        }
    }
}

fn of_audio(error: &AudioError) -> &'static str {
    match error {
        AudioError::Empty | AudioError::TooShort { .. } => "export the recording again, or leave it out",
        AudioError::NotAudio { .. }
        | AudioError::UnsupportedFormat { .. }
        | AudioError::UnsupportedCodec { .. } => "convert it to WAV, MP3, FLAC, Ogg Vorbis or Opus",
        AudioError::TooLarge { .. } | AudioError::TooLong { .. } => {
            "split it, or raise the limit in the [limits] of a worker.toml given with --config"
        }
        AudioError::TooManyChannels { .. } => "mix it down to two channels, one for each side",
        AudioError::SampleRateOutOfRange { .. } => {
            "convert it to a usual rate, 8 or 16 kHz for telephone calls"
        }
        AudioError::Truncated { .. }
        | AudioError::Damaged { .. }
        | AudioError::TooMuchWork { .. }
        | AudioError::Corrupt { .. } => "export or copy the recording again",
        AudioError::Read(_) => "check the disk and the file's permissions",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_the_file_the_fact_and_the_cure() {
        let failure = Failure::from(AssessError::from(AudioError::TooManyChannels { actual: 9, limit: 2 }));
        assert_eq!(
            failure.sentence(Path::new("a/b.wav")),
            "a/b.wav: recording has 9 channels; 1 to 2 are allowed; mix it down to two channels, one for each side"
        );
    }
}
