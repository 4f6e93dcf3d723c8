//! From speech probabilities to spans of speech.

use callqa_domain::Span;

/// Samples a window: what Silero takes at 16 kHz.
pub const WINDOW_SAMPLES: usize = 512;
/// Milliseconds a window.
pub const WINDOW_MS: u64 = 32;

/// Speech begins at this probability. Silero's own default.
const ONSET: f32 = 0.5;
/// Speech ends below this one, so that a soft syllable does not end it. Silero's default: 0.15 under the onset.
const OFFSET: f32 = 0.35;
/// Less speech than this in a span is a click or a breath. Silero's default.
const MIN_SPEECH_MS: u64 = 250;
/// A pause shorter than this does not end a span: the definition of speech in callqa (spans of a channel with
/// gaps under 0.3 s joined).
const JOIN_GAP_MS: u64 = 300;
/// Added on both sides, for consonants that the detector misses. Silero's default.
const PAD_MS: u64 = 30;

/// Builds spans from one channel's probabilities, window by window, and hands each out once nothing can
/// change it any more. Spans come in order, are at least 0.3 s apart and never overlap.
///
/// How long a span may be without a pause is the business of whoever packs it.
#[derive(Debug, Clone, Default)]
pub struct SpeechSegmenter {
    windows: u64,
    speaking: bool,
    open: Option<Open>,
}

/// A span that may still grow.
#[derive(Debug, Clone, Copy)]
struct Open {
    start_ms: u64,
    end_ms: u64,
    speech_ms: u64,
}

impl SpeechSegmenter {
    /// Takes the probability (0 to 1) that the next window of 512 samples at 16 kHz holds speech. Returns the
    /// span that this window closed, if it closed one.
    pub fn push(&mut self, probability: f32) -> Option<Span> {
        let start_ms = self.windows * WINDOW_MS;
        self.windows += 1;
        self.speaking = probability >= if self.speaking { OFFSET } else { ONSET };
        if self.speaking { self.extend(start_ms) } else { self.close_if_over(start_ms + WINDOW_MS) }
    }

    /// The last span, if speech was still open when the channel ended after `duration_ms`. Windows may have
    /// been filled up with zeros beyond it. The segmenter is new afterwards.
    pub fn finish(&mut self, duration_ms: u64) -> Option<Span> {
        let open = std::mem::take(self).open?;
        let span = open.span()?;
        let span = Span::new(span.start_ms.min(duration_ms), span.end_ms.min(duration_ms));
        (span.len_ms() > 0).then_some(span)
    }

    fn extend(&mut self, start_ms: u64) -> Option<Span> {
        let end_ms = start_ms + WINDOW_MS;
        let closed = self.close_if_over(start_ms);
        match &mut self.open {
            Some(open) => {
                open.end_ms = end_ms;
                open.speech_ms += WINDOW_MS;
            }
            None => self.open = Some(Open { start_ms, end_ms, speech_ms: WINDOW_MS }),
        }
        closed
    }

    /// Closes the open span if speech that began at `next_ms` could not be joined to it any more.
    fn close_if_over(&mut self, next_ms: u64) -> Option<Span> {
        self.open.take_if(|open| next_ms >= open.end_ms + JOIN_GAP_MS + 2 * PAD_MS)?.span()
    }
}

impl Open {
    fn span(&self) -> Option<Span> {
        (self.speech_ms >= MIN_SPEECH_MS)
            .then(|| Span::new(self.start_ms.saturating_sub(PAD_MS), self.end_ms + PAD_MS))
    }
}
