//! The models: speech detection, speech to text and text classification, behind three traits.
//!
//! This is the only crate that knows ONNX Runtime and whisper.cpp.

use std::collections::BTreeMap;

use callqa_domain::{Gap, Heard, Label, Language, Observed, OutcomeEstimate, Scores, Threshold, Utterance};

mod classify;
mod error;
mod manifest;
#[cfg(feature = "measured")]
pub mod measured;
mod onnx;
mod open;
mod pack;
#[cfg(test)]
mod real;
#[cfg(feature = "scripted")]
pub mod scripted;
mod stop;
mod vad;
mod whisper;
mod window;

pub use error::ModelError;
pub use manifest::{Manifest, ModelFile, Role};
pub use open::{Kit, Models, ModelsConfig};
pub use pack::{HEARD_AROUND, LONGEST_WINDOW, Packer, Speech, WINDOWS_TOGETHER, cut_long};
pub use stop::StopSignal;
pub use whisper::{Whisper, WhisperTranscriber};
pub use window::{Piece, SAMPLE_RATE, SAMPLES_PER_MS, TURN_PAUSE_MS, Window};

/// Samples that a speech detector takes in one step, 32 ms.
pub const VAD_WINDOW: usize = 512;

/// Tells speech from everything else.
pub trait SpeechDetector: Send {
    /// Forgets what came before: the next step begins a recording of so many channels.
    fn reset(&mut self, channels: usize);

    /// Takes the next window of every channel, 16 kHz, −1..1, and gives each one's probability of speech.
    fn step(&mut self, windows: &[[f32; VAD_WINDOW]]) -> Result<Vec<f32>, ModelError>;
}

/// What became of one window.
#[derive(Default)]
pub struct Transcribed {
    /// Words, in time order.
    pub heard: Vec<Heard>,
    /// Speech without words.
    pub gaps: Vec<Gap>,
}

/// Turns speech into words.
pub trait Transcriber: Send {
    /// The words of each window, with their times in the call. Several together cost less than one by one.
    fn transcribe(
        &mut self,
        windows: &[(&Window, Language)],
        stop: &StopSignal,
    ) -> Result<Vec<Transcribed>, ModelError>;

    /// The likeliest language of a window, among those that can be judged.
    fn detect_language(&mut self, window: &Window, stop: &StopSignal) -> Result<Language, ModelError>;
}

/// What is to be classified.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// In time order.
    pub transcript: &'a [Utterance],
    /// The utterances from here on are judged; those before are their context.
    pub judged_from: usize,
}

impl<'a> Scene<'a> {
    /// A scene whose every utterance is judged.
    #[must_use]
    pub fn whole(transcript: &'a [Utterance]) -> Self {
        Self { transcript, judged_from: 0 }
    }

    /// The utterances that are judged.
    #[must_use]
    pub fn judged(&self) -> &'a [Utterance] {
        self.transcript.get(self.judged_from..).unwrap_or_default()
    }
}

/// Says what an utterance does.
pub trait Classifier: Send + Sync {
    /// One set of probabilities for each judged utterance of each scene. What else is classified in the same
    /// call changes none of them.
    fn classify(&self, scenes: &[Scene<'_>], stop: &StopSignal) -> Result<Vec<Vec<Scores>>, ModelError>;

    /// From when on each label holds, as the classifiers' cards declare.
    fn thresholds(&self) -> &BTreeMap<Label, Threshold>;

    /// From which probability each label is the better answer, where a rule's caution is not wanted.
    fn decides(&self) -> &BTreeMap<Label, f32>;
}

/// Says how a call came out.
pub trait OutcomeEstimator: Send + Sync {
    /// Calibrated probabilities of the outcomes of a call, from what the classifiers said of its utterances.
    fn estimate(&self, utterances: &[Observed]) -> Result<OutcomeEstimate, ModelError>;
}
