//! What the words around a number say that it is.

use std::sync::LazyLock;

use regex::Regex;

use super::{number, regex, run};
use crate::RedactedKind;

/// How far before a number its meaning may be named ("尾号是…", "card number is …"), in characters.
const CONTEXT_CHARS: usize = 24;
/// How far before it a code or last digits may be named, unless another number stands between, in bytes: some eighteen
/// English words ("the security code, hang on, let me see, it's …"), and no more Han characters than any number's name.
const CODE_CONTEXT_BYTES: usize = 96;

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

impl Meaning {
    /// Of few digits; who names one may name the card, the account or the telephone right after it.
    pub(super) fn is_code_or_partial(self) -> bool {
        matches!(self, Self::Code | Self::Partial)
    }
}

const ACCOUNT: &str = "账号|帐号|账户|帐户|户号|account|routing|iban|sort code";
const CARD: &str = "卡号|银行卡|信用卡|储蓄卡|card";
const IDENTITY: &str = r"身份证|证件号|passport|护照|social security|(?-u:\b)(?:my|your) social(?-u:\b)|(?-u:\b)ssn(?-u:\b)|national id";
const PHONE: &str = r"电话|手机|phone|mobile|(?-u:\b)cell(?-u:\b)|call (?:me|you) (?:at|on)";

/// The nearest of these before a number says what it is.
static NAMED: LazyLock<Vec<(Meaning, Regex)>> = LazyLock::new(|| {
    let named = |meaning, pattern: &str| (meaning, regex(pattern));
    vec![
        named(
            Meaning::Code,
            r"(?i)(?:cvv|cvc|安全码|验证码|校验码|动态码|背面.{0,6}三位|后面.{0,4}三位数|on the back|(?-u:\b)otp(?-u:\b)|passcode|(?-u:\b)(?:the|my) code (?:is|was|(?:you|i|we|they) (?:just )?(?:sent|got|received|texted))|(?:security|verification|confirmation|one[- ]time|sms) (?:pass)?code)",
        ),
        named(
            Meaning::Partial,
            r"(?i)(?:尾号|尾数|末尾|末[三四六]位|后面?[三四六346]位|最后面?[三四六346]位|最后[三四六346]个数|last (?:four|4|three|3|six|6)(?: digits| numbers)?(?: of (?:my|the|your|that|our) [a-z]+(?: [a-z]+)?)?|(?-u:\b)end(?:ing|s)(?: in| with)?(?-u:\b))",
        ),
        named(Meaning::Account, &format!("(?i)(?:{ACCOUNT})")),
        named(Meaning::Card, &format!("(?i)(?:{CARD})")),
        named(Meaning::Identity, &format!("(?i)(?:{IDENTITY})")),
        named(Meaning::Phone, &format!("(?i)(?:{PHONE})")),
    ]
});

/// "over the last four weeks" speaks of no number.
static OF_TIME: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)^\s?(?:days?|weeks?|months?|years?|hours?|minutes?|times?|calls?)(?-u:\b)"));

/// Between the name of a code and the code, there is nothing but this where it follows directly.
static SAID_OF_IT: LazyLock<Regex> = LazyLock::new(|| regex(r"^(?:\s|就?是|为|的|[:：,，]|嗯|呃|额|啊)*$"));

/// A customer's number is named right before, so it is no amount however it is written.
static OWN: LazyLock<Regex> = LazyLock::new(|| {
    let rest = r"(?:号码?|\s|是|为|[:：,，]|嗯|呃|(?-u:\b)(?:is|it's|was|um|uh|number|no)(?-u:\b))*$";
    regex(&format!("(?i)(?:{ACCOUNT}|{CARD}|{IDENTITY}|{PHONE}){rest}"))
});

