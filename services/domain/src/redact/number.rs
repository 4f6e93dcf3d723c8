//! Runs of digits: which identify somebody, and which a reviewer needs to read.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::meaning::{Around, Meaning};
use super::written::{
    AMOUNT, AND, BETWEEN_SERVICES, CALENDAR, CLOCK, COUNTED, DECIMAL, FREE_CALL, FREE_DIGITS, RANGE, ROUGH,
    ROUND, SERVICE, SOLID, TERM_END, THOUSANDS, TIMES, YEAR, counts_something,
};
use super::{Found, regex, run};
use crate::RedactedKind;

/// Shortest run of digits that identifies somebody whatever stands around it.
const IDENTIFYING_DIGITS: usize = 7;
/// Staff numbers are no longer than this; what is longer is somebody's telephone or card.
const STAFF_DIGITS: usize = 8;
/// No code that proves who is calling is longer.
const CODE_DIGITS: usize = 8;
/// Nobody on the telephone speaks of greater amounts than these digits can write.
const AMOUNT_DIGITS: usize = 9;
/// From here on a number is a card's whatever it looks like: the shortest has thirteen digits.
const CARD_DIGITS: usize = 13;
/// Fewer digits with loose words between them are several numbers, unless they are called one.
const TOGETHER_DIGITS: usize = 10;
/// Nothing shorter identifies anybody, whatever it is called; in digits.
pub(super) const SHORTEST: usize = 3;
/// Banks and operators in China are reached by five digits; codes have three, four or six.
const HOTLINE_DIGITS: usize = 5;
/// Shortest account number that its name alone gives away; less is a quantity.
const ACCOUNT_DIGITS: usize = 5;

/// The check digit of a mainland identity number.
static CHECK_X: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^[\s,，-]{0,2}(?:[XxＸｘ]|叉|[艾埃爱]克斯|ex(?-u:\b))"));

/// The numbers in a part of a text that have to go.
pub(super) fn found_in(text: &str, within: Range<usize>) -> impl Iterator<Item = Found> {
    let offset = within.start;
    run::runs_in(&text[within])
        .flat_map(move |run| found_in_run(text, &(offset + run.start..offset + run.end)))
}

