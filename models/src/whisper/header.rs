//! The first numbers of a ggml file: which Whisper it is.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use whisper_rs::{DtwMode, DtwModelPreset};

use crate::ModelError;

/// "ggml", as the file's first four bytes.
const MAGIC: u32 = 0x6767_6d6c;
/// Words of an English-only Whisper; the multilingual ones have more.
const ENGLISH_ONLY: u32 = 51_864;
/// Words of large-v3 and its kin.
const LARGE_V3: u32 = 51_866;

pub(super) struct Header {
    vocabulary: u32,
    audio_layers: u32,
    text_layers: u32,
}

pub(super) fn read(name: &str, path: &Path) -> Result<Header, ModelError> {
    let unreadable = |source| ModelError::Unreadable { name: name.to_owned(), path: path.to_owned(), source };
    let unfit = |what: &str| ModelError::Unfit { name: name.to_owned(), what: what.to_owned() };
    let mut bytes = [0; 48];
    File::open(path).and_then(|mut file| file.read_exact(&mut bytes)).map_err(unreadable)?;
    // magic, vocabulary, audio: context, width, heads, layers; text: context, width, heads, layers
    let number = |i: usize| {
        let at = &bytes[i * 4..i * 4 + 4];
        u32::from_le_bytes([at[0], at[1], at[2], at[3]])
    };
    if number(0) != MAGIC {
        return Err(unfit("no ggml file"));
    }
    if number(1) <= ENGLISH_ONLY {
        return Err(unfit("an English-only Whisper, and calls may be in Mandarin"));
    }
    Ok(Header { vocabulary: number(1), audio_layers: number(5), text_layers: number(9) })
}

impl Header {
    /// The attention heads that follow the audio, as OpenAI published them for each size; for any other
    /// model all heads of the upper half, which is what OpenAI's code falls back on.
    pub(super) fn alignment(&self) -> DtwMode<'static> {
        let preset = match (self.audio_layers, self.text_layers) {
            (4, 4) => DtwModelPreset::Tiny,
            (6, 6) => DtwModelPreset::Base,
            (12, 12) => DtwModelPreset::Small,
            (24, 24) => DtwModelPreset::Medium,
            (32, 32) if self.vocabulary == LARGE_V3 => DtwModelPreset::LargeV3,
            (32, 32) => DtwModelPreset::LargeV2,
            (32, 4) => DtwModelPreset::LargeV3Turbo,
            (_, layers) => return DtwMode::TopMost { n_top: (layers / 2).max(1) as i32 },
        };
        DtwMode::ModelPreset { model_preset: preset }
    }
}
