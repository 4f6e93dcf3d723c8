//! Numbers whose meaning was named by somebody else ("the last four digits, please?" — "7219" — "7219, right?"),
//! and numbers given in pieces, with the other's "uh-huh" or repetition in between.

use crate::{RedactedKind, Text, Utterance, is_back_channel};

use super::hints::Hints;
use super::pieces::{Edges, Piece};
use super::{Found, found_after, found_in, found_in_digits, in_order, question, without, written};

/// A number that follows within this time belongs to the question before it, or goes on with what was said of
/// it, in milliseconds.
const ANSWER_WITHIN_MS: u64 = 10_000;
/// How many utterances may stand between two pieces of a number: a repetition, "yes", "go on" and a breath.
const BETWEEN_PIECES: usize = 4;
/// Fewer digits are no piece of a number that goes on after a mark.
const PIECE_DIGITS: usize = 2;
/// So many right before a mark belong to it.
const PIECE_BEFORE_DIGITS: usize = 3;

/// Redacts each utterance of a transcript once more, with what was said around it in view: the question before
/// it, and the other pieces of its number. `transcript` is in time order.
///
/// Redacting twice changes nothing.
pub fn redact_across(transcript: &mut [Utterance]) {
    let mut thread = Thread::of(transcript);
    // What is taken out shows what stands beside it. Every round leaves fewer digits, so there is a last one.
    loop {
        let asked = thread.redact_answers();
        let pieces = thread.redact_pieces();
        if !asked && !pieces {
            return;
        }
    }
}

/// Who says which digits after whom.
pub(super) struct Thread<'t> {
    transcript: &'t mut [Utterance],
    edges: Vec<Edges>,
    /// Which utterances are other than when those behind them were last looked at.
    changed: Vec<bool>,
}

impl<'t> Thread<'t> {
    pub(super) fn of(transcript: &'t mut [Utterance]) -> Self {
        let edges = transcript.iter().map(|u| Edges::of(u.text.as_str())).collect();
        Self { edges, changed: vec![true; transcript.len()], transcript }
    }

    fn text(&self, index: usize) -> &str {
        self.transcript[index].text.as_str()
    }

    /// Redacts each utterance as an answer to the one before it; whether anything was found.
    fn redact_answers(&mut self) -> bool {
        let settled = vec![false; self.transcript.len()];
        let changed = std::mem::replace(&mut self.changed, settled);
        let mut any = false;
        for index in 1..self.transcript.len() {
            let near = index.saturating_sub(BETWEEN_PIECES)..=index;
            if !changed[near.clone()].contains(&true) && !self.changed[near].contains(&true) {
                continue;
            }
            for asked in self.asked_of(index) {
                any |= self.redact_after(&asked, index);
            }
        }
        any
    }

    /// What an utterance may answer: what was said last before it, if that was not long ago. Where that only holds the
    /// answer up ("hang on"), also what was said before, and so on.
    pub(super) fn questions_to(&self, index: usize) -> Vec<usize> {
        let mut questions = Vec::new();
        let mut start = self.transcript[index].span.start_ms;
        for before in (0..index).rev().take(BETWEEN_PIECES) {
            let said = &self.transcript[before];
            // A nod between question and answer is neither.
            let is_late = start.saturating_sub(said.span.end_ms) > ANSWER_WITHIN_MS;
            if is_late || is_back_channel(said.text.as_str()) {
                continue;
            }
            // What was asked before an answer has its answer; only right behind it may the number be repeated.
            if !questions.is_empty() && self.edges[before].answers() {
                break;
            }
            start = start.min(said.span.start_ms);
            questions.push(before);
            if !self.edges[before].holds_up(said.channel == self.transcript[index].channel) {
                break;
            }
        }
        questions
    }

    /// What an utterance may answer with something of its kind: a number, however it was said; or a date without one
    /// ("the second of June") where a birth was asked for.
    fn asked_of(&self, index: usize) -> Vec<String> {
        let answer = &self.edges[index];
        let may_answer = |before: &usize| answer.hints.may_answer(&self.edges[*before].hints);
        // Most of what is said answers nothing whatever was asked.
        if !(index.saturating_sub(BETWEEN_PIECES)..index).any(|before| may_answer(&before)) {
            return Vec::new();
        }
        let questions = self.questions_to(index).into_iter().filter(may_answer);
        let asked = questions.map(|before| question::end_of(self.text(before)));
        asked.filter(|asked| answer.hints.any() || Hints::of(asked).birth).collect()
    }

