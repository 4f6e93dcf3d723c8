//! Whisper sometimes falls into a loop and says one thing until its budget is spent.

use std::ops::Range;

use super::words::Word;

/// The same words said so often in a row are a loop. People say 对对对 or "no no no", not four times four.
const LEAST_REPEATS: usize = 4;
/// And over so many words: 对对对对对对 is a person.
const LEAST_WORDS: usize = 12;
/// Longest sequence that is looked for: longer loops don't fit four times into a window.
const LONGEST_PERIOD: usize = 24;

/// What was said again and again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Loop {
    /// By index.
    pub(super) words: Range<usize>,
    /// After so many words it begins anew.
    pub(super) period: usize,
}

/// All loops, the shortest periods first; the same words may be found with several periods.
pub(super) fn loops(words: &[Word]) -> Vec<Loop> {
    let said: Vec<String> = words.iter().map(|word| bare(&word.text)).collect();
    let loops = (1..=LONGEST_PERIOD)
        .flat_map(|period| looped(&said, period).into_iter().map(move |words| Loop { words, period }));
    loops.collect()
}

/// The stretches in which the same `period` words come again and again.
fn looped(said: &[String], period: usize) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for i in period..=said.len() {
        if i < said.len() && said[i] == said[i - period] {
            continue;
        }
        let len = i - start;
        if len >= LEAST_WORDS && len >= period * LEAST_REPEATS {
            found.push(start..i);
        }
        start = (i + 1).saturating_sub(period);
    }
    found
}

fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<Range<usize>>) {
        let words: Vec<Word> = text
            .split(' ')
            .map(|text| Word {
                text: text.to_owned(),
                probabilities: vec![1.0],
                at: 0,
                until: 0,
                phrase: 0,
                marked: 0..0,
            })
            .collect();
        let first = loops(&words).into_iter().map(|found| found.words).min_by_key(|words| words.start);
        assert_eq!(first, expect, "{text}");
    }

    #[test]
    fn people_repeat_themselves() {
        check("no no no no no no", None);
        check("对 对 对 对 对 对 对 对 好 的", None);
        check("thank you thank you thank you thank you bye", None);
        check("", None);
    }

    #[test]
    fn a_loop_is_found_where_it_begins() {
        check("so i said no no no no no no no no no no no no no", Some(3..16));
        check("well thank you. Thank you, thank you thank you thank you thank you ok", Some(1..13));
        check("a b c d e a b c d e a b c d e a b c d e", Some(0..20));
    }

    #[test]
    fn three_times_a_sentence_is_no_loop() {
        check("we are closed on sunday we are closed on sunday we are closed on sunday", None);
    }
}
