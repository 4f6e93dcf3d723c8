//! Turns: one speaker's consecutive utterances; the other's back-channels do not end one.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::{Channel, Observed, Span};

/// Words that say "I am listening" and nothing else.
const BACK_CHANNELS: &[&str] = &[
    "嗯",
    "嗯嗯",
    "嗯嗯嗯",
    "对",
    "对对",
    "对对对",
    "好",
    "好的",
    "好好",
    "好好好",
    "是",
    "是的",
    "是是是",
    "哦",
    "噢",
    "啊",
    "行",
    "ok",
    "okay",
    "right",
    "uhhuh",
    "uh huh",
    "mmhmm",
    "mhm",
    "mm",
    "hmm",
    "yeah",
    "yes",
    "yep",
    "sure",
    "i see",
    "alright",
    "all right",
    "oh",
];

/// The same by their first letter: most of what is said begins with none of them.
static BY_FIRST_LETTER: LazyLock<BTreeMap<char, Vec<&str>>> = LazyLock::new(|| {
    let mut by_letter: BTreeMap<char, Vec<&str>> = BTreeMap::new();
    for said in BACK_CHANNELS {
        said.chars().take(1).for_each(|first| by_letter.entry(first).or_default().push(said));
    }
    by_letter
});

/// Consecutive utterances of one speaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who speaks.
    pub channel: Channel,
    /// Indices into the transcript, in time order; never empty.
    pub utterances: Vec<usize>,
    /// From the first utterance's start to the last one's end.
    pub span: Span,
}

/// Whether a text is nothing but back-channels; punctuation, case and doubled spaces don't matter.
#[must_use]
pub fn is_back_channel(text: &str) -> bool {
    let mut rest = words_of(text);
    let has_words = !rest.is_empty();
    while let Some(after) = without_back_channel(rest) {
        rest = words_of(after);
    }
    has_words && rest.is_empty()
}

/// A text from its first letter or digit on.
fn words_of(text: &str) -> &str {
    text.trim_start_matches(|c: char| !c.is_alphanumeric())
}

/// What is left behind the longest back-channel that a text begins with.
fn without_back_channel(words: &str) -> Option<&str> {
    let after = |said: &&str| {
        let rest = after_words(words, said)?;
        // An English word ends at a space; between Chinese ones there need not be one.
        let ends = !said.is_ascii() || !rest.starts_with(char::is_alphanumeric);
        ends.then_some(rest)
    };
    let possible = BY_FIRST_LETTER.get(&words.chars().next()?.to_ascii_lowercase())?;
    possible.iter().filter_map(after).min_by_key(|rest| rest.len())
}

/// What is left behind some words, in any case and with anything but words between them.
fn after_words<'t>(text: &'t str, said: &str) -> Option<&'t str> {
    let mut rest = text;
    for letter in said.chars() {
        if letter == ' ' {
            let next = words_of(rest);
            if next.len() == rest.len() {
                return None;
            }
            rest = next;
            continue;
        }
        let here = rest.chars().next().filter(|c| c.to_ascii_lowercase() == letter)?;
        rest = &rest[here.len_utf8()..];
    }
    Some(rest)
}

/// Cuts a transcript, in time order, into turns.
///
/// A back-channel inside the other's turn belongs to no turn, nor does what has no words. One that is followed by more words of
/// its own speaker begins that speaker's turn.
#[must_use]
pub fn turns(transcript: &[Observed]) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    // Back-channels wait until it is clear who speaks next.
    let mut waiting: Vec<usize> = Vec::new();
    for (index, observed) in transcript.iter().enumerate() {
        let utterance = &observed.utterance;
        if !utterance.text.as_str().contains(char::is_alphanumeric) {
            continue;
        }
        let interjects = turns.last().is_some_and(|turn| turn.channel != utterance.channel)
            && is_back_channel(utterance.text.as_str());
        if interjects {
            waiting.push(index);
            continue;
        }
        match turns.last_mut() {
            Some(turn) if turn.channel == utterance.channel => {
                waiting.clear();
                turn.utterances.push(index);
                turn.span = turn.span.cover(&utterance.span);
            }
            _ => {
                let mut utterances = std::mem::take(&mut waiting);
                utterances.push(index);
                let span = utterances
                    .iter()
                    .map(|&i| transcript[i].utterance.span)
                    .fold(utterance.span, |all, span| all.cover(&span));
                turns.push(Turn { channel: utterance.channel, utterances, span });
            }
        }
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_call::transcript;

    #[track_caller]
    fn check(lines: &str, expect: &[&[usize]]) {
        let turns = turns(&transcript(lines));
        assert_eq!(turns.iter().map(|t| t.utterances.as_slice()).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn speakers_alternate() {
        check("a 您好 | a 请问有什么可以帮您 | c 我的宽带坏了 | a 好的我看一下", &[&[0, 1], &[2], &[3]]);
    }

    #[test]
    fn a_back_channel_does_not_end_a_turn() {
        check("a 这个月的账单 | c 嗯嗯 | a 是三十元", &[&[0, 2]]);
    }

    #[test]
    fn a_back_channel_that_goes_on_begins_a_turn() {
        check("a Your bill is ready | c Okay. | c But it is too high", &[&[0], &[1, 2]]);
    }

    #[test]
    fn back_channels_come_in_strings() {
        check("a 这个月的账单 | c 嗯，对，好的。 | a 是三十元", &[&[0, 2]]);
        check("a 这个月的账单 | c 好的好的 | a 是三十元", &[&[0, 2]]);
        check("a Your bill | c Yeah, okay, I see. | a is ready", &[&[0, 2]]);
        check("a Your bill | c Yeah, but why? | a is ready", &[&[0], &[1], &[2]]);
        check("a 这个月的账单 | c 对不对 | a 是三十元", &[&[0], &[1], &[2]]);
    }

    #[test]
    fn what_has_no_words_is_no_turn() {
        check("a 这个月的账单 | c ... | a 是三十元 | c 。", &[&[0, 2]]);
        check("c 。 | a 您好", &[&[1]]);
    }

    #[test]
    fn a_back_channel_at_the_end_is_no_turn() {
        check("a 再见 | c 好的", &[&[0]]);
    }
}
