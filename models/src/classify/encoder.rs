//! The text encoder, in two parts: one reads every text by itself, once, whatever it stands beside; the other
//! reads an utterance together with the turns before it, and makes it a point.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use ort::environment::Environment;
use ort::session::Session;
use ort::value::Tensor;
use tokenizers::{Tokenizer, TruncationDirection, TruncationParams};

use super::passage::{Passage, Token};
use crate::onnx::{failed, held, session};
use crate::{ModelError, StopSignal};

/// Numbers in an embedding, and in the state of a token.
pub(crate) const WIDTH: usize = 384;
/// Tokens of a text, its last; earlier ones are not read. Long utterances are cut by the transcriber.
const MOST_TOKENS: usize = 128;
/// Rows are padded to one of these lengths, so that the arithmetic has few shapes. The last holds a whole
/// utterance with its context.
const LENGTHS: [usize; 12] = [8, 12, 16, 20, 24, 32, 40, 48, 64, 96, MOST_TOKENS, 192];
/// Rows in a batch: beyond this, batching gains nothing on one thread.
const BATCH: usize = 8;
/// multilingual-e5's padding token.
const PADDING: i64 = 1;
const ALONE: &str = "e5-encoder";
const TOGETHER: &str = "e5-context-encoder";

/// An utterance as a point; its length is 1.
pub(crate) type Embedding = Vec<f32>;

/// The state of each token of some texts, [`WIDTH`] numbers each.
pub(crate) type States<'a> = BTreeMap<&'a str, Vec<f32>>;

/// The encoder, shared: whoever needs it waits for the one who uses it, for one batch at most.
pub(crate) struct Encoder {
    alone: Mutex<Session>,
    together: Mutex<Session>,
    tokenizer: Tokenizer,
}

impl Encoder {
    pub(crate) fn open(
        environment: &Environment,
        alone: &Path,
        together: &Path,
        tokenizer: &Path,
    ) -> Result<Self, ModelError> {
        let mut tokenizer = Tokenizer::from_file(tokenizer).map_err(broken)?;
        let truncation = TruncationParams {
            max_length: MOST_TOKENS,
            direction: TruncationDirection::Left,
            ..TruncationParams::default()
        };
        tokenizer.with_truncation(Some(truncation)).map_err(broken)?.with_padding(None);
        let alone = Mutex::new(session(environment, ALONE, alone)?);
        let together = Mutex::new(session(environment, TOGETHER, together)?);
        Ok(Self { alone, together, tokenizer })
    }

