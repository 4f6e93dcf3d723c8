//! From the words of a window to utterances of the call.
//!
//! A window holds speech from before and after the other's turns, and Whisper hears it as one flow. Every
//! word is put back into the passage in which it was spoken, so that no utterance spans two turns.

use std::ops::Range;

use callqa_domain::{Gap, GapReason, Heard, RawText, Span, join};

use super::LAST_WORD;
use super::repetition::Loop;
use super::words::{Word, is_han};
use crate::Transcribed;
use crate::window::{Piece, SAMPLE_RATE, Window};

/// Below this mean probability of its tokens an utterance is Whisper's guess at noise: of 400 utterances of
/// real and synthetic calls the least had 0.41, sentences made of hiss have 0.3. (The rulebook's confidence
/// floor is another, higher: what lies between is published and not trusted.)
const LEAST_CONFIDENCE: f32 = 0.35;
/// Nobody says more words (or Han characters) a second: text with less time was made up. The fastest of
/// auctioneers reach 8.
const MOST_WORDS_A_SECOND: f64 = 12.0;
/// Words that may have any time at all, since times are only good to a few tenths of a second.
const WORDS_WITHOUT_TIME: usize = 4;
/// A word's time is this good, half a second: the end of a sentence so near to a border, and no more than so
/// many words away, is the likelier place of the turn.
const DOUBT: usize = SAMPLE_RATE as usize / 2;
const WORDS_OF_DOUBT: usize = 4;
/// Nothing is said in less, 50 ms: Whisper's times come in steps of 20.
const LEAST_TIME: usize = SAMPLE_RATE as usize / 20;
/// Speech of a piece between two phrases is passed over from one second on: Whisper's timestamps are good to
/// 0.2 s at either end, and less may be a breath, a laugh or a word drawn out.
const LEAST_PASSED_OVER: usize = SAMPLE_RATE as usize;
/// From this many words on an utterance ends at the next comma: the classifiers read 128 tokens.
const MOST_WORDS: usize = 40;

/// What Whisper says of music and silence, learnt from subtitles.
const SUBTITLE_CREDITS: &[&str] = &[
    "字幕由",
    "字幕by",
    "字幕志愿者",
    "字幕志願者",
    "请不吝点赞",
    "請不吝點贊",
    "明镜与点点",
    "明鏡與點點",
    "amara.org",
    "subtitles by",
    "thanks for watching",
    "thank you for watching",
];

/// Words with their place in the window.
struct Placed<'a> {
    window: &'a Window,
    words: &'a [Word],
    spell: &'a dyn Fn(&str) -> String,
    passages: &'a [Range<usize>],
    /// Piece of each word.
    pieces: Vec<usize>,
}

/// Cuts the words into utterances, which `spell` writes as they shall be published; speech without words
/// becomes a gap, and so does every passage that a loop touches.
pub(super) fn utterances(
    window: &Window,
    words: &[Word],
    loops: &[Loop],
    spell: &dyn Fn(&str) -> String,
) -> Transcribed {
    let mut pieces = pieces_of(window, words);
    let passages = window.passages();
    for pair in passages.windows(2) {
        settle(window, words, &mut pieces, &pair[0], &pair[1]);
    }
    let placed = Placed { window, words, spell, passages: &passages, pieces };
    let mut transcribed = Transcribed::default();
    for passage in passages.iter().cloned() {
        let start = placed.pieces.partition_point(|&piece| piece < passage.start);
        let end = placed.pieces.partition_point(|&piece| piece < passage.end);
        if loops.iter().any(|looped| looped.words.start < end && start < looped.words.end) {
            transcribed.gaps.push(gap(window, passage, GapReason::Repetition));
        } else {
            placed.passage(passage, start..end, &mut transcribed);
        }
    }
    transcribed
}

/// Moves the border between two passages to the end of a sentence, where one is so near that the times of
/// the words between can't tell. Neither passage loses all its words.
fn settle(
    window: &Window,
    words: &[Word],
    pieces: &mut [usize],
    before: &Range<usize>,
    after: &Range<usize>,
) {
    let first_in = |piece: usize| pieces.partition_point(|&p| p < piece);
    let (first, border, last) = (first_in(before.start), first_in(after.start), first_in(after.end));
    let inside = |at: &usize| first < *at && *at < last;
    let ends = |at: &usize| words[at - 1].phrase != words[*at].phrase || ends_sentence(&words[at - 1].text);
    if !inside(&border) || ends(&border) {
        return;
    }
    let latest = window.pieces[after.start].at + DOUBT;
    let earliest = window.pieces[before.end - 1].end().saturating_sub(DOUBT);
    let doubtful = |at: &usize| match *at > border {
        true => words[at - 1].at <= latest,
        false => words[*at].at >= earliest,
    };
    let near = (1..=WORDS_OF_DOUBT).flat_map(|by| [border + by, border.saturating_sub(by)]);
    if let Some(better) = near.filter(inside).find(|at| ends(at) && doubtful(at)) {
        pieces[border.min(better)..better].fill(before.end - 1);
        pieces[better.min(border)..border].fill(after.start);
    }
}

