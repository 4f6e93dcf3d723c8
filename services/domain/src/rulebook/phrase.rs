//! Finds a phrase in what whisper wrote: no punctuation to rely on, any case, any spacing, and in Mandarin
//! often another character of the same sound.

use std::ops::Range;

use super::number;
use super::sound::{Sound, Syllable, readings};
use crate::RedactedKind;
use crate::acoustics::is_han;

/// Stands in a phrase for a number in any form.
pub(super) const NUMBER: &str = "{number}";
/// What [`NUMBER`] becomes in a folded phrase; no letter, so no text holds it.
const ANY_NUMBER: char = '\u{fffd}';
/// What the mark of a number that was taken out becomes in a folded text.
pub(super) const TAKEN_OUT: char = '\u{fffc}';
/// The kinds that are numbers: where they were, a number was said.
const NUMBERS: &[RedactedKind] = &[
    RedactedKind::Card,
    RedactedKind::Cvv,
    RedactedKind::NationalId,
    RedactedKind::BankAccount,
    RedactedKind::Phone,
    RedactedKind::BirthDate,
    RedactedKind::PartialNumber,
];

/// Letters and digits in lower case; one space between words, none around Han. A mark is one letter.
#[derive(Debug, Clone, PartialEq, Default)]
struct Folded {
    letters: Vec<char>,
    /// Where each stood, in characters.
    places: Vec<Range<usize>>,
}

impl Folded {
    fn of(text: &str) -> Self {
        let mut folded =
            Self { letters: Vec::with_capacity(text.len()), places: Vec::with_capacity(text.len()) };
        let mut gap = None;
        let (mut rest, mut at) = (text, 0);
        while let Some(c) = rest.chars().next() {
            let special = if matches!(c, '{' | '[') { special(rest) } else { None };
            let (letter, length) = special.unwrap_or((c, c.len_utf8()));
            let (here, after) = rest.split_at(length);
            let end = at + if special.is_some() { here.chars().count() } else { 1 };
            let place = at..end;
            (rest, at) = (after, end);
            // An apostrophe belongs to its word, whichever way it is written.
            if matches!(letter, '\'' | '’') {
                continue;
            }
            // Han characters are most of what is said, and tables of letters are slow.
            let is_han_letter = is_han(letter);
            if !is_han_letter && !letter.is_alphanumeric() && !matches!(letter, ANY_NUMBER | TAKEN_OUT) {
                gap = gap.or(Some(place));
                continue;
            }
            let after_word = folded.letters.last().is_some_and(|&last| !is_han(last));
            if let Some(space) = gap.take()
                && after_word
                && !is_han_letter
            {
                folded.push(' ', space);
            }
            if is_han_letter || letter.is_ascii() {
                folded.push(letter.to_ascii_lowercase(), place);
            } else {
                letter.to_lowercase().for_each(|lower| folded.push(lower, place.clone()));
            }
        }
        folded
    }

    fn push(&mut self, letter: char, place: Range<usize>) {
        self.letters.push(letter);
        self.places.push(place);
    }

    fn sounds(&self) -> Vec<&'static [Syllable]> {
        self.letters.iter().map(|&letter| readings(letter)).collect()
    }
}

/// A placeholder or a mark with which a text begins: what it becomes, and its length in bytes.
fn special(text: &str) -> Option<(char, usize)> {
    if text.starts_with(NUMBER) {
        return Some((ANY_NUMBER, NUMBER.len()));
    }
    let mut marks = NUMBERS.iter().map(|kind| kind.mark());
    marks.find(|mark| text.starts_with(mark.as_str())).map(|mark| (TAKEN_OUT, mark.len()))
}

/// One bit for a letter: a text in which it is missing does not have the letter.
fn trace(letter: char) -> u64 {
    1 << (u32::from(letter) % u64::BITS)
}

/// An utterance, made ready for any number of phrases.
#[derive(Debug, Clone)]
pub(crate) struct Wording {
    text: Folded,
    sounds: Vec<&'static [Syllable]>,
    /// The traces of all its letters, and of all its sounds.
    letter_traces: u64,
    sound_traces: u64,
}

impl Wording {
    /// `by_sound`: whether any phrase will ask how it sounded.
    pub(crate) fn new(text: &str, by_sound: bool) -> Self {
        let text = Folded::of(text);
        let sounds = if by_sound { text.sounds() } else { Vec::new() };
        let letter_traces = text.letters.iter().fold(0, |all, &letter| all | trace(letter));
        let sound_traces = sounds.iter().copied().flatten().fold(0, |all, reading| all | reading.trace());
        Self { text, sounds, letter_traces, sound_traces }
    }
}

/// A phrase, made ready for any number of utterances.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Phrase {
    letters: Vec<char>,
    /// The traces of the letters that a text must have as they are written.
    trace: u64,
    by_sound: Option<Sound>,
    /// Empty where the phrase counts as it is written alone.
    sounds: Vec<&'static [Syllable]>,
}

impl Phrase {
    pub(super) fn new(written: &str, by_sound: Option<Sound>) -> Self {
        let folded = Folded::of(written);
        let sounds = if by_sound.is_some() { folded.sounds() } else { Vec::new() };
        let written = folded.letters.iter().filter(|&&letter| by_sound.is_none() && letter != ANY_NUMBER);
        let trace = written.fold(0, |all, &letter| all | trace(letter));
        Self { letters: folded.letters, trace, by_sound, sounds }
    }

    /// Whether it has nothing that could be found.
    pub(super) fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    /// Han characters, the rest apart.
    pub(super) fn han(&self) -> usize {
        self.letters.iter().filter(|&&letter| is_han(letter)).count()
    }

