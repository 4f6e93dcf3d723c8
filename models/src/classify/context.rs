//! What was said before an utterance, as far as the classifiers look back.

use std::collections::BTreeMap;

use callqa_domain::{Channel, Observed, Scores, Turn, Utterance, turns};

/// Turns that the classifiers see before an utterance.
const TURNS_BACK: usize = 2;
/// Of a long turn its last utterances count: that is what is answered.
const LAST_UTTERANCES: usize = 2;

/// A turn before an utterance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Before {
    pub(crate) channel: Channel,
    /// Its last utterances.
    pub(crate) texts: Vec<String>,
}

/// What came before one utterance: nearest turn first, at most two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) turns: Vec<Before>,
}

/// The context of each utterance of a transcript in time order. Earlier utterances of its own turn are none.
/// A back-channel inside the other's turn answers that turn as far as it has come. On a mono recording each
/// utterance counts as a turn, since nobody knows where one ends.
pub(crate) fn contexts(transcript: &[Utterance]) -> Vec<Context> {
    let turns = if transcript.iter().any(|u| u.channel == Channel::Mixed) {
        transcript
            .iter()
            .enumerate()
            .map(|(i, u)| Turn { channel: u.channel, utterances: vec![i], span: u.span })
            .collect()
    } else {
        turns(&observed(transcript))
    };
    let own: BTreeMap<usize, usize> =
        turns.iter().enumerate().flat_map(|(turn, t)| t.utterances.iter().map(move |&i| (i, turn))).collect();
    (0..transcript.len())
        .map(|i| {
            // A back-channel has no turn of its own: all that began before it is context.
            let end = own.get(&i).copied().unwrap_or_else(|| turns.partition_point(|t| t.utterances[0] < i));
            let before = turns[..end].iter().rev().take(TURNS_BACK);
            Context { turns: before.map(|turn| until(transcript, turn, i)).collect() }
        })
        .collect()
}

fn until(transcript: &[Utterance], turn: &Turn, index: usize) -> Before {
    let said: Vec<usize> = turn.utterances.iter().copied().filter(|&i| i < index).collect();
    let last = &said[said.len().saturating_sub(LAST_UTTERANCES)..];
    let texts = last.iter().map(|&i| transcript[i].text.as_str().to_owned()).collect();
    Before { channel: turn.channel, texts }
}

fn observed(transcript: &[Utterance]) -> Vec<Observed> {
    transcript
        .iter()
        .map(|utterance| Observed { utterance: utterance.clone(), scores: Scores::new() })
        .collect()
}

#[cfg(test)]
mod tests {
    use callqa_domain::{RawText, Span, redact};

    use super::*;

    /// `a text | c text`: checks the context of the utterance at `index`, nearest turn first.
    #[track_caller]
    fn check(lines: &str, index: usize, expect: &[&str]) {
        let transcript: Vec<Utterance> = lines
            .split('|')
            .enumerate()
            .map(|(i, line)| {
                let (who, text) = line.trim().split_once(' ').unwrap();
                let channel = match who {
                    "a" => Channel::Agent,
                    "c" => Channel::Customer,
                    _ => Channel::Mixed,
                };
                let start = i as u64 * 1_000;
                let (text, redactions) = redact(&RawText::new(text));
                Utterance { channel, span: Span::new(start, start + 900), text, redactions, confidence: 0.9 }
            })
            .collect();
        let context = &contexts(&transcript)[index];
        assert_eq!(context.turns.iter().map(|turn| turn.texts.join(" ")).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn the_first_utterance_has_none() {
        check("a hello there", 0, &[]);
    }

    #[test]
    fn ones_own_turn_is_no_context() {
        check("c it broke | a I see a fault | a let me check it", 2, &["it broke"]);
    }

    #[test]
    fn two_turns_back_and_of_each_the_last_two_utterances() {
        check(
            "a one is said | c two is said | a three is said | a four is said | a five is said | c six is said",
            5,
            &["four is said five is said", "two is said"],
        );
    }

    #[test]
    fn a_back_channel_answers_what_was_said_so_far() {
        check(
            "c my line is dead | a I will check | c okay | a your line works",
            2,
            &["I will check", "my line is dead"],
        );
    }

    #[test]
    fn mono_utterances_are_turns() {
        check("m one is said | m two is said | m three is said", 2, &["two is said", "one is said"]);
    }
}
