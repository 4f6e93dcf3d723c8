//! Chinese numbers with 十, 百 and 千, digits by their count (四个八) and by their radio names (洞, 拐, 勾).
//!
//! Numerals read one by one stay as they are: they are digits already.

use std::sync::LazyLock;

use regex::Regex;

use super::super::{number::digit, regex};
use super::Spoken;

const D: &str = "[一二两三四五六七八九]";

static NUMBERS: LazyLock<Regex> = LazyLock::new(|| {
    let tens = format!("(?:{D}?十{D}?)");
    let hundreds = format!("(?:{D}百(?:零{D}|{D}十{D}?|{D})?)");
    let thousands = format!("(?:{D}千(?:零?{D}百(?:零{D}|{D}十{D}?)?|零{tens}|零{D}|{D})?)");
    let same = "[一两二三四五六1-6]个[0-9零一二三四五六七八九]";
    regex(&format!("{thousands}|{hundreds}|{tens}|{same}|[洞拐勾]+"))
});
/// How many of them together make 洞, 拐 and 勾 digits.
const NUMERALS_TOGETHER: usize = 2;

/// The numbers of a text that are more than numerals read one by one, in order.
pub(super) fn found_in(text: &str) -> Vec<Spoken> {
    if text.is_ascii() || !text.contains(['十', '百', '千', '个', '洞', '拐', '勾']) {
        return Vec::new();
    }
    NUMBERS
        .find_iter(text)
        .filter_map(|found| {
            let (before, after) = (&text[..found.start()], &text[found.end()..]);
            let digits = match found.as_str().split_once('个') {
                Some((times, one)) => same(times, one, after)?,
                None if found.as_str().starts_with(['洞', '拐', '勾']) => {
                    radio(found.as_str(), before, after)?
                }
                None => cardinal(found.as_str(), before, after)?,
            };
            Some(Spoken { said: found.range(), digits })
        })
        .collect()
}

/// 四个八; but 三个一样的 is no number.
fn same(times: &str, one: &str, after: &str) -> Option<String> {
    let ends = after
        .chars()
        .next()
        .is_none_or(|c| !c.is_alphanumeric() || "的结尾啊呢吧".contains(c) || digit(c).is_some());
    let times = times.chars().find_map(digit)?.to_digit(10)?;
    ends.then(|| one.chars().filter_map(digit).collect::<String>().repeat(times as usize))
}

fn radio(names: &str, before: &str, after: &str) -> Option<String> {
    let is_pause = |c: &char| !c.is_alphanumeric() && *c != ']' || "嗯呃额杠".contains(*c);
    let is_numeral = |c: &char| digit(*c).is_some() || "洞拐勾十百".contains(*c);
    let beside = usize::from(before.chars().rev().find(|c| !is_pause(c)).is_some_and(|c| is_numeral(&c)))
        + usize::from(after.chars().find(|c| !is_pause(c)).is_some_and(|c| is_numeral(&c)));
    // 漏洞, 打勾 and 转拐 are words.
    let is_word = before.ends_with(['漏', '打', '山', '挖', '破', '黑', '空', '转']);
    let plain = |name| match name {
        '洞' => '0',
        '拐' => '7',
        _ => '9',
    };
    let enough = names.chars().count() + beside >= NUMERALS_TOGETHER;
    (enough && !is_word).then(|| names.chars().map(plain).collect())
}

/// A 十 of its own is a word (十分感谢) unless numerals stand beside it.
fn cardinal(number: &str, before: &str, after: &str) -> Option<String> {
    let beside = |c: Option<char>| c.is_some_and(|c| digit(c).is_some());
    if number == "十" && !beside(before.chars().next_back()) && !beside(after.chars().next()) {
        return None;
    }
    let (mut total, mut last, mut unit_before, mut nought) = (0, None, 1, false);
    for c in number.chars() {
        let unit = match c {
            '十' => 10,
            '百' => 100,
            '千' => 1_000,
            '零' => {
                nought = true;
                continue;
            }
            _ => {
                last = digit(c).and_then(|d| d.to_digit(10));
                continue;
            }
        };
        (total, unit_before, nought) = (total + last.take().unwrap_or(1) * unit, unit, false);
    }
    // 三千五 is 3500, 三千零五 is not.
    let place = if nought || unit_before == 10 { 1 } else { unit_before / 10 };
    Some((total + last.unwrap_or(0) * place).to_string())
}
