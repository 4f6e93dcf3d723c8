//! Takes what identifies a customer out of text: written numbers of every kind, e-mail, plates, addresses.
//!
//! A digit is `0`–`9`, its full-width form or a Chinese numeral in a run (`幺三八…`): whisper writes all of
//! them. Where a number could be two things, the words before it decide; where nothing decides, it is taken
//! out all the same. A wrongly masked order number costs little, a published card number costs a customer.

use std::sync::LazyLock;

use regex::Regex;

use crate::{RawText, RedactedKind, Redaction, Text};

/// How far before a number its meaning may be named ("尾号是…", "date of birth is …"), in characters.
const CONTEXT_CHARS: usize = 24;
/// Shortest run of digits that identifies somebody whatever stands around it.
const IDENTIFYING_DIGITS: usize = 7;

/// A pattern that speaks for itself.
struct Shape {
    kind: RedactedKind,
    pattern: Regex,
}

/// Compiles a pattern of this file; a test compiles them all, so a mistake never leaves this crate.
#[allow(clippy::expect_used)]
fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern")
}

static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    use RedactedKind::{AddressDetail, BirthDate, Email, NationalId, Plate};
    let shape = |kind, pattern: &str| Shape { kind, pattern: regex(pattern) };
    vec![
        shape(Email, r"(?i)[a-z0-9._%+-]+\s?(?:@|\bat\b\s)\s?[a-z0-9-]+(?:\s?(?:\.|\bdot\b\s)\s?[a-z]{2,})+"),
        // Mainland plates: province, letter, five or six of letters and digits.
        shape(
            Plate,
            r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Za-z][·\s-]?[A-HJ-NP-Za-hj-np-z0-9]{5,6}",
        ),
        shape(Plate, r"\b[A-Z]{2}[0-9]{2}\s?[A-Z]{3}\b"),
        shape(NationalId, r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b"),
        shape(
            BirthDate,
            r"(?i)(?:出生|生日|born|birth(?:day)?|d\.?o\.?b\.?)[^0-9。.!?]{0,24}?(?P<it>[0-9]{2,4}\s?[年./-]\s?[0-9]{1,2}\s?[月./-]\s?[0-9]{1,4}\s?[日号]?|[0-9]{8}|[0-9]{1,2}(?:st|nd|rd|th)?(?: of)? [a-z]{3,9},? [0-9]{4}|[0-9]{6})",
        ),
        shape(
            BirthDate,
            r"(?i)(?:born|birth(?:day)?|d\.?o\.?b\.?)[^0-9.!?]{0,24}?(?P<it>(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* [0-9]{1,2}(?:st|nd|rd|th)?,? [0-9]{4})",
        ),
        shape(
            AddressDetail,
            r"[0-9一二三四五六七八九十百]+\s?(?:号楼|栋|幢|座)(?:\s?[0-9一二三四五六七八九十]+\s?(?:单元|门))?(?:\s?[0-9一二三四五六七八九十零〇]+\s?(?:层|楼|室|号|户))*",
        ),
        shape(
            AddressDetail,
            r"(?:路|街|巷|弄|道|胡同|小区|大道)\s?(?P<it>[0-9一二三四五六七八九十百]+\s?号(?:\s?[0-9]+\s?(?:楼|室|层))*)",
        ),
        shape(
            AddressDetail,
            r"(?i)\b(?:apartment|apt\.?|flat|unit|suite)\s(?:number\s)?(?P<it>[0-9]+[a-z]?)\b",
        ),
        shape(
            AddressDetail,
            r"\b(?P<it>[0-9]{1,5}[A-Za-z]?)\s(?:[A-Z][a-z]+\s){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Drive|Blvd|Boulevard|Close|Court|Way)\b",
        ),
    ]
});

/// Digits that were spoken one after the other, with up to two separators between them.
static DIGITS: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"[+(]?[0-9０-９零〇一二两三四五六七八九幺](?:[\s,，、\-–.·()]{0,2}[0-9０-９零〇一二两三四五六七八九幺])+[Xx]?",
    )
});

/// Thousands separators: an amount, not an identifier.
static AMOUNT: LazyLock<Regex> = LazyLock::new(|| regex(r"^[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,2})?$"));

