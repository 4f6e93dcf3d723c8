//! Sounds that are decoded together. Most of a step's cost is reading the weights, which is shared.

use ort::session::{Session, SessionInputValue};
use ort::value::{DynValue, Tensor, TensorRef};

use super::NAME;
use super::file::Header;
use super::rules::{self, Chosen};
use crate::ModelError;
use crate::onnx::failed;

/// One sound while it is decoded.
pub(super) struct Row {
    /// Its place in what was asked for.
    pub(super) index: usize,
    pub(super) chosen: Vec<Chosen>,
    /// What the decoder listened to when it chose each text token: [alignment heads, positions].
    pub(super) attention: Vec<Vec<f32>>,
    /// Positions that hold its sound.
    pub(super) positions: usize,
    prompt: Vec<i64>,
    /// Tokens that it may have at most.
    most: usize,
}

impl Row {
    pub(super) fn new(index: usize, prompt: Vec<i64>, positions: usize, most: usize) -> Self {
        Self { index, chosen: Vec::new(), attention: Vec::new(), positions, prompt, most }
    }

    fn is_done(&self, header: &Header) -> bool {
        self.chosen.len() >= self.most || self.chosen.last().is_some_and(|last| last.token == header.end)
    }
}

/// Keys or values of one decoder layer for all rows, each `row` numbers long.
struct Cross {
    numbers: Vec<f32>,
    row: usize,
}

/// All rows, and what the decoder needs to go on.
pub(super) struct Batch<'a> {
    header: &'a Header,
    rows: Vec<Row>,
    /// Positions of every row, the longest one's.
    positions: usize,
    /// Key and value of each layer in turn.
    cross: Vec<Cross>,
    /// Of each row, −∞ where its sound has no position.
    mask: Vec<f32>,
    /// What the decoder remembers of the text, key and value of each layer in turn.
    past: Vec<DynValue>,
    held: usize,
}

impl<'a> Batch<'a> {
    /// An empty batch for at most `count` sounds of at most so many positions.
    pub(super) fn new(header: &'a Header, count: usize, positions: usize) -> Self {
        let row = header.heads * header.size * positions;
        let cross = || Cross { numbers: Vec::with_capacity(count * row), row };
        Self {
            header,
            rows: Vec::new(),
            positions,
            cross: (0..header.layers * 2).map(|_| cross()).collect(),
            mask: Vec::new(),
            past: Vec::new(),
            held: 0,
        }
    }

    /// Adds a sound. `heard` holds key [heads, size, positions] and value [heads, positions, size] of each
    /// layer, with the row's own number of positions.
    pub(super) fn add(&mut self, row: Row, own: usize, heard: &[&[f32]]) {
        let blocks = self.header.heads;
        for (i, (cross, heard)) in self.cross.iter_mut().zip(heard).enumerate() {
            // A key's positions are the innermost numbers, a value's stand one behind the other.
            let (pieces, own, all) = if i % 2 == 0 {
                (blocks * self.header.size, own, self.positions)
            } else {
                (blocks, own * self.header.size, self.positions * self.header.size)
            };
            for piece in heard.chunks_exact(own).take(pieces) {
                cross.numbers.extend_from_slice(piece);
                cross.numbers.resize(cross.numbers.len() + all - own, 0.0);
            }
        }
        let unused = |at: usize| if at < own { 0.0 } else { f32::NEG_INFINITY };
        self.mask.extend((0..self.positions).map(unused));
        self.rows.push(row);
    }

    /// Decodes until every row has ended; `go_on` is asked before each step.
    pub(super) fn run(
        mut self,
        decoder: &mut Session,
        go_on: impl Fn() -> bool,
    ) -> Result<Vec<Row>, ModelError> {
        let mut done = Vec::new();
        while !self.rows.is_empty() {
            if !go_on() {
                return Err(ModelError::Stopped);
            }
            self.step(decoder)?;
            self.part_with(&mut done)?;
        }
        Ok(done)
    }

    /// Logits of all rows for the token after what they hold.
    pub(super) fn logits(mut self, decoder: &mut Session) -> Result<Vec<f32>, ModelError> {
        Ok(self.decode(decoder)?.0)
    }

    fn step(&mut self, decoder: &mut Session) -> Result<(), ModelError> {
        let (mut logits, aligned, new) = self.decode(decoder)?;
        let outputs = logits.len() / self.rows.len();
        let heads = self.header.alignment_heads;
        for (b, (row, logits)) in self.rows.iter_mut().zip(logits.chunks_mut(outputs)).enumerate() {
            let said: Vec<usize> = row.chosen.iter().map(|chosen| chosen.token).collect();
            let chosen = rules::next(self.header, &said, logits)
                .ok_or(ModelError::Onnx { name: NAME, what: "a logit that is no number".to_owned() })?;
            row.chosen.push(chosen);
            if chosen.token < self.header.end {
                let of_head = |head: usize| ((b * heads + head) * new + new - 1) * self.positions;
                let heard = |head: usize| &aligned[of_head(head)..of_head(head) + row.positions];
                row.attention.push((0..heads).flat_map(heard).copied().collect());
            }
        }
        Ok(())
    }

