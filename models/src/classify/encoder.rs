//! The text encoder: a text becomes a point, near to what means the same.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use ort::environment::Environment;
use ort::session::Session;
use ort::value::Tensor;
use tokenizers::{Tokenizer, TruncationParams};

use crate::onnx::{failed, session};
use crate::{ModelError, StopSignal};

/// Numbers in an embedding.
pub(crate) const WIDTH: usize = 384;
/// multilingual-e5 was trained with this before every text that is compared with its like.
const PREFIX: &str = "query: ";
/// Tokens of a text, with the prefix; later ones are not read. Long utterances are cut by the transcriber.
const MOST_TOKENS: usize = 128;
/// Texts are padded to one of these lengths, so that the arithmetic has few shapes.
const LENGTHS: [usize; 11] = [8, 12, 16, 20, 24, 32, 40, 48, 64, 96, MOST_TOKENS];
/// Texts in a batch: beyond this, batching gains nothing on one thread.
const BATCH: usize = 8;
/// multilingual-e5's padding token.
const PADDING: i64 = 1;
const NAME: &str = "e5-encoder";

/// A text as a point; its length is 1.
pub(crate) type Embedding = Vec<f32>;

/// The encoder, shared: whoever needs it waits for the one who uses it, for one batch at most.
pub(crate) struct Encoder {
    session: Mutex<Session>,
    tokenizer: Tokenizer,
}

impl Encoder {
    pub(crate) fn open(
        environment: &Environment,
        model: &Path,
        tokenizer: &Path,
    ) -> Result<Self, ModelError> {
        let mut tokenizer = Tokenizer::from_file(tokenizer).map_err(broken)?;
        let truncation = TruncationParams { max_length: MOST_TOKENS, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(broken)?.with_padding(None);
        Ok(Self { session: Mutex::new(session(environment, NAME, model)?), tokenizer })
    }

    /// The embedding of each text: bit for bit the same, whatever it is embedded with. A text is padded to a
    /// length that it has by itself, and is never alone in a batch, where ONNX Runtime would multiply a single
    /// row by another kernel.
    pub(crate) fn embed<'a>(
        &self,
        texts: impl Iterator<Item = &'a str>,
        stop: &StopSignal,
    ) -> Result<BTreeMap<&'a str, Embedding>, ModelError> {
        let mut embeddings: BTreeMap<&str, Embedding> = texts.map(|text| (text, Vec::new())).collect();
        let mut buckets: BTreeMap<usize, Vec<(&str, Vec<i64>)>> = BTreeMap::new();
        for &text in embeddings.keys() {
            let tokens = self.tokenizer.encode(format!("{PREFIX}{text}"), true).map_err(broken)?;
            let ids: Vec<i64> = tokens.get_ids().iter().map(|&id| i64::from(id)).collect();
            let length = LENGTHS.into_iter().find(|&length| ids.len() <= length).unwrap_or(MOST_TOKENS);
            buckets.entry(length).or_default().push((text, ids));
        }
        for (length, texts) in buckets {
            for batch in texts.chunks(BATCH) {
                if stop.is_stopped() {
                    return Err(ModelError::Stopped);
                }
                let rows: Vec<&[i64]> = batch.iter().map(|(_, ids)| ids.as_slice()).collect();
                let points = self.run(length, &accompanied(&rows))?;
                for ((text, _), point) in batch.iter().zip(points.chunks(WIDTH)) {
                    embeddings.insert(text, point.to_vec());
                }
            }
        }
        Ok(embeddings)
    }

    /// Embeddings, one after the other, of texts padded to `length`.
    fn run(&self, length: usize, texts: &[&[i64]]) -> Result<Vec<f32>, ModelError> {
        let count = texts.len();
        let (mut ids, mut mask) = (Vec::with_capacity(count * length), Vec::with_capacity(count * length));
        for text in texts {
            ids.extend(text.iter().copied().chain(std::iter::repeat(PADDING)).take(length));
            mask.extend((0..length).map(|i| i64::from(i < text.len())));
        }
        let inputs = ort::inputs![
            "input_ids" => Tensor::from_array(([count, length], ids)).map_err(failed(NAME))?,
            "attention_mask" => Tensor::from_array(([count, length], mask)).map_err(failed(NAME))?,
        ];
        let mut session = self.session.lock().map_err(|_| ModelError::Poisoned { name: NAME })?;
        let outputs = session.run(inputs).map_err(failed(NAME))?;
        let (_, points) = outputs["sentence_embedding"].try_extract_tensor::<f32>().map_err(failed(NAME))?;
        if points.len() == count * WIDTH {
            Ok(points.to_vec())
        } else {
            Err(ModelError::Onnx { name: NAME, what: format!("{} numbers for {count} texts", points.len()) })
        }
    }
}

/// A single row with itself beside it.
fn accompanied<'a>(rows: &'a [&'a [i64]]) -> std::borrow::Cow<'a, [&'a [i64]]> {
    match rows {
        [alone] => vec![*alone, *alone].into(),
        rows => rows.into(),
    }
}

fn broken(error: tokenizers::Error) -> ModelError {
    ModelError::Tokenizer { what: error.to_string() }
}