/// Named right before, with no more than a verb between; then even a short number is one.
static SHORT_ACCOUNT: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)(?:账号|帐号|户号|account (?:number|no\.?)|routing number|sort code)(?:\s?(?:是|为|is|:|：))*\s*$",
    )
});
static SHORT_CODE: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"(?i)(?:密码|(?-u:\b)pin(?: number| code)?|password)(?:\s?(?:是|为|is|:|：))*\s*$")
});
/// A number begins here that its name says to be a customer's, however little of it was said yet.
static BEGINS: LazyLock<Vec<(RedactedKind, Regex)>> = LazyLock::new(|| {
    let rest = r"(?:\s|是|为|:|：|,|，|嗯|呃|(?-u:\b)(?:is|it's|was|um|uh|number|no)(?-u:\b))*$";
    let begins = |kind, names: &str| (kind, regex(&format!("(?i)(?:{names}){rest}")));
    vec![
        begins(
            RedactedKind::Card,
            r"卡号|(?:银行|信用|储蓄)卡(?:号|是)|(?-u:\b)card number|(?-u:\b)my card is",
        ),
        begins(
            RedactedKind::NationalId,
            r"身份证(?:号码?|是)?|证件号码?|passport number|national id|(?-u:\b)ssn(?-u:\b)|social security number|(?-u:\b)id number",
        ),
        begins(RedactedKind::BankAccount, "账号|帐号|户号|account number"),
        begins(
            RedactedKind::Phone,
            r"手机号码?|手机是|电话号码?|(?:phone|mobile|cell|telephone) number|(?-u:\b)mobile is",
        ),
    ]
});
/// Names a thing of the company's: an order, a case, a parcel. Letters may begin its number.
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    let en = r"(?-u:\b)(?:order|case|ticket|tracking|reference|ref|confirmation|booking|invoice|serial|model|isbn|build|version|transaction|complaint|request|shipment|parcel|consignment|claim|docket)(?: (?:number|no\.?|id|code|reference))?";
    let zh = "订单|工单|单号|运单|快递|物流|流水号?|案件|案号|受理|投诉|报修|业务|申请|回执|批次|交易号?|序列号?|型号|版本号?";
    let letters = r"(?:(?-i:(?:[A-Z0-9][\s-]?){0,16})|[a-z]{0,4}-?)";
    let asked = "的话|嗯|呃|呢|吗|麻烦|请?报一下|说一下|提供一下|发一下|是?多少";
    regex(&format!(
        r"(?i)(?:{en}|{zh})(?:\s|号码?|编号|是|为|[:：,，#?？]|{asked}|(?-u:\b)(?:is|was|it's|um|uh|please|thanks)(?-u:\b))*{letters}$"
    ))
});
/// A number is said to be that thing's, and not only the thing spoken of.
static NUMBERED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)number|(?-u:\b)no(?-u:\b)|(?-u:\b)id(?-u:\b)|code|(?-u:\b)ref|tracking|serial|isbn|号|流水|运单|序列",
    )
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
        r"(?i)本金|利息|账单|余额|金额|额度|欠|花|扣|还款|消费|一共|总共|balance|(?-u:\b)bill|paid|owe|spent|charge|limit|(?-u:\b)fee|total|price|cost",
    )
});
/// Ends, as a contract does, in a year.
static ENDS: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i)(?-u:\b)ends? in $"));
static OF_A_CARD: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)card|account|number|phone|mobile|digits|visa|(?-u:\b)one(?-u:\b)"));
/// Between "ending" and a number's last digits there is no date.
static STILL_ENDING: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"(?i)^(?:[\s,:]|(?-u:\b)(?:in|with|is|are|the|digits?|numbers?|um|uh)(?-u:\b))*$")
});
/// A member of staff is no customer.
static STAFF: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)(?:工号|坐席号|座席号|客服编号|(?:employee|staff|agent|badge|operator)(?: (?:number|id|no\.?))?)(?:\s?(?:是|为|is|:|：|,|，))*\s*$",
    )
});
/// Somebody is told to dial it.
static DIALLED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)(?:打|拨|拨打|致电|热线|(?-u:\b)call(?: (?:us|them)(?: on| at)?)?|(?-u:\b)dial|(?-u:\b)text|hotline)(?:\s?(?:是|到|is|:|：))*\s*$",
    )
});
static CURRENCY: LazyLock<Regex> = LazyLock::new(|| regex(r"[$¥￥£€]\s?$"));

static THEN_PARTIAL: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)^\s?(?:是|就是|为)?\s?(?:尾号|尾数|结尾)|^ (?:is|are)(?: the| my| your)* last (?:four|4|three|3|six|6)(?-u:\b)",
    )
});
static THEN_CODE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)^\s?(?:是|就是|为)\s?(?:安全码|验证码|校验码)|^ is (?:the|my|your) (?:cvv|cvc|(?:security|verification) code)",
    )
});

fn codes_and_partials() -> impl Iterator<Item = &'static (Meaning, Regex)> {
    NAMED.iter().filter(|(meaning, _)| meaning.is_code_or_partial())
}

/// Whether a text has digits enough for a number.
fn has_number(text: &str) -> bool {
    text.chars().filter_map(number::digit).nth(number::SHORTEST - 1).is_some()
}

/// A text from its last mark on. A mark names nothing: redacting twice must change nothing.
fn since_mark(text: &str) -> &str {
    text.rfind(']').map_or(text, |mark| &text[mark..])
}

