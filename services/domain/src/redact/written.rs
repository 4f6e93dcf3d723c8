//! How amounts, dates and the numbers of companies are written.

use std::sync::LazyLock;

use regex::Regex;

use super::regex;

/// With thousands separators, alone or several.
pub(super) static THOUSANDS: LazyLock<Regex> = LazyLock::new(|| {
    let amount = r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]{1,2})?";
    regex(&format!(r"^{amount}(?:[,\s-]{{1,3}}{amount})*$"))
});
/// With a fraction, alone or several.
pub(super) static DECIMAL: LazyLock<Regex> = LazyLock::new(|| {
    let amount = r"[0-9]{1,8}\.[0-9]{1,2}";
    regex(&format!(r"^{amount}(?:\s?[,，、–—-]\s?{amount})*$"))
});
/// From one quantity to another.
pub(super) static RANGE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^[1-9][0-9]{0,5}\s?[-–—]\s?[1-9][0-9]{0,5}$"));
pub(super) static SOLID: LazyLock<Regex> = LazyLock::new(|| regex(r"^[0-9０-９]+(?:\.[0-9]{1,2})?$"));
/// An order of magnitude, or several of them.
pub(super) static ROUND: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"^(?:[1-9][0-9]?0{5,8}|[1-9][0-9]{0,2}0{2,}(?:[\s,，、–—-]{1,3}[1-9][0-9]{0,2}0{2,})+)$")
});
/// An order of magnitude, or a year.
pub(super) static ROUGH: LazyLock<Regex> =
    LazyLock::new(|| regex("^(?:[1-9][0-9]{0,2}0{2,}|(?:19|20)[0-9]{2})$"));
pub(super) static YEAR: LazyLock<Regex> = LazyLock::new(|| regex("^(?:19|20)[0-9]{2}$"));
/// Years, dates with an hour after them, or days from one to another.
pub(super) static CALENDAR: LazyLock<Regex> = LazyLock::new(|| {
    let year = "(?:19|20)[0-9]{2}";
    let date = format!(r"{year}([-.])(?:0?[1-9]|1[0-2])[-.](?:[12][0-9]|3[01]|0?[1-9])(?:\s[0-9]{{1,2}})?");
    let day_first = format!(r"(?:[12][0-9]|3[01]|0?[1-9])[-.](?:[12][0-9]|3[01]|0?[1-9])[-.]{year}");
    let day = "(?:0?[1-9]|1[0-2])-(?:[12][0-9]|3[01]|0?[1-9])";
    regex(&format!(
        r"^(?:{year}(?:[\s,，、–—-]{{1,3}}{year})+|{day_first}|{date}(?:[\s,，、–—-]{{1,3}}{date})*|{day} [–—-] {day})$"
    ))
});
/// Numbers that companies and authorities publish: hotlines, banks, emergencies, free calls.
pub(super) static SERVICE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^(?:11[0-9]|12[02]|911|999|112|95[0-9]{3}|96[0-9]{3,4}|100[0-9]{2}|12[0-9]{3}|[48]00[0-9]{7}|08(?:00|08|45)[0-9]{6,7})$",
    )
});
/// North America's free calls, known by their groups: unbroken, a Chinese mobile looks the same.
pub(super) static FREE_CALL: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"^(?:\+?1[\s.-])?\(?8(?:00|33|44|55|66|77|88)\)?[\s.-]{1,3}[0-9]{3}[\s.-]{1,3}[0-9]{4}$")
});
/// The year in which a contract ends.
pub(super) static TERM_END: LazyLock<Regex> = LazyLock::new(|| regex("^20[1-3][0-9]$"));
/// The time of day.
const TIME: &str = r"(?:1?[0-9]|2[0-3])[ .][0-5][05]";
/// Times of day, one after the other: "9 30, 10 30, 11 30".
pub(super) static CLOCK: LazyLock<Regex> =
    LazyLock::new(|| regex(&format!(r"^{TIME}(?:[,，、]\s?{TIME})+$")));
pub(super) static TIMES: LazyLock<Regex> =
    LazyLock::new(|| regex(&format!(r"^{TIME}(?:[,，、]\s?{TIME})*$")));
pub(super) static FREE_DIGITS: LazyLock<Regex> =
    LazyLock::new(|| regex("^1?8(?:00|33|44|55|66|77|88)[0-9]{7}$"));
pub(super) static BETWEEN_SERVICES: LazyLock<Regex> = LazyLock::new(|| regex(r"\s?[、,，。]\s?|\s[–—-]\s"));
pub(super) static AND: LazyLock<Regex> = LazyLock::new(|| regex("(?i)and"));

/// What is counted in a small number, and what makes a great one an amount.
pub(super) static COUNTED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)^\s?(?:元(?:[^旦宵月]|$)|块|万|亿|次|天|小时|分钟|秒|个|台|件|年|月|岁|%|(?:percent|dollars?|pounds?|euros?|yuan|bucks|points?|people|users|customers|seconds?|minutes?|hours?|days?|weeks?|months?|years?|times)(?-u:\b))",
    )
});
pub(super) static AMOUNT: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)^\s?(?:元(?:[^旦宵月]|$)|块|万|亿|美元|美金|积分|人次|%|(?:percent|dollars?|pounds?|euros?|yuan|bucks|points|people|users|customers)(?-u:\b))",
    )
});

/// Whether the text goes on with what has just been counted.
pub(super) fn counts_something(after: &str) -> bool {
    COUNTED.is_match(after)
}