/// The piece of each word, none before the one of the word before. What begins a phrase or a sentence where its piece
/// is as good as over has no time there and begins the next one.
pub(super) fn pieces_of(window: &Window, words: &[Word]) -> Vec<usize> {
    let mut pieces: Vec<usize> = Vec::with_capacity(words.len());
    for (i, word) in words.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| words.get(i));
        let begins = before.is_none_or(|before| before.phrase != word.phrase || ends_sentence(&before.text));
        let own = piece_of(window, word.at);
        let is_over = window.pieces.get(own).is_some_and(|piece| word.at + LEAST_TIME >= piece.end());
        let piece = if begins && is_over && own + 1 < window.pieces.len() { own + 1 } else { own };
        pieces.push(piece.max(pieces.last().copied().unwrap_or(0)));
    }
    pieces
}

/// The piece in which a word begins; in the silence between two pieces the nearer one.
pub(super) fn piece_of(window: &Window, at: usize) -> usize {
    let next = window.pieces.partition_point(|piece| piece.at <= at);
    let before = next.saturating_sub(1);
    match (window.pieces.get(before), window.pieces.get(next)) {
        (Some(piece), Some(after)) if at > piece.end() && after.at - at < at - piece.end() => next,
        _ => before,
    }
}

/// Whether the same words, said again every `period` words, were spoken each time in another piece: a listener's
/// 嗯, minutes apart, and no loop.
pub(super) fn is_spread(window: &Window, words: &[Word], period: usize) -> bool {
    let begins: Vec<usize> = words.iter().step_by(period).map(|word| piece_of(window, word.at)).collect();
    begins.windows(2).all(|pair| pair[0] < pair[1])
}

/// Gaps for a window of which nothing was heard.
pub(super) fn unheard(window: &Window) -> impl Iterator<Item = Gap> {
    (0..window.pieces.len()).map(|piece| gap(window, piece..piece + 1, GapReason::NoWords))
}

fn gap(window: &Window, pieces: Range<usize>, reason: GapReason) -> Gap {
    let spans = window.pieces[pieces].iter().map(Piece::span);
    let span = spans.reduce(|all, span| all.cover(&span)).unwrap_or(Span::new(0, 0));
    Gap { channel: window.channel, span, reason }
}

/// What of a span none of the others covers, which are in time order and apart.
fn uncovered(span: Span, others: &[Span]) -> impl Iterator<Item = Span> {
    let starts = std::iter::once(span.start_ms).chain(others.iter().map(|other| other.end_ms));
    let ends = others.iter().map(|other| other.start_ms).chain([span.end_ms]);
    let between = starts.zip(ends);
    between
        .map(move |(start, end)| Span::new(start.max(span.start_ms), end.min(span.end_ms)))
        .filter(|rest| rest.len_ms() > 0)
}

