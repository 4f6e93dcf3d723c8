//! What can go wrong with models.

use std::path::PathBuf;

/// Why a model can't be opened or did not answer. No message holds words of a call.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The manifest is missing, unreadable or not in its form.
    #[error("model manifest {path}: {what}")]
    Manifest {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The manifest has no file for this.
    #[error("the model manifest has no {what}")]
    NotListed {
        /// A role, or a role and a name.
        what: String,
    },
    /// A model file can't be read.
    #[error("model {name}: {path} can't be read; `models/fetch` brings it")]
    Unreadable {
        /// Its name in the manifest.
        name: String,
        /// Where it should be.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A model file is not the one that the manifest pins.
    #[error(
        "model {name} is not the pinned file: sha256 {actual}, {actual_bytes} bytes; expected {expected}, {expected_bytes} bytes"
    )]
    WrongHash {
        /// Its name in the manifest.
        name: String,
        /// SHA-256 of what is there.
        actual: String,
        /// SHA-256 of what should be there.
        expected: String,
        /// Length of what is there.
        actual_bytes: u64,
        /// Length of what should be there.
        expected_bytes: u64,
    },
    /// A file is whole, and is not what its role wants.
    #[error("model {name} does not fit its role: {what}")]
    Unfit {
        /// Its name in the manifest.
        name: String,
        /// What is amiss.
        what: String,
    },
    /// A graphics processor is asked for where none is used.
    #[error("models.device is {device}, but {why}")]
    NoDevice {
        /// What was asked for.
        device: u16,
        /// Why there is none, and what to do.
        why: String,
    },
    /// A classifier is missing.
    #[error("the model for {name} is missing: no head {path}; `models/training` makes it")]
    MissingHead {
        /// Which.
        name: &'static str,
        /// Where it should be.
        path: PathBuf,
    },
    /// ONNX Runtime's library can't be loaded.
    #[error("ONNX Runtime can't be loaded: {what}")]
    Runtime {
        /// What it said.
        what: String,
    },
    /// ONNX Runtime refused to run a model.
    #[error("model {name} failed: {what}")]
    Onnx {
        /// Which model.
        name: &'static str,
        /// What it said.
        what: String,
    },
    /// Whisper failed.
    #[error("whisper failed while it {doing}")]
    Whisper {
        /// What it was at.
        doing: &'static str,
        /// What it said.
        #[source]
        source: whisper_rs::WhisperError,
    },
    /// The text could not be cut into tokens.
    #[error("the tokenizer failed: {what}")]
    Tokenizer {
        /// What it said.
        what: String,
    },
    /// The stop signal came.
    #[error("stopped before the end")]
    Stopped,
}

impl ModelError {
    /// A short name for metrics and dead letters.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Manifest { .. } => "model_manifest",
            Self::NotListed { .. } => "model_not_listed",
            Self::Unreadable { .. } => "model_unreadable",
            Self::WrongHash { .. } => "model_wrong_hash",
            Self::Unfit { .. } => "model_unfit",
            Self::NoDevice { .. } => "model_no_device",
            Self::MissingHead { .. } => "model_missing_head",
            Self::Runtime { .. } => "model_runtime",
            Self::Onnx { .. } => "model_onnx",
            Self::Whisper { .. } => "model_whisper",
            Self::Tokenizer { .. } => "model_tokenizer",
            Self::Stopped => "stopped",
        }
    }
}
