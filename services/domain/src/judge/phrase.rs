//! Finds a phrase in what whisper wrote: no punctuation to rely on, any case, any spacing.

use std::ops::Range;

use crate::acoustics::is_han;

/// Every place where `phrase` stands in `text`, as ranges of characters of `text`.
///
/// Punctuation and case don't count, nor do spaces next to Han characters. English matches whole words.
pub(super) fn find(text: &str, phrase: &str) -> Vec<Range<usize>> {
    let (text, phrase) = (folded(text), folded(phrase));
    if phrase.is_empty() || phrase.len() > text.len() {
        return Vec::new();
    }
    let letters: Vec<char> = phrase.iter().map(|&(c, _)| c).collect();
    let places = 0..=text.len() - letters.len();
    let matching = places.filter(|&at| {
        let here = &text[at..at + letters.len()];
        let inside_word = |side: Option<&(char, usize)>, edge: char| {
            edge.is_ascii_alphanumeric() && side.is_some_and(|(c, _)| c.is_ascii_alphanumeric())
        };
        here.iter().map(|&(c, _)| c).eq(letters.iter().copied())
            && !inside_word(at.checked_sub(1).and_then(|before| text.get(before)), letters[0])
            && !inside_word(text.get(at + letters.len()), letters[letters.len() - 1])
    });
    matching.map(|at| text[at].1..text[at + letters.len() - 1].1 + 1).collect()
}

/// Letters and digits in lower case with where they stood; one space between words, none around Han.
fn folded(text: &str) -> Vec<(char, usize)> {
    let mut folded: Vec<(char, usize)> = Vec::new();
    let mut gap = None;
    for (at, c) in text.chars().enumerate() {
        // An apostrophe belongs to its word, whichever way it is written.
        if matches!(c, '\'' | '’') {
            continue;
        }
        if !c.is_alphanumeric() {
            gap = gap.or(Some(at));
            continue;
        }
        let after_word = folded.last().is_some_and(|&(last, _)| !is_han(last));
        if let Some(space) = gap.take()
            && after_word
            && !is_han(c)
        {
            folded.push((' ', space));
        }
        folded.extend(c.to_lowercase().map(|lower| (lower, at)));
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, phrase: &str, expect: &[&str]) {
        let chars: Vec<char> = text.chars().collect();
        let found: Vec<String> =
            find(text, phrase).into_iter().map(|at| chars[at].iter().collect()).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn spaces_and_punctuation_do_not_count_in_mandarin() {
        check("这个 不归, 我管啊", "不归我管", &["不归, 我管"]);
    }

    #[test]
    fn english_matches_whole_words() {
        check("Whatever. I said WHATEVER you like", "whatever", &["Whatever", "WHATEVER"]);
        check("that is not my problematic", "not my problem", &[]);
        check("Well, that's not -- my problem!", "that's not my problem", &["that's not -- my problem"]);
        check("calming down", "calm down", &[]);
    }

    #[test]
    fn every_place_is_found() {
        check("随便你 随便你", "随便你", &["随便你", "随便你"]);
        check("短", "很长的一句", &[]);
    }
}
