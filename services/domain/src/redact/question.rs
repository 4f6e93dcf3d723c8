//! What an utterance answers: the words before it that may say what its number is.

use std::sync::LazyLock;

use regex::Regex;

use super::hints::Hints;
use super::regex;
use crate::RedactedKind;

/// How much of what was said before may name a number, in characters: a question, not a conversation.
const BEFORE_CHARS: usize = 32;

/// Asks when the customer was born.
static BIRTH: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)出生日期|出生年月日?|生日|\bborn\b|\bbirth(?:day)?\b"));

/// The end of what was said before. A number that was just taken out is what the next one repeats, so its mark
/// is spoken out.
pub(super) fn end_of(text: &str) -> String {
    let spoken_out = [
        (RedactedKind::PartialNumber, "尾号 "),
        (RedactedKind::Cvv, "安全码 "),
        (RedactedKind::BirthDate, "出生日期 "),
    ];
    if let Some(mark) = text.rfind(']')
        && let Some((_, name)) = spoken_out.iter().find(|(kind, _)| text[..=mark].ends_with(&kind.mark()))
    {
        return (*name).to_owned();
    }
    // The answer may give a name first, so the question is put right before it.
    if Hints::of(text).birth
        && let Some(asked) = BIRTH.find_iter(text).last()
    {
        return format!("{} ", asked.as_str());
    }
    let from = text.char_indices().rev().nth(BEFORE_CHARS - 1).map_or(0, |(at, _)| at);
    // A sentence's end between question and answer: digits on both sides never run into one number.
    format!("{} ", text[from..].trim_end_matches(|c: char| !c.is_alphanumeric() && c != ']'))
}
