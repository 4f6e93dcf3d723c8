//! One channel while it is listened to: only as much of its audio is held as its speech still needs.

use callqa_audio::{SpeechSegmenter, WINDOW_SAMPLES};
use callqa_domain::{Channel, Language, Span};
use callqa_models::{HEARD_AROUND, LONGEST_WINDOW, Packer, SAMPLES_PER_MS, Speech, Window, cut_long};

/// In silence the last samples stay, since speech begins a little before it is noticed (two windows of the
/// detector, more than a span's padding) and what was there before it is heard too.
const BEFORE_SPEECH: usize = 2 * WINDOW_SAMPLES + HEARD_AROUND;
/// Audio that has gone is taken out of memory when there is a second of it, not sample by sample.
const TRIM_FROM: usize = 16_000;

/// One channel.
pub(super) struct Track {
    pub(super) channel: Channel,
    /// As the event says; else it is detected.
    pub(super) language: Option<Language>,
    /// All speech so far.
    pub(super) speech: Vec<Span>,
    segmenter: SpeechSegmenter,
    packer: Packer,
    /// Samples that may still be needed, and where in the call they begin.
    held: Vec<f32>,
    held_from: u64,
    /// Up to here, in samples of the call, the open span has been handed to the packer.
    packed_to: u64,
}

impl Track {
    pub(super) fn new(channel: Channel, language: Option<Language>) -> Self {
        Self {
            channel,
            language,
            speech: Vec::new(),
            segmenter: SpeechSegmenter::default(),
            packer: Packer::new(channel),
            held: Vec::new(),
            held_from: 0,
            packed_to: 0,
        }
    }

    /// Takes the next window of the detector and its probability of speech; gives the windows that are full.
    pub(super) fn take(&mut self, samples: &[f32], probability: f32) -> Vec<Window> {
        self.held.extend_from_slice(samples);
        let mut full = match self.segmenter.push(probability) {
            Some(span) => self.close(span),
            None => Vec::new(),
        };
        if let Some(since) = self.segmenter.open_since() {
            full.extend(self.cut_open(since * SAMPLES_PER_MS));
        }
        self.let_go();
        full
    }

    /// The channel has ended; gives what is left.
    pub(super) fn finish(&mut self, duration_ms: u64) -> Vec<Window> {
        let mut windows = match self.segmenter.finish(duration_ms) {
            Some(span) => self.close(span),
            None => Vec::new(),
        };
        windows.extend(std::mem::replace(&mut self.packer, Packer::new(self.channel)).finish());
        windows
    }

    /// Samples in memory, without those in the packer.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    fn close(&mut self, span: Span) -> Vec<Window> {
        self.speech.push(span);
        let start = (span.start_ms * SAMPLES_PER_MS).max(self.packed_to);
        self.pack(start, span.end_ms * SAMPLES_PER_MS, true)
    }

    /// Somebody may speak for hours without a pause: what fills a window goes to the packer before the span
    /// has ended.
    fn cut_open(&mut self, since: u64) -> Vec<Window> {
        let start = since.max(self.packed_to);
        match cut_long(self.samples(start, start + LONGEST_WINDOW as u64 + 1)) {
            Some(cut) => self.pack(start, start + cut as u64, false),
            None => Vec::new(),
        }
    }

    /// Hands over speech, and what surrounds it where the detector heard an edge.
    fn pack(&mut self, start: u64, end: u64, closed: bool) -> Vec<Window> {
        let mut speech = Speech::within(&self.held, self.held_from, self.range(start, end));
        if start == self.packed_to {
            speech.before = &[];
        }
        if !closed {
            speech.after = &[];
        }
        self.packed_to = end;
        self.packer.push(speech)
    }

    fn samples(&self, start: u64, end: u64) -> &[f32] {
        &self.held[self.range(start, end)]
    }

    /// Where these samples of the call lie in what is held, as far as they do.
    fn range(&self, start: u64, end: u64) -> std::ops::Range<usize> {
        let place = |at: u64| (at.saturating_sub(self.held_from) as usize).min(self.held.len());
        place(start)..place(end).max(place(start))
    }

    fn let_go(&mut self) {
        let now = self.held_from + self.held.len() as u64;
        let needed = match self.segmenter.open_since() {
            Some(since) => (since * SAMPLES_PER_MS).saturating_sub(HEARD_AROUND as u64).max(self.packed_to),
            None => now.saturating_sub(BEFORE_SPEECH as u64),
        };
        let gone = needed.saturating_sub(self.held_from) as usize;
        if gone >= TRIM_FROM {
            self.held.drain(..gone);
            self.held_from = needed;
        }
    }
}
