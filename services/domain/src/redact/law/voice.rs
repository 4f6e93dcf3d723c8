//! The ways in which people write and say the same digits.

use super::dice::Dice;

const EN: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const TEENS: [&str; 10] = [
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
];
const TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const ZH: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    Written,
    SpokenEn,
    SpokenZh,
}

fn value(digit: char) -> usize {
    digit.to_digit(10).map_or(0, |d| d as usize)
}

/// Digits cut into the groups in which they are read.
pub(super) fn groups(digits: &str, dice: &mut Dice) -> Vec<String> {
    let sizes: &[usize] = match digits.len() {
        11 => dice.one(&[&[3, 4, 4][..], &[4, 3, 4], &[5, 6], &[3, 2, 2, 2, 2]]),
        10 => dice.one(&[&[3, 3, 4][..], &[4, 6]]),
        16 => dice.one(&[&[4, 4, 4, 4][..], &[4, 4, 4, 4], &[8, 8]]),
        18 => dice.one(&[&[6, 4, 4, 4][..], &[6, 8, 4], &[3, 3, 4, 4, 4]]),
        19 => dice.one(&[&[4, 4, 4, 4, 3][..], &[6, 6, 7]]),
        9 => &[3, 3, 3],
        8 => dice.one(&[&[4, 4][..], &[2, 2, 2, 2]]),
        _ => return vec![digits.to_owned()],
    };
    let mut rest = digits.chars();
    sizes.iter().map(|&size| rest.by_ref().take(size).collect()).collect()
}

/// One group in words or digits.
pub(super) fn group(digits: &str, voice: Voice, dice: &mut Dice) -> String {
    match voice {
        Voice::Written => digits.to_owned(),
        Voice::SpokenEn => spoken_en(digits, dice),
        Voice::SpokenZh => spoken_zh(digits, dice),
    }
}

fn spoken_en(digits: &str, dice: &mut Dice) -> String {
    let zero = dice.one(&["zero", "oh", "oh", "nought", "o"]);
    let joint = dice.one(&[" ", " ", " ", "-"]);
    let d: Vec<char> = digits.chars().collect();
    if d.len() == 4 && dice.often(2) && d[0] != '0' && d[2] != '0' {
        return format!("{} {}", pair(d[0], d[1], joint), pair(d[2], d[3], joint));
    }
    if d.len() == 4 && d[1] != '0' && d[0] != '0' && digits.ends_with("00") && dice.often(5) {
        return format!("{} hundred", pair(d[0], d[1], joint));
    }
    if d.len() == 4 && d[0] != '0' && digits.ends_with("000") {
        return format!("{} thousand", EN[value(d[0])]);
    }
    let mut words: Vec<String> = Vec::new();
    let mut at = 0;
    while at < d.len() {
        let same = d[at..].iter().take_while(|&&c| c == d[at]).count();
        let word = if d[at] == '0' { zero } else { EN[value(d[at])] };
        match same {
            3.. if dice.often(5) => {
                words.push(format!("triple {word}"));
                at += 3;
            }
            2.. if dice.often(6) => {
                words.push(format!("double{}{word}", dice.one(&[" ", " ", "-"])));
                at += 2;
            }
            _ => {
                words.push(word.to_owned());
                at += 1;
            }
        }
    }
    words.join(joint)
}

fn pair(tens: char, ones: char, joint: &str) -> String {
    match (value(tens), value(ones)) {
        (1, ones) => TEENS[ones].to_owned(),
        (tens, 0) => TENS[tens].to_owned(),
        (tens, ones) => format!("{}{}{}", TENS[tens], if joint == " " { " " } else { "-" }, EN[ones]),
    }
}

fn spoken_zh(digits: &str, dice: &mut Dice) -> String {
    let one = dice.one(&["幺", "幺", "一"]);
    let zero = dice.one(&["零", "零", "〇", "洞"]);
    let two = dice.one(&["二", "二", "两"]);
    let d: Vec<char> = digits.chars().collect();
    let mut words = String::new();
    let mut at = 0;
    while at < d.len() {
        let next = d.get(at + 1).map_or(0, |&c| value(c));
        let alone = d.len() == 2 || d.len() - at == 2;
        if alone && at + 1 < d.len() && value(d[at]) > 1 && next > 0 && dice.often(3) {
            words.push_str(&format!("{}十{}", ZH[value(d[at])], ZH[next]));
            at += 2;
            continue;
        }
        words.push_str(match d[at] {
            '0' => zero,
            '1' => one,
            '2' => two,
            other => ZH[value(other)],
        });
        at += 1;
    }
    words
}

/// A whole number as one person reads it in one breath.
pub(super) fn whole(digits: &str, voice: Voice, dice: &mut Dice) -> String {
    let parts = groups(digits, dice);
    let parts: Vec<String> = parts.iter().map(|part| group(part, voice, dice)).collect();
    match voice {
        Voice::Written => match dice.below(12) {
            0 | 1 => digits.to_owned(),
            2 | 3 => parts.join(" "),
            4 => parts.join("-"),
            5 => parts.join("."),
            6 => parts.join(", "),
            7 => digits.chars().map(String::from).collect::<Vec<_>>().join(dice.one(&[" ", "-", "、", ", "])),
            8 => parts.join(" - "),
            9 => parts.join("。"),
            10 => parts.join(dice.one(&[", okay, ", ", right, ", ", yes, ", "，对，", "，好，"])),
            _ => digits.chars().map(full_width).collect(),
        },
        Voice::SpokenEn => parts.join(
            dice.one(&[" ", " ", ", ", " uh ", ", um, ", "... ", " dash ", " - ", ", okay, ", ", and "]),
        ),
        Voice::SpokenZh => parts.join(dice.one(&[
            "",
            "",
            " ",
            "，",
            " 嗯 ",
            "，呃，",
            "、",
            "杠",
            "。",
            "，对，",
            "，好，",
            " - ",
        ])),
    }
}

fn full_width(digit: char) -> char {
    char::from_u32(u32::from('０') + value(digit) as u32).unwrap_or(digit)
}