    /// Every place where it stands, as ranges of characters of the text.
    ///
    /// Punctuation and case don't count, nor do spaces next to Han characters. English matches whole words.
    pub(crate) fn find<'h>(&'h self, heard: &'h Wording) -> impl Iterator<Item = Range<usize>> + 'h {
        let text = &heard.text.letters;
        let inside_word = |side: Option<&char>, edge: char| {
            edge.is_ascii_alphanumeric() && side.is_some_and(char::is_ascii_alphanumeric)
        };
        let places = if self.may_stand_in(heard) { text.len() } else { 0 };
        // Most places are left here already.
        let begins =
            self.letters.first().copied().filter(|&first| self.by_sound.is_none() && first != ANY_NUMBER);
        let may_begin = move |&at: &usize| begins.is_none_or(|first| text[at] == first);
        (0..places).filter(may_begin).filter_map(move |at| {
            let end = self.end(heard, at).filter(|&end| end > at)?;
            let whole = !inside_word(at.checked_sub(1).and_then(|before| text.get(before)), text[at])
                && !inside_word(text.get(end), text[end - 1]);
            whole.then(|| heard.text.places[at].start..heard.text.places[end - 1].end)
        })
    }

    /// Whether there is a trace of everything in it; it is in few texts, so this saves most of the search.
    fn may_stand_in(&self, heard: &Wording) -> bool {
        heard.letter_traces & self.trace == self.trace
            && self.sounds.iter().all(|readings| {
                readings.is_empty()
                    || readings.iter().any(|reading| heard.sound_traces & reading.trace() != 0)
            })
    }

    /// Where the phrase ends, if it begins at `at`.
    fn end(&self, heard: &Wording, at: usize) -> Option<usize> {
        let mut end = at;
        for (index, &letter) in self.letters.iter().enumerate() {
            let here = *heard.text.letters.get(end)?;
            if letter == ANY_NUMBER {
                let length = number::length(&heard.text.letters[end..], TAKEN_OUT);
                end += (length > 0).then_some(length)?;
            } else if here == letter || self.sounds_like(index, heard, end) {
                end += 1;
            } else {
                return None;
            }
        }
        Some(end)
    }

    fn sounds_like(&self, index: usize, heard: &Wording, at: usize) -> bool {
        let (Some(sound), Some(said), Some(heard)) =
            (self.by_sound, self.sounds.get(index), heard.sounds.get(at))
        else {
            return false;
        };
        said.iter().any(|said| heard.iter().any(|heard| said.sounds_like(*heard, sound)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check_sound(text: &str, phrase: &str, by_sound: Option<Sound>, expect: &[&str]) {
        let chars: Vec<char> = text.chars().collect();
        let (phrase, heard) = (Phrase::new(phrase, by_sound), Wording::new(text, true));
        let found: Vec<String> = phrase.find(&heard).map(|at| chars[at].iter().collect()).collect();
        assert_eq!(found, expect);
    }

    #[track_caller]
    fn check(text: &str, phrase: &str, expect: &[&str]) {
        check_sound(text, phrase, None, expect);
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
        check("短", "…", &[]);
    }

    #[test]
    fn by_sound_only_where_asked() {
        check("感谢您的制定", "致电", &[]);
        check_sound("感谢您的制定", "致电", Some(Sound::Same), &[]);
        check_sound("感谢您的制定", "致电", Some(Sound::Similar), &["制定"]);
        check_sound("我的公号是八零", "工号", Some(Sound::Same), &["公号"]);
        check_sound("跟您何时一下", "核实", Some(Sound::Same), &["何时"]);
        check_sound("跟您喝水", "核实", Some(Sound::Similar), &[]);
    }

    #[test]
    fn the_characters_of_the_transcript_are_quoted() {
        check_sound("就是不, 归握管", "不归我管", Some(Sound::Same), &["不, 归握管"]);
    }

    #[test]
    fn english_is_never_matched_by_sound() {
        check_sound("that is knot my problem", "not my problem", Some(Sound::Similar), &[]);
    }

    #[test]
    fn numbers_in_any_form() {
        check("我的工号8023为您服务", "工号{number}", &["工号8023"]);
        check("工号 幺零二 很高兴", "工号{number}", &["工号 幺零二"]);
        check("My ID is eight oh two.", "ID is {number}", &["ID is eight oh two"]);
        check("尾号[partial_number]的卡", "尾号{number}的卡", &["尾号[partial_number]的卡"]);
        check("我的工号为您服务", "工号{number}", &[]);
        check_sound("公号8023", "工号{number}", Some(Sound::Same), &["公号8023"]);
    }

    #[test]
    fn a_mark_is_no_words() {
        check("the [partial_number] of it", "number", &[]);
    }

    const LETTERS: &str = "(工|公|号|豪|致|制|电|定|嗯|行|形|a|B|é|İ|8|三| |,|\\[card\\]){0,8}";

    proptest! {
        #[test]
        fn what_stands_in_a_text_leaves_its_trace(
            text in LETTERS,
            phrase in "(工|公|号|致|电|行|a|b|é|8|\\{number\\}| ){1,3}",
            by_sound in prop::sample::select(&[None, Some(Sound::Same), Some(Sound::Similar)][..]),
        ) {
            let (phrase, heard) = (Phrase::new(&phrase, by_sound), Wording::new(&text, true));
            let stands = (0..heard.text.letters.len()).any(|at| phrase.end(&heard, at).is_some());
            prop_assert!(!stands || phrase.may_stand_in(&heard));
        }
    }
}
