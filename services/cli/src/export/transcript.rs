//! The transcript as a reader sees it: what was taken out stands apart, and what a verdict rests on is marked.

use callqa_domain::{Channel, Observations, RedactedKind, Ruling, Verdict};

use crate::render::time;
use crate::words::Tongue;

/// One utterance.
pub(super) struct Line {
    pub(super) number: usize,
    pub(super) time: String,
    pub(super) who: &'static str,
    /// `agent`, `customer` or `mixed`.
    pub(super) class: &'static str,
    pub(super) parts: Vec<Part>,
    /// Violated rules whose evidence it is.
    pub(super) rules: Vec<String>,
    /// It was heard with less confidence than counts.
    pub(super) unsure: bool,
}

/// A piece of text, or the name of what was taken out in its place.
pub(super) struct Part {
    pub(super) text: String,
    pub(super) redacted: bool,
}

pub(super) fn of(
    observations: &Observations,
    verdicts: &[Verdict],
    confidence_floor: f32,
    tongue: Tongue,
) -> Vec<Line> {
    let rests_on = |number: usize| {
        let violated = verdicts.iter().filter(|verdict| verdict.ruling == Ruling::Violated);
        let quotes = |verdict: &&Verdict| {
            let quotes = verdict.evidence.iter().filter_map(|evidence| evidence.quote.as_ref());
            quotes.into_iter().any(|quote| quote.utterance == number)
        };
        violated.filter(quotes).map(|verdict| verdict.rule.clone()).collect()
    };
    let lines = observations.utterances.iter().enumerate().map(|(number, observed)| {
        let utterance = &observed.utterance;
        Line {
            number,
            time: time(utterance.span.start_ms),
            who: tongue.speaker(utterance.channel),
            class: match utterance.channel {
                Channel::Agent => "agent",
                Channel::Customer => "customer",
                Channel::Mixed => "mixed",
            },
            parts: parts(utterance.text.as_str(), tongue),
            rules: rests_on(number),
            unsure: utterance.confidence < confidence_floor,
        }
    });
    lines.collect()
}

/// Cuts a text at its marks.
pub(super) fn parts(text: &str, tongue: Tongue) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((at, kind)) = first_mark(rest) {
        let (before, marked) = rest.split_at(at);
        parts.push(Part { text: before.to_owned(), redacted: false });
        parts.push(Part { text: tongue.redacted(kind).to_owned(), redacted: true });
        rest = &marked[kind.mark().len()..];
    }
    parts.push(Part { text: rest.to_owned(), redacted: false });
    parts.retain(|part| !part.text.is_empty());
    parts
}

fn first_mark(text: &str) -> Option<(usize, RedactedKind)> {
    let places = RedactedKind::ALL.into_iter().filter_map(|kind| Some((text.find(&kind.mark())?, kind)));
    places.min_by_key(|(at, _)| *at)
}
