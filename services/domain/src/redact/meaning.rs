//! What the words around a number say that it is.

use std::sync::LazyLock;

use regex::Regex;

use super::regex;
use crate::RedactedKind;

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
            r"(?i)(?:cvv|cvc|安全码|验证码|校验码|动态码|背面.{0,6}三位|后面.{0,4}三位数|on the back|\botp\b|passcode|\b(?:the|my) code (?:is|was|(?:you|i|we|they) (?:just )?(?:sent|got|received|texted))|(?:security|verification|confirmation|one[- ]time|sms) (?:pass)?code)",
        ),
        named(
            Meaning::Partial,
            r"(?i)(?:尾号|尾数|末尾|末[三四六]位|后面?[三四六346]位|最后面?[三四六346]位|最后[三四六346]个数|last (?:four|4|three|3|six|6)(?: digits| numbers)?(?: of (?:my|the|your|that|our) [a-z]+(?: [a-z]+)?)?|\bend(?:ing|s)(?: in| with)?\b)",
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
/// A number begins here that its name says to be a customer's, however little of it was said yet.
static BEGINS: LazyLock<Vec<(RedactedKind, Regex)>> = LazyLock::new(|| {
    let rest = r"(?:\s|是|为|:|：|,|，|嗯|呃|\b(?:is|it's|was|um|uh|number|no)\b)*$";
    let begins = |kind, names: &str| (kind, regex(&format!("(?i)(?:{names}){rest}")));
    vec![
        begins(RedactedKind::Card, r"卡号|(?:银行|信用|储蓄)卡(?:号|是)|\bcard number|\bmy card is"),
        begins(
            RedactedKind::NationalId,
            r"身份证(?:号码?|是)?|证件号码?|passport number|national id|\bssn\b|social security number|\bid number",
        ),
        begins(RedactedKind::BankAccount, "账号|帐号|户号|account number"),
        begins(
            RedactedKind::Phone,
            r"手机号码?|手机是|电话号码?|(?:phone|mobile|cell|telephone) number|\bmobile is",
        ),
    ]
});
/// Names a thing of the company's: an order, a case, a parcel. Letters may begin its number.
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    let en = r"\b(?:order|case|ticket|tracking|reference|ref|confirmation|booking|invoice|serial|model|isbn|build|version|transaction|complaint|request|shipment|parcel|consignment|claim|docket)(?: (?:number|no\.?|id|code|reference))?";
    let zh = "订单|工单|单号|运单|快递|物流|流水号?|案件|案号|受理|投诉|报修|业务|申请|回执|批次|交易号?|序列号?|型号|版本号?";
    let letters = r"(?:(?-i:(?:[A-Z0-9][\s-]?){0,16})|[a-z]{0,4}-?)";
    let asked = "的话|嗯|呃|呢|吗|麻烦|请?报一下|说一下|提供一下|发一下|是?多少";
    regex(&format!(
        r"(?i)(?:{en}|{zh})(?:\s|号码?|编号|是|为|[:：,，#?？]|{asked}|\b(?:is|was|it's|um|uh|please|thanks)\b)*{letters}$"
    ))
});
/// Letters that begin a parcel's or a ticket's number, unnamed though it is.
static LETTERS: LazyLock<Regex> = LazyLock::new(|| regex(r"(?:^|[^A-Za-z\]])(?P<letters>[A-Z]{2,4})-?$"));
/// Letters that begin something else: a name of a number, a country, a passport (`EA` to `EZ`).
static NO_REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        "^(?:ID|NO|MY|IS|IT|TEL|PIN|OTP|SSN|DOB|CVV|CVC|VISA|HK|TW|MO|PRC|NHS|NI|GB|UK|US|QQ|VX|WX|ICBC|CCB|BOC|ABC|CMB|E[A-Z])$",
    )
});
/// What an amount is called; the number behind it is no part of a card.
static AMOUNT_NAMED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)本金|利息|账单|余额|金额|额度|欠|花|扣|还款|消费|一共|总共|balance|\bbill|paid|owe|spent|charge|limit|\bfee|total|price|cost",
    )
});
/// Ends, as a contract does, in a year.
static ENDS: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i)\bends? in $"));
static OF_A_CARD: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)card|account|number|phone|mobile|digits|visa|\bone\b"));
/// Between "ending" and a number's last digits there is no date.
static STILL_ENDING: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)^(?:[\s,:]|\b(?:in|with|is|are|the|digits?|numbers?|um|uh)\b)*$"));
/// A member of staff is no customer.
static STAFF: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)(?:工号|坐席号|座席号|客服编号|(?:employee|staff|agent|badge|operator)(?: (?:number|id|no\.?))?)(?:\s?(?:是|为|is|:|：|,|，))*\s*$",
    )
});
/// Somebody is told to dial it.
static DIALLED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)(?:打|拨|拨打|致电|热线|\bcall(?: (?:us|them)(?: on| at)?)?|\bdial|\btext|hotline)(?:\s?(?:是|到|is|:|：))*\s*$",
    )
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
        let then = || match () {
            () if THEN_PARTIAL.is_match(self.after) => Some(Meaning::Partial),
            () if THEN_CODE.is_match(self.after) => Some(Meaning::Code),
            () => None,
        };
        self.named().or_else(then)
    }

    /// What was named last before the number.
    fn named(self) -> Option<Meaning> {
        let before =
            NAMED.iter().filter_map(|(meaning, named)| Some((self.last(*meaning, named)?, *meaning)));
        before.max_by_key(|&(at, _)| at).map(|(_, meaning)| meaning)
    }

    /// Where it is named last, if it is.
    fn last(self, meaning: Meaning, named: &Regex) -> Option<usize> {
        let partial = |named: &regex::Match<'_>| {
            let rest = &self.before[named.end()..];
            let ends = named.as_str().starts_with(['e', 'E']);
            !OF_TIME.is_match(rest) && !AMOUNT_NAMED.is_match(rest) && (!ends || STILL_ENDING.is_match(rest))
        };
        let names = named.find_iter(self.before);
        names.filter(|named| meaning != Meaning::Partial || partial(named)).map(|named| named.end()).last()
    }

    pub(super) fn is_account(self) -> bool {
        SHORT_ACCOUNT.is_match(self.before)
    }

    /// What the number is of which only the first digits were said here.
    pub(super) fn begins(self) -> Option<RedactedKind> {
        let begins = BEGINS.iter().find(|(_, named)| named.is_match(self.before));
        begins.filter(|_| !AMOUNT_NAMED.is_match(self.before)).map(|(kind, _)| *kind)
    }

    pub(super) fn is_reference(self) -> bool {
        let letters = LETTERS.captures(self.before).and_then(|found| found.name("letters"));
        REFERENCE.is_match(self.before)
            || letters.is_some_and(|letters| !NO_REFERENCE.is_match(letters.as_str()))
                && self.named().is_none()
    }

    pub(super) fn ends_a_term(self) -> bool {
        ENDS.is_match(self.before) && !OF_A_CARD.is_match(self.before)
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
