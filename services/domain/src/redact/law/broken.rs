//! Numbers in pieces: over utterances of one speaker, with what the other says in between.

use super::dice::Dice;
use super::sensitive::{frames, number};
use super::voice::{Voice, group, groups};
use super::*;
use crate::RedactedKind::{Card, NationalId, Phone};
use crate::{Channel, Span, Utterance, redact_across};

const EN_NODS: [&str; 8] =
    ["uh-huh", "Yes.", "Okay", "Mm-hmm", "right", "Yeah, go on.", "Got it", "okay, and then?"];
const ZH_NODS: [&str; 8] = ["嗯", "对", "好的", "嗯，您说", "嗯嗯", "是的。", "好，继续", "然后呢？"];

/// A number and all that was said while it was given.
pub(super) struct BrokenCall {
    pub(super) lines: Vec<(Channel, String)>,
    /// Numerals that are no part of it.
    pub(super) ordinary: usize,
}

pub(super) fn call(dice: &mut Dice) -> BrokenCall {
    let voice = dice.one(&[Voice::Written, Voice::SpokenEn, Voice::SpokenZh]);
    let chinese = voice == Voice::SpokenZh || voice == Voice::Written && dice.often(5);
    let kind = if chinese { dice.one(&[Phone, Card, NationalId]) } else { dice.one(&[Phone, Card]) };
    let parts = groups(&number(kind, dice, chinese), dice);
    let frame = dice.one(frames(kind, chinese));
    let (before, after) = frame.split_once("{}").unwrap_or((frame, ""));
    let (speaker, other) =
        dice.one(&[(Channel::Customer, Channel::Agent), (Channel::Agent, Channel::Customer)]);
    let mixed = dice.below(8) == 0;
    let nods = if chinese { ZH_NODS } else { EN_NODS };
    let mut lines = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let mut words = group(part, voice, dice);
        if index == 0 {
            words = format!("{before}{words}");
        } else if dice.often(2) {
            words = format!("{}{words}", if chinese { "嗯，" } else { "um, " });
        }
        if index + 1 == parts.len() {
            words.push_str(after);
        }
        lines.push((speaker, words));
        match dice.below(4) {
            0 => lines.push((other, dice.one(&nods).to_owned())),
            1 => lines.push((other, format!("{}{}", group(part, voice, dice), dice.one(&["", "?", "。"])))),
            2 if dice.often(3) => {
                lines.push((other, group(part, voice, dice)));
                lines.push((speaker, if chinese { "对" } else { "yes" }.to_owned()));
            }
            _ => {}
        }
    }
    let ordinary = numerals(&frame.replace("{}", "\u{1}"));
    if mixed {
        lines.iter_mut().for_each(|line| line.0 = Channel::Mixed);
    }
    BrokenCall { lines, ordinary }
}

/// The call as it is published; a second redaction changes nothing.
pub(super) fn redacted(call: &BrokenCall) -> Vec<String> {
    let mut transcript: Vec<Utterance> = call.lines.iter().enumerate().map(utterance).collect();
    redact_across(&mut transcript);
    let once: Vec<String> = transcript.iter().map(|u| u.text.as_str().to_owned()).collect();
    redact_across(&mut transcript);
    for (once, twice) in once.iter().zip(&transcript) {
        assert_eq!(once, twice.text.as_str(), "{:?}", call.lines);
        is_lawful(once);
        for redaction in &twice.redactions {
            assert!(
                once.chars().skip(redaction.at_char).collect::<String>().starts_with(&redaction.kind.mark())
            );
        }
    }
    once
}

fn utterance((index, (channel, text)): (usize, &(Channel, String))) -> Utterance {
    let start = index as u64 * 2_500;
    let (text, redactions) = redact(&RawText::new(text.as_str()));
    Utterance { channel: *channel, span: Span::new(start, start + 2_000), text, redactions, confidence: 0.9 }
}