static SAYS_CVV: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)(?:cvv|cvc|security code|安全码|验证码|背面.{0,6}三位|后面.{0,4}三位数)"));
static SAYS_PARTIAL: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"(?i)(?:尾号|末尾|后[四三六4]位|最后[四三六4][位个]|last (?:four|4|three|six)|ending (?:in|with))")
});
static SAYS_ACCOUNT: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)(?:账号|帐号|账户|帐户|户号|account|routing|iban|sort code)"));
static SAYS_CARD: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i)(?:卡号|银行卡|信用卡|储蓄卡|card)"));
static SAYS_ID: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)(?:身份证|证件号|passport|护照|social security|ssn|national id)"));
static SAYS_PHONE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)(?:电话|手机|号码|phone|mobile|cell|number is|call (?:me|you) (?:at|on))"));

/// Takes everything in [`RedactedKind`] out of a text and leaves a mark such as `[phone]` in its place.
///
/// Redacting twice changes nothing.
#[must_use]
pub fn redact(raw: &RawText) -> (Text, Vec<Redaction>) {
    let text = raw.expose();
    let mut redacted = String::with_capacity(text.len());
    let mut redactions = Vec::new();
    let mut done = 0;
    for (start, end, kind) in found_in(text) {
        redacted.push_str(&text[done..start]);
        redactions.push(Redaction { kind, at_char: redacted.chars().count() });
        redacted.push_str(&kind.mark());
        done = end;
    }
    redacted.push_str(&text[done..]);
    (Text::redacted(redacted), redactions)
}

/// What has to go, in order and without overlaps; the shape that speaks for itself wins.
fn found_in(text: &str) -> Vec<(usize, usize, RedactedKind)> {
    let mut found: Vec<(usize, usize, RedactedKind)> = Vec::new();
    let mut add = |start: usize, end: usize, kind| {
        if found.iter().all(|&(from, to, _)| end <= from || to <= start) {
            found.push((start, end, kind));
        }
    };
    for shape in SHAPES.iter() {
        for captures in shape.pattern.captures_iter(text) {
            if let Some(it) = captures.name("it").or_else(|| captures.get(0)) {
                add(it.start(), it.end(), shape.kind);
            }
        }
    }
    for run in DIGITS.find_iter(text) {
        if let Some(kind) = kind_of(run.as_str(), before(text, run.start())) {
            add(run.start(), run.end(), kind);
        }
    }
    found.sort_unstable_by_key(|&(start, ..)| start);
    found
}

/// The characters before a number that may say what it is.
fn before(text: &str, at: usize) -> &str {
    let start = text[..at].char_indices().rev().nth(CONTEXT_CHARS - 1).map_or(0, |(i, _)| i);
    &text[start..at]
}

/// What a run of digits is, or `None` where it identifies nobody.
fn kind_of(run: &str, context: &str) -> Option<RedactedKind> {
    if AMOUNT.is_match(run) {
        return None;
    }
    let digits: String = run.chars().filter_map(ascii_digit).collect();
    let count = digits.len();
    if (3..=4).contains(&count) && SAYS_CVV.is_match(context) {
        return Some(RedactedKind::Cvv);
    }
    if (3..=6).contains(&count) && SAYS_PARTIAL.is_match(context) {
        return Some(RedactedKind::PartialNumber);
    }
    if count >= 5 && SAYS_ID.is_match(context) {
        return Some(RedactedKind::NationalId);
    }
    if count < IDENTIFYING_DIGITS {
        return None;
    }
    let kind = match count {
        18 if holds_birth_date(&digits) => RedactedKind::NationalId,
        17 if run.ends_with(['x', 'X']) => RedactedKind::NationalId,
        13.. => RedactedKind::Card,
        _ if SAYS_CARD.is_match(context) && !SAYS_PHONE.is_match(context) => RedactedKind::Card,
        _ if SAYS_ACCOUNT.is_match(context) => RedactedKind::BankAccount,
        7..=12 if is_phone(&digits) || SAYS_PHONE.is_match(context) => RedactedKind::Phone,
        _ => RedactedKind::BankAccount,
    };
    Some(kind)
}

