//! Numbers as a transcriber writes them: digits, Chinese numerals, English words.

/// 幺 is how a one is read out, 两 how a two is counted.
const HAN: &str = "零〇一二三四五六七八九十百千万亿两幺";

/// Lower case, as they stand in a folded text.
const ENGLISH: &[&str] = &[
    "zero",
    "oh",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
    "hundred",
    "thousand",
    "million",
    "double",
    "triple",
];

/// How many characters the number takes with which a folded text begins; 0 where it begins with none.
///
/// `mark` stands for a number that was taken out.
pub(super) fn length(text: &[char], mark: char) -> usize {
    let mut end = 0;
    loop {
        // Digits that are read out stand apart: `8 0 2 3`, `eight oh two`.
        let from = if end > 0 && text.get(end) == Some(&' ') { end + 1 } else { end };
        let part = part(&text[from..], mark);
        if part == 0 {
            return end;
        }
        end = from + part;
    }
}

/// Length of one digit, numeral, mark or word.
fn part(text: &[char], mark: char) -> usize {
    let Some(&first) = text.first() else { return 0 };
    if first == mark || first.is_ascii_digit() || HAN.contains(first) {
        return 1;
    }
    let letters = text.iter().take_while(|c| c.is_ascii_alphanumeric()).count();
    let is_word = |word: &str| word.len() == letters && word.chars().eq(text[..letters].iter().copied());
    if ENGLISH.iter().any(|word| is_word(word)) { letters } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: usize) {
        assert_eq!(length(&text.chars().collect::<Vec<_>>(), '#'), expect, "{text}");
    }

    #[test]
    fn in_any_form() {
        check("8023号", 4);
        check("八零二三号", 4);
        check("幺两三", 3);
        check("8 0 2 3 please", 7);
        check("eight oh double two thanks", 19);
        check("#号", 1);
    }

    #[test]
    fn what_is_none() {
        check("号8023", 0);
        check("ohm", 0);
        check("", 0);
    }
}
