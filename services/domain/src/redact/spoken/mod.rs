//! Numbers in words, read as digits: "double four one", "twenty-two forty-one", 五十八, 四个八.
//!
//! The rest of this module knows digits only. It looks at a [`Reading`] and asks it where in the text what it
//! found was said.

mod chinese;
mod english;

use std::borrow::Cow;
use std::ops::Range;

/// A number in words: where, in bytes of the text, and its digits.
struct Spoken {
    said: Range<usize>,
    digits: String,
}

/// A text with its spoken numbers in digits.
pub(super) struct Reading<'t> {
    text: Cow<'t, str>,
    /// Where digits stand in `text` for words, in order: there, and where the words were said.
    pieces: Vec<(Range<usize>, Range<usize>)>,
}

impl<'t> Reading<'t> {
    pub(super) fn of(said: &'t str) -> Self {
        let mut numbers = english::found_in(said);
        numbers.extend(chinese::found_in(said));
        numbers.sort_unstable_by_key(|number| number.said.start);
        if numbers.is_empty() {
            return Self { text: Cow::Borrowed(said), pieces: Vec::new() };
        }
        let mut text = String::with_capacity(said.len());
        let mut pieces = Vec::with_capacity(numbers.len());
        let mut done = 0;
        for number in numbers {
            // Both languages may read a digit that stands between their words: "double 5个8".
            if number.said.start < done {
                continue;
            }
            text.push_str(&said[done..number.said.start]);
            let start = text.len();
            text.push_str(&number.digits);
            done = number.said.end;
            pieces.push((start..text.len(), number.said));
        }
        text.push_str(&said[done..]);
        Self { text: Cow::Owned(text), pieces }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where the bytes `read` of this reading were said; a number in words is never cut.
    pub(super) fn said(&self, read: Range<usize>) -> Range<usize> {
        let place = |at: usize, is_end: bool| {
            let index = self.pieces.partition_point(|(digits, _)| digits.start < at + usize::from(!is_end));
            let Some((digits, words)) = index.checked_sub(1).map(|last| &self.pieces[last]) else {
                return at;
            };
            match () {
                () if at >= digits.end => words.end + (at - digits.end),
                () if is_end => words.end,
                () => words.start,
            }
        };
        place(read.start, false)..place(read.end, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(said: &str, read: &str) {
        assert_eq!(Reading::of(said).text(), read);
    }

    #[test]
    fn digits_one_by_one() {
        check("four two one", "4 2 1");
        check("four oh two-nought", "4 0 2-0");
        check("double four triple oh", "44 000");
        check("double-seven double 5", "77 55");
        check("Oh, hello", "Oh, hello");
        check("oh seven seven", "0 7 7");
        check("eight, one, oh, six", "8, 1, 0, 6");
    }

    #[test]
    fn in_pairs_hundreds_and_thousands() {
        check("twenty-two forty-one", "22 41");
        check("eighteen hundred", "1800");
        check("one eight hundred five five five", "1 800 5 5 5");
        check("two thousand and six", "2006");
        check("oh seven seven hundred nine hundred one two", "0 7 700 900 1 2");
        check("three hundred and forty two thousand five hundred", "342,500");
        check("nineteen ninety, twenty oh four, twenty twenty-six", "1990, 2004, 2026");
        check("twelve point five", "12.5");
        check("the twenty-third of May", "the 23rd of May");
    }

    #[test]
    fn words_that_are_no_numbers() {
        check("one moment, for two reasons", "one moment, for two reasons");
        check("the last four are", "the last four are");
        check("nobody, someone, anyone", "nobody, someone, anyone");
    }

    #[test]
    fn in_chinese() {
        check("五十八 十五", "58 15");
        check("一百三十八", "138");
        check("两千零二十六", "2026");
        check("三千五", "3500");
        check("四个八", "8888");
        check("幺三洞洞八", "幺三00八");
        check("十分感谢 百货", "十分感谢 百货");
        check("一会儿 两天", "一会儿 两天");
    }

    #[test]
    fn a_digit_is_read_once() {
        check("double 5个8 ok", "55个8 ok");
        check("triple 1个8", "111个8");
    }

    #[test]
    fn what_is_found_is_traced_to_the_words() {
        let reading = Reading::of("my 卡 is double four one, ok");
        assert_eq!(reading.text(), "my 卡 is 44 1, ok");
        assert_eq!(reading.said(10..14), 10..25);
        assert_eq!(reading.said(11..12), 10..21);
        assert_eq!(reading.said(14..18), 25..29);
    }
}