/// A run as one number; or its parts, of each of which is said what was said before the first.
fn found_in_run(text: &str, run: &Range<usize>) -> Vec<Found> {
    let parts = run::parts_of(text, run);
    let one = Number::new(text, run, run.start)
        .filter(|number| parts.is_empty() || number.is_one(text, &parts))
        .and_then(|number| number.found(run));
    if let Some(found) = one {
        return vec![found];
    }
    parts.iter().filter_map(|part| Number::new(text, part, run.start)?.found(part)).collect()
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
    /// A number that is called what stands before `named`. `None` for a run that is too short to be anything.
    fn new(text: &'t str, place: &Range<usize>, named: usize) -> Option<Self> {
        let (written, after) = (&text[place.clone()], &text[place.end..]);
        written.chars().filter_map(digit).nth(SHORTEST - 1)?;
        let digits: String = written.chars().filter_map(digit).collect();
        let around = Around::new(&text[..named], after);
        let is_short = digits.len() <= CODE_DIGITS && !is_hotline(&digits);
        let meaning = around.meaning(is_short);
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

    fn found(&self, place: &Range<usize>) -> Option<Found> {
        Some(Found { start: place.start, end: place.end + self.check_x, kind: self.kind()? })
    }

    /// Whether a run that loose words part is one number all the same: called one, as long as a card, or given as a
    /// telephone is. "1500 and 2000 dollars" are two.
    fn is_one(&self, text: &str, parts: &[Range<usize>]) -> bool {
        if self.is_identity_number() || self.is_mobile() {
            return true;
        }
        if self.is_code_or_partial() {
            return self.digits.len() < IDENTIFYING_DIGITS;
        }
        let parts: Vec<String> = parts.iter().map(|part| in_digits(&text[part.clone()])).collect();
        let each = |pattern: &Regex| parts.iter().all(|part| pattern.is_match(part));
        if counts_something(self.after) || each(&SERVICE) || each(&YEAR) {
            return false;
        }
        if self.around.is_own() {
            return true;
        }
        let any = |pattern: &Regex| parts.iter().any(|part| pattern.is_match(part));
        if any(&DECIMAL) || any(&THOUSANDS) || any(&CALENDAR) || each(&TIMES) {
            return false;
        }
        self.digits.len() >= CARD_DIGITS
            || self.digits.len() >= TOGETHER_DIGITS
                && !each(&ROUGH)
                && (!AND.is_match(self.written)
                    || self.digits.starts_with('0')
                    || self.groups().nth(2).is_some())
    }

    /// How many digits stand together, group by group.
    fn groups(&self) -> impl Iterator<Item = usize> {
        let groups = self.written.split(|c: char| digit(c).is_none()).map(|group| group.chars().count());
        groups.filter(|&count| count > 0)
    }

    fn is_code_or_partial(&self) -> bool {
        self.meaning.is_some_and(Meaning::is_code_or_partial)
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
            Some(Meaning::Code) if count <= CODE_DIGITS => return Some(RedactedKind::Cvv),
            Some(Meaning::Partial) if count < IDENTIFYING_DIGITS => return Some(RedactedKind::PartialNumber),
            Some(Meaning::Identity) if count >= ACCOUNT_DIGITS && !self.is_mobile() => {
                return Some(RedactedKind::NationalId);
            }
            _ => {}
        }
        if count <= CODE_DIGITS && self.around.is_code() {
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
            && (self.around.is_numbered_reference() || !self.is_written_phone())
    }

    /// Begins or is grouped as a telephone's number: `020…`, `415 555 0134`.
    fn is_written_phone(&self) -> bool {
        let grouped = || self.digits.starts_with('0') || self.groups().eq([3, 3, 4]);
        self.has_country_code() || is_phone(&self.digits) && grouped()
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
                || self.is_free_call()
                || FREE_CALL.is_match(self.written)
                || each.all(|one| SERVICE.is_match(one)))
    }

    /// Unbroken, a Chinese mobile looks the same: then only English words dial a free call.
    fn is_free_call(&self) -> bool {
        let dialled =
            if self.is_mobile() { self.around.is_dialled_in_english() } else { self.around.is_dialled() };
        dialled && FREE_DIGITS.is_match(&self.digits)
    }

    /// An amount or a count, though a code or last digits were named before it.
    fn is_quantity_after_code(&self) -> bool {
        if self.digits.len() >= IDENTIFYING_DIGITS {
            return false;
        }
        let solid = SOLID.is_match(self.written);
        let counter = [&COUNTED, &AMOUNT].into_iter().find_map(|counted| counted.find(self.after));
        if self.around.names_code_directly() {
            // A Chinese counter may begin another word: 尾号1234年费.
            return solid && counter.is_some_and(|counter| counter.as_str().is_ascii());
        }
        let amount = || {
            solid && self.around.is_money()
                || DECIMAL.is_match(self.written)
                || THOUSANDS.is_match(self.written)
        };
        solid && counter.is_some() || !self.around.names_code_nearby() && amount()
    }

    fn is_quantity(&self) -> bool {
        if self.is_code_or_partial() {
            return self.is_quantity_after_code();
        }
        let count = self.digits.len();
        if self.digits.chars().all(|digit| digit == '0') {
            return true;
        }
        let range = || self.meaning.is_none() && RANGE.is_match(self.written);
        let amount = count <= AMOUNT_DIGITS && (SOLID.is_match(self.written) || range());
        let counted = if count < IDENTIFYING_DIGITS { &COUNTED } else { &AMOUNT };
        let thousands = count <= AMOUNT_DIGITS || count < CARD_DIGITS && self.meaning.is_none();
        DECIMAL.is_match(self.written)
            || thousands && THOUSANDS.is_match(self.written) && !self.around.is_own()
            || amount && (counted.is_match(self.after) || self.around.is_money())
            || self.meaning.is_none() && count < CARD_DIGITS && ROUND.is_match(self.written)
    }

    fn is_calendar(&self) -> bool {
        let named = matches!(self.meaning, Some(Meaning::Card | Meaning::Account | Meaning::Phone));
        if self.around.ends_a_term() && TERM_END.is_match(self.written) {
            return true;
        }
        let written = in_digits(self.written);
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

/// A number that everybody may dial, short enough to be taken for a code.
fn is_hotline(digits: &str) -> bool {
    digits.len() == HOTLINE_DIGITS && SERVICE.is_match(digits)
}

/// Numerals as digits, all else as it is.
fn in_digits(written: &str) -> String {
    written.chars().map(|c| digit(c).unwrap_or(c)).collect()
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
