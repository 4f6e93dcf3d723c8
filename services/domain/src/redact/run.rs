//! Runs of digits: what may stand between two digits of one number, and where a run may be several numbers.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{number, regex};

const DIGIT: &str = "[0-9０-９零〇一二两三四五六七八九幺壹贰叁肆伍陆柒捌玖]";
/// Said while a number is given, and between numbers too.
const LOOSE_WORDS: &str = "okay|ok|right|yes|yeah|and|好的?|对对?";
/// What whisper writes on either side of a word between digits.
const AROUND: &str = r"[\s,，、.。…-]{0,4}";

/// Digits that were spoken one after the other, with what whisper writes between them.
static DIGITS: LazyLock<Regex> = LazyLock::new(|| {
    let pause = r"[\s,，、\-‐‑–—−－.·;；()（）]{0,3}|\s?(?:\.{2,6}|…{1,2}|。)\s?";
    let words = "嗯|呃|额|啊|那个|然后|再?后面是?|再|接着|横杠|横线|杠|空格|uh|um|er|erm|ah|hmm|mm|dash|hyphen|space|comma|dot|(?:and )?then";
    let word = format!("(?:{words}|{LOOSE_WORDS})");
    let filler = format!("{AROUND}{word}(?:{AROUND}{word})?{AROUND}");
    regex(&format!("(?i)[+(]?{DIGIT}(?:(?:{pause}|{filler}){DIGIT})*"))
});

/// Where a number may end and another begin, with the first digit behind it.
static LOOSE: LazyLock<Regex> = LazyLock::new(|| regex(&format!("(?i)(?:{LOOSE_WORDS}|。){AROUND}{DIGIT}")));

/// Where digits stand in a text, each run with its pauses.
pub(super) fn runs_in(text: &str) -> impl Iterator<Item = Range<usize>> {
    DIGITS.find_iter(text).map(|run| run.range())
}

/// What stands between the loose words of a run, from digit to digit; nothing where it has none.
pub(super) fn parts_of(text: &str, run: &Range<usize>) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = run.start;
    for joint in LOOSE.find_iter(&text[run.clone()]) {
        let before = &text[start..run.start + joint.start()];
        let first_behind = joint.as_str().chars().next_back().map_or(0, char::len_utf8);
        parts.push(start..start + end_of_digits(before));
        start = run.start + joint.end() - first_behind;
    }
    if !parts.is_empty() {
        parts.push(start..run.end);
    }
    parts
}

/// Behind the last digit of a text.
fn end_of_digits(text: &str) -> usize {
    let last = text.char_indices().rev().find(|(_, c)| number::digit(*c).is_some());
    last.map_or(0, |(at, c)| at + c.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, runs: &[&str], parts: &[&str]) {
        let found: Vec<_> = runs_in(text).collect();
        assert_eq!(found.iter().map(|run| &text[run.clone()]).collect::<Vec<_>>(), runs);
        let found: Vec<_> = found.iter().flat_map(|run| parts_of(text, run)).collect();
        assert_eq!(found.into_iter().map(|part| &text[part]).collect::<Vec<_>>(), parts);
    }

    #[test]
    fn pauses_are_part_of_a_run() {
        check("138 - 1234 - 5678", &["138 - 1234 - 5678"], &[]);
        check("138 uh 1234 and then 5678", &["138 uh 1234 and then 5678"], &[]);
        check("12 apples, 3 pears", &["12", "3"], &[]);
    }

    #[test]
    fn loose_words_part_it() {
        check("4111, okay, 1111 and 22", &["4111, okay, 1111 and 22"], &["4111", "1111", "22"]);
        check("四一。一一，嗯，对，二", &["四一。一一，嗯，对，二"], &["四一", "一一", "二"]);
    }
}
