//! All models of a worker, opened and verified.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;

use callqa_domain::{ModelId, Task};

use crate::classify::{Encoder, EncoderId, Head, Heads, OutcomeModel, outcome};
use crate::manifest::{Manifest, ModelFile, Role};
use crate::onnx;
use crate::vad::Silero;
use crate::{Classifier, ModelError, OutcomeEstimator, SpeechDetector, Transcriber, Whisper};

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
    /// Which graphics processor it takes, from 0, where this is built for one.
    pub device: u16,
}

impl ModelsConfig {
    /// Where a head of the manifest is: under its entry's file name in the folder of heads.
    #[must_use]
    pub fn head(&self, file: &ModelFile) -> PathBuf {
        let own = file.path.file_name().map_or_else(|| format!("{}.onnx", file.name).into(), OsStr::to_owned);
        self.heads.join(own)
    }
}

/// One analyst's models.
pub struct Kit {
    /// Where somebody speaks.
    pub detector: Box<dyn SpeechDetector>,
    /// What they say.
    pub transcriber: Box<dyn Transcriber>,
    /// What it does; shared by all analysts.
    pub classifier: Arc<dyn Classifier>,
    /// How the call came out; shared by all analysts.
    pub outcome: Arc<dyn OutcomeEstimator>,
}

/// Opened models, from which every analyst gets a kit.
pub struct Models {
    whisper: Whisper,
    /// Read once: what is laid under its name later is another file.
    vad: Vec<u8>,
    environment: ort::environment::Environment,
    classifier: Arc<dyn Classifier>,
    outcome: Arc<dyn OutcomeEstimator>,
    ids: Vec<ModelId>,
}

impl Models {
    /// Reads and hashes every file, then opens them: about a second.
    ///
    /// # Errors
    /// A file that is missing, that is not the pinned one, or that does not fit its role.
    pub fn open(config: &ModelsConfig) -> Result<Self, ModelError> {
        let mut shelf = Shelf::open(config)?;
        let (whisper, whisper_id) = shelf.take(Role::Whisper, Some(&config.whisper))?;
        let (vad, vad_id) = shelf.take(Role::Vad, None)?;
        let unreadable = |source| ModelError::Unreadable { name: vad_id.name, path: vad.clone(), source };
        let vad = std::fs::read(&vad).map_err(unreadable)?;
        let classifier = shelf.classifier()?;
        let outcome = shelf.outcome()?;
        let Shelf { environment, mut ids, .. } = shelf;
        ids.sort();
        let whisper = Whisper::open(&environment, &whisper_id.name, &whisper, config.device)?;
        Ok(Self { whisper, vad, environment, classifier, outcome, ids })
    }

    /// Reads, hashes and opens only what classifies text: the speech models need not be there.
    ///
    /// # Errors
    /// As [`Models::open`].
    pub fn open_classifier(config: &ModelsConfig) -> Result<Arc<dyn Classifier>, ModelError> {
        Shelf::open(config)?.classifier()
    }

    /// Reads, hashes and opens only the outcome model.
    ///
    /// # Errors
    /// As [`Models::open`].
    pub fn open_outcome(config: &ModelsConfig) -> Result<Arc<dyn OutcomeEstimator>, ModelError> {
        Shelf::open(config)?.outcome()
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
            outcome: Arc::clone(&self.outcome),
        })
    }

    /// Every file that has a part in results, by name.
    #[must_use]
    pub fn ids(&self) -> &[ModelId] {
        &self.ids
    }
}

/// Where verified files are taken from, and which were taken.
struct Shelf<'a> {
    config: &'a ModelsConfig,
    manifest: Manifest,
    environment: ort::environment::Environment,
    ids: Vec<ModelId>,
}

impl<'a> Shelf<'a> {
    fn open(config: &'a ModelsConfig) -> Result<Self, ModelError> {
        let manifest = Manifest::read(&config.manifest)?;
        let file = manifest.file(Role::Onnxruntime, None)?;
        let (library, id) = manifest.verified(file, &config.dir)?;
        Ok(Self { config, environment: onnx::environment(&library)?, manifest, ids: vec![id] })
    }

    fn take(&mut self, role: Role, name: Option<&str>) -> Result<(PathBuf, ModelId), ModelError> {
        let file = self.manifest.file(role, name)?;
        let (path, id) = self.manifest.verified(file, &self.config.dir)?;
        self.ids.push(id.clone());
        Ok((path, id))
    }

    fn classifier(&mut self) -> Result<Arc<dyn Classifier>, ModelError> {
        let (alone, alone_id) = self.take(Role::Encoder, None)?;
        let (together, together_id) = self.take(Role::ContextEncoder, None)?;
        let (tokenizer, _) = self.take(Role::Tokenizer, None)?;
        let encoder = EncoderId { alone: &alone_id.sha256, together: &together_id.sha256 };
        let mut heads = Vec::new();
        for task in Task::ALL {
            let path = self.head(task.name())?;
            heads.push(Head::open(&self.environment, task, &path, encoder)?);
        }
        let encoder = Encoder::open(&self.environment, &alone, &together, &tokenizer)?;
        Ok(Arc::new(Heads::new(encoder, heads)))
    }

    fn outcome(&mut self) -> Result<Arc<dyn OutcomeEstimator>, ModelError> {
        let path = self.head(outcome::NAME)?;
        Ok(Arc::new(OutcomeModel::open(&self.environment, &path)?))
    }

    /// A verified file of the folder of heads.
    fn head(&mut self, name: &'static str) -> Result<PathBuf, ModelError> {
        let missing = |path: PathBuf| ModelError::MissingHead { name, path };
        let expected = || self.config.heads.join(format!("{name}.onnx"));
        let file = self.manifest.file(Role::Head, Some(name)).map_err(|_| missing(expected()))?;
        let path = self.config.head(file);
        if !path.exists() {
            return Err(missing(path));
        }
        let id = self.manifest.verify(file, &path)?;
        self.ids.push(id);
        Ok(path)
    }
}
