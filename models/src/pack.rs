//! Packs the speech of one channel into windows for the transcriber.
//!
//! Whisper's encoder costs the same for one second of speech as for thirty, so pieces of speech share a
//! window. Windows are cut by content alone, at pauses: the same speech gives the same windows, however
//! it arrived.

use callqa_domain::Channel;

use crate::window::{Piece, SAMPLE_RATE, SAMPLES_PER_MS, TURN_PAUSE_MS, Window};

/// Whisper hears 30 s; the rest is room for the silence that it wants behind the last word.
pub const LONGEST_WINDOW: usize = 28 * SAMPLE_RATE as usize;
/// Windows that are transcribed together. A step for four costs two thirds a token of a step for one; more
/// gain little, and each holds 37 MB of keys and values (Whisper base).
pub const WINDOWS_TOGETHER: usize = 4;
/// A full window ends at its longest pause after this much, so that no thought is torn; earlier pauses
/// would leave windows half empty.
const SHORTEST_CUT: usize = 16 * SAMPLE_RATE as usize;
/// Silence that parts two pieces with a short pause between them: as much as was there, up to this.
const PIECE_SILENCE: u64 = SAMPLE_RATE * 3 / 10;
/// Silence that parts two pieces where the other may have spoken between: long enough that Whisper hears
/// two sentences.
const TURN_SILENCE: u64 = SAMPLE_RATE * 8 / 10;
/// An over-long piece is cut in its last part, at the quietest stretch of this length.
const QUIET_FRAME: usize = SAMPLE_RATE as usize / 10;

/// Where to cut a piece that is too long for a window: the middle of the quietest tenth of a second in
/// the last part that still fits. `None` where it fits.
#[must_use]
pub fn cut_long(samples: &[f32]) -> Option<usize> {
    if samples.len() <= LONGEST_WINDOW {
        return None;
    }
    let energy = |from: usize| samples[from..from + QUIET_FRAME].iter().map(|s| s * s).sum::<f32>();
    let starts = (SHORTEST_CUT..=LONGEST_WINDOW - QUIET_FRAME).step_by(QUIET_FRAME / 2);
    let quietest = starts.min_by(|&a, &b| energy(a).total_cmp(&energy(b)))?;
    Some(quietest + QUIET_FRAME / 2)
}

/// Takes one channel's speech, piece by piece in time order, and gives windows as they fill.
#[derive(Debug)]
pub struct Packer {
    channel: Channel,
    /// Start in the call (samples) and samples of each piece that has no window yet.
    waiting: Vec<(u64, Vec<f32>)>,
}

impl Packer {
    /// A packer for this channel.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        Self { channel, waiting: Vec::new() }
    }

    /// Takes a piece that begins at this sample of the call, and gives the windows that it fills.
    pub fn push(&mut self, call_start: u64, samples: &[f32]) -> Vec<Window> {
        let mut full = Vec::new();
        let (mut start, mut rest) = (call_start, samples);
        while let Some(cut) = cut_long(rest) {
            self.add(start, &rest[..cut], &mut full);
            start += cut as u64;
            rest = &rest[cut..];
        }
        self.add(start, rest, &mut full);
        full
    }

    /// What is left, when the channel has ended.
    #[must_use]
    pub fn finish(mut self) -> Option<Window> {
        let all = std::mem::take(&mut self.waiting);
        (!all.is_empty()).then(|| self.window(all))
    }

    fn add(&mut self, start: u64, samples: &[f32], full: &mut Vec<Window>) {
        if samples.is_empty() {
            return;
        }
        while !self.waiting.is_empty() && self.packed_len(start) + samples.len() > LONGEST_WINDOW {
            let rest = self.waiting.split_off(self.cut_before(start));
            let pieces = std::mem::replace(&mut self.waiting, rest);
            full.push(self.window(pieces));
        }
        self.waiting.push((start, samples.to_vec()));
    }

    /// Length of the waiting pieces with their silences, and of the silence before a piece at `next`.
    fn packed_len(&self, next: u64) -> usize {
        let starts = self.waiting.iter().skip(1).map(|piece| piece.0).chain([next]);
        self.waiting.iter().zip(starts).map(|(piece, next)| piece.1.len() + silence(end(piece), next)).sum()
    }

    /// How many waiting pieces the full window takes: those before its longest pause, the latest of equals.
    fn cut_before(&self, next: u64) -> usize {
        let mut len = 0;
        let mut best = (0, self.waiting.len());
        for (i, piece) in self.waiting.iter().enumerate() {
            let following = self.waiting.get(i + 1).map_or(next, |piece| piece.0);
            len += piece.1.len();
            let pause = following - end(piece);
            if len >= SHORTEST_CUT && pause >= best.0 {
                best = (pause, i + 1);
            }
            len += silence(end(piece), following);
        }
        best.1
    }

    fn window(&self, waiting: Vec<(u64, Vec<f32>)>) -> Window {
        let mut window = Window { channel: self.channel, samples: Vec::new(), pieces: Vec::new() };
        for (call_start, samples) in waiting {
            if let Some(before) = window.pieces.last() {
                let silence = silence(before.call_end(), call_start);
                window.samples.resize(window.samples.len() + silence, 0.0);
            }
            window.pieces.push(Piece { call_start, at: window.samples.len(), len: samples.len() });
            window.samples.extend_from_slice(&samples);
        }
        window
    }
}

fn end(piece: &(u64, Vec<f32>)) -> u64 {
    piece.0 + piece.1.len() as u64
}

/// Samples of silence that stand in the window for the pause from `end` to `next` of the call.
fn silence(end: u64, next: u64) -> usize {
    let pause = next.saturating_sub(end);
    let silence =
        if pause >= TURN_PAUSE_MS * SAMPLES_PER_MS { TURN_SILENCE } else { pause.min(PIECE_SILENCE) };
    silence as usize
}

#[cfg(test)]
mod tests;
