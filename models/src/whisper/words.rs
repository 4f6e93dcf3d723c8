//! Whisper's tokens put together to words.

use std::ops::Range;

/// What Whisper put out for one token.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    /// May be a part of a character.
    pub(super) bytes: Vec<u8>,
    /// 0–1.
    pub(super) probability: f32,
    /// When it begins, in samples of the window.
    pub(super) at: usize,
    /// Tokens between two of Whisper's timestamps have the same number.
    pub(super) phrase: usize,
    /// These two timestamps, in samples of the window.
    pub(super) marked: Range<usize>,
}

/// The least that can be moved from one utterance to another: a word with its punctuation, or a Han
/// character with what follows it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) text: String,
    /// Of each token.
    pub(super) probabilities: Vec<f32>,
    /// When it begins, in samples of the window.
    pub(super) at: usize,
    /// When its last token begins: a number may be read out with pauses.
    pub(super) until: usize,
    /// Number of its phrase.
    pub(super) phrase: usize,
    /// The timestamps around its phrase, in samples of the window.
    pub(super) marked: Range<usize>,
}

/// Puts tokens together. Bytes that are no UTF-8 are left out.
pub(super) fn words(tokens: &[Token]) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open: Option<(Vec<u8>, Vec<f32>, &Token)> = None;
    for token in tokens {
        let (mut bytes, mut probabilities, first) = open.take().unwrap_or((Vec::new(), Vec::new(), token));
        bytes.extend_from_slice(&token.bytes);
        probabilities.push(token.probability);
        let unfinished = std::str::from_utf8(&bytes).is_err_and(|e| e.error_len().is_none());
        if unfinished {
            open = Some((bytes, probabilities, first));
            continue;
        }
        let text = String::from_utf8_lossy(&bytes).replace('\u{fffd}', "");
        add(&mut words, text, probabilities, first);
    }
    words
}

fn add(words: &mut Vec<Word>, text: String, probabilities: Vec<f32>, first: &Token) {
    match words.last_mut() {
        Some(word) if word.phrase == first.phrase && continues(&word.text, &text) => {
            word.text.push_str(&text);
            word.probabilities.extend(probabilities);
            word.until = first.at.max(word.until);
        }
        _ => words.push(Word {
            text,
            probabilities,
            at: first.at,
            until: first.at,
            phrase: first.phrase,
            marked: first.marked.clone(),
        }),
    }
}

/// Whether text goes on with a word: punctuation does, and letters or digits without a space before.
fn continues(word: &str, text: &str) -> bool {
    let (Some(last), Some(next)) = (word.chars().last(), text.chars().next()) else { return true };
    let plain = |c: char| c.is_alphanumeric() && !is_han(c);
    !next.is_whitespace() && (!next.is_alphanumeric() || plain(next) && (plain(last) || "'’-".contains(last)))
}

/// Whether a character is a Chinese one.
pub(super) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}
