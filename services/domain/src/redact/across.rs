//! Numbers whose meaning was named by somebody else ("the last four digits, please?" — "7219" — "7219, right?"),
//! and numbers given in pieces, with the other's "uh-huh" or repetition in between.

use std::sync::LazyLock;

use regex::Regex;

use crate::{RedactedKind, Redaction, Text, Utterance, is_back_channel};

use super::hints::Hints;
use super::pieces::{Edges, Piece};
use super::spoken::Reading;
use super::{Found, found_in, found_in_digits, in_order, number, regex, without};

/// How much of what was said before may name a number, in characters: a question, not a conversation.
const BEFORE_CHARS: usize = 32;
/// A number that follows within this time belongs to the question before it, or goes on with what was said of
/// it, in milliseconds.
const ANSWER_WITHIN_MS: u64 = 10_000;
/// How many utterances may stand between two pieces of a number: a repetition, "yes", "go on" and a breath.
const BETWEEN_PIECES: usize = 4;
/// Fewer digits are no piece of a number that goes on after a mark.
const PIECE_DIGITS: usize = 2;
/// So many right before a mark belong to it.
const PIECE_BEFORE_DIGITS: usize = 3;

/// Asks when the customer was born.
static BIRTH: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)出生日期|出生年月日?|生日|\bborn\b|\bbirth(?:day)?\b"));

/// Where a mail address may have been cut.
static MAIL_GOES_ON: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i)^\s?(?:at\b|@|艾特|dot\b|点)"));
static MAIL_BEGINS: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i)(?:\bat|@|艾特|\bdot|点)\s?$"));

/// Redacts each utterance of a transcript once more, with what was said around it in view: the question before
/// it, and the other pieces of its number. `transcript` is in time order.
///
/// Redacting twice changes nothing.
pub fn redact_across(transcript: &mut [Utterance]) {
    // What is taken out shows what stands beside it. Every round leaves fewer digits, so there is a last one.
    loop {
        let asked = redact_answers(transcript);
        let pieces = redact_pieces(transcript);
        if !asked && !pieces {
            return;
        }
    }
}

/// Redacts each utterance as an answer to the one before it; whether anything was found.
fn redact_answers(transcript: &mut [Utterance]) -> bool {
    let mut any = false;
    for index in 1..transcript.len() {
        let (said, now) = transcript.split_at_mut(index);
        let now = &mut now[0];
        // A nod between question and answer is neither.
        let question = said.iter().rev().take(BETWEEN_PIECES).find(|u| !is_back_channel(u.text.as_str()));
        let Some(before) = question else { continue };
        if now.span.start_ms.saturating_sub(before.span.end_ms) > ANSWER_WITHIN_MS {
            continue;
        }
        let asked = what_was_asked(before);
        // A number, however it was said; or a date without one ("the second of June") where a birth was asked for.
        if Hints::of(Reading::of(now.text.as_str()).text()).any() || Hints::of(&asked).birth {
            any |= redact_after(&asked, now);
        }
    }
    any
}

/// Redacts an utterance as if these words came before it; whether anything was found.
fn redact_after(named: &str, now: &mut Utterance) -> bool {
    let mut any = false;
    loop {
        let found: Vec<Found> = found_in(&format!("{named}{}", now.text.as_str()))
            .into_iter()
            .filter(|found| found.start >= named.len())
            .map(|found| Found { start: found.start - named.len(), end: found.end - named.len(), ..found })
            .collect();
        if found.is_empty() {
            return any;
        }
        take_out(now, &found);
        any = true;
    }
}

fn take_out(utterance: &mut Utterance, found: &[Found]) {
    let (text, redactions): (String, Vec<Redaction>) =
        without(utterance.text.as_str(), found, &utterance.redactions);
    (utterance.text, utterance.redactions) = (Text::redacted(text), redactions);
}

/// Redacts numbers that go on from one utterance to the next; whether anything was found.
fn redact_pieces(transcript: &mut [Utterance]) -> bool {
    let edges: Vec<Edges> = transcript.iter().map(|u| Edges::of(u.text.as_str())).collect();
    let thread = Thread { transcript, edges: &edges };
    let mut found: Vec<Vec<Found>> = transcript.iter().map(|_| Vec::new()).collect();
    // What goes on after a mark is of its kind, so that comes first.
    for index in 0..transcript.len() {
        thread.beside_mark(index, &mut found);
        thread.mail_from(index, &mut found);
    }
    if found.iter().all(Vec::is_empty) {
        (0..transcript.len()).for_each(|index| thread.number_from(index, &mut found));
    }
    let mut any = false;
    for (utterance, found) in transcript.iter_mut().zip(found) {
        if !found.is_empty() {
            take_out(utterance, &in_order(found));
            redact_after("", utterance);
            any = true;
        }
    }
    any
}