    /// One run of the decoder: logits [rows, outputs], attention [rows, heads, new, positions], new tokens.
    fn decode(&mut self, decoder: &mut Session) -> Result<(Vec<f32>, Vec<f32>, usize), ModelError> {
        let (rows, layers) = (self.rows.len(), self.header.layers);
        let fresh = |row: &Row| match row.chosen.last() {
            Some(chosen) => vec![chosen.token as i64],
            None => row.prompt.clone(),
        };
        let tokens: Vec<i64> = self.rows.iter().flat_map(fresh).collect();
        let new = tokens.len() / rows;
        let all = self.held + new;
        let positions: Vec<i64> = (self.held..all).map(|at| at as i64).collect();
        let sees = |i: usize, at: usize| if at <= self.held + i { 0.0 } else { f32::NEG_INFINITY };
        let mask: Vec<f32> = (0..new).flat_map(|i| (0..all).map(move |at| sees(i, at))).collect();
        let mut inputs: Vec<(String, SessionInputValue<'_>)> = vec![
            ("tokens".to_owned(), tensor([rows, new], tokens)?.into()),
            ("positions".to_owned(), tensor([new], positions)?.into()),
            ("mask".to_owned(), tensor([new, all], mask)?.into()),
        ];
        inputs.push(("cross_mask".to_owned(), view(vec![rows, 1, 1, self.positions], &self.mask)?));
        let empty: [f32; 0] = [];
        for i in 0..layers {
            for (kind, name) in ["k", "v"].into_iter().enumerate() {
                let (at, shape) = (2 * i + kind, |length| self.shape(kind, rows, length));
                inputs.push((
                    format!("cross_{name}{i}"),
                    view(shape(self.positions), &self.cross[at].numbers)?,
                ));
                let past = match self.past.get(at) {
                    Some(past) => past.into(),
                    None => view(shape(0), &empty)?,
                };
                inputs.push((format!("past_{name}{i}"), past));
            }
        }
        let mut outputs = decoder.run(inputs).map_err(failed(NAME))?;
        let numbers = |value: &DynValue| -> Result<Vec<f32>, ModelError> {
            Ok(value.try_extract_tensor::<f32>().map_err(failed(NAME))?.1.to_vec())
        };
        let (logits, aligned) = (numbers(&outputs["logits"])?, numbers(&outputs["aligned"])?);
        let names = (0..layers).flat_map(|i| ["k", "v"].map(|name| format!("new_{name}{i}")));
        self.past = names.filter_map(|name| outputs.remove(name)).collect();
        self.held = all;
        Ok((logits, aligned, new))
    }

    fn shape(&self, kind: usize, rows: usize, length: usize) -> Vec<usize> {
        let (heads, size) = (self.header.heads, self.header.size);
        if kind == 0 { vec![rows, heads, size, length] } else { vec![rows, heads, length, size] }
    }

    /// Takes out the rows that have ended: the last row takes the place of each.
    fn part_with(&mut self, done: &mut Vec<Row>) -> Result<(), ModelError> {
        let ended: Vec<usize> =
            (0..self.rows.len()).rev().filter(|&i| self.rows[i].is_done(self.header)).collect();
        if ended.is_empty() {
            return Ok(());
        }
        let mut past = Vec::with_capacity(self.past.len());
        for value in &self.past {
            past.push(value.try_extract_tensor::<f32>().map_err(failed(NAME))?.1.to_vec());
        }
        for i in ended {
            done.push(self.rows.swap_remove(i));
            let positions = self.positions;
            swap_remove(&mut self.mask, positions, i);
            self.cross.iter_mut().for_each(|cross| swap_remove(&mut cross.numbers, cross.row, i));
            past.iter_mut().for_each(|past| {
                let row = self.header.heads * self.header.size * self.held;
                swap_remove(past, row, i);
            });
        }
        let shapes = (0..past.len()).map(|at| self.shape(at % 2, self.rows.len(), self.held));
        let past: Result<Vec<DynValue>, ModelError> =
            shapes.zip(past).map(|(shape, numbers)| Ok(tensor(shape, numbers)?.into_dyn())).collect();
        self.past = past?;
        Ok(())
    }
}

/// Numbers that stay where they are.
fn view(shape: Vec<usize>, numbers: &[f32]) -> Result<SessionInputValue<'_>, ModelError> {
    Ok(TensorRef::from_array_view((shape, numbers)).map_err(failed(NAME))?.into())
}

fn tensor<T, S>(shape: S, numbers: Vec<T>) -> Result<Tensor<T>, ModelError>
where
    T: ort::value::PrimitiveTensorElementType + std::fmt::Debug + Clone + 'static,
    (S, Vec<T>): ort::value::OwnedTensorArrayData<T>,
{
    Tensor::from_array((shape, numbers)).map_err(failed(NAME))
}

/// Takes row `i` out of rows of this length; the last one takes its place.
fn swap_remove(numbers: &mut Vec<f32>, row: usize, i: usize) {
    let last = numbers.len() - row;
    numbers.copy_within(last.., i * row);
    numbers.truncate(last);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_row_takes_the_place_of_one_that_has_ended() {
        let mut rows = vec![1.0, 1.5, 2.0, 2.5, 3.0, 3.5];
        swap_remove(&mut rows, 2, 0);
        assert_eq!(rows, [3.0, 3.5, 2.0, 2.5]);
        swap_remove(&mut rows, 2, 1);
        assert_eq!(rows, [3.0, 3.5]);
        swap_remove(&mut rows, 2, 0);
        assert!(rows.is_empty());
    }
}
