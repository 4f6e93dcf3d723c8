//! Whisper by ONNX Runtime: int8 weights, and several sounds decoded together.

mod batch;
pub(super) mod file;
mod mel;
mod places;
mod rules;

use std::path::Path;
use std::sync::Arc;

use callqa_domain::Language;
use ort::environment::Environment;
use ort::session::Session;
use ort::value::Tensor;

use super::words::Token;
use super::{Engine, SAMPLES_PER_POSITION, Sound};
use crate::onnx::{failed, session_of};
use crate::{ModelError, StopSignal};
use batch::{Batch, Row};
use file::{Header, ModelFile};
use mel::{HOP, Mel};
use rules::Chosen;

const NAME: &str = "whisper";
/// Spectra that one position covers.
const FRAMES_PER_POSITION: usize = SAMPLES_PER_POSITION / HOP;
/// No more tokens than these for each second of sound: the fastest speech has 8 words or 10 characters a second,
/// and no token of ours is longer than a word.
const TOKENS_A_SECOND: usize = 14;
/// Beyond that, for timestamps and the end.
const MORE_TOKENS: usize = 16;
/// Timestamps, whose steps are positions, are good to this: 0.2 s.
const DOUBTFUL: usize = 10;

/// An open model file, from which every analyst gets an engine.
pub(super) struct OnnxWhisper {
    file: Arc<ModelFile>,
    mel: Arc<Mel>,
    environment: Environment,
}

impl OnnxWhisper {
    pub(super) fn open(environment: &Environment, name: &str, path: &Path) -> Result<Self, ModelError> {
        let file = ModelFile::open(name, path)?;
        let mel = Mel::new(&file.blob("filters")?, file.header.mels).ok_or(ModelError::Unfit {
            name: name.to_owned(),
            what: "its mel filters have another size than its header says".to_owned(),
        })?;
        Ok(Self { file: Arc::new(file), mel: Arc::new(mel), environment: environment.clone() })
    }

    pub(super) fn engine(&self) -> Result<OnnxEngine, ModelError> {
        Ok(OnnxEngine {
            encoder: session_of(&self.environment, NAME, &self.file.blob("encoder")?)?,
            decoder: session_of(&self.environment, NAME, &self.file.blob("decoder")?)?,
            file: Arc::clone(&self.file),
            mel: Arc::clone(&self.mel),
        })
    }
}

/// One analyst's sessions.
pub(super) struct OnnxEngine {
    file: Arc<ModelFile>,
    mel: Arc<Mel>,
    encoder: Session,
    decoder: Session,
}

impl OnnxEngine {
    fn prompt(&self, language: Language) -> Vec<i64> {
        let header = &self.file.header;
        [header.start, header.language(language), header.transcribe].map(|token| token as i64).to_vec()
    }

    /// A batch of these sounds, encoded, with a prompt each.
    fn encoded<'h>(
        encoder: &mut Session,
        mel: &Mel,
        header: &'h Header,
        sounds: &[Sound<'_>],
        prompts: &[Vec<i64>],
        stop: &StopSignal,
    ) -> Result<Batch<'h>, ModelError> {
        let own = |sound: &Sound<'_>| sound.positions.min(header.positions);
        let longest = sounds.iter().map(own).max().unwrap_or(0);
        let mut batch = Batch::new(header, sounds.len(), longest);
        for (index, (sound, prompt)) in sounds.iter().zip(prompts).enumerate() {
            if stop.is_stopped() {
                return Err(ModelError::Stopped);
            }
            let (positions, frames) = (own(sound), own(sound) * FRAMES_PER_POSITION);
            let spectrogram = mel.spectrogram(sound.samples, frames);
            let input = Tensor::from_array(([1, header.mels, frames], spectrogram)).map_err(failed(NAME))?;
            let outputs = encoder.run(ort::inputs!["mel" => input]).map_err(failed(NAME))?;
            let names = (0..header.layers).flat_map(|i| ["k", "v"].map(|kind| format!("cross_{kind}{i}")));
            let mut heard = Vec::with_capacity(2 * header.layers);
            for name in names {
                heard.push(outputs[name].try_extract_tensor::<f32>().map_err(failed(NAME))?.1);
            }
            let spoken = sound.samples.len().div_ceil(SAMPLES_PER_POSITION).clamp(1, positions);
            let most =
                most_tokens(sound.samples.len()).min(header.text_positions.saturating_sub(prompt.len()));
            let row = Row::new(index, prompt.clone(), spoken, most);
            batch.add(row, positions, &heard);
        }
        Ok(batch)
    }
}

