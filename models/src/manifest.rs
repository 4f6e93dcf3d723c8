//! The manifest: which model files there are, and that they are the ones that it pins.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use callqa_domain::ModelId;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::ModelError;

/// The manifest's form that this program reads.
const VERSION: u32 = 1;
/// Bytes hashed at a time.
const CHUNK: usize = 1 << 20;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Speech to text.
    Whisper,
    /// Speech detection.
    Vad,
    /// A text by itself to the states of its tokens.
    Encoder,
    /// An utterance's and its context's states to an embedding.
    ContextEncoder,
    /// Text to the encoder's tokens.
    Tokenizer,
    /// ONNX Runtime's library.
    Onnxruntime,
    /// A classifier over embeddings.
    Head,
}

impl Role {
    /// The name in the manifest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Whisper => "whisper",
            Self::Vad => "vad",
            Self::Encoder => "encoder",
            Self::ContextEncoder => "context_encoder",
            Self::Tokenizer => "tokenizer",
            Self::Onnxruntime => "onnxruntime",
            Self::Head => "head",
        }
    }
}

/// One pinned file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Unique; a result's provenance calls it so.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Below the models' folder, or below the manifest's own where `in_tree`.
    pub path: PathBuf,
    /// Length.
    pub bytes: u64,
    /// SHA-256, in hex.
    pub sha256: String,
    /// SPDX.
    pub licence: String,
    /// The processor that it is for; absent = any.
    #[serde(default)]
    pub arch: Option<String>,
    /// It stands beside the manifest, and is never fetched.
    #[serde(default)]
    pub in_tree: bool,
    /// Where `models/fetch` gets it: its own business.
    #[serde(default)]
    pub source: Vec<toml::Table>,
}

/// All pinned files.
#[derive(Debug, Clone)]
pub struct Manifest {
    files: Vec<ModelFile>,
    /// The manifest's folder, where files that are `in_tree` stand.
    tree: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    #[serde(default)]
    file: Vec<ModelFile>,
}

impl Manifest {
    /// Reads a manifest.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let wrong = |what: String| ModelError::Manifest { path: path.to_owned(), what };
        let text = std::fs::read_to_string(path).map_err(|e| {
            wrong(format!(
                "{e}: run where callqa's `models` folder is, or set models.manifest and models.heads \
                (CALLQA_MODELS__MANIFEST, CALLQA_MODELS__HEADS)"
            ))
        })?;
        let document: Document = toml::from_str(&text).map_err(|e| wrong(e.message().to_owned()))?;
        if document.version != VERSION {
            return Err(wrong(format!("version {} is not {VERSION}", document.version)));
        }
        let tree = path.parent().unwrap_or(Path::new(".")).to_owned();
        Ok(Self { files: document.file, tree })
    }

    /// The file of a role that this processor can use; the one of this name where a name is given.
    pub fn file(&self, role: Role, name: Option<&str>) -> Result<&ModelFile, ModelError> {
        let mut fitting = self.of(role).filter(|file| name.is_none_or(|name| file.name == name));
        fitting.next().ok_or_else(|| ModelError::NotListed {
            what: match name {
                Some(name) => format!("{} named `{name}`", role.name()),
                None => format!("{} for {}", role.name(), std::env::consts::ARCH),
            },
        })
    }

    /// All files of a role that this processor can use.
    pub fn of(&self, role: Role) -> impl Iterator<Item = &ModelFile> {
        let usable =
            |file: &&ModelFile| file.arch.as_deref().is_none_or(|arch| arch == std::env::consts::ARCH);
        self.files.iter().filter(move |file| file.role == role).filter(usable)
    }

    /// Where a file stands, once every byte of it was read and found to be the pinned one.
    pub fn verified(&self, file: &ModelFile, models: &Path) -> Result<(PathBuf, ModelId), ModelError> {
        let path = if file.in_tree { self.tree.join(&file.path) } else { models.join(&file.path) };
        let id = self.verify(file, &path)?;
        Ok((path, id))
    }

    /// Reads the file at this path and compares it with what its entry pins.
    pub fn verify(&self, file: &ModelFile, path: &Path) -> Result<ModelId, ModelError> {
        let (actual_bytes, actual) = digest(path).map_err(|source| ModelError::Unreadable {
            name: file.name.clone(),
            path: path.to_owned(),
            source,
        })?;
        if actual != file.sha256.to_ascii_lowercase() || actual_bytes != file.bytes {
            return Err(ModelError::WrongHash {
                name: file.name.clone(),
                actual,
                expected: file.sha256.clone(),
                actual_bytes,
                expected_bytes: file.bytes,
            });
        }
        Ok(ModelId { name: file.name.clone(), sha256: actual })
    }
}

