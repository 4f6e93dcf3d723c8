//! Where a number may go on in somebody's next utterance: digits, or the mark of some, at the edges of a text.

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::hints::Hints;
use super::spoken::Reading;
use super::{number, regex, run};
use crate::{RedactedKind, is_back_channel};

/// What may stand before the first digits of an utterance that goes on with a number, and behind the last ones.
const BESIDE_ZH: &str =
    "[嗯呃啊额吧呢哦噢对好是的行]|然后|后面|接着|接下来|那个|再来?|没错|对吗|对吧|是吗|您说|收到";
const BESIDE_EN: &str = "um|uh|er|erm|and|then|next|okay|ok|yes|yeah|yep|right|so|it's|its|that's|is|that|correct|oh|got it|mm|hmm|sorry|please|dash|go on|go ahead|sure";
/// These and punctuation. Words stand apart from each other and from Han characters; by what, is spelt out, because a
/// word boundary makes the search in Chinese texts many times as dear.
static BESIDE: LazyLock<Regex> = LazyLock::new(|| {
    let apart = r"[[\s\p{P}\p{S}]--\w]";
    let words = format!("(?:(?:{BESIDE_EN})(?:{apart}|$))*");
    regex(&format!(r"(?i)^{words}(?:[[\p{{P}}\p{{S}}]&&\w]|{BESIDE_ZH}|{apart}{words})*$"))
});
/// An utterance this short, in characters, does not end a number that the other is giving, unless it asks for
/// something else.
const NOD_CHARS: usize = 24;
static ASKS: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)号|单|码|日期|生日|多少|几|哪|什么|地址|姓名|(?-u:\b)(?:number|code|order|amount|how|what|when|where|which|who|date|birth|name|address|pay)(?-u:\b)",
    )
});
/// Holds an answer up, however many words it takes.
static HOLDS: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)稍等|稍候|等一?下|等会|等等|[找看查拿翻想]一?下|不急|慢慢|(?-u:\b)(?:hang on|hold on|(?:one|a|just a) (?:moment|sec|second|minute|bit)|let me|bear with|take your time|no (?:rush|hurry|problem|worries)|looking for)(?-u:\b)",
    )
});
/// Longer, in characters, it says something else too.
const HOLD_CHARS: usize = 64;
static MARK: LazyLock<Regex> =
    LazyLock::new(|| regex(r"\[(?:card|cvv|national_id|bank_account|phone|partial_number|birth_date)\]"));

/// Where a mail address may have been cut.
static MAIL_GOES_ON: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i)^\s?(?:at\b|@|艾特|dot\b|点)"));
static MAIL_BEGINS: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i)(?:\bat|@|艾特|\bdot|点)\s?$"));
/// So many characters at the end of a text show whether an address is cut there: " dot ".
const MAIL_BEGINS_CHARS: usize = 5;

/// Digits, or a mark, at the edge of an utterance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where, in bytes of the text as it was said.
    pub(super) said: Range<usize>,
    /// Where, in bytes of its reading.
    pub(super) read: Range<usize>,
    /// How many digits; none in a mark.
    pub(super) digits: usize,
    /// The kind whose mark it is.
    pub(super) mark: Option<RedactedKind>,
}

/// What one utterance may contribute to a number or an address.
pub(super) struct Edges {
    /// The text as it was said.
    said: String,
    /// The text with digits for words.
    pub(super) read: String,
    /// What it holds, in either.
    pub(super) hints: Hints,
    /// Nothing but fillers before it.
    pub(super) head: Option<Piece>,
    /// Nothing but fillers behind it.
    pub(super) tail: Option<Piece>,
    /// The kind of the last number that was taken out of it, wherever that stood.
    pub(super) last_mark: Option<RedactedKind>,
    nod: OnceCell<bool>,
    /// A mail address may be cut at its end.
    pub(super) mail_begins: bool,
    /// It may begin with the rest of one.
    pub(super) mail_goes_on: bool,
}

