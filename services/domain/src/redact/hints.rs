//! What a text holds at a glance. Most of what is said holds nothing that could go, and the patterns that find it are
//! dear.

use super::number;

/// What a text holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hints {
    /// A Latin letter.
    pub(super) letter: bool,
    /// A digit or numeral.
    pub(super) digit: bool,
    /// What may be the middle of a mail address.
    pub(super) at: bool,
    /// What stands for hidden digits.
    pub(super) star: bool,
    /// A word about somebody's birth.
    pub(super) birth: bool,
    /// What a Chinese house, floor or door ends in.
    pub(super) door: bool,
}

impl Hints {
    pub(super) fn of(text: &str) -> Self {
        let mut hints =
            Self { letter: false, digit: false, at: false, star: false, birth: false, door: false };
        for c in text.chars() {
            match c {
                'a'..='z' | 'A'..='Z' => hints.letter = true,
                '0'..='9' | '十' | '百' => hints.digit = true,
                '@' | '＠' | '艾' | '圈' | '鼠' => hints.at = true,
                '*' | '•' | '●' => hints.star = true,
                '生' => hints.birth = true,
                '号' | '栋' | '幢' | '座' | '单' | '弄' | '层' | '楼' | '室' | '户' | '门' => {
                    hints.door = true
                }
                _ => hints.digit |= number::digit(c).is_some(),
            }
        }
        if hints.letter {
            hints.at |= holds(text, b" at ");
            hints.birth |=
                [&b"born"[..], b"birth", b"dob", b"d.o", b"do.b"].iter().any(|word| holds(text, word));
        }
        hints
    }

    /// Whether what is found can begin here, be it that something before it says what it is.
    pub(super) fn any(self) -> bool {
        self.digit || self.at || self.star || self.birth || self.door
    }
}

/// Whether a text holds these letters in any case.
fn holds(text: &str, letters: &[u8]) -> bool {
    text.as_bytes().windows(letters.len()).any(|part| part.eq_ignore_ascii_case(letters))
}
