//! Numbers whose meaning was named by somebody else: "the last four digits, please?" — "7219" — "7219, right?".

use std::sync::LazyLock;

use regex::Regex;

use crate::{RedactedKind, Redaction, Text, Utterance};

use super::{Found, found_in, regex, without};

/// How much of what was said before may name a number, in characters: a question, not a conversation.
const BEFORE_CHARS: usize = 32;
/// A number that follows within this time belongs to the question before it, in milliseconds.
const ANSWER_WITHIN_MS: u64 = 10_000;

/// Asks when the customer was born.
static BIRTH: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)出生日期|出生年月日?|生日|\bborn\b|\bbirth(?:day)?\b"));

/// Redacts each utterance of a transcript once more, with the end of the utterance before it in view. `transcript`
/// is in time order.
pub fn redact_across(transcript: &mut [Utterance]) {
    for index in 1..transcript.len() {
        let (said, now) = transcript.split_at_mut(index);
        let (before, now) = (&said[index - 1], &mut now[0]);
        if now.span.start_ms.saturating_sub(before.span.end_ms) <= ANSWER_WITHIN_MS {
            (now.text, now.redactions) = redact_after(before, now);
        }
    }
}

fn redact_after(before: &Utterance, now: &Utterance) -> (Text, Vec<Redaction>) {
    let named = what_was_asked(before);
    let mut text = now.text.as_str().to_owned();
    let mut redactions = now.redactions.clone();
    loop {
        let found: Vec<Found> = found_in(&format!("{named}{text}"))
            .into_iter()
            .filter(|found| found.start >= named.len())
            .map(|found| Found { start: found.start - named.len(), end: found.end - named.len(), ..found })
            .collect();
        if found.is_empty() {
            return (Text::redacted(text), redactions);
        }
        (text, redactions) = without(&text, &found, &redactions);
    }
}

/// The end of what was said before. A number that was just taken out is what the next one repeats, so its mark
/// is spoken out.
fn what_was_asked(before: &Utterance) -> String {
    let text = before.text.as_str();
    let ends_with = |kind: RedactedKind| text.trim_end_matches(|c: char| c != ']').ends_with(&kind.mark());
    if ends_with(RedactedKind::PartialNumber) {
        return "尾号 ".to_owned();
    }
    if ends_with(RedactedKind::Cvv) {
        return "安全码 ".to_owned();
    }
    // The answer may give a name first, so the question is put right before it.
    if let Some(asked) = BIRTH.find_iter(text).last() {
        return format!("{} ", asked.as_str());
    }
    let from = text.char_indices().rev().nth(BEFORE_CHARS - 1).map_or(0, |(at, _)| at);
    // A sentence's end between question and answer: digits on both sides never run into one number.
    format!("{} ", text[from..].trim_end_matches(|c: char| !c.is_alphanumeric() && c != ']'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_call::transcript;

    #[track_caller]
    fn check(lines: &str, expect: &[&str]) {
        let mut utterances: Vec<Utterance> = transcript(lines).into_iter().map(|o| o.utterance).collect();
        redact_across(&mut utterances);
        assert_eq!(utterances.iter().map(|u| u.text.as_str()).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn the_answer_to_a_question() {
        check("a 请提供身份证后四位 | c 7219。", &["请提供身份证后四位", "[partial_number]。"]);
        check("a And the security code? | c It's 123", &["And the security code?", "It's [cvv]"]);
    }

    #[test]
    fn a_date_of_birth_after_a_name() {
        check(
            "a Your name and your date of birth, please. | c Peter Green, the second of June, 1979.",
            &["Your name and your date of birth, please.", "Peter Green, the [birth_date]."],
        );
        check("a 请问您的出生日期 | c 1979年6月2日", &["请问您的出生日期", "[birth_date]"]);
    }

    #[test]
    fn the_number_repeated() {
        check("c 尾号7219 | a 7219 对吗", &["尾号[partial_number]", "[partial_number] 对吗"]);
    }

    #[test]
    fn a_number_that_nobody_asked_for_stays() {
        check("a 您的话费 | c 一共3200吗", &["您的话费", "一共3200吗"]);
        check("a 我的工号是 | a 1024", &["我的工号是", "1024"]);
    }

    #[test]
    fn later_is_another_matter() {
        check("a@0-1000 身份证后四位 | c@20000-21000 2024", &["身份证后四位", "2024"]);
    }
}
