//! Which token comes next: the likeliest that Whisper's rules of timestamps allow, as OpenAI's `decoding.py`
//! has them.

use super::file::Header;

/// The first timestamp is no later than this, in steps of 20 ms: a window begins with speech.
const LATEST_START: usize = 50;

/// What was chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Chosen {
    pub(super) token: usize,
    /// Among the allowed ones, 0–1.
    pub(super) probability: f32,
}

/// Chooses from the logits, given what was said so far. `None` where no number is a number.
pub(super) fn next(header: &Header, said: &[usize], logits: &mut [f32]) -> Option<Chosen> {
    let (end, first, beyond) = (header.end, header.first_time(), header.first_time() + header.times);
    let is_time = |token: Option<&usize>| token.is_some_and(|&token| token >= first);
    let last = is_time(said.last());
    let before = said.len() < 2 || is_time(said.get(said.len() - 2));
    let forbid = |logits: &mut [f32], range: std::ops::Range<usize>| logits[range].fill(f32::NEG_INFINITY);
    if said.is_empty() {
        // Nothing but a timestamp opens a window.
        forbid(logits, 0..first);
        forbid(logits, (first + LATEST_START + 1).min(beyond)..beyond);
    } else if last && before {
        forbid(logits, first..beyond);
    } else if last {
        forbid(logits, 0..end);
    }
    if let Some(&latest) = said.iter().rev().find(|&&token| token >= first) {
        // A phrase takes time: its end is later than its beginning; the next may begin at once.
        let earliest = if last { latest } else { latest + 1 };
        forbid(logits, first..earliest.min(beyond));
    }
    let most = |range: &[f32]| range.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum = |range: &[f32], most: f32| range.iter().map(|logit| (logit - most).exp()).sum::<f32>();
    let loudest = most(&logits[..beyond]);
    if !loudest.is_finite() || logits[..beyond].iter().any(|logit| logit.is_nan()) {
        return None;
    }
    // Where all timestamps together are likelier than the likeliest word, and than the end, it is time for one.
    if sum(&logits[first..beyond], loudest) > (most(&logits[..first]) - loudest).exp() {
        forbid(logits, 0..first);
    }
    // The first of equals.
    let (token, &loudest) =
        logits[..beyond].iter().enumerate().rev().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    Some(Chosen { token, probability: 1.0 / sum(&logits[..beyond], loudest) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three texts, the end, four timestamps.
    fn header() -> Header {
        let text = r#"{"version":1,"mels":1,"positions":1,"text_positions":1,"layers":1,"heads":1,"size":1,
            "alignment_heads":1,"texts":["20","61","62"],"end":3,"times":4,"languages":{"en":8,"zh":9},
            "start":10,"transcribe":11,"blobs":{}}"#;
        serde_json::from_str(text).unwrap()
    }

    #[track_caller]
    fn check(said: &[usize], logits: [f32; 8], expect: usize) {
        let mut logits = logits;
        let chosen = next(&header(), said, &mut logits).unwrap();
        assert_eq!(chosen.token, expect);
        assert!(chosen.probability > 0.0 && chosen.probability <= 1.0, "{chosen:?}");
    }

    #[test]
    fn a_timestamp_opens_a_window() {
        check(&[], [9.0, 9.0, 9.0, 9.0, 1.0, 0.0, 0.0, 0.0], 4);
    }

    #[test]
    fn words_follow_it_or_the_end() {
        check(&[4], [0.0, 1.0, 2.0, 0.0, 9.0, 9.0, 9.0, 9.0], 2);
        check(&[4], [0.0, 1.0, 2.0, 3.0, 9.0, 9.0, 9.0, 9.0], 3);
    }

    #[test]
    fn a_phrase_that_has_ended_is_followed_by_a_timestamp_or_the_end() {
        check(&[4, 1, 5], [9.0, 9.0, 9.0, 1.0, 0.0, 0.5, 0.0, 0.0], 5);
        check(&[4, 1, 5], [9.0, 9.0, 9.0, 5.0, 0.0, 0.5, 0.0, 0.0], 3);
    }

    #[test]
    fn time_does_not_go_back() {
        check(&[4, 1, 5, 5, 1], [0.0, 0.0, 0.0, 0.0, 9.0, 9.0, 1.0, 0.9], 6);
    }

    #[test]
    fn timestamps_that_are_likelier_together_win() {
        check(&[4, 1], [0.0, 1.0, 0.0, 0.0, 0.0, 0.8, 0.8, 0.7], 5);
        check(&[4, 1], [0.0, 3.0, 0.0, 0.0, 0.0, 0.8, 0.8, 0.7], 1);
    }

    #[test]
    fn numbers_that_are_none_give_nothing() {
        assert!(next(&header(), &[4], &mut [f32::NAN; 8]).is_none());
        assert!(next(&header(), &[4], &mut [0.0, 1.0, f32::NAN, 0.0, 0.0, 0.0, 0.0, 0.0]).is_none());
    }
}