/// Who says which digits after whom.
struct Thread<'t> {
    transcript: &'t [Utterance],
    edges: &'t [Edges],
}

impl Thread<'_> {
    /// The utterance in which the speaker of one goes on with a number, and the other's repetitions before it.
    fn next(&self, from: usize) -> Option<(usize, Vec<usize>)> {
        let mut heard = Vec::new();
        let mut last = self.transcript[from].span.end_ms;
        for next in (from + 1..self.transcript.len()).take(BETWEEN_PIECES + 1) {
            let (said, edges) = (&self.transcript[next], &self.edges[next]);
            if said.span.start_ms.saturating_sub(last) > ANSWER_WITHIN_MS {
                return None;
            }
            last = last.max(said.span.end_ms);
            if said.channel == self.transcript[from].channel && edges.head.is_some() {
                return Some((next, heard));
            }
            if edges.whole().is_some() {
                heard.push(next);
            } else if !edges.is_nod() {
                return None;
            }
        }
        None
    }

    /// A number that begins at the end of an utterance and goes on in later ones.
    fn number_from(&self, first: usize, found: &mut [Vec<Found>]) {
        let Some(tail) = digits(self.edges[first].tail.as_ref()) else { return };
        let before =
            first.checked_sub(1).map(|before| what_was_asked(&self.transcript[before])).unwrap_or_default();
        let mut joint = format!("{before}{}", &self.edges[first].read[..tail.read.end]);
        let start = before.len() + tail.read.start;
        let (mut pieces, mut heard) = (vec![(first, tail)], Vec::new());
        let mut after = "";
        while let Some((next, repeated)) = self.next(pieces.last().map_or(first, |last| last.0)) {
            let Some(head) = digits(self.edges[next].head.as_ref()) else { break };
            joint = format!("{joint} {}", &self.edges[next].read[head.read.clone()]);
            after = &self.edges[next].read[head.read.end..];
            heard.extend(repeated);
            pieces.push((next, head));
            if self.edges[next].whole().is_none() {
                break;
            }
        }
        let end = joint.len();
        if pieces.len() < 2 {
            return;
        }
        let kind = found_in_digits(&format!("{joint}{after}"))
            .into_iter()
            .find(|found| found.start < end && start < found.end)
            .map(|found| found.kind);
        let Some(kind) = kind else { return };
        let repeated = heard.iter().filter_map(|&at| Some((at, digits(self.edges[at].whole())?)));
        for (at, piece) in pieces.into_iter().chain(repeated) {
            found[at].push(Found { start: piece.said.start, end: piece.said.end, kind });
        }
    }

    /// A mail address that is cut before or behind its "at" or a "dot".
    fn mail_from(&self, first: usize, found: &mut [Vec<Found>]) {
        let start = self.transcript[first].text.as_str();
        let begins = MAIL_BEGINS.is_match(start);
        let near = || (first + 1..self.transcript.len()).take(BETWEEN_PIECES + 1);
        if !begins && near().all(|at| !MAIL_GOES_ON.is_match(self.transcript[at].text.as_str())) {
            return;
        }
        let channel = self.transcript[first].channel;
        let mut later = (first + 1..self.transcript.len()).take(BETWEEN_PIECES + 1);
        let next = later.find(|&at| self.transcript[at].channel == channel || !self.edges[at].is_nod());
        let Some(next) = next.filter(|&at| self.transcript[at].channel == channel) else { return };
        let rest = self.transcript[next].text.as_str();
        if !begins && !MAIL_GOES_ON.is_match(rest) {
            return;
        }
        let cut = start.len() + 1;
        for mail in found_in(&format!("{start} {rest}")) {
            if mail.start < start.len() && cut < mail.end && mail.kind == RedactedKind::Email {
                found[first].push(Found { start: mail.start, end: start.len(), kind: mail.kind });
                found[next].push(Found { start: 0, end: mail.end - cut, kind: mail.kind });
            }
        }
    }

    /// Digits right after a number that was taken out, by the same speaker or repeated by the other, and digits
    /// right before one.
    fn beside_mark(&self, first: usize, found: &mut [Vec<Found>]) {
        if self.edges[first].last_mark.is_some() {
            self.after_mark(first, found);
        }
        if let Some(tail) = digits(self.edges[first].tail.as_ref())
            && tail.digits >= PIECE_BEFORE_DIGITS
            && let Some((next, _)) = self.next(first)
            && let Some(kind) = self.edges[next].head.as_ref().and_then(|head| head.mark)
        {
            found[first].push(Found { start: tail.said.start, end: tail.said.end, kind });
        }
    }

    fn after_mark(&self, first: usize, found: &mut [Vec<Found>]) {
        let Some(kind) = self.edges[first].last_mark else { return };
        let goes_on = self.edges[first].tail.as_ref().is_some_and(|tail| tail.mark.is_some());
        for next in (first + 1..self.transcript.len()).take(BETWEEN_PIECES + 1) {
            let (edges, said) = (&self.edges[next], &self.transcript[next]);
            if said.span.start_ms.saturating_sub(self.transcript[first].span.end_ms) > ANSWER_WITHIN_MS {
                return;
            }
            let same = said.channel == self.transcript[first].channel;
            // Who repeats a number says nothing else; who goes on with one had not said anything else.
            let piece = if same && goes_on { edges.head.as_ref() } else { edges.whole() };
            let enough = if goes_on { PIECE_DIGITS } else { PIECE_BEFORE_DIGITS };
            match digits(piece).filter(|piece| piece.digits >= enough) {
                Some(piece) if !number::counts_something(&edges.read[piece.read.end..]) => {
                    found[next].push(Found { start: piece.said.start, end: piece.said.end, kind });
                }
                None if edges.is_nod() => {}
                _ => return,
            }
        }
    }
}

