//! What a text holds at a glance. Most of what is said holds nothing that could go, and the patterns that find it are
//! dear.

use super::number;

/// What a text holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Hints {
    /// A Latin letter.
    pub(super) letter: bool,
    /// How many digits and numerals.
    pub(super) digits: usize,
    /// A character that is a digit beside others.
    pub(super) radio: bool,
    /// What may be the middle of a mail address.
    pub(super) at: bool,
    /// What stands for hidden digits.
    pub(super) star: bool,
    /// A word about somebody's birth.
    pub(super) birth: bool,
    /// What a Chinese house, floor or door ends in, behind its number or letter; or a door plate.
    pub(super) door: bool,
}

impl Hints {
    pub(super) fn of(text: &str) -> Self {
        let mut hints = Self::default();
        let mut numbers_door = false;
        for (at, c) in text.char_indices() {
            let begins = |words: &[&str]| words.iter().any(|word| begins_with(&text[at..], word));
            let mut may_number_door = false;
            match c {
                'a'..='z' | 'A'..='Z' => {
                    (hints.letter, may_number_door) = (true, true);
                    match c {
                        'b' | 'B' => hints.birth |= begins(&["born", "birth"]),
                        'd' | 'D' => hints.birth |= begins(&["dob", "d.ob", "do.b", "d.o.b"]),
                        _ => {}
                    }
                }
                ' ' => {
                    hints.at |= begins(&[" at "]);
                    may_number_door = numbers_door;
                }
                '@' | '＠' | '艾' | '圈' | '鼠' => hints.at = true,
                '*' | '•' | '●' => hints.star = true,
                '生' => hints.birth = true,
                '牌' => hints.door = true,
                '号' | '栋' | '幢' | '座' | '单' | '弄' | '层' | '楼' | '室' | '户' | '门' => {
                    hints.door |= numbers_door;
                }
                '洞' | '拐' | '勾' => (hints.radio, may_number_door) = (true, true),
                '十' | '百' => {
                    hints.digits += 1;
                    may_number_door = true;
                }
                _ if number::digit(c).is_some() => {
                    hints.digits += 1;
                    may_number_door = true;
                }
                _ => may_number_door = numbers_door && c.is_whitespace(),
            }
            numbers_door = may_number_door;
        }
        hints
    }

    pub(super) fn letter_and_digits(&self, digits: usize) -> bool {
        self.letter && self.digits >= digits
    }

    /// Whether something to take out may begin here, be it that what was said `before` says what it is.
    pub(super) fn may_answer(&self, before: &Self) -> bool {
        // A door or a plate has fewer digits than a number; what was said before may name it.
        let by_words = self.letter || self.radio || before.letter || before.door;
        let number = self.digits >= number::SHORTEST || self.digits > 0 && by_words;
        number || self.at || self.star || self.birth || self.door || before.birth
    }

    /// Whether there is anything to look for: a number however it was said, or what needs none.
    pub(super) fn any(&self) -> bool {
        self.digits > 0 || self.at || self.star || self.birth || self.door
    }
}

/// Whether a text begins with these letters in any case.
fn begins_with(text: &str, letters: &str) -> bool {
    text.as_bytes().get(..letters.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(letters.as_bytes()))
}
