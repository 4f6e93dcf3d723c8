//! English number words: digits one by one, in pairs, doubled, in hundreds and thousands, years.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::super::regex;
use super::Spoken;

/// From this on a cardinal gets its thousands separators, which say that it is no identifier; a year is less.
const SEPARATED_FROM: u64 = 10_000;
/// Words per number at most: nobody needs more to name an amount, and a cardinal stays below 10¹².
const WORDS_PER_NUMBER: usize = 16;
/// Letters of the longest number word, `quadruple`.
const LONGEST_WORD: usize = 9;

/// Counted in a single word they are no part of a number read out: "one moment", "two lines".
static COUNTED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)^ (?:of|more|other|another|moments?|sec|second|seconds|minutes?|mins?|hours?|days?|weeks?|months?|years?|times?|things?|lines?|reasons?|persons?|people|questions?|ways?|items?|orders?|accounts?|cards?|calls?|phones?|bags?|devices?|options?|to|in a)\b",
    )
});
/// These name how many digits follow, and are none of them: "the last four".
static LAST: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i)\b(?:last|first|final|those|these) $"));

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Digit(u64),
    Teen(u64),
    Tens(u64),
    Hundred,
    /// A thousand or a million.
    Thousands(u64),
    /// How often the next digit is said.
    Repeat(usize),
    /// A nought beside other numbers, an exclamation elsewhere.
    Oh,
    Point,
    And,
    /// The last word of a date's day: its digit and its ending.
    Ordinal(u64),
    /// One digit, written.
    Written(u64),
    Other,
}

impl Word {
    /// Whether a number may begin with it.
    fn begins_number(self) -> bool {
        matches!(self, Self::Digit(_) | Self::Teen(_) | Self::Tens(_) | Self::Repeat(_) | Self::Oh)
    }
}

/// The words of a text: Latin letters, or digits.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'\'';
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + length(&bytes[at..], |byte| !is_letter(byte) && !byte.is_ascii_digit());
        let letters = length(&bytes[start..], is_letter);
        at = start + if letters > 0 { letters } else { length(&bytes[start..], u8::is_ascii_digit) };
        (start < at).then_some(start..at)
    })
}

/// How many bytes are of a sort before the first that is not.
fn length(bytes: &[u8], is_of_sort: impl Fn(&u8) -> bool) -> usize {
    bytes.iter().position(|byte| !is_of_sort(byte)).unwrap_or(bytes.len())
}

fn word(written: &str) -> Word {
    use Word::{And, Digit, Hundred, Oh, Other, Point, Repeat, Teen, Tens, Thousands, Written};
    let mut lower = [0; LONGEST_WORD];
    let Some(lower) = lower.get_mut(..written.len()) else { return Other };
    lower.copy_from_slice(written.as_bytes());
    lower.make_ascii_lowercase();
    match std::str::from_utf8(lower).unwrap_or_default() {
        "zero" | "nought" | "naught" | "null" => Digit(0),
        "one" => Digit(1),
        "two" => Digit(2),
        "three" => Digit(3),
        "four" => Digit(4),
        "five" => Digit(5),
        "six" => Digit(6),
        "seven" => Digit(7),
        "eight" => Digit(8),
        "nine" | "niner" => Digit(9),
        "ten" => Teen(10),
        "eleven" => Teen(11),
        "twelve" => Teen(12),
        "thirteen" => Teen(13),
        "fourteen" => Teen(14),
        "fifteen" => Teen(15),
        "sixteen" => Teen(16),
        "seventeen" => Teen(17),
        "eighteen" => Teen(18),
        "nineteen" => Teen(19),
        "twenty" => Tens(20),
        "thirty" => Tens(30),
        "forty" | "fourty" => Tens(40),
        "fifty" => Tens(50),
        "sixty" => Tens(60),
        "seventy" => Tens(70),
        "eighty" => Tens(80),
        "ninety" => Tens(90),
        "hundred" => Hundred,
        "thousand" => Thousands(1_000),
        "million" => Thousands(1_000_000),
        "double" => Repeat(2),
        "triple" | "treble" => Repeat(3),
        "quadruple" => Repeat(4),
        "oh" | "o" => Oh,
        "point" => Point,
        "and" => And,
        one if one.len() == 1 && one.as_bytes()[0].is_ascii_digit() => {
            Written(u64::from(one.as_bytes()[0] - b'0'))
        }
        other => match ordinal(other) {
            0 => Other,
            value => Word::Ordinal(value),
        },
    }
}