/// A bound on the tokens of so many samples.
fn most_tokens(samples: usize) -> usize {
    samples * TOKENS_A_SECOND / crate::SAMPLE_RATE as usize + MORE_TOKENS
}

impl Engine for OnnxEngine {
    fn hear(&mut self, sounds: &[Sound<'_>], stop: &StopSignal) -> Result<Vec<Vec<Token>>, ModelError> {
        let prompts: Vec<_> = sounds.iter().map(|sound| self.prompt(sound.language)).collect();
        let header = &self.file.header;
        let batch = Self::encoded(&mut self.encoder, &self.mel, header, sounds, &prompts, stop)?;
        let mut rows = batch.run(&mut self.decoder, || !stop.is_stopped())?;
        rows.sort_by_key(|row| row.index);
        Ok(rows.iter().map(|row| tokens(header, row)).collect())
    }

    fn language(&mut self, sound: &Sound<'_>, stop: &StopSignal) -> Result<Language, ModelError> {
        let header = &self.file.header;
        let prompt = [vec![header.start as i64]];
        let sounds = std::slice::from_ref(sound);
        let batch = Self::encoded(&mut self.encoder, &self.mel, header, sounds, &prompt, stop)?;
        let logits = batch.logits(&mut self.decoder)?;
        let of = |language| logits.get(header.language(language)).copied().unwrap_or(f32::NEG_INFINITY);
        Ok(if of(Language::Zh) >= of(Language::En) { Language::Zh } else { Language::En })
    }
}

/// The words' tokens with their times. Timestamps part phrases, and hold the words between them: attention tells
/// where in a phrase a word is, and may be a passage off where the phrase is a number.
fn tokens(header: &Header, row: &Row) -> Vec<Token> {
    let starts = places::starts(&row.attention, header.alignment_heads, row.positions);
    let mut starts = starts.into_iter();
    let time = |chosen: &Chosen| chosen.token.checked_sub(header.first_time());
    let mut phrase = 0;
    let mut begun = 0usize;
    let mut tokens: Vec<Token> = Vec::with_capacity(row.chosen.len());
    for (i, chosen) in row.chosen.iter().enumerate() {
        match header.texts.get(chosen.token) {
            Some(bytes) => {
                let ended = row.chosen[i..].iter().find_map(time).unwrap_or(row.positions);
                let listened = starts.next().unwrap_or(0).min(ended + DOUBTFUL);
                let held = listened.max(begun.saturating_sub(DOUBTFUL)).min(row.positions);
                let at = tokens.last().map_or(0, |before| before.at).max(held * SAMPLES_PER_POSITION);
                let marked = begun * SAMPLES_PER_POSITION..ended * SAMPLES_PER_POSITION;
                tokens.push(Token {
                    bytes: bytes.clone(),
                    probability: chosen.probability,
                    at,
                    phrase,
                    marked,
                });
            }
            None => {
                phrase += 1;
                begun = time(chosen).unwrap_or(begun);
            }
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_held_by_the_timestamps_around_them() {
        let text = r#"{"version":1,"mels":1,"positions":200,"text_positions":1,"layers":1,"heads":1,"size":1,
            "alignment_heads":1,"texts":["61","62","63"],"end":3,"times":200,"languages":{"en":8,"zh":9},
            "start":10,"transcribe":11,"blobs":{}}"#;
        let header: Header = serde_json::from_str(text).unwrap();
        let listens = |range: std::ops::Range<usize>| {
            (0..200).map(|at| if range.contains(&at) { 0.9 } else { 0.001 }).collect::<Vec<f32>>()
        };
        let mut row = Row::new(0, Vec::new(), 200, 9);
        // <0> a <50> <80> b <120> <150> c: what is listened to when b is chosen lies before its phrase.
        let chosen = [4, 0, 54, 84, 1, 124, 154, 2].map(|token| Chosen { token, probability: 1.0 });
        row.chosen = chosen.to_vec();
        row.attention = vec![listens(0..30), listens(30..90), listens(150..200)];
        let tokens = tokens(&header, &row);
        let found: Vec<_> = tokens.iter().map(|t| (t.phrase, t.at / SAMPLES_PER_POSITION)).collect();
        assert_eq!(found, [(1, 0), (3, 80 - DOUBTFUL), (5, 150)]);
        let marked = |t: &Token| (t.marked.start / SAMPLES_PER_POSITION, t.marked.end / SAMPLES_PER_POSITION);
        assert_eq!(tokens.iter().map(marked).collect::<Vec<_>>(), [(0, 50), (80, 120), (150, 200)]);
    }
}
