//! Runs of digits: which identify somebody, and which a reviewer needs to read.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::meaning::{Around, Meaning};
use super::{Found, regex};
use crate::RedactedKind;

/// Shortest run of digits that identifies somebody whatever stands around it.
const IDENTIFYING_DIGITS: usize = 7;
/// Staff numbers are no longer than this; what is longer is somebody's telephone or card.
const STAFF_DIGITS: usize = 8;
/// Nobody on the telephone speaks of greater amounts than these digits can write.
const AMOUNT_DIGITS: usize = 9;
/// From here on a number is a card's whatever it looks like: the shortest has thirteen digits.
const CARD_DIGITS: usize = 13;
/// Nothing shorter identifies anybody, whatever it is called; in digits.
pub(super) const SHORTEST: usize = 3;
/// Shortest account number that its name alone gives away; less is a quantity.
const ACCOUNT_DIGITS: usize = 5;

/// Digits that were spoken one after the other, with what whisper writes between them.
static DIGITS: LazyLock<Regex> = LazyLock::new(|| {
    let digit = "[0-9０-９零〇一二两三四五六七八九幺壹贰叁肆伍陆柒捌玖]";
    let pause = r"[\s,，、\-–—－.·()（）]{0,2}|\s?(?:\.{2,6}|…{1,2})\s?";
    let around = r"[\s,，、.…-]{0,4}";
    let words = "嗯|呃|额|啊|那个|然后|再?后面是?|再|接着|横杠|横线|杠|空格|uh|um|er|erm|ah|hmm|mm|dash|hyphen|space|comma|dot|(?:and )?then";
    let filler = format!("{around}(?:{words})(?:{around}(?:{words}))?{around}");
    regex(&format!("(?i)[+(]?{digit}(?:(?:{pause}|{filler}){digit})*"))
});

/// The check digit of a mainland identity number.
static CHECK_X: LazyLock<Regex> = LazyLock::new(|| regex(r"^[\s,，-]{0,2}(?:[XxＸｘ]|叉|[艾埃爱]克斯|ex\b)"));

/// With thousands separators, alone or several.
static THOUSANDS: LazyLock<Regex> = LazyLock::new(|| {
    let amount = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,2})?";
    regex(&format!(r"^{amount}(?:[,\s-]{{1,2}}{amount})*$"))
});
static DECIMAL: LazyLock<Regex> = LazyLock::new(|| regex(r"^[0-9]{1,8}\.[0-9]{1,2}$"));
static SOLID: LazyLock<Regex> = LazyLock::new(|| regex(r"^[0-9０-９]+(?:\.[0-9]{1,2})?$"));
/// An order of magnitude, or several of them.
static ROUND: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"^(?:[1-9][0-9]?0{5,8}|[1-9][0-9]{0,2}0{2,}(?:[\s,，、-]{1,2}[1-9][0-9]{0,2}0{2,})+)$")
});
/// Years, or dates with an hour after them.
static CALENDAR: LazyLock<Regex> = LazyLock::new(|| {
    let year = "(?:19|20)[0-9]{2}";
    let date = format!(r"{year}([-.])(?:0?[1-9]|1[0-2])[-.](?:[12][0-9]|3[01]|0?[1-9])(?:\s[0-9]{{1,2}})?");
    let day_first = format!(r"(?:[12][0-9]|3[01]|0?[1-9])[-.](?:[12][0-9]|3[01]|0?[1-9])[-.]{year}");
    regex(&format!(
        r"^(?:{year}(?:[\s,，、–—-]{{1,2}}{year})+|{day_first}|{date}(?:[\s,，、–—-]{{1,2}}{date})*)$"
    ))
});
/// Numbers that companies and authorities publish: hotlines, banks, emergencies, free calls.
static SERVICE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^(?:11[0-9]|12[02]|911|999|112|95[0-9]{3}|96[0-9]{3,4}|100[0-9]{2}|12[0-9]{3}|[48]00[0-9]{7}|08(?:00|08|45)[0-9]{6,7})$",
    )
});
/// North America's free calls, known by their groups: unbroken, a Chinese mobile looks the same.
static FREE_CALL: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"^(?:\+?1[\s.-])?\(?8(?:00|33|44|55|66|77|88)\)?[\s.-]{1,2}[0-9]{3}[\s.-][0-9]{4}$")
});
/// The year in which a contract ends.
static TERM_END: LazyLock<Regex> = LazyLock::new(|| regex("^20[1-3][0-9]$"));
/// Times of day, one after the other: "9 30, 10 30 and 11 30".
static CLOCK: LazyLock<Regex> = LazyLock::new(|| {
    let time = r"(?:1?[0-9]|2[0-3])[ .][0-5][05]";
    regex(&format!(r"^{time}(?:[,，、]\s?{time})+$"))
});
static FREE_DIGITS: LazyLock<Regex> = LazyLock::new(|| regex("^1?8(?:00|33|44|55|66|77|88)[0-9]{7}$"));
static BETWEEN_SERVICES: LazyLock<Regex> = LazyLock::new(|| regex(r"[、,，]\s?"));

