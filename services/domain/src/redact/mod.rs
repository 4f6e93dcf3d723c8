//! Takes what identifies a customer out of text: written numbers of every kind, e-mail, plates, addresses.
//!
//! A digit is `0`–`9`, its full-width form, a Chinese numeral in a run (`幺三八…`) or a number in words
//! (`double four`, 五十八): transcribers write all of them. Where a number could be two things, the words around it decide; where nothing decides, it is taken
//! out all the same. A wrongly masked order number costs little, a published card number costs a customer.

mod across;
mod hints;
mod meaning;
mod number;
mod pieces;
mod question;
mod run;
mod shape;
mod spoken;
mod written;

pub use across::redact_across;
use std::ops::Range;

use regex::Regex;

use crate::{RawText, RedactedKind, Redaction, Text};
use hints::Hints;
use spoken::Reading;

/// Compiles a pattern of this module; a test compiles them all, so a mistake never leaves this crate. Word boundaries
/// are written `(?-u:\b)`: those of Unicode make the search in Chinese texts dear.
#[allow(clippy::expect_used)]
fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern")
}

/// Something that has to go: where, in bytes of the text, and what it is.
struct Found {
    start: usize,
    end: usize,
    kind: RedactedKind,
}

/// Takes everything in [`RedactedKind`] out of a text and leaves a mark such as `[phone]` in its place.
///
/// Redacting twice changes nothing.
#[must_use]
pub fn redact(raw: &RawText) -> (Text, Vec<Redaction>) {
    let mut text = raw.expose().to_owned();
    let mut redactions = Vec::new();
    // What is taken out first can lay bare the meaning of what stands beside it. Marks are never found
    // again, so every round leaves less.
    loop {
        let found = found_in(&text);
        if found.is_empty() {
            return (Text::redacted(text), redactions);
        }
        (text, redactions) = without(&text, &found, &redactions);
    }
}

/// The text with marks in place of what was found, and where all its marks now stand.
fn without(text: &str, found: &[Found], earlier: &[Redaction]) -> (String, Vec<Redaction>) {
    let mut redacted = String::with_capacity(text.len());
    let mut redactions = Vec::new();
    let mut earlier = earlier.iter().peekable();
    let (mut done, mut chars_done, mut chars_written) = (0, 0, 0);
    for Found { start, end, kind } in found {
        let kept = text[done..*start].chars().count();
        while let Some(mark) = earlier.next_if(|mark| mark.at_char < chars_done + kept) {
            let at_char = (mark.at_char + chars_written).saturating_sub(chars_done);
            redactions.push(Redaction { kind: mark.kind, at_char });
        }
        redacted.push_str(&text[done..*start]);
        redactions.push(Redaction { kind: *kind, at_char: chars_written + kept });
        redacted.push_str(&kind.mark());
        chars_done += kept + text[*start..*end].chars().count();
        chars_written += kept + kind.mark().chars().count();
        done = *end;
    }
    let moved = |mark: &Redaction| (mark.at_char + chars_written).saturating_sub(chars_done);
    redactions.extend(earlier.map(|mark| Redaction { kind: mark.kind, at_char: moved(mark) }));
    redacted.push_str(&text[done..]);
    (redacted, redactions)
}

/// What has to go, in order and without overlaps, however its digits were said.
fn found_in(text: &str) -> Vec<Found> {
    let reading = Reading::of(text);
    as_said(found_in_digits(reading.text(), 0), &reading, 0)
}

/// What has to go of a text that answers these words.
fn found_after(asked: &str, answer: &str) -> Vec<Found> {
    let answer = question::in_one_breath(asked, answer);
    let (question, reading) = (Reading::of(asked), Reading::of(&answer));
    let from = question.text().len();
    let mut found = found_in_digits(&format!("{}{}", question.text(), reading.text()), from);
    found.retain(|found| question::may_be_meant(asked, &reading.text()[..found.start - from]));
    as_said(found, &reading, from)
}

/// What was found in a reading that begins at some byte, where it was said.
fn as_said(found: Vec<Found>, reading: &Reading<'_>, from: usize) -> Vec<Found> {
    let said = found.into_iter().map(|found| {
        let Range { start, end } = reading.said(found.start - from..found.end - from);
        Found { start, end, kind: found.kind }
    });
    in_order(said.collect())
}

/// What has to go of a text without numbers in words, from some byte on: what speaks for itself, then the numbers
/// between. What stands before only names it: no number begins in a question and ends in its answer.
fn found_in_digits(text: &str, from: usize) -> Vec<Found> {
    let hints = Hints::of(text);
    let mut shapes = shape::found_in(text, &hints);
    shapes.retain(|shape| shape.start >= from);
    if hints.digits < number::SHORTEST { shapes } else { with_numbers(text, from, shapes) }
}

/// What was found from some byte on, and the numbers between.
fn with_numbers(text: &str, from: usize, mut found: Vec<Found>) -> Vec<Found> {
    let starts = [from].into_iter().chain(found.iter().map(|shape| shape.end));
    let ends = found.iter().map(|shape| shape.start).chain([text.len()]);
    let gaps: Vec<Range<usize>> = starts.zip(ends).map(|(start, end)| start..end).collect();
    found.extend(gaps.into_iter().flat_map(|gap| number::found_in(text, gap)));
    in_order(found)
}

/// In order; two that overlap, as they do inside a number in words, are one.
fn in_order(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_unstable_by_key(|found| found.start);
    let mut apart: Vec<Found> = Vec::with_capacity(found.len());
    for found in found {
        match apart.last_mut() {
            Some(last) if found.start < last.end => last.end = last.end.max(found.end),
            _ => apart.push(found),
        }
    }
    apart
}

#[cfg(test)]
mod answer_tests;
#[cfg(test)]
mod hard_tests;
#[cfg(test)]
mod law;
#[cfg(test)]
mod tests;
