//! Packed speech and the way back to the time of the call.

use callqa_domain::{Channel, Span};

/// Samples a second, everywhere in this crate.
pub const SAMPLE_RATE: u64 = 16_000;
/// Samples a millisecond.
pub const SAMPLES_PER_MS: u64 = SAMPLE_RATE / 1_000;

/// A pause of this much within one channel may hold the other's turn: what is said before it and after it
/// never shares an utterance.
pub const TURN_PAUSE_MS: u64 = 1_000;

/// One stretch of speech inside a [`Window`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Where it begins in the call, in samples of 16 kHz.
    pub call_start: u64,
    /// Where it begins in the window, in samples.
    pub at: usize,
    /// How long it is, in samples.
    pub len: usize,
}

impl Piece {
    /// First sample of the window after it.
    #[must_use]
    pub fn end(&self) -> usize {
        self.at + self.len
    }

    /// First sample of the call after it.
    #[must_use]
    pub fn call_end(&self) -> u64 {
        self.call_start + self.len as u64
    }

    /// When it is spoken.
    #[must_use]
    pub fn span(&self) -> Span {
        Span::new(self.call_start / SAMPLES_PER_MS, self.call_end() / SAMPLES_PER_MS)
    }
}

/// Speech of one channel, packed: its pieces in time order, with silence between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Whose.
    pub channel: Channel,
    /// 16 kHz, −1..1, at most [`LONGEST_WINDOW`](crate::LONGEST_WINDOW) and what is heard around it.
    pub samples: Vec<f32>,
    /// Never empty; they don't overlap, and they are in the same order in the window and in the call.
    pub pieces: Vec<Piece>,
}

impl Window {
    /// The call's sample at a sample of the window. In the silence between two pieces it is the nearer
    /// one's edge; before the first and after the last it is theirs.
    #[must_use]
    pub fn to_call(&self, at: usize) -> u64 {
        let next = self.pieces.partition_point(|piece| piece.at <= at);
        let Some(before) = next.checked_sub(1).and_then(|i| self.pieces.get(i)) else {
            return self.pieces.first().map_or(0, |first| first.call_start);
        };
        if at < before.end() {
            return before.call_start + (at - before.at) as u64;
        }
        match self.pieces.get(next) {
            Some(after) if after.at - at < at - before.end() => after.call_start,
            _ => before.call_end(),
        }
    }

    /// The window's sample at a sample of the call; `None` where no piece holds it.
    #[cfg(test)]
    pub(crate) fn to_packed(&self, call: u64) -> Option<usize> {
        let next = self.pieces.partition_point(|piece| piece.call_start <= call);
        let piece = self.pieces.get(next.checked_sub(1)?)?;
        (call < piece.call_end()).then(|| piece.at + (call - piece.call_start) as usize)
    }

    /// The same in milliseconds of the call.
    #[must_use]
    pub fn to_call_ms(&self, at: usize) -> u64 {
        self.to_call(at) / SAMPLES_PER_MS
    }

    /// Samples of speech, without the silence between.
    #[must_use]
    pub fn speech(&self) -> usize {
        self.pieces.iter().map(|piece| piece.len).sum()
    }

    /// Runs of pieces, by index, that no pause of [`TURN_PAUSE_MS`] parts.
    #[must_use]
    pub fn passages(&self) -> Vec<std::ops::Range<usize>> {
        let mut passages = Vec::new();
        let mut start = 0;
        for i in 1..=self.pieces.len() {
            let ends = match (self.pieces.get(i - 1), self.pieces.get(i)) {
                (Some(before), Some(after)) => {
                    after.call_start - before.call_end() >= TURN_PAUSE_MS * SAMPLES_PER_MS
                }
                _ => true,
            };
            if ends {
                passages.push(start..i);
                start = i;
            }
        }
        passages
    }

    /// The window up to this sample.
    #[must_use]
    pub fn until(&self, at: usize) -> Self {
        let begun = self.pieces.iter().filter(|piece| piece.at < at);
        let pieces: Vec<_> =
            begun.map(|piece| Piece { len: piece.len.min(at - piece.at), ..*piece }).collect();
        let end = pieces.last().map_or(0, Piece::end);
        Self { channel: self.channel, samples: self.samples[..end].to_vec(), pieces }
    }

    /// The window with the speech from this sample on; `None` where there is none.
    #[must_use]
    pub fn since(&self, at: usize) -> Option<Self> {
        let unfinished = self.pieces.iter().filter(|piece| piece.end() > at);
        let rest = |piece: &Piece| {
            let cut = at.saturating_sub(piece.at);
            Piece { call_start: piece.call_start + cut as u64, at: piece.at + cut, len: piece.len - cut }
        };
        let mut pieces: Vec<Piece> = unfinished.map(rest).collect();
        let start = pieces.first()?.at;
        pieces.iter_mut().for_each(|piece| piece.at -= start);
        Some(Self { channel: self.channel, samples: self.samples[start..].to_vec(), pieces })
    }
}