/// What is counted in a small number, and what makes a great one an amount.
static COUNTED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)^\s?(?:元(?:[^旦宵月]|$)|块|万|亿|次|天|小时|分钟|秒|个|台|件|年|月|岁|%|(?:percent|dollars?|pounds?|euros?|yuan|bucks|points?|people|users|customers|seconds?|minutes?|hours?|days?|weeks?|months?|years?|times)\b)",
    )
});
static AMOUNT: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)^\s?(?:元(?:[^旦宵月]|$)|块|万|亿|美元|美金|积分|人次|%|(?:percent|dollars?|pounds?|euros?|yuan|bucks|points|people|users|customers)\b)",
    )
});

/// Whether the text goes on with what has just been counted.
pub(super) fn counts_something(after: &str) -> bool {
    COUNTED.is_match(after)
}

/// Where digits stand in a text, each run with its pauses.
pub(super) fn runs_in(text: &str) -> impl Iterator<Item = Range<usize>> {
    DIGITS.find_iter(text).map(|run| run.range())
}

/// The numbers in a part of a text that have to go.
pub(super) fn found_in(text: &str, within: Range<usize>) -> impl Iterator<Item = Found> {
    let offset = within.start;
    DIGITS.find_iter(&text[within]).filter_map(move |run| {
        let (start, end) = (offset + run.start(), offset + run.end());
        let number = Number::new(text, start, end)?;
        Some(Found { start, end: end + number.check_x, kind: number.kind()? })
    })
}

/// A run of digits and what stands around it.
struct Number<'t> {
    written: &'t str,
    digits: String,
    around: Around<'t>,
    after: &'t str,
    meaning: Option<Meaning>,
    /// Bytes of an `X` that belongs to it.
    check_x: usize,
}

impl<'t> Number<'t> {
    /// `None` for a run that is too short to be anything.
    fn new(text: &'t str, start: usize, end: usize) -> Option<Self> {
        let (written, after) = (&text[start..end], &text[end..]);
        written.chars().filter_map(digit).nth(SHORTEST - 1)?;
        let digits: String = written.chars().filter_map(digit).collect();
        let around = Around::new(text, start, end);
        let meaning = around.meaning();
        let takes_x = match digits.len() {
            17 => true,
            9.. if meaning == Some(Meaning::Identity) => true,
            3 | 5 => meaning == Some(Meaning::Partial),
            _ => false,
        };
        let x = CHECK_X
            .find(after)
            .filter(|x| takes_x && !after[x.end()..].starts_with(|next: char| next.is_ascii_alphanumeric()));
        Some(Self { written, digits, around, after, meaning, check_x: x.map_or(0, |x| x.end()) })
    }

    /// What it is, or `None` where it identifies nobody.
    fn kind(&self) -> Option<RedactedKind> {
        if self.is_identity_number() {
            return Some(RedactedKind::NationalId);
        }
        // Few numbers are called anything, so that is asked first.
        let named = self.kind_by_name()?;
        let identifies =
            !(self.is_reference() || self.is_of_no_customer() || self.is_quantity() || self.is_calendar());
        identifies.then_some(named)
    }

