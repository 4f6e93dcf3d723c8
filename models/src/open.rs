//! All models of a worker, opened and verified.

use std::path::PathBuf;
use std::sync::Arc;

use callqa_domain::{ModelId, Task};

use crate::classify::{Encoder, Head, Heads};
use crate::manifest::{Manifest, Role};
use crate::onnx;
use crate::vad::Silero;
use crate::{Classifier, ModelError, SpeechDetector, Transcriber, Whisper};

/// Where the models are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelsConfig {
    /// The manifest that pins every file.
    pub manifest: PathBuf,
    /// The folder that `models/fetch` fills.
    pub dir: PathBuf,
    /// The folder of the three classifiers.
    pub heads: PathBuf,
    /// Which of the manifest's Whisper files transcribes.
    pub whisper: String,
}

/// One analyst's models.
pub struct Kit {
    /// Where somebody speaks.
    pub detector: Box<dyn SpeechDetector>,
    /// What they say.
    pub transcriber: Box<dyn Transcriber>,
    /// What it does; shared by all analysts.
    pub classifier: Arc<dyn Classifier>,
}

/// Opened models, from which every analyst gets a kit.
pub struct Models {
    whisper: Whisper,
    vad: PathBuf,
    environment: ort::environment::Environment,
    classifier: Arc<dyn Classifier>,
    ids: Vec<ModelId>,
}

impl Models {
    /// Reads and hashes every file, then opens them: about a second.
    ///
    /// # Errors
    /// A file that is missing, that is not the pinned one, or that does not fit its role.
    pub fn open(config: &ModelsConfig) -> Result<Self, ModelError> {
        let manifest = Manifest::read(&config.manifest)?;
        let mut ids = Vec::new();
        let mut verified = |role: Role, name: Option<&str>| {
            let file = manifest.file(role, name)?;
            let (path, id) = manifest.verified(file, &config.dir)?;
            ids.push(id.clone());
            Ok::<_, ModelError>((path, id))
        };
        let (library, _) = verified(Role::Onnxruntime, None)?;
        let (whisper, whisper_id) = verified(Role::Whisper, Some(&config.whisper))?;
        let (vad, _) = verified(Role::Vad, None)?;
        let (encoder, encoder_id) = verified(Role::Encoder, None)?;
        let (tokenizer, _) = verified(Role::Tokenizer, None)?;
        let environment = onnx::environment(&library)?;
        let mut heads = Vec::new();
        for task in Task::ALL {
            let (path, id) = head(&manifest, task, config)?;
            heads.push(Head::open(&environment, task, &path, &encoder_id.sha256)?);
            ids.push(id);
        }
        ids.sort();
        let encoder = Encoder::open(&environment, &encoder, &tokenizer)?;
        Ok(Self {
            whisper: Whisper::open(&whisper_id.name, &whisper)?,
            vad,
            environment,
            classifier: Arc::new(Heads::new(encoder, heads)),
            ids,
        })
    }

    /// Models for one analyst: its own states of the speech models, and the shared classifier.
    ///
    /// # Errors
    /// Where there is no memory for them.
    pub fn kit(&self) -> Result<Kit, ModelError> {
        Ok(Kit {
            detector: Box::new(Silero::open(&self.environment, &self.vad)?),
            transcriber: Box::new(self.whisper.transcriber()?),
            classifier: Arc::clone(&self.classifier),
        })
    }

    /// Every file that has a part in results, by name.
    #[must_use]
    pub fn ids(&self) -> &[ModelId] {
        &self.ids
    }
}

/// The head of a task: its entry's file name, in the folder of the heads.
fn head(manifest: &Manifest, task: Task, config: &ModelsConfig) -> Result<(PathBuf, ModelId), ModelError> {
    let missing = |path: PathBuf| ModelError::MissingHead { task, path };
    let expected = || config.heads.join(format!("{}.onnx", task.name()));
    let file = manifest.file(Role::Head, Some(task.name())).map_err(|_| missing(expected()))?;
    let path = file.path.file_name().map_or_else(expected, |name| config.heads.join(name));
    if !path.exists() {
        return Err(missing(path));
    }
    let id = manifest.verify(file, &path)?;
    Ok((path, id))
}