    /// Reads each text by itself: bit for bit the same, whatever it is read with. A text is padded to a length
    /// that it has by itself, and is never alone in a batch, where ONNX Runtime would multiply a single row by
    /// another kernel.
    pub(crate) fn read<'a>(
        &self,
        texts: impl Iterator<Item = &'a str>,
        stop: &StopSignal,
    ) -> Result<States<'a>, ModelError> {
        let texts: Vec<&str> = texts.collect::<BTreeSet<_>>().into_iter().collect();
        let mut ids: Vec<Vec<i64>> = Vec::with_capacity(texts.len());
        for &text in &texts {
            let tokens = self.tokenizer.encode(text, true).map_err(broken)?;
            ids.push(tokens.get_ids().iter().map(|&id| i64::from(id)).collect());
        }
        let mut states = States::new();
        for (length, places) in batches(ids.iter().map(Vec::len)) {
            if stop.is_stopped() {
                return Err(ModelError::Stopped);
            }
            let rows: Vec<&[i64]> = places.iter().map(|&place| ids[place].as_slice()).collect();
            let made = self.run_alone(length, &rows)?;
            for (&place, state) in places.iter().zip(made.chunks(length * WIDTH)) {
                states.insert(texts[place], state[..ids[place].len() * WIDTH].to_vec());
            }
        }
        Ok(states)
    }

    /// The embedding of each passage, all of whose texts were [read](Self::read); of each, too, bit for bit the
    /// same whatever it is embedded with.
    pub(crate) fn embed(
        &self,
        passages: &[Passage<'_>],
        states: &States<'_>,
        stop: &StopSignal,
    ) -> Result<Vec<Embedding>, ModelError> {
        let rows: Vec<Vec<Token<'_>>> = passages.iter().map(|passage| passage.tokens(states)).collect();
        let mut embeddings = vec![Embedding::new(); rows.len()];
        for (length, places) in batches(rows.iter().map(Vec::len)) {
            if stop.is_stopped() {
                return Err(ModelError::Stopped);
            }
            let batch: Vec<&[Token<'_>]> = places.iter().map(|&place| rows[place].as_slice()).collect();
            let points = self.run_together(length, &batch)?;
            for (&place, point) in places.iter().zip(points.chunks(WIDTH)) {
                embeddings[place] = point.to_vec();
            }
        }
        Ok(embeddings)
    }

    /// States of texts padded to `length`, one text after the other.
    fn run_alone(&self, length: usize, texts: &[&[i64]]) -> Result<Vec<f32>, ModelError> {
        let count = texts.len();
        let (mut ids, mut mask) = (Vec::with_capacity(count * length), Vec::with_capacity(count * length));
        for text in texts {
            ids.extend(padded(text.iter().copied(), PADDING, length));
            mask.extend(padded(text.iter().map(|_| 1), 0, length));
        }
        let inputs = ort::inputs![
            "input_ids" => Tensor::from_array(([count, length], ids)).map_err(failed(ALONE))?,
            "attention_mask" => Tensor::from_array(([count, length], mask)).map_err(failed(ALONE))?,
        ];
        let mut session = held(&self.alone);
        let outputs = session.run(inputs).map_err(failed(ALONE))?;
        numbers(ALONE, &outputs["states"], count * length * WIDTH)
    }

    /// Embeddings of rows of tokens padded to `length`, one after the other.
    fn run_together(&self, length: usize, rows: &[&[Token<'_>]]) -> Result<Vec<f32>, ModelError> {
        let count = rows.len();
        let mut states = vec![0.0; count * length * WIDTH];
        let (mut segments, mut mask) =
            (Vec::with_capacity(count * length), Vec::with_capacity(count * length));
        for (row, place) in rows.iter().zip(states.chunks_mut(length * WIDTH)) {
            for (token, place) in row.iter().zip(place.chunks_mut(WIDTH)) {
                place.copy_from_slice(token.state);
            }
            segments.extend(padded(row.iter().map(|token| token.segment), 0, length));
            mask.extend(padded(row.iter().map(|_| 1), 0, length));
        }
        let inputs = ort::inputs![
            "states" => Tensor::from_array(([count, length, WIDTH], states)).map_err(failed(TOGETHER))?,
            "segments" => Tensor::from_array(([count, length], segments)).map_err(failed(TOGETHER))?,
            "attention_mask" => Tensor::from_array(([count, length], mask)).map_err(failed(TOGETHER))?,
        ];
        let mut session = held(&self.together);
        let outputs = session.run(inputs).map_err(failed(TOGETHER))?;
        numbers(TOGETHER, &outputs["utterance_embedding"], count * WIDTH)
    }
}

/// Places of rows of these lengths, batch by batch, each with the length to which its rows are padded. A row that
/// would be alone stands twice.
fn batches(lengths: impl Iterator<Item = usize>) -> Vec<(usize, Vec<usize>)> {
    let mut buckets: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (place, own) in lengths.enumerate() {
        let length = LENGTHS.into_iter().find(|&length| own <= length).unwrap_or(LENGTHS[LENGTHS.len() - 1]);
        buckets.entry(length).or_default().push(place);
    }
    let batch = |length, places: &[usize]| match *places {
        [alone] => (length, vec![alone, alone]),
        ref places => (length, places.to_vec()),
    };
    buckets
        .iter()
        .flat_map(|(&length, places)| places.chunks(BATCH).map(move |places| batch(length, places)))
        .collect()
}

fn padded(row: impl Iterator<Item = i64>, padding: i64, length: usize) -> impl Iterator<Item = i64> {
    row.chain(std::iter::repeat(padding)).take(length)
}

fn numbers(
    name: &'static str,
    output: &ort::value::DynValue,
    expected: usize,
) -> Result<Vec<f32>, ModelError> {
    let (_, numbers) = output.try_extract_tensor::<f32>().map_err(failed(name))?;
    if numbers.len() == expected {
        Ok(numbers.to_vec())
    } else {
        Err(ModelError::Onnx { name, what: format!("{} numbers in place of {expected}", numbers.len()) })
    }
}

fn broken(error: tokenizers::Error) -> ModelError {
    ModelError::Tokenizer { what: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_like_length_share_a_batch_and_none_is_alone() {
        assert_eq!(batches([5, 30, 8, 9].into_iter()), [(8, vec![0, 2]), (12, vec![3, 3]), (32, vec![1, 1])]);
        let many: Vec<usize> = batches(std::iter::repeat_n(20, 17)).iter().map(|(_, b)| b.len()).collect();
        assert_eq!(many, [8, 8, 2]);
    }
}