/// The last characters of a text.
fn end_of(text: &str, chars: usize) -> &str {
    &text[text.char_indices().rev().nth(chars - 1).map_or(0, |(at, _)| at)..]
}

/// Where something is named last in a text, if it is: the end of its name.
fn last_named(before: &str, meaning: Meaning, name: &Regex) -> Option<usize> {
    let partial = |named: &regex::Match<'_>| {
        let rest = &before[named.end()..];
        let ends = named.as_str().starts_with(['e', 'E']);
        !OF_TIME.is_match(rest) && !AMOUNT_NAMED.is_match(rest) && (!ends || STILL_ENDING.is_match(rest))
    };
    let names = name.find_iter(before);
    names.filter(|named| meaning != Meaning::Partial || partial(named)).map(|named| named.end()).last()
}

/// The words on either side of a number.
#[derive(Clone, Copy)]
pub(super) struct Around<'t> {
    /// All that was said before it.
    said: &'t str,
    /// The last of that.
    before: &'t str,
    after: &'t str,
}

impl<'t> Around<'t> {
    pub(super) fn new(said: &'t str, after: &'t str) -> Self {
        Self { said, before: since_mark(end_of(said, CONTEXT_CHARS)), after }
    }

    /// What the number is called. A short one is a code or somebody's last digits if either was named, whatever was
    /// named after them: "the CVV on the card".
    pub(super) fn meaning(self, is_short: bool) -> Option<Meaning> {
        let then = || match () {
            () if THEN_PARTIAL.is_match(self.after) => Some(Meaning::Partial),
            () if THEN_CODE.is_match(self.after) => Some(Meaning::Code),
            () => None,
        };
        if is_short {
            self.code_or_partial().or_else(then).or_else(|| self.named())
        } else {
            self.named().or_else(then)
        }
    }

    /// What was named last before the number.
    fn named(self) -> Option<Meaning> {
        let before = NAMED
            .iter()
            .filter_map(|(meaning, name)| Some((last_named(self.before, *meaning, name)?, *meaning)));
        before.max_by_key(|&(at, _)| at).map(|(_, meaning)| meaning)
    }

    /// The code or the last digits that were named before the number, with no amount and no other number between.
    fn code_or_partial(self) -> Option<Meaning> {
        let before = self.since_last_number();
        let (at, meaning) = codes_and_partials()
            .filter_map(|(meaning, name)| Some((last_named(before, *meaning, name)?, *meaning)))
            .max_by_key(|&(at, _)| at)?;
        let between = &before[at..];
        let is_apart = AMOUNT_NAMED.is_match(between) || has_number(between);
        (!is_apart).then_some(meaning)
    }

    /// The words before the number as far as the one before it, or as far as any number is named.
    fn since_last_number(self) -> &'t str {
        let mut from = self.said.len().saturating_sub(CODE_CONTEXT_BYTES);
        while !self.said.is_char_boundary(from) {
            from += 1;
        }
        let far = since_mark(&self.said[from..]);
        let number = run::runs_in(far).filter(|run| has_number(&far[run.clone()])).last();
        let since = number.map_or(far, |number| &far[number.end..]);
        if since.len() > self.before.len() { since } else { self.before }
    }

    /// Whether a code or last digits were named right before.
    pub(super) fn names_code_directly(self) -> bool {
        let is_direct = |named: regex::Match<'_>| SAID_OF_IT.is_match(&self.before[named.end()..]);
        codes_and_partials().any(|(_, name)| name.find_iter(self.before).any(is_direct))
    }

    /// Whether a code or last digits were named where any number may be.
    pub(super) fn names_code_nearby(self) -> bool {
        codes_and_partials().any(|(_, name)| name.is_match(self.before))
            || THEN_PARTIAL.is_match(self.after)
            || THEN_CODE.is_match(self.after)
    }

    /// Whether it is called a customer's account, card, identity or telephone right before.
    pub(super) fn is_own(self) -> bool {
        OWN.is_match(self.before) && !AMOUNT_NAMED.is_match(self.before)
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

    /// Whether that reference is said to be a number, or none was named.
    pub(super) fn is_numbered_reference(self) -> bool {
        REFERENCE.find(self.before).is_none_or(|named| NUMBERED.is_match(named.as_str()))
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

    pub(super) fn is_dialled_in_english(self) -> bool {
        DIALLED.find(self.before).is_some_and(|dialled| dialled.as_str().is_ascii())
    }

    pub(super) fn is_money(self) -> bool {
        CURRENCY.is_match(self.before)
    }
}