    /// Redacts an utterance as if these words came before it; whether anything was found.
    fn redact_after(&mut self, named: &str, index: usize) -> bool {
        let mut any = false;
        loop {
            let found = found_after(named, self.text(index));
            if found.is_empty() {
                return any;
            }
            self.take_out(index, &found);
            any = true;
        }
    }

    fn take_out(&mut self, index: usize, found: &[Found]) {
        let utterance = &mut self.transcript[index];
        let (text, redactions) = without(utterance.text.as_str(), found, &utterance.redactions);
        self.edges[index] = Edges::of(&text);
        self.changed[index] = true;
        (utterance.text, utterance.redactions) = (Text::redacted(text), redactions);
    }

    /// Redacts numbers that go on from one utterance to the next; whether anything was found.
    fn redact_pieces(&mut self) -> bool {
        let mut found: Vec<Vec<Found>> = self.transcript.iter().map(|_| Vec::new()).collect();
        // What goes on after a mark is of its kind, so that comes first.
        for index in 0..self.transcript.len() {
            self.beside_mark(index, &mut found);
            self.mail_from(index, &mut found);
        }
        if found.iter().all(Vec::is_empty) {
            (0..self.transcript.len()).for_each(|index| self.number_from(index, &mut found));
        }
        let mut any = false;
        for (index, found) in found.into_iter().enumerate().filter(|(_, found)| !found.is_empty()) {
            self.take_out(index, &in_order(found));
            self.redact_after("", index);
            any = true;
        }
        any
    }

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
        let (mut pieces, mut heard) = (vec![(first, tail)], Vec::new());
        while let Some((next, repeated)) = self.next(pieces.last().map_or(first, |last| last.0)) {
            let Some(head) = digits(self.edges[next].head.as_ref()) else { break };
            heard.extend(repeated);
            pieces.push((next, head));
            if self.edges[next].whole().is_none() {
                break;
            }
        }
        if pieces.len() < 2 {
            return;
        }
        let kind = self.befores(first).iter().find_map(|asked| self.kind_of_pieces(asked, &pieces));
        let Some(kind) = kind else { return };
        let repeated = heard.iter().filter_map(|&at| Some((at, digits(self.edges[at].whole())?)));
        for (at, piece) in pieces.into_iter().chain(repeated) {
            found[at].push(Found { start: piece.said.start, end: piece.said.end, kind });
        }
    }

    /// What was said before a number in pieces, the nearest first.
    fn befores(&self, first: usize) -> Vec<String> {
        let Some(last) = first.checked_sub(1) else { return vec![String::new()] };
        let earlier = self.questions_to(first).into_iter().filter(|&before| before < last);
        [last].into_iter().chain(earlier).map(|before| question::end_of(self.text(before))).collect()
    }

    /// What the pieces are together, if they are anything after these words.
    fn kind_of_pieces(&self, asked: &str, pieces: &[(usize, &Piece)]) -> Option<RedactedKind> {
        let ((first, tail), (last, head)) = (pieces.first()?, pieces.last()?);
        let start = asked.len() + tail.read.start;
        let mut joint = format!("{asked}{}", &self.edges[*first].read[..tail.read.end]);
        for (at, piece) in &pieces[1..] {
            joint.push(' ');
            joint.push_str(&self.edges[*at].read[piece.read.clone()]);
        }
        let end = joint.len();
        joint.push_str(&self.edges[*last].read[head.read.end..]);
        let found = found_in_digits(&joint, asked.len());
        found.into_iter().find(|found| found.start < end && start < found.end).map(|found| found.kind)
    }

    /// A mail address that is cut before or behind its "at" or a "dot".
    fn mail_from(&self, first: usize, found: &mut [Vec<Found>]) {
        let start = self.text(first);
        let begins = self.edges[first].mail_begins;
        let mut near = (first + 1..self.transcript.len()).take(BETWEEN_PIECES + 1);
        if !begins && !near.any(|at| self.edges[at].mail_goes_on) {
            return;
        }
        let channel = self.transcript[first].channel;
        let mut later = (first + 1..self.transcript.len()).take(BETWEEN_PIECES + 1);
        let next = later.find(|&at| self.transcript[at].channel == channel || !self.edges[at].is_nod());
        let Some(next) = next.filter(|&at| self.transcript[at].channel == channel) else { return };
        let rest = self.text(next);
        if !begins && !self.edges[next].mail_goes_on {
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
                Some(piece) if !written::counts_something(&edges.read[piece.read.end..]) => {
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