/// Length and SHA-256 of a file.
fn digest(path: &Path) -> std::io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        hasher.update(&chunk[..read]);
    }
    Ok((bytes, hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(entry: &str) -> (tempfile::TempDir, Result<Manifest, ModelError>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest.toml");
        std::fs::write(&path, format!("version = 1\n[[file]]\n{entry}")).unwrap();
        let manifest = Manifest::read(&path);
        (folder, manifest)
    }

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn entry(sha256: &str, bytes: u64) -> String {
        format!(
            "name = 'ear'\nrole = 'whisper'\npath = 'ear.bin'\nbytes = {bytes}\nsha256 = '{sha256}'\nlicence = 'MIT'\n\
             source = [{{ kind = 'whatever', of = ['the', 'fetcher'] }}]"
        )
    }

    #[test]
    fn the_committed_manifest_is_read() {
        let manifest =
            Manifest::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/manifest.toml"))).unwrap();
        for role in [
            Role::Whisper,
            Role::Vad,
            Role::Encoder,
            Role::ContextEncoder,
            Role::Tokenizer,
            Role::Onnxruntime,
        ] {
            assert!(manifest.file(role, None).is_ok(), "{}", role.name());
        }
    }

    #[test]
    fn the_pinned_file_is_taken() {
        let (folder, manifest) = manifest(&entry(ABC, 3));
        let manifest = manifest.unwrap();
        std::fs::write(folder.path().join("ear.bin"), "abc").unwrap();
        let (path, id) =
            manifest.verified(manifest.file(Role::Whisper, Some("ear")).unwrap(), folder.path()).unwrap();
        assert_eq!((path, id.sha256.as_str()), (folder.path().join("ear.bin"), ABC));
    }

    #[test]
    fn another_file_is_refused_with_both_hashes() {
        let (folder, manifest) = manifest(&entry(ABC, 3));
        let manifest = manifest.unwrap();
        std::fs::write(folder.path().join("ear.bin"), "abd").unwrap();
        let error = manifest.verified(&manifest.files[0], folder.path()).unwrap_err();
        let message = error.to_string();
        assert!(message.contains(ABC) && message.contains("a52d159f"), "{message}");
        assert_eq!(error.reason(), "model_wrong_hash");
    }

    #[test]
    fn a_missing_file_says_how_to_get_it() {
        let (folder, manifest) = manifest(&entry(ABC, 3));
        let manifest = manifest.unwrap();
        let error = manifest.verified(&manifest.files[0], folder.path()).unwrap_err();
        assert!(error.to_string().contains("models/fetch"), "{error}");
    }

    #[test]
    fn unknown_keys_are_refused() {
        let (_folder, manifest) = manifest(&format!("{}\ncolour = 'red'", entry(ABC, 3)));
        assert_eq!(manifest.unwrap_err().reason(), "model_manifest");
    }

    #[test]
    fn a_name_that_is_not_listed_is_named() {
        let (_folder, manifest) = manifest(&entry(ABC, 3));
        let error = manifest.unwrap().file(Role::Whisper, Some("large")).unwrap_err();
        assert!(error.to_string().contains("`large`"), "{error}");
    }
}