    /// What its name and its length make of it.
    fn kind_by_name(&self) -> Option<RedactedKind> {
        let count = self.digits.len();
        match self.meaning {
            Some(Meaning::Code) if (3..=8).contains(&count) => return Some(RedactedKind::Cvv),
            Some(Meaning::Partial) if (3..=6).contains(&count) => return Some(RedactedKind::PartialNumber),
            Some(Meaning::Identity) if count >= ACCOUNT_DIGITS && !self.is_mobile() => {
                return Some(RedactedKind::NationalId);
            }
            _ => {}
        }
        if (3..=8).contains(&count) && self.around.is_code() {
            return Some(RedactedKind::Cvv);
        }
        if (ACCOUNT_DIGITS..IDENTIFYING_DIGITS).contains(&count) && self.around.is_account() {
            return Some(RedactedKind::BankAccount);
        }
        if count >= IDENTIFYING_DIGITS {
            return Some(self.kind_of_long());
        }
        self.around.begins().filter(|_| !self.is_service())
    }

    fn kind_of_long(&self) -> RedactedKind {
        let count = self.digits.len();
        match self.meaning {
            _ if self.around.begins() == Some(RedactedKind::BankAccount) => RedactedKind::BankAccount,
            _ if self.is_mobile() || self.has_country_code() => RedactedKind::Phone,
            Some(Meaning::Card) => RedactedKind::Card,
            Some(Meaning::Account) => RedactedKind::BankAccount,
            Some(Meaning::Phone) if count < CARD_DIGITS => RedactedKind::Phone,
            _ if count >= CARD_DIGITS => RedactedKind::Card,
            _ if self.is_social_security() => RedactedKind::NationalId,
            _ if is_phone(&self.digits) => RedactedKind::Phone,
            _ => RedactedKind::BankAccount,
        }
    }

    /// An order, a case, a parcel: named right before, and not by chance a telephone or a card.
    fn is_reference(&self) -> bool {
        self.around.is_reference()
            && !self.is_card()
            && !BETWEEN_SERVICES
                .split(self.written)
                .any(|part| is_mobile(&part.chars().filter_map(digit).collect::<String>()))
    }

    /// A card's length, first digit and check digit (ISO/IEC 7812-1, Luhn).
    fn is_card(&self) -> bool {
        matches!(self.digits.len(), 15 | 16 | 19)
            && self.digits.starts_with(['3', '4', '5', '6'])
            && luhn(&self.digits)
    }

    fn is_service(&self) -> bool {
        SERVICE.is_match(&self.digits)
    }

    /// Eighteen places with a date of birth in the middle, or with an `X` at the end.
    fn is_identity_number(&self) -> bool {
        match self.digits.len() {
            17 => self.check_x > 0,
            18 => holds_birth_date(&self.digits),
            _ => false,
        }
    }

    /// `078-05-1120`.
    fn is_social_security(&self) -> bool {
        let groups: Vec<usize> = self.written.split(['-', ' ']).map(str::len).collect();
        groups == [3, 2, 4]
    }

    fn is_mobile(&self) -> bool {
        is_mobile(&self.digits)
    }

    fn has_country_code(&self) -> bool {
        self.written.starts_with('+') && self.digits.len() <= 15
    }

    /// A staff number, or one that a company or an authority publishes.
    fn is_of_no_customer(&self) -> bool {
        if self.digits.len() <= STAFF_DIGITS && self.around.is_staff() {
            return true;
        }
        let named = matches!(self.meaning, Some(Meaning::Card | Meaning::Account | Meaning::Identity));
        let short = self.digits.len() < IDENTIFYING_DIGITS;
        if short {
            return self.around.is_dialled() && self.is_service();
        }
        let mut each = BETWEEN_SERVICES.split(self.written);
        !named
            && (self.is_service()
                || self.around.is_dialled() && FREE_DIGITS.is_match(&self.digits)
                || FREE_CALL.is_match(self.written)
                || each.all(|one| SERVICE.is_match(one)))
    }