impl Placed<'_> {
    /// Speech is in an utterance or in a gap.
    fn passage(&self, passage: Range<usize>, words: Range<usize>, into: &mut Transcribed) {
        let (mut spoken, mut wordless) = (Vec::new(), Vec::new());
        let mut start = words.start;
        for i in words.clone() {
            if i + 1 < words.end && !self.breaks_after(i, i + 1 - start) {
                continue;
            }
            match self.heard(start..i + 1) {
                Some(heard) => {
                    spoken.push(heard.span);
                    into.heard.push(heard);
                }
                None => wordless.extend(self.lost(start..i + 1)),
            }
            start = i + 1;
        }
        let spoken = join(spoken, 0);
        let pieces = self.window.pieces[passage].iter();
        wordless.extend(pieces.flat_map(|piece| uncovered(piece.span(), &spoken)));
        let gap = |span| Gap { channel: self.window.channel, span, reason: GapReason::NoWords };
        into.gaps.extend(join(wordless, 0).into_iter().map(gap));
    }

    /// Where words were spoken that have no time of their own: so near as their times are good.
    fn lost(&self, range: Range<usize>) -> Option<Span> {
        if range.len() <= WORDS_WITHOUT_TIME || self.span(&range).len_ms() > 0 {
            return None;
        }
        let first = self.piece(range.start);
        let last = &self.window.pieces[self.last_piece(range.end - 1)];
        let at = self.words[range.start].at.clamp(first.at, last.end());
        let (start, end) = (at.saturating_sub(DOUBT).max(first.at), (at + DOUBT).min(last.end()));
        Some(Span::new(self.window.to_call_ms(start), self.window.to_call_ms(end)))
    }

    /// Speech of a piece between a word and the next in which neither timestamps nor attention put one.
    fn passed_over(&self, word: usize, piece: usize) -> Option<Range<usize>> {
        let (word, next) = (self.words.get(word)?, self.words.get(word + 1)?);
        let piece = self.window.pieces.get(piece)?;
        let start = word.marked.end.max(word.until + LAST_WORD).max(piece.at);
        let end = next.marked.start.min(next.at).min(piece.end());
        (end.saturating_sub(start) >= LEAST_PASSED_OVER).then_some(start..end)
    }

    /// An utterance of `len` words ends at the end of a sentence where Whisper marked the time or the speaker
    /// paused, and where speech was passed over; a long one ends sooner.
    fn breaks_after(&self, i: usize, len: usize) -> bool {
        if (self.pieces[i]..=self.pieces[i + 1]).any(|piece| self.passed_over(i, piece).is_some()) {
            return true;
        }
        let (word, next) = (&self.words[i], &self.words[i + 1]);
        let marked = word.phrase != next.phrase;
        let pause = self.last_piece(i) < self.pieces[i + 1];
        if len >= MOST_WORDS && (marked || pause || ends_clause(&word.text)) {
            return true;
        }
        let goes_on = ends_clause(&word.text) && !ends_sentence(&word.text) || starts_small(&next.text);
        pause && ends_sentence(&word.text) || marked && !goes_on
    }

    fn heard(&self, range: Range<usize>) -> Option<Heard> {
        let words = &self.words[range.clone()];
        let text: String = words.iter().map(|word| word.text.as_str()).collect();
        let probabilities: Vec<f32> =
            words.iter().flat_map(|word| word.probabilities.iter().copied()).collect();
        let confidence = probabilities.iter().sum::<f32>() / probabilities.len().max(1) as f32;
        if confidence < LEAST_CONFIDENCE || !says_something(&text) {
            return None;
        }
        let span = self.span(&range);
        let room = WORDS_WITHOUT_TIME as f64 + span.len_ms() as f64 / 1_000.0 * MOST_WORDS_A_SECOND;
        if words.len() as f64 > room {
            return None;
        }
        Some(Heard {
            channel: self.window.channel,
            span,
            text: RawText::new((self.spell)(text.trim())),
            confidence,
        })
    }

    fn span(&self, range: &Range<usize>) -> Span {
        let (first, last) = (range.start, range.end - 1);
        // The speech detector knows the edges of a piece better than Whisper does.
        let opens = first == 0 || self.last_piece(first - 1) != self.pieces[first];
        let start = if opens { self.piece(first).at } else { self.words[first].at };
        let passed_over =
            first.checked_sub(1).and_then(|before| self.passed_over(before, self.pieces[first]));
        let start = passed_over.map_or(start, |passed_over| passed_over.end);
        let last_piece = self.last_piece(last);
        let closes = range.end == self.words.len() || self.pieces[range.end] > last_piece;
        let end = if closes { self.window.pieces[last_piece].end() } else { self.words[range.end].at };
        let end = self.passed_over(last, last_piece).map_or(end, |passed_over| passed_over.start);
        Span::new(self.window.to_call_ms(start), self.window.to_call_ms(end))
    }

    /// The piece in which a word ends: its own, or a later one before the next word's, inside the passage.
    fn last_piece(&self, word: usize) -> usize {
        let own = self.pieces[word];
        let passage = self.passages.iter().find(|passage| passage.contains(&own));
        let end = passage.map_or(own, |passage| passage.end - 1);
        let next = self.pieces.get(word + 1).copied().unwrap_or(end);
        piece_of(self.window, self.words[word].until).clamp(own, next.min(end).max(own))
    }

    fn piece(&self, word: usize) -> &Piece {
        &self.window.pieces[self.pieces[word]]
    }
}

/// A full stop, a question mark or their like.
fn ends_sentence(text: &str) -> bool {
    text.trim_end().ends_with(['.', '?', '!', '。', '？', '！', '…'])
}

/// Any punctuation.
fn ends_clause(text: &str) -> bool {
    ends_sentence(text) || text.trim_end().ends_with([',', ';', ':', '，', '、', '；', '：', '-'])
}

/// A small Latin letter goes on with a sentence; Whisper writes a capital at the start of one.
fn starts_small(text: &str) -> bool {
    text.trim_start().starts_with(|c: char| c.is_ascii_lowercase())
}

/// Whether text is words of a person: neither punctuation alone, nor a note about a sound, nor a subtitle's
/// credits.
fn says_something(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    let note = text.starts_with(['[', '(', '（', '【', '♪', '*'])
        && text.ends_with([']', ')', '）', '】', '♪', '*']);
    let credits = SUBTITLE_CREDITS.iter().any(|credit| text.contains(credit));
    text.chars().any(|c| c.is_alphanumeric() || is_han(c)) && !note && !credits
}

#[cfg(test)]
mod tests;