/// A mainland mobile, a landline with its area code, a service number, or ten digits of North America.
fn is_phone(digits: &str) -> bool {
    let digits = digits.strip_prefix("86").filter(|rest| rest.len() == 11).unwrap_or(digits);
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

fn ascii_digit(c: char) -> Option<char> {
    Some(match c {
        '0'..='9' => c,
        '０'..='９' => char::from(b'0' + u8::try_from(u32::from(c) - u32::from('０')).ok()?),
        '零' | '〇' => '0',
        '一' | '幺' => '1',
        '二' | '两' => '2',
        '三' => '3',
        '四' => '4',
        '五' => '5',
        '六' => '6',
        '七' => '7',
        '八' => '8',
        '九' => '9',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(raw: &str, expect: &str) {
        assert_eq!(redact(&RawText::new(raw)).0.as_str(), expect);
    }

    #[test]
    fn phones() {
        check("我的电话是13812345678", "我的电话是[phone]");
        check("电话 138 1234 5678 谢谢", "电话 [phone] 谢谢");
        check("幺三八一二三四五六七八", "[phone]");
        check("打 0755-83321234 就行", "打 [phone] 就行");
        check("call me at (415) 555-0134 please", "call me at [phone] please");
        check("my number is +1 415 555 0134.", "my number is [phone].");
    }

    #[test]
    fn cards_and_codes() {
        check("卡号是6222 0212 3456 7890 123", "卡号是[card]");
        check("my card is 4111-1111-1111-1111", "my card is [card]");
        check("the security code is 123", "the security code is [cvv]");
        check("安全码是 886", "安全码是 [cvv]");
    }

    #[test]
    fn national_ids() {
        check("身份证号110101199003074514", "身份证号[national_id]");
        check("11010119900307451X", "[national_id]");
        check("social 078-05-1120", "social [national_id]");
    }

    #[test]
    fn parts_of_numbers() {
        check("尾号1234的卡", "尾号[partial_number]的卡");
        check("身份证后四位是 4 5 1 4", "身份证后四位是 [partial_number]");
        check("the last four are 9921", "the last four are [partial_number]");
        check("a card ending in 0042", "a card ending in [partial_number]");
    }

    #[test]
    fn accounts_mail_plates() {
        check("账号 20391823 的户主", "账号 [bank_account] 的户主");
        check("account number 0012 3456 78", "account number [bank_account]");
        check("写到 wang.li@example.com 吧", "写到 [email] 吧");
        check("车牌是粤B12345", "车牌是[plate]");
        check("the plate is AB12 CDE", "the plate is [plate]");
    }

    #[test]
    fn birth_dates_and_addresses() {
        check("出生日期1990年3月7日", "出生日期[birth_date]");
        check("my date of birth is 03/07/1990", "my date of birth is [birth_date]");
        check("born on March 7th, 1990", "born on [birth_date]");
        check("住在中山路88号", "住在中山路[address_detail]");
        check("12栋3单元402室", "[address_detail]");
        check("it's 221 Baker Street", "it's [address_detail] Baker Street");
        check("apartment 4B", "apartment [address_detail]");
    }

    #[test]
    fn what_identifies_nobody_stays() {
        for text in [
            "工号一零二四为您服务",
            "话费余额是32.5元",
            "It costs $1,200,000.00 in all",
            "三到五个工作日",
            "我打了十二三次",
            "agent 1024 speaking",
            "在2026年11月23日之前",
            "打12315投诉",
            "call 911",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn where_it_stood_is_known() {
        let (_, redactions) = redact(&RawText::new("您的13812345678和尾号1234"));
        let found: Vec<_> = redactions.iter().map(|r| (r.kind, r.at_char)).collect();
        assert_eq!(found, [(RedactedKind::Phone, 2), (RedactedKind::PartialNumber, 12)]);
    }

    proptest! {
        #[test]
        fn twice_is_once(text in "[ a-z0-9零一二三幺号尾卡.,\\[\\]-]{0,60}") {
            let once = redact(&RawText::new(text)).0;
            let twice = redact(&RawText::new(once.as_str())).0;
            prop_assert_eq!(once, twice);
        }

        #[test]
        fn no_long_number_survives(digits in "[0-9]{7,19}", around in "[a-z是 ]{0,8}") {
            let text = redact(&RawText::new(format!("{around}{digits}{around}"))).0;
            let left = text.as_str().chars().filter(char::is_ascii_digit).count();
            prop_assert_eq!(left, 0);
        }
    }
}
