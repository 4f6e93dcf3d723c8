//! What the encoder reads of an utterance: its own tokens, and the ends of the turns before it.

use callqa_domain::Channel;

use super::context::Context;
use super::encoder::{States, WIDTH};

/// Of the turn before and of the one before that, so many tokens are read: their last ones.
const CONTEXT_TOKENS: [usize; 2] = [40, 24];

/// An utterance with what was said before it.
pub(crate) struct Passage<'a> {
    text: &'a str,
    speaker: Speaker,
    before: Vec<(&'a [String], Speaker)>,
}

/// Who says something, as far as an utterance is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaker {
    Agent,
    Customer,
}

/// One token of a passage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Token<'a> {
    /// [`WIDTH`] numbers.
    pub(crate) state: &'a [f32],
    /// What it belongs to: 0 and 1 are the utterance, an agent's or a customer's; 2 and 3 the turn before; 4 and 5
    /// the one before that.
    pub(crate) segment: i64,
}

impl<'a> Passage<'a> {
    /// An utterance as this speaker's. On a mono recording nobody knows who speaks: the turns before are taken
    /// as if speakers took turns.
    pub(crate) fn new(text: &'a str, speaker: Channel, context: &'a Context) -> Self {
        let agent = speaker == Channel::Agent;
        let speaker = |channel: Channel, turns_back: usize| match channel {
            Channel::Agent => Speaker::Agent,
            Channel::Customer => Speaker::Customer,
            Channel::Mixed if agent == turns_back.is_multiple_of(2) => Speaker::Agent,
            Channel::Mixed => Speaker::Customer,
        };
        let before = context.turns.iter().zip(1..);
        Self {
            text,
            speaker: if agent { Speaker::Agent } else { Speaker::Customer },
            before: before.map(|(turn, back)| (&*turn.texts, speaker(turn.channel, back))).collect(),
        }
    }

    /// Its tokens; a text that was not read has none.
    pub(crate) fn tokens<'s>(&self, states: &'s States<'_>) -> Vec<Token<'s>> {
        let of = |text: &str| states.get(text).map_or(&[][..], Vec::as_slice).chunks(WIDTH);
        let mut tokens: Vec<_> =
            of(self.text).map(|state| Token { state, segment: segment(0, self.speaker) }).collect();
        for ((place, (texts, speaker)), most) in (1..).zip(&self.before).zip(CONTEXT_TOKENS) {
            let segment = segment(place, *speaker);
            // Without the mark at the beginning of each text; the one at its end keeps it from the next.
            let said: Vec<_> = texts.iter().flat_map(|text| of(text).skip(1)).collect();
            let last = &said[said.len().saturating_sub(most)..];
            tokens.extend(last.iter().map(|&state| Token { state, segment }));
        }
        tokens
    }
}

fn segment(place: i64, speaker: Speaker) -> i64 {
    2 * place + i64::from(speaker == Speaker::Customer)
}

#[cfg(test)]
mod tests {
    use super::super::context::Before;
    use super::*;

    /// A text of so many tokens, each of whose states holds its place.
    fn state(tokens: u8) -> Vec<f32> {
        (0..tokens).flat_map(|place| [f32::from(place); WIDTH]).collect()
    }

    /// `(place of the token in its text, segment)` of each token.
    #[track_caller]
    fn check(speaker: Channel, before: &[(Channel, &[&str])], expect: &[(u8, i64)]) {
        let states = States::from([("own", state(2)), ("short", state(3)), ("long", state(100))]);
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let turns = before.iter().map(|&(channel, said)| Before { channel, texts: texts(said) }).collect();
        let context = Context { turns };
        let tokens = Passage::new("own", speaker, &context).tokens(&states);
        let found: Vec<_> = tokens.iter().map(|token| (token.state[0] as u8, token.segment)).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn an_utterance_without_context_is_its_own_tokens() {
        check(Channel::Agent, &[], &[(0, 0), (1, 0)]);
        check(Channel::Customer, &[], &[(0, 1), (1, 1)]);
    }

    #[test]
    fn context_follows_without_its_first_mark() {
        let before: &[(_, &[&str])] =
            &[(Channel::Agent, &["short", "short"]), (Channel::Customer, &["short"])];
        check(Channel::Customer, before, &[(0, 1), (1, 1), (1, 2), (2, 2), (1, 2), (2, 2), (1, 5), (2, 5)]);
    }

    #[test]
    fn of_long_context_the_end_is_read() {
        let mut expect = vec![(0, 0), (1, 0)];
        expect.extend((60..100).map(|place| (place, 3)));
        expect.extend((76..100).map(|place| (place, 4)));
        check(Channel::Agent, &[(Channel::Customer, &["long"]), (Channel::Agent, &["long"])], &expect);
    }

    #[test]
    fn on_mono_speakers_take_turns() {
        let before: &[(_, &[&str])] = &[(Channel::Mixed, &["short"]), (Channel::Mixed, &["short"])];
        check(Channel::Agent, before, &[(0, 0), (1, 0), (1, 3), (2, 3), (1, 4), (2, 4)]);
        check(Channel::Customer, before, &[(0, 1), (1, 1), (1, 2), (2, 2), (1, 5), (2, 5)]);
    }
}