fn ordinal(word: &str) -> u64 {
    let words = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"];
    words.iter().zip(1..).find(|(one, _)| **one == word).map_or(0, |(_, value)| value)
}

struct Token {
    word: Word,
    start: usize,
    end: usize,
}

/// The numbers in words of a text, in order.
pub(super) fn found_in(text: &str) -> Vec<Spoken> {
    // Most of what is said has no number, so nothing is kept before there is one.
    let has_letters = text.bytes().any(|byte| byte.is_ascii_alphabetic());
    if !has_letters || !words(text).any(|at| word(&text[at]).begins_number()) {
        return Vec::new();
    }
    let tokens: Vec<Token> =
        words(text).map(|at| Token { word: word(&text[at.clone()]), start: at.start, end: at.end }).collect();
    let reader = Reader { text, tokens };
    let mut numbers: Vec<Spoken> = Vec::new();
    let mut at = 0;
    while at < reader.tokens.len() {
        let Some((digits, next)) = reader.number(at) else {
            at += 1;
            continue;
        };
        let said = reader.tokens[at].start..reader.tokens[next - 1].end;
        if !reader.is_mere_word(at, next) {
            numbers.push(Spoken { said, digits });
        }
        at = next;
    }
    numbers
}

struct Reader<'t> {
    text: &'t str,
    tokens: Vec<Token>,
}

