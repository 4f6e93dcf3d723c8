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

    /// From when on somebody has been speaking without a pause that ends a span, in milliseconds with the
    /// padding; `None` in silence. A span that is handed out later begins here.
    #[must_use]
    pub fn open_since(&self) -> Option<u64> {
        self.open.map(|open| open.start_ms.saturating_sub(PAD_MS))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs of windows (count, probability) give these spans, in milliseconds.
    #[track_caller]
    fn check(runs: &[(u64, f32)], expect: &[(u64, u64)]) {
        let mut segmenter = SpeechSegmenter::default();
        let windows = runs.iter().flat_map(|&(count, probability)| (0..count).map(move |_| probability));
        let mut spans: Vec<Span> = windows.filter_map(|probability| segmenter.push(probability)).collect();
        let duration_ms = runs.iter().map(|run| run.0).sum::<u64>() * WINDOW_MS;
        spans.extend(segmenter.finish(duration_ms));
        assert_eq!(spans.iter().map(|s| (s.start_ms, s.end_ms)).collect::<Vec<_>>(), expect);
        assert!(segmenter.finish(duration_ms).is_none());
    }

    #[test]
    fn silence_has_no_speech() {
        check(&[(100, 0.1)], &[]);
        check(&[], &[]);
    }

    #[test]
    fn speech_is_padded_on_both_sides() {
        check(&[(10, 0.0), (20, 0.9), (30, 0.0)], &[(320 - 30, 960 + 30)]);
    }

    #[test]
    fn padding_stays_inside_the_call() {
        check(&[(20, 0.9)], &[(0, 640)]);
    }

    #[test]
    fn soft_syllables_do_not_end_speech() {
        check(&[(10, 0.9), (30, 0.4), (10, 0.9)], &[(0, 1_600)]);
    }

    #[test]
    fn a_probability_between_the_thresholds_does_not_start_speech() {
        check(&[(50, 0.45)], &[]);
    }

    #[test]
    fn a_click_is_not_speech() {
        check(&[(10, 0.0), (7, 0.9), (30, 0.0)], &[]);
        check(&[(10, 0.0), (8, 0.9), (30, 0.0)], &[(290, 606)]);
    }

    #[test]
    fn clicks_do_not_add_up_over_a_pause() {
        check(&[(7, 0.9), (30, 0.0), (7, 0.9)], &[]);
    }

    #[test]
    fn short_words_close_together_count() {
        check(&[(4, 0.9), (5, 0.0), (4, 0.9), (30, 0.0)], &[(0, 446)]);
    }

    /// 11 windows are 352 ms, of which padding takes 60: a gap under 0.3 s. 12 windows leave 324.
    #[test]
    fn gaps_under_three_tenths_of_a_second_are_joined() {
        check(&[(10, 0.9), (11, 0.0), (10, 0.9)], &[(0, 992)]);
        check(&[(10, 0.9), (12, 0.0), (10, 0.9)], &[(0, 350), (674, 1_024)]);
    }

    #[test]
    fn a_span_is_handed_out_as_soon_as_nothing_can_join_it() {
        let mut segmenter = SpeechSegmenter::default();
        (0..10).for_each(|_| assert!(segmenter.push(0.9).is_none()));
        let closed_after = (1..).find(|_| segmenter.push(0.0).is_some()).unwrap_or(0);
        assert_eq!(closed_after, 12);
    }

    #[test]
    fn spans_agree_with_the_definition_of_speech() {
        let mut segmenter = SpeechSegmenter::default();
        let mut state = 1u32;
        let mut spans = Vec::new();
        for _ in 0..20_000 {
            // Bursts and pauses of up to 40 windows, from a linear congruential generator.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (length, probability) = ((state >> 8) % 40, (state >> 16 & 0xff) as f32 / 255.0);
            spans.extend((0..length).filter_map(|_| segmenter.push(probability)));
        }
        assert!(spans.len() > 1_000);
        assert_eq!(callqa_domain::join(spans.clone(), JOIN_GAP_MS), spans);
    }
}
