//! Packs the speech of one channel into windows for the transcriber.
//!
//! Whisper's encoder costs the same for one second of speech as for thirty, so pieces of speech share a
//! window. Windows are cut by content alone, at pauses: the same speech gives the same windows, however
//! it arrived.

use std::ops::Range;

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
/// So much of what surrounds a piece is heard too, 0.1 s, in the place of that silence: a consonant that the
/// detector missed, or the sound of the room instead of none. More brings back the other's voice, and costs.
pub const HEARD_AROUND: usize = SAMPLE_RATE as usize / 10;
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

/// One piece of a channel's speech, with what surrounds it.
#[derive(Debug, Clone, Copy)]
pub struct Speech<'a> {
    /// Where it begins in the call, in samples.
    pub call_start: u64,
    /// The speech.
    pub samples: &'a [f32],
    /// What the channel holds right before it; no more than [`HEARD_AROUND`] of it is heard.
    pub before: &'a [f32],
    /// And right after it.
    pub after: &'a [f32],
}

impl<'a> Speech<'a> {
    /// The speech in this range of `samples`, which begin at a sample of the call.
    #[must_use]
    pub fn within(samples: &'a [f32], from: u64, range: Range<usize>) -> Self {
        let around = range.start.saturating_sub(HEARD_AROUND)..samples.len().min(range.end + HEARD_AROUND);
        Self {
            call_start: from + range.start as u64,
            samples: &samples[range.clone()],
            before: &samples[around.start..range.start],
            after: &samples[range.end..around.end],
        }
    }
}

/// A piece that has no window yet.
#[derive(Debug)]
struct Waiting {
    /// In the call, in samples.
    start: u64,
    speech: Vec<f32>,
    before: Vec<f32>,
    after: Vec<f32>,
}

impl Waiting {
    fn end(&self) -> u64 {
        self.start + self.speech.len() as u64
    }
}

/// Takes one channel's speech, piece by piece in time order, and gives windows as they fill.
#[derive(Debug)]
pub struct Packer {
    channel: Channel,
    waiting: Vec<Waiting>,
}

impl Packer {
    /// A packer for this channel.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        Self { channel, waiting: Vec::new() }
    }

    /// Takes the next piece, and gives the windows that it fills.
    pub fn push(&mut self, speech: Speech<'_>) -> Vec<Window> {
        let mut full = Vec::new();
        let Speech { mut call_start, samples: mut rest, mut before, after } = speech;
        while let Some(cut) = cut_long(rest) {
            self.add(Speech { call_start, samples: &rest[..cut], before, after: &[] }, &mut full);
            (call_start, rest, before) = (call_start + cut as u64, &rest[cut..], &[]);
        }
        self.add(Speech { call_start, samples: rest, before, after }, &mut full);
        full
    }

    /// What is left, when the channel has ended.
    #[must_use]
    pub fn finish(mut self) -> Option<Window> {
        let all = std::mem::take(&mut self.waiting);
        (!all.is_empty()).then(|| self.window(all))
    }

    fn add(&mut self, speech: Speech<'_>, full: &mut Vec<Window>) {
        let Speech { call_start: start, samples, before, after } = speech;
        if samples.is_empty() {
            return;
        }
        while !self.waiting.is_empty() && self.packed_len(start) + samples.len() > LONGEST_WINDOW {
            let rest = self.waiting.split_off(self.cut_before(start));
            let pieces = std::mem::replace(&mut self.waiting, rest);
            full.push(self.window(pieces));
        }
        self.waiting.push(Waiting {
            start,
            speech: samples.to_vec(),
            before: before[before.len().saturating_sub(HEARD_AROUND)..].to_vec(),
            after: after[..after.len().min(HEARD_AROUND)].to_vec(),
        });
    }

    /// Length of the waiting pieces with their silences, and of the silence before a piece at `next`.
    fn packed_len(&self, next: u64) -> usize {
        let starts = self.waiting.iter().skip(1).map(|piece| piece.start).chain([next]);
        self.waiting
            .iter()
            .zip(starts)
            .map(|(piece, next)| piece.speech.len() + silence(piece.end(), next))
            .sum()
    }

    /// How many waiting pieces the full window takes: those before its longest pause, the latest of equals.
    fn cut_before(&self, next: u64) -> usize {
        let mut len = 0;
        let mut best = (0, self.waiting.len());
        for (i, piece) in self.waiting.iter().enumerate() {
            let following = self.waiting.get(i + 1).map_or(next, |piece| piece.start);
            len += piece.speech.len();
            let pause = following - piece.end();
            if len >= SHORTEST_CUT && pause >= best.0 {
                best = (pause, i + 1);
            }
            len += silence(piece.end(), following);
        }
        best.1
    }

    fn window(&self, waiting: Vec<Waiting>) -> Window {
        let mut window = Window { channel: self.channel, samples: Vec::new(), pieces: Vec::new() };
        let mut after: Vec<f32> = Vec::new();
        for piece in waiting {
            let lead = match window.pieces.last() {
                Some(before) => {
                    let silence = silence(before.call_end(), piece.start);
                    let (tail, lead) = (after.len().min(silence / 2), piece.before.len().min(silence / 2));
                    window.samples.extend_from_slice(&after[..tail]);
                    window.samples.resize(window.samples.len() + silence - tail - lead, 0.0);
                    lead
                }
                None => piece.before.len(),
            };
            window.samples.extend_from_slice(&piece.before[piece.before.len() - lead..]);
            let (at, len) = (window.samples.len(), piece.speech.len());
            window.pieces.push(Piece { call_start: piece.start, at, len });
            window.samples.extend_from_slice(&piece.speech);
            after = piece.after;
        }
        window.samples.extend_from_slice(&after);
        window
    }
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