/// A piece that is no mark.
fn digits(piece: Option<&Piece>) -> Option<&Piece> {
    piece.filter(|piece| piece.mark.is_none())
}

/// The end of what was said before. A number that was just taken out is what the next one repeats, so its mark
/// is spoken out.
fn what_was_asked(before: &Utterance) -> String {
    let text = before.text.as_str();
    let ends_with = |kind: RedactedKind| text.trim_end_matches(|c: char| c != ']').ends_with(&kind.mark());
    if ends_with(RedactedKind::PartialNumber) {
        return "尾号 ".to_owned();
    }
    if ends_with(RedactedKind::Cvv) {
        return "安全码 ".to_owned();
    }
    if ends_with(RedactedKind::BirthDate) {
        return "出生日期 ".to_owned();
    }
    // The answer may give a name first, so the question is put right before it.
    if let Some(asked) = BIRTH.find_iter(text).last() {
        return format!("{} ", asked.as_str());
    }
    let from = text.char_indices().rev().nth(BEFORE_CHARS - 1).map_or(0, |(at, _)| at);
    // A sentence's end between question and answer: digits on both sides never run into one number.
    format!("{} ", text[from..].trim_end_matches(|c: char| !c.is_alphanumeric() && c != ']'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_call::transcript;

    #[track_caller]
    fn check(lines: &str, expect: &[&str]) {
        let mut utterances: Vec<Utterance> = transcript(lines).into_iter().map(|o| o.utterance).collect();
        redact_across(&mut utterances);
        assert_eq!(utterances.iter().map(|u| u.text.as_str()).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn the_answer_to_a_question() {
        check("a 请提供身份证后四位 | c 7219。", &["请提供身份证后四位", "[partial_number]。"]);
        check("a And the security code? | c It's 123", &["And the security code?", "It's [cvv]"]);
    }

    #[test]
    fn a_date_of_birth_after_a_name() {
        check(
            "a Your name and your date of birth, please. | c Peter Green, the second of June, 1979.",
            &["Your name and your date of birth, please.", "Peter Green, the [birth_date]."],
        );
        check("a 请问您的出生日期 | c 1979年6月2日", &["请问您的出生日期", "[birth_date]"]);
    }

    #[test]
    fn the_number_repeated() {
        check("c 尾号7219 | a 7219 对吗", &["尾号[partial_number]", "[partial_number] 对吗"]);
    }

    #[test]
    fn a_number_that_nobody_asked_for_stays() {
        check("a 您的话费 | c 一共3200吗", &["您的话费", "一共3200吗"]);
        check("a 我的工号是 | a 1024", &["我的工号是", "1024"]);
    }

    #[test]
    fn a_number_in_pieces() {
        check(
            "c my card is four one one one | a uh-huh | c one two three four | a one two three four | c five six",
            &["my card is [card]", "uh-huh", "[card]", "[card]", "[card]"],
        );
        check(
            "a 手机号 | c 幺三八 | a 嗯 | c 零零幺三 | c 八千",
            &["手机号", "[phone]", "嗯", "[phone]", "[phone]"],
        );
        check("c john dot smith | a yes | c at gmail dot com", &["[email]", "yes", "[email]"]);
        check(
            "a 出生日期 | c 一九九零年 | a 嗯 | c 三月七号",
            &["出生日期", "[birth_date]", "嗯", "[birth_date]"],
        );
    }

    #[test]
    fn an_order_in_pieces_stays() {
        check(
            "a order number please | c four four two one | a yes | c seven seven eight one nine",
            &["order number please", "four four two one", "yes", "seven seven eight one nine"],
        );
    }

    #[test]
    fn later_is_another_matter() {
        check("a@0-1000 身份证后四位 | c@20000-21000 2024", &["身份证后四位", "2024"]);
    }
}
