//! The bare speech models, for measurements of speed and of error rates; no released program has this.

use callqa_domain::Language;
use whisper_rs::{FullParams, SamplingStrategy};

use crate::manifest::{Manifest, Role};
use crate::vad::Silero;
use crate::{ModelError, ModelsConfig, SpeechDetector, Whisper, WhisperTranscriber, Window, onnx};

/// What an analyst listens with.
pub struct Ear {
    /// Where somebody speaks.
    pub detector: Box<dyn SpeechDetector>,
    transcriber: WhisperTranscriber,
}

impl Ear {
    /// Opens the models once and makes so many ears.
    ///
    /// # Errors
    /// As [`Models::open`](crate::Models::open).
    pub fn open(config: &ModelsConfig, count: usize) -> Result<Vec<Self>, ModelError> {
        let manifest = Manifest::read(&config.manifest)?;
        let file = |role, name| manifest.verified(manifest.file(role, name)?, &config.dir);
        let environment = onnx::environment(&file(Role::Onnxruntime, None)?.0)?;
        let (vad, vad_id) = file(Role::Vad, None)?;
        let unreadable = |source| ModelError::Unreadable { name: vad_id.name, path: vad.clone(), source };
        let vad = std::fs::read(&vad).map_err(unreadable)?;
        let (path, id) = file(Role::Whisper, Some(&config.whisper))?;
        let whisper = Whisper::open(&environment, &id.name, &path, config.device)?;
        let ear = |_| {
            let detector = Box::new(Silero::open(&environment, &vad)?);
            Ok(Self { detector, transcriber: whisper.transcriber()? })
        };
        (0..count).map(ear).collect()
    }

    /// The words of each window as they would go to the redactor.
    ///
    /// # Errors
    /// As [`Transcriber::transcribe`](crate::Transcriber::transcribe).
    pub fn words(&mut self, windows: &[(&Window, Language)]) -> Result<Vec<String>, ModelError> {
        self.transcriber.spoken(windows)
    }
}

/// whisper.cpp's own full pass.
pub struct Plain {
    whisper: Whisper,
}

impl Plain {
    /// Opens Whisper alone.
    ///
    /// # Errors
    /// As [`Models::open`](crate::Models::open).
    pub fn open(config: &ModelsConfig) -> Result<Self, ModelError> {
        let manifest = Manifest::read(&config.manifest)?;
        let (path, id) =
            manifest.verified(manifest.file(Role::Whisper, Some(&config.whisper))?, &config.dir)?;
        let library = manifest.verified(manifest.file(Role::Onnxruntime, None)?, &config.dir)?.0;
        Ok(Self { whisper: Whisper::open(&onnx::environment(&library)?, &id.name, &path, config.device)? })
    }

    /// The text of a whole channel, at 16 kHz.
    ///
    /// # Errors
    /// What whisper.cpp says.
    pub fn hear(&self, samples: &[f32], language: Language, threads: usize) -> Result<String, ModelError> {
        let failed = |source| ModelError::Whisper { doing: "heard a whole channel", source };
        let unfit = || ModelError::Unfit { name: "whisper".to_owned(), what: "no ggml file".to_owned() };
        let context = self.whisper.cpp_context().ok_or_else(unfit)?;
        let mut state = context.create_state().map_err(failed)?;
        let mut parameters = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
        parameters.set_n_threads(threads as i32);
        parameters.set_language(Some(language.code()));
        parameters.set_print_progress(false);
        parameters.set_print_realtime(false);
        state.full(parameters, samples).map_err(failed)?;
        Ok(state.as_iter().map(|segment| segment.to_string()).collect())
    }
}