    fn is_quantity(&self) -> bool {
        if matches!(self.meaning, Some(Meaning::Partial | Meaning::Code)) && self.digits.len() > 2 {
            return SOLID.is_match(self.written)
                && self.digits.len() < IDENTIFYING_DIGITS
                && counts_something(self.after);
        }
        let count = self.digits.len();
        if self.digits.chars().all(|digit| digit == '0') {
            return true;
        }
        let amount = count <= AMOUNT_DIGITS && SOLID.is_match(self.written);
        let counted = if count < IDENTIFYING_DIGITS { &COUNTED } else { &AMOUNT };
        let thousands = count <= AMOUNT_DIGITS || count < CARD_DIGITS && self.meaning.is_none();
        DECIMAL.is_match(self.written)
            || thousands && THOUSANDS.is_match(self.written)
            || amount && (counted.is_match(self.after) || self.around.is_money())
            || self.meaning.is_none() && count < CARD_DIGITS && ROUND.is_match(self.written)
    }

    fn is_calendar(&self) -> bool {
        let named = matches!(self.meaning, Some(Meaning::Card | Meaning::Account | Meaning::Phone));
        if self.around.ends_a_term() && TERM_END.is_match(self.written) {
            return true;
        }
        let written: String = self.written.chars().map(|c| digit(c).unwrap_or(c)).collect();
        !named
            && self.digits.len() >= IDENTIFYING_DIGITS
            && (CALENDAR.is_match(&written) || self.meaning.is_none() && CLOCK.is_match(&written))
    }
}

/// A mainland mobile, with the country's code or without.
fn is_mobile(digits: &str) -> bool {
    let national = ["0086", "86"].iter().find_map(|code| digits.strip_prefix(code));
    [Some(digits), national].into_iter().flatten().any(|digits| {
        digits.len() == 11 && digits.starts_with('1') && digits.as_bytes().get(1) >= Some(&b'3')
    })
}

fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|c| c.to_digit(10))
        .enumerate()
        .map(|(place, d)| if place % 2 == 0 { d } else { d * 2 / 10 + d * 2 % 10 })
        .sum();
    sum.is_multiple_of(10)
}

/// A landline with its area code or without, a mobile, or ten digits of North America.
fn is_phone(digits: &str) -> bool {
    let second = digits.as_bytes().get(1).copied().unwrap_or(b'0');
    match digits.len() {
        11 => digits.starts_with('1') && second >= b'2' || digits.starts_with('0'),
        10 => true,
        12 => digits.starts_with('0'),
        7 | 8 => !looks_like_date(digits),
        _ => false,
    }
}

fn looks_like_date(digits: &str) -> bool {
    digits.len() == 8 && (digits.starts_with("19") || digits.starts_with("20"))
}

/// Digits 7 to 14 of a mainland identity number are a date of birth.
fn holds_birth_date(digits: &str) -> bool {
    let part = |from: usize, to: usize| digits.get(from..to).and_then(|d| d.parse::<u32>().ok());
    matches!((part(6, 10), part(10, 12), part(12, 14)), (Some(1900..=2099), Some(1..=12), Some(1..=31)))
}

/// The digit that a character writes.
pub(super) fn digit(c: char) -> Option<char> {
    Some(match c {
        '0'..='9' => c,
        '０'..='９' => char::from(b'0' + u8::try_from(u32::from(c) - u32::from('０')).ok()?),
        '零' | '〇' => '0',
        '一' | '幺' | '壹' => '1',
        '二' | '两' | '贰' => '2',
        '三' | '叁' => '3',
        '四' | '肆' => '4',
        '五' | '伍' => '5',
        '六' | '陆' => '6',
        '七' | '柒' => '7',
        '八' | '捌' => '8',
        '九' | '玖' => '9',
        _ => return None,
    })
}
