//! What an utterance answers: the words before it that may say what its number is.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::hints::Hints;
use super::regex;
use crate::RedactedKind;

/// How much of what was said before may name a number, in characters: a question, not a conversation.
const BEFORE_CHARS: usize = 64;

/// What the mark of a number says that was just taken out.
const SPOKEN_OUT: [(RedactedKind, &str); 3] = [
    (RedactedKind::PartialNumber, "尾号 "),
    (RedactedKind::Cvv, "安全码 "),
    (RedactedKind::BirthDate, "出生日期 "),
];
/// Who repeats such a number soon comes to it; in characters.
const REPEATED_WITHIN_CHARS: usize = 24;

/// Asks when the customer was born.
static BIRTH: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"(?i)出生日期|出生年月日?|生日|(?-u:\b)born(?-u:\b)|(?-u:\b)birth(?:day)?(?-u:\b)")
});

/// The end of what was said before. A number that was just taken out is what the next one repeats, so its mark
/// is spoken out.
pub(super) fn end_of(text: &str) -> String {
    let marked = text.rfind(']').and_then(|mark| {
        let name = SPOKEN_OUT.iter().find(|(kind, _)| text[..=mark].ends_with(&kind.mark()))?.1;
        Some((name, &text[mark + 1..]))
    });
    let (name, rest) = marked.unwrap_or(("", text));
    // The answer may give a name first, so the question is put right before it.
    if let Some(asked) = born(rest) {
        return format!("{asked} ");
    }
    let from = rest.char_indices().rev().nth(BEFORE_CHARS - 1).map_or(0, |(at, _)| at);
    let rest = rest[from..].trim_end_matches(|c: char| !c.is_alphanumeric() && c != ']');
    if rest.is_empty() && !name.is_empty() { name.to_owned() } else { format!("{name}{rest} ") }
}

/// Whether a number may answer what was asked, with these words before it: what a mere mark asks for is repeated soon
/// or not at all.
pub(super) fn may_be_meant(asked: &str, before: &str) -> bool {
    let is_mark = SPOKEN_OUT.iter().any(|(_, name)| *name == asked);
    !is_mark || before.chars().nth(REPEATED_WITHIN_CHARS - 1).is_none()
}

/// The last words of a text that ask when somebody was born.
fn born(text: &str) -> Option<&str> {
    if !Hints::of(text).birth {
        return None;
    }
    BIRTH.find_iter(text).last().map(|asked| asked.as_str())
}

/// An answer as it is searched, byte for byte as long. Who was asked for a date of birth may say something else first
/// ("Sure. It's March 7th."), so its sentences are one.
pub(super) fn in_one_breath<'t>(asked: &str, answer: &'t str) -> Cow<'t, str> {
    if born(asked).is_none() {
        return Cow::Borrowed(answer);
    }
    let mut chars = answer.chars().peekable();
    let mut joined = String::with_capacity(answer.len());
    while let Some(c) = chars.next() {
        let ends = chars.peek().is_none_or(|next| next.is_whitespace());
        joined.push(match c {
            '.' | '!' | '?' if ends => ',',
            '。' | '！' | '？' => '，',
            _ => c,
        });
    }
    Cow::Owned(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_ends_in_what_it_asks_for() {
        let check = |text: &str, end: &str| assert_eq!(end_of(text), end);
        check("请说一下后四位？", "请说一下后四位 ");
        check("and your date of birth, please?", "birth ");
        check("尾号[partial_number]。", "尾号 ");
        check("尾号[partial_number]的卡，安全码是多少？", "尾号 的卡，安全码是多少 ");
        check("尾号[partial_number]的卡，您的出生日期？", "出生日期 ");
    }

    #[test]
    fn an_answer_of_several_sentences() {
        let check = |asked: &str, answer: &str, searched: &str| {
            let found = in_one_breath(asked, answer);
            assert_eq!((&*found, found.len()), (searched, answer.len()));
        };
        check("birth ", "Sure. It's 03.07.1990.", "Sure, It's 03.07.1990,");
        check("出生日期 ", "好的。1990年！", "好的，1990年，");
        check("尾号 ", "好的。7219。", "好的。7219。");
    }
}
