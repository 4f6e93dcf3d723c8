//! Where a number may go on in somebody's next utterance: digits, or the mark of some, at the edges of a text.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::spoken::Reading;
use super::{number, regex};
use crate::{RedactedKind, is_back_channel};

/// What may stand before the first digits of an utterance that goes on with a number, and behind the last ones.
static BESIDE: LazyLock<Regex> = LazyLock::new(|| {
    let zh = "[嗯呃啊额吧呢哦噢对好是的行]|然后|后面|接着|接下来|那个|再来?|没错|对吗|对吧|是吗|您说|收到";
    let en = "um|uh|er|erm|and|then|next|okay|ok|yes|yeah|yep|right|so|it's|its|that's|is|that|correct|oh|got it|mm|hmm|sorry|please|dash|go on|go ahead|sure";
    regex(&format!(r"(?i)^(?:[\s\p{{P}}\p{{S}}]|{zh}|\b(?:{en})\b)*$"))
});
/// An utterance this short, in characters, does not end a number that the other is giving, unless it asks for
/// something else.
const NOD_CHARS: usize = 24;
static ASKS: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)号|单|码|日期|生日|多少|几|哪|什么|地址|姓名|\b(?:number|code|order|amount|how|what|when|where|which|who|date|birth|name|address|pay)\b",
    )
});
static MARK: LazyLock<Regex> =
    LazyLock::new(|| regex(r"\[(?:card|cvv|national_id|bank_account|phone|partial_number|birth_date)\]"));

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

/// What one utterance may contribute to a number.
pub(super) struct Edges {
    /// The text with digits for words.
    pub(super) read: String,
    /// Nothing but fillers before it.
    pub(super) head: Option<Piece>,
    /// Nothing but fillers behind it.
    pub(super) tail: Option<Piece>,
    /// The kind of the last number that was taken out of it, wherever that stood.
    pub(super) last_mark: Option<RedactedKind>,
    /// The text as it was said.
    said: String,
}

impl Edges {
    pub(super) fn of(text: &str) -> Self {
        let reading = Reading::of(text);
        let read = reading.text();
        let runs = number::runs_in(read).map(|run| (run, None));
        let marks = MARK.find_iter(read).map(|mark| (mark.range(), kind_of(mark.as_str())));
        let piece = |(run, mark): (Range<usize>, Option<RedactedKind>)| Piece {
            said: reading.said(run.clone()),
            digits: if mark.is_some() {
                0
            } else {
                read[run.clone()].chars().filter_map(number::digit).count()
            },
            read: run,
            mark,
        };
        let (head, tail) = {
            let mut pieces: Vec<_> = runs.chain(marks).collect();
            pieces.sort_unstable_by_key(|(run, _)| run.start);
            let head =
                pieces.first().filter(|(run, _)| BESIDE.is_match(&read[..run.start])).cloned().map(piece);
            let tail = pieces.last().filter(|(run, _)| BESIDE.is_match(&read[run.end..])).cloned().map(piece);
            (head, tail)
        };
        let last_mark = MARK.find_iter(read).last().and_then(|mark| kind_of(mark.as_str()));
        Self { head, tail, last_mark, said: text.to_owned(), read: reading.text().to_owned() }
    }

    /// Whether it says too little to stand between the pieces of a number that somebody else gives.
    pub(super) fn is_nod(&self) -> bool {
        is_back_channel(&self.said)
            || BESIDE.is_match(&self.read)
            || self.said.chars().count() <= NOD_CHARS && !ASKS.is_match(&self.said)
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