impl Edges {
    pub(super) fn of(said: &str) -> Self {
        let reading = Reading::of(said);
        let read = reading.text();
        let marks: Vec<_> = MARK.find_iter(read).map(|mark| (mark.range(), kind_of(mark.as_str()))).collect();
        let last_mark = marks.last().and_then(|(_, kind)| *kind);
        let mut pieces = marks;
        let hints = Hints::of(read);
        if hints.digits > 0 {
            pieces.extend(run::runs_in(read).map(|run| (run, None)));
        }
        pieces.sort_unstable_by_key(|(run, _)| run.start);
        let piece = |(run, mark): &(Range<usize>, Option<RedactedKind>)| Piece {
            said: reading.said(run.clone()),
            digits: mark.map_or_else(|| read[run.clone()].chars().filter_map(number::digit).count(), |_| 0),
            read: run.clone(),
            mark: *mark,
        };
        let head = pieces.first().filter(|(run, _)| BESIDE.is_match(&read[..run.start])).map(piece);
        let tail = pieces.last().filter(|(run, _)| BESIDE.is_match(&read[run.end..])).map(piece);
        let end = said.char_indices().rev().nth(MAIL_BEGINS_CHARS - 1).map_or(0, |(at, _)| at);
        Self {
            head,
            tail,
            last_mark,
            hints,
            mail_begins: said[end..].trim_end().ends_with(['t', 'T', '@', '特', '点'])
                && MAIL_BEGINS.is_match(&said[end..]),
            mail_goes_on: MAIL_GOES_ON.is_match(said),
            nod: OnceCell::new(),
            said: said.to_owned(),
            read: read.to_owned(),
        }
    }

    /// Whether it says too little to stand between the pieces of a number that somebody else gives.
    pub(super) fn is_nod(&self) -> bool {
        *self.nod.get_or_init(|| {
            is_back_channel(&self.said)
                || BESIDE.is_match(&self.read)
                || self.said.chars().count() <= NOD_CHARS && !ASKS.is_match(&self.said)
        })
    }

    /// Whether it gave a number and asks for nothing behind it.
    pub(super) fn answers(&self) -> bool {
        let behind = self.said.rfind(']').map_or("", |mark| &self.said[mark..]);
        self.last_mark.is_some() && !ASKS.is_match(behind)
    }

    /// Whether it only holds an answer up. Who owes it may name what is looked for ("let me find the number"); who
    /// waits for it would ask for something else.
    pub(super) fn holds_up(&self, owes_answer: bool) -> bool {
        let has_number = self.hints.digits >= number::SHORTEST || self.last_mark.is_some();
        let holds = || {
            self.said.chars().count() <= HOLD_CHARS
                && HOLDS.is_match(&self.said)
                && (owes_answer || !ASKS.is_match(&self.said))
        };
        !has_number && (self.is_nod() || holds())
    }

    /// The digits or the mark that an utterance is nothing but.
    pub(super) fn whole(&self) -> Option<&Piece> {
        self.head.as_ref().filter(|_| self.head == self.tail)
    }
}

fn kind_of(mark: &str) -> Option<RedactedKind> {
    use RedactedKind::{BankAccount, BirthDate, Card, Cvv, NationalId, PartialNumber, Phone};
    [Card, Cvv, NationalId, BankAccount, Phone, PartialNumber, BirthDate]
        .into_iter()
        .find(|kind| kind.mark() == mark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same as [`BESIDE`], with word boundaries.
    static BESIDE_BOUNDED: LazyLock<Regex> =
        LazyLock::new(|| regex(&format!(r"(?i)^(?:[\s\p{{P}}\p{{S}}]|{BESIDE_ZH}|\b(?:{BESIDE_EN})\b)*$")));

    proptest! {
        #[test]
        fn words_stand_apart(text in "(ok|OK|it's|its|that|that's|go|go on|on|got it|嗯|然后|然后面|面|再来|再|对吗|对|吗|ſo|_|‿|Ⓐ|€|,|。|'|-| | |\\PC){0,6}") {
            prop_assert_eq!(BESIDE.is_match(&text), BESIDE_BOUNDED.is_match(&text));
        }
    }
}
