//! The file of a Whisper for ONNX Runtime, as `models/build/whisper_onnx.py` writes it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use callqa_domain::Language;
use serde::Deserialize;

use crate::ModelError;

const MAGIC: &[u8; 8] = b"CQWHISPR";
const VERSION: u32 = 1;
/// The header of a Whisper is a megabyte; a longer one is no header.
const LONGEST_HEADER: u64 = 16 << 20;

/// What the header says. Every size is the model's own.
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    version: u32,
    /// Rows of a spectrogram.
    pub(super) mels: usize,
    /// Positions that the encoder knows.
    pub(super) positions: usize,
    /// Tokens that the decoder can hold.
    pub(super) text_positions: usize,
    /// Of the decoder.
    pub(super) layers: usize,
    pub(super) heads: usize,
    /// Numbers in a head.
    pub(super) size: usize,
    /// Heads whose attention follows the audio.
    pub(super) alignment_heads: usize,
    #[serde(deserialize_with = "texts")]
    pub(super) texts: Vec<Vec<u8>>,
    /// The token that ends the text; timestamps follow it.
    pub(super) end: usize,
    pub(super) times: usize,
    languages: BTreeMap<String, usize>,
    pub(super) start: usize,
    pub(super) transcribe: usize,
    blobs: BTreeMap<String, (u64, u64)>,
}

fn texts<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Vec<u8>>, D::Error> {
    let bytes = |text: String| -> Option<Vec<u8>> {
        let digits: Option<Vec<u8>> = text.chars().map(|c| Some(c.to_digit(16)? as u8)).collect();
        Some(digits?.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + digit)).collect())
    };
    let texts = Vec::<String>::deserialize(from)?;
    let texts: Option<_> = texts.into_iter().map(bytes).collect();
    texts.ok_or_else(|| serde::de::Error::custom("a token's text is not hexadecimal"))
}

impl Header {
    /// The token of a language.
    pub(super) fn language(&self, language: Language) -> usize {
        self.languages.get(language.code()).copied().unwrap_or(self.end)
    }

    /// The first timestamp.
    pub(super) fn first_time(&self) -> usize {
        self.end + 1
    }
}

/// An open file: whatever is laid under its name later is another.
pub(super) struct ModelFile {
    name: String,
    path: PathBuf,
    file: File,
    pub(super) header: Header,
    blobs_from: u64,
}

/// Whether a file is one of these, by its first bytes.
pub(in crate::whisper) fn is_one(path: &Path) -> bool {
    let mut magic = [0; MAGIC.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && &magic == MAGIC
}

impl ModelFile {
    pub(super) fn open(name: &str, path: &Path) -> Result<Self, ModelError> {
        let unreadable =
            |source| ModelError::Unreadable { name: name.to_owned(), path: path.to_owned(), source };
        let unfit = |what: String| ModelError::Unfit { name: name.to_owned(), what };
        let mut start = [0; 16];
        let mut file = File::open(path).map_err(unreadable)?;
        file.read_exact(&mut start).map_err(unreadable)?;
        let mut length = [0; 8];
        length.copy_from_slice(&start[8..]);
        let length = u64::from_le_bytes(length);
        if length > LONGEST_HEADER {
            return Err(unfit(format!("its header is {length} bytes long, more than {LONGEST_HEADER}")));
        }
        let mut text = Vec::new();
        (&file).take(length).read_to_end(&mut text).map_err(unreadable)?;
        let header: Header = serde_json::from_slice(&text).map_err(|e| unfit(format!("its header: {e}")))?;
        if header.version != VERSION {
            return Err(unfit(format!("its version is {}, this program reads {VERSION}", header.version)));
        }
        for language in [Language::En, Language::Zh] {
            if !header.languages.contains_key(language.code()) {
                return Err(unfit(format!("it has no language {}", language.code())));
            }
        }
        Ok(Self { name: name.to_owned(), path: path.to_owned(), file, header, blobs_from: 16 + length })
    }

    /// One of the parts that follow the header.
    pub(super) fn blob(&self, part: &str) -> Result<Vec<u8>, ModelError> {
        let what = format!("it has no {part}");
        let (offset, length) =
            *self.header.blobs.get(part).ok_or(ModelError::Unfit { name: self.name.clone(), what })?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        self.file.read_exact_at(&mut bytes, self.blobs_from + offset).map_err(|source| {
            ModelError::Unreadable { name: self.name.clone(), path: self.path.clone(), source }
        })?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"{"version":1,"mels":80,"positions":1500,"text_positions":448,"layers":6,"heads":8,
        "size":64,"alignment_heads":8,"texts":["20","e5a5bd"],"end":2,"times":1501,"languages":LANGUAGES,
        "start":1506,"transcribe":1507,"blobs":{"filters":[1,3]}}"#;

    fn written(languages: &str) -> tempfile::NamedTempFile {
        let header = HEADER.replace("LANGUAGES", languages);
        let mut bytes = MAGIC.to_vec();
        bytes.extend((header.len() as u64).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(b"abcdef");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    #[test]
    fn a_file_is_read() {
        let written = written(r#"{"en":1504,"zh":1505}"#);
        assert!(is_one(written.path()));
        let file = ModelFile::open("mine", written.path()).unwrap();
        assert_eq!(file.header.texts, [b" ".to_vec(), "好".as_bytes().to_vec()]);
        assert_eq!(file.header.language(Language::Zh), 1_505);
        assert_eq!(file.blob("filters").unwrap(), b"bcd");
        assert!(file.blob("decoder").unwrap_err().to_string().contains("it has no decoder"));
    }

    #[test]
    fn a_file_without_a_language_that_is_judged_is_refused() {
        let error = ModelFile::open("mine", written(r#"{"en":1504}"#).path()).err().unwrap();
        assert!(error.to_string().contains("it has no language zh"), "{error}");
    }

    #[test]
    fn another_file_is_another() {
        let other = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(other.path(), b"lmgg and more than that").unwrap();
        assert!(!is_one(other.path()));
    }
}