impl Reader<'_> {
    /// The word at a place, if it is said in one breath with the one before.
    fn joined(&self, at: usize) -> Option<Word> {
        let (before, token) = (self.tokens.get(at.checked_sub(1)?)?, self.tokens.get(at)?);
        matches!(&self.text[before.end..token.start], " " | "-" | "  ").then_some(token.word)
    }

    /// The digits of the number that begins here, and the word after it.
    fn number(&self, at: usize) -> Option<(String, usize)> {
        if let Some(repeated) = self.repeated(at) {
            return Some(repeated);
        }
        if self.tokens[at].word == Word::Oh {
            return self.is_nought(at).then(|| ("0".to_owned(), at + 1));
        }
        if let Some(year) = self.year(at) {
            return Some(year);
        }
        let (value, next) = self.cardinal(at)?;
        if let (Some(Word::Ordinal(unit)), true) =
            (self.joined(next), matches!(value, 20 | 30) && next == at + 1)
        {
            let ending = ["th", "st", "nd", "rd"].get(unit as usize).copied().unwrap_or("th");
            return Some((format!("{}{ending}", value + unit), next + 1));
        }
        let whole = if value >= SEPARATED_FROM { separated(value) } else { value.to_string() };
        Some(self.with_fraction(whole, next))
    }

    /// "double four", "triple oh", "double 5".
    fn repeated(&self, at: usize) -> Option<(String, usize)> {
        let Word::Repeat(times) = self.tokens[at].word else { return None };
        let digit = match self.joined(at + 1)? {
            Word::Digit(digit) | Word::Written(digit) => digit,
            Word::Oh => 0,
            _ => return None,
        };
        Some((digit.to_string().repeat(times), at + 2))
    }

    /// Between numbers or beside one "oh" is a nought.
    fn is_nought(&self, at: usize) -> bool {
        let is_number = |word| {
            matches!(
                word,
                Word::Digit(_)
                    | Word::Teen(_)
                    | Word::Tens(_)
                    | Word::Written(_)
                    | Word::Repeat(_)
                    | Word::Oh
                    | Word::Hundred
            )
        };
        let after_written =
            || self.text[..self.tokens[at].start].trim_end().ends_with(|c: char| c.is_ascii_digit());
        // "eight, one, oh, six": a number on one side of a comma may be another matter ("oh, one more thing").
        let listed = |at: usize| {
            let (before, token) = (self.tokens.get(at.checked_sub(1)?)?, self.tokens.get(at)?);
            matches!(&self.text[before.end..token.start], " " | "-" | "  " | ", ")
                .then_some((before.word, token.word))
        };
        let in_list = listed(at).is_some_and(|(before, _)| is_number(before))
            && listed(at + 1).is_some_and(|(_, after)| is_number(after));
        in_list
            || self.joined(at + 1).is_some_and(is_number)
            || at > 0 && self.joined(at).is_some() && is_number(self.tokens[at - 1].word)
            || self.joined(at).is_some() && after_written()
    }

    /// "nineteen ninety", "twenty oh four", "twenty twenty-six".
    fn year(&self, at: usize) -> Option<(String, usize)> {
        let century = match self.tokens[at].word {
            Word::Teen(century @ (18 | 19)) | Word::Tens(century @ 20) => century,
            _ => return None,
        };
        let (rest, next) = match self.joined(at + 1)? {
            Word::Oh => match self.joined(at + 2)? {
                Word::Digit(digit) => (digit, at + 3),
                _ => return None,
            },
            Word::Teen(_) | Word::Tens(_) => self.below_hundred(at + 1)?,
            _ => return None,
        };
        Some(((century * 100 + rest).to_string(), next))
    }

    /// 1 to 99, in words.
    fn below_hundred(&self, at: usize) -> Option<(u64, usize)> {
        match self.tokens.get(at)?.word {
            Word::Digit(value) | Word::Teen(value) => Some((value, at + 1)),
            Word::Tens(tens) => match self.joined(at + 1) {
                Some(Word::Digit(digit @ 1..)) => Some((tens + digit, at + 2)),
                _ => Some((tens, at + 1)),
            },
            _ => None,
        }
    }

    /// What follows a hundred or a thousand, "and" or not; a digit that others follow is read on its own.
    fn remainder(&self, at: usize) -> Option<usize> {
        match self.joined(at)? {
            Word::And => matches!(self.joined(at + 1)?, Word::Digit(1..) | Word::Teen(_) | Word::Tens(_))
                .then_some(at + 1),
            Word::Digit(1..) => {
                let goes_on = self.joined(at + 1);
                (!matches!(goes_on, Some(Word::Digit(_) | Word::Oh | Word::Repeat(_)))).then_some(at)
            }
            Word::Teen(_) | Word::Tens(_) => Some(at),
            _ => None,
        }
    }

    /// 1 to 9,999 where hundreds are said: "eighteen hundred", "three hundred and five".
    fn hundreds(&self, at: usize) -> Option<(u64, usize)> {
        let (value, next) = self.below_hundred(at)?;
        if self.joined(next) != Some(Word::Hundred) || value == 0 {
            return Some((value, next));
        }
        let rest = self.remainder(next + 1).and_then(|rest| self.below_hundred(rest));
        // "seven hundred nine hundred" are two.
        let rest = rest.filter(|&(_, next)| self.joined(next) != Some(Word::Hundred));
        let (rest, next) = rest.unwrap_or((0, next + 1));
        Some((value * 100 + rest, next))
    }

    fn cardinal(&self, at: usize) -> Option<(u64, usize)> {
        let (mut total, mut below) = (0, u64::MAX);
        let mut from = at;
        loop {
            let (value, next) = self.hundreds(from)?;
            match self.joined(next) {
                Some(Word::Thousands(unit)) if unit < below && value > 0 && next - at < WORDS_PER_NUMBER => {
                    (total, below) = (total + value * unit, unit);
                    match self.remainder(next + 1) {
                        Some(rest) => from = rest,
                        None => return Some((total, next + 1)),
                    }
                }
                _ => return Some((total + value, next)),
            }
        }
    }

    /// "point five" behind a number.
    fn with_fraction(&self, mut digits: String, mut next: usize) -> (String, usize) {
        if self.joined(next) == Some(Word::Point) && matches!(self.joined(next + 1), Some(Word::Digit(_))) {
            digits.push('.');
            next += 1;
            while let Some(Word::Digit(digit)) = self.joined(next) {
                digits.push_str(&digit.to_string());
                next += 1;
            }
        }
        (digits, next)
    }

    /// Whether a single word counts things, or counts the digits that follow.
    fn is_mere_word(&self, at: usize, next: usize) -> bool {
        let single = next == at + 1 && matches!(self.tokens[at].word, Word::Digit(_) | Word::Teen(_));
        let follows_number = at > 0
            && self.joined(at).is_some()
            && matches!(self.tokens[at - 1].word, Word::Digit(_) | Word::Tens(_) | Word::Teen(_) | Word::Oh);
        single
            && !follows_number
            && (COUNTED.is_match(&self.text[self.tokens[at].end..])
                || LAST.is_match(&self.text[..self.tokens[at].start]))
    }
}

/// With a comma between the thousands.
fn separated(value: u64) -> String {
    let digits = value.to_string();
    let lead = digits.len() % 3;
    let mut written = digits[..lead].to_owned();
    for (index, digit) in digits[lead..].chars().enumerate() {
        if index % 3 == 0 && !written.is_empty() {
            written.push(',');
        }
        written.push(digit);
    }
    written
}
