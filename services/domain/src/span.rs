//! Time inside a call.

use serde::{Deserialize, Serialize};

/// A stretch of a call, in milliseconds from the start of its recording; `end_ms` is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// First millisecond.
    pub start_ms: u64,
    /// First millisecond that is not part of the span any more; never less than `start_ms`.
    pub end_ms: u64,
}

impl Span {
    /// The stretch from `start_ms` to `end_ms`; empty where they come in the wrong order.
    #[must_use]
    pub fn new(start_ms: u64, end_ms: u64) -> Self {
        Self { start_ms, end_ms: end_ms.max(start_ms) }
    }

    /// Length in milliseconds; 0 where a span came in from outside with its ends in the wrong order.
    #[must_use]
    pub fn len_ms(&self) -> u64 {
        self.end_ms.saturating_sub(self.start_ms)
    }

    /// What two spans share, if they share anything.
    #[must_use]
    pub fn overlap(&self, other: &Self) -> Option<Self> {
        let start_ms = self.start_ms.max(other.start_ms);
        let end_ms = self.end_ms.min(other.end_ms);
        (start_ms < end_ms).then_some(Self { start_ms, end_ms })
    }

    /// The shortest span that holds both.
    #[must_use]
    pub fn cover(&self, other: &Self) -> Self {
        Self { start_ms: self.start_ms.min(other.start_ms), end_ms: self.end_ms.max(other.end_ms) }
    }
}

/// Sorts spans and joins those that touch or lie less than `gap_ms` apart.
#[must_use]
pub fn join(mut spans: Vec<Span>, gap_ms: u64) -> Vec<Span> {
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.start_ms <= last.end_ms || span.start_ms - last.end_ms < gap_ms => {
                last.end_ms = last.end_ms.max(span.end_ms);
            }
            _ => joined.push(span),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(spans: &[(u64, u64)], gap_ms: u64, expect: &[(u64, u64)]) {
        let joined = join(spans.iter().map(|&(a, b)| Span::new(a, b)).collect(), gap_ms);
        assert_eq!(joined, expect.iter().map(|&(a, b)| Span::new(a, b)).collect::<Vec<_>>());
    }

    #[test]
    fn short_gaps_are_joined() {
        check(&[(0, 100), (399, 500)], 300, &[(0, 500)]);
    }

    #[test]
    fn a_gap_of_the_full_length_stays() {
        check(&[(400, 500), (0, 100)], 300, &[(0, 100), (400, 500)]);
    }

    #[test]
    fn a_span_inside_another_adds_nothing() {
        check(&[(0, 900), (100, 200)], 0, &[(0, 900)]);
    }
}
