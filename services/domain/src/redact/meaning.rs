//! What the words around a number say that it is.

use std::sync::LazyLock;

use regex::Regex;

use super::regex;

/// How far before a number its meaning may be named ("尾号是…", "card number is …"), in characters.
const CONTEXT_CHARS: usize = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A security code, or one that was sent to prove who is calling.
    Code,
    Partial,
    Account,
    Card,
    Identity,
    Phone,
}

/// The nearest of these before a number says what it is.
static NAMED: LazyLock<Vec<(Meaning, Regex)>> = LazyLock::new(|| {
    let named = |meaning, pattern: &str| (meaning, regex(pattern));
    vec![
        named(
            Meaning::Code,
            r"(?i)(?:cvv|cvc|安全码|验证码|校验码|动态码|背面.{0,6}三位|后面.{0,4}三位数|on the back|\botp\b|passcode|(?:security|verification|confirmation|one[- ]time|sms) (?:pass)?code)",
        ),
        named(
            Meaning::Partial,
            r"(?i)(?:尾号|尾数|末尾|末[三四六]位|后面?[三四六346]位|最后面?[三四六346]位|最后[三四六346]个数|last (?:four|4|three|3|six|6)(?: digits| numbers)?|\bend(?:ing|s)(?: in| with)?\b)",
        ),
        named(Meaning::Account, r"(?i)(?:账号|帐号|账户|帐户|户号|account|routing|iban|sort code)"),
        named(Meaning::Card, r"(?i)(?:卡号|银行卡|信用卡|储蓄卡|card)"),
        named(
            Meaning::Identity,
            r"(?i)(?:身份证|证件号|passport|护照|social security|\b(?:my|your) social\b|\bssn\b|national id)",
        ),
        named(Meaning::Phone, r"(?i)(?:电话|手机|phone|mobile|\bcell\b|call (?:me|you) (?:at|on))"),
    ]
});

/// "over the last four weeks" speaks of no number.
static OF_TIME: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)^\s?(?:days?|weeks?|months?|years?|hours?|minutes?|times?|calls?)\b"));

/// Named right before, with no more than a verb between; then even a short number is one.
static SHORT_ACCOUNT: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)(?:账号|帐号|户号|account (?:number|no\.?)|routing number|sort code)(?:\s?(?:是|为|is|:|：))*\s*$",
    )
});
static SHORT_CODE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)(?:密码|\bpin(?: number| code)?|password)(?:\s?(?:是|为|is|:|：))*\s*$"));
/// A member of staff is no customer.
static STAFF: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)(?:工号|坐席号|座席号|客服编号|(?:employee|staff|agent|badge|operator)(?: (?:number|id|no\.?))?)(?:\s?(?:是|为|is|:|：|,|，))*\s*$",
    )
});
/// Somebody is told to dial it.
static DIALLED: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"(?i)(?:打|拨|拨打|致电|热线|\bcall|\bdial|\btext|hotline)(?:\s?(?:是|到|is|:|：))*\s*$")
});
static CURRENCY: LazyLock<Regex> = LazyLock::new(|| regex(r"[$¥￥£€]\s?$"));

static THEN_PARTIAL: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)^\s?(?:是|就是|为)?\s?(?:尾号|尾数|结尾)|^ (?:is|are)(?: the| my| your)* last (?:four|4|three|3|six|6)\b",
    )
});
static THEN_CODE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)^\s?(?:是|就是|为)\s?(?:安全码|验证码|校验码)|^ is (?:the|my|your) (?:cvv|cvc|(?:security|verification) code)",
    )
});

/// The words on either side of a number.
#[derive(Clone, Copy)]
pub(super) struct Around<'t> {
    before: &'t str,
    after: &'t str,
}

impl<'t> Around<'t> {
    /// A mark of an earlier redaction names nothing: redacting twice must change nothing.
    pub(super) fn new(text: &'t str, start: usize, end: usize) -> Self {
        let from = text[..start].char_indices().rev().nth(CONTEXT_CHARS - 1).map_or(0, |(at, _)| at);
        let before = &text[from..start];
        Self { before: before.rfind(']').map_or(before, |mark| &before[mark..]), after: &text[end..] }
    }

    pub(super) fn meaning(self) -> Option<Meaning> {
        let before =
            NAMED.iter().filter_map(|(meaning, named)| Some((self.last(*meaning, named)?, *meaning)));
        let then = || match () {
            () if THEN_PARTIAL.is_match(self.after) => Some(Meaning::Partial),
            () if THEN_CODE.is_match(self.after) => Some(Meaning::Code),
            () => None,
        };
        before.max_by_key(|&(at, _)| at).map(|(_, meaning)| meaning).or_else(then)
    }

    /// Where it is named last, if it is.
    fn last(self, meaning: Meaning, named: &Regex) -> Option<usize> {
        let ends = named.find_iter(self.before).map(|found| found.end());
        ends.filter(|&end| meaning != Meaning::Partial || !OF_TIME.is_match(&self.before[end..])).last()
    }

    pub(super) fn is_account(self) -> bool {
        SHORT_ACCOUNT.is_match(self.before)
    }

    pub(super) fn is_code(self) -> bool {
        SHORT_CODE.is_match(self.before)
    }

    pub(super) fn is_staff(self) -> bool {
        STAFF.is_match(self.before)
    }

    pub(super) fn is_dialled(self) -> bool {
        DIALLED.is_match(self.before)
    }

    pub(super) fn is_money(self) -> bool {
        CURRENCY.is_match(self.before)
    }
}
