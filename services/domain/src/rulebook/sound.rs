//! How Mandarin sounds: toneless pinyin, and the sounds that recognisers take for each other.

use pinyin::{Pinyin, ToPinyinMulti};
use serde::Deserialize;

/// How near the sound of what was heard must be to that of a phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sound {
    /// The same pinyin, tones apart.
    Same,
    /// The same pinyin but for sounds that are often confused.
    Similar,
}

/// Initials that many speakers, and so recognisers, do not keep apart.
const CONFUSED_INITIALS: &[(&str, &str)] = &[("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("f", "h")];
/// The same of finals: front and back nasals, bare or after a glide. `ian` for `ing` is what makes 制定 of 致电.
const CONFUSED_FINALS: &[(&str, &str)] =
    &[("an", "ang"), ("en", "eng"), ("in", "ing"), ("ian", "iang"), ("uan", "uang"), ("ian", "ing")];

/// One reading of a character, without its tone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Syllable {
    initial: &'static str,
    /// What follows the initial.
    rest: &'static str,
}

/// Every reading of a character; none where it is not Han.
pub(super) fn readings(c: char) -> Vec<Syllable> {
    let mut readings: Vec<Syllable> = Vec::new();
    for plain in c.to_pinyin_multi().into_iter().flatten().map(Pinyin::plain) {
        let syllable = Syllable::of(plain);
        // Readings that differ in tone alone are one.
        if !readings.contains(&syllable) {
            readings.push(syllable);
        }
    }
    readings
}

impl Syllable {
    fn of(plain: &'static str) -> Self {
        let two = ["zh", "ch", "sh"].iter().any(|initial| plain.starts_with(initial));
        let one = plain.starts_with(|c: char| c.is_ascii_lowercase() && !"aeiou".contains(c));
        let (initial, rest) = plain.split_at(if two { 2 } else { usize::from(one) });
        Self { initial, rest }
    }

    /// Whether one may be heard where the other was said.
    pub(super) fn sounds_like(self, other: Self, sound: Sound) -> bool {
        let near = |a: &str, b: &str, confused: &[(&str, &str)]| {
            let pair = |&(x, y): &(&str, &str)| (x, y) == (a, b) || (y, x) == (a, b);
            a == b || sound == Sound::Similar && confused.iter().any(pair)
        };
        near(self.initial, other.initial, CONFUSED_INITIALS) && near(self.rest, other.rest, CONFUSED_FINALS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(said: char, heard: char, same: bool, similar: bool) {
        let near =
            |sound| readings(said).iter().any(|a| readings(heard).iter().any(|b| a.sounds_like(*b, sound)));
        assert_eq!((near(Sound::Same), near(Sound::Similar)), (same, similar), "{said} {heard}");
    }

    #[test]
    fn tones_do_not_count() {
        check('工', '公', true, true);
        check('实', '时', true, true);
    }

    #[test]
    fn any_reading_will_do() {
        check('行', '航', true, true);
        check('行', '形', true, true);
        check('重', '虫', true, true);
    }

    #[test]
    fn sounds_that_are_confused() {
        for (said, heard) in
            ["知资", "吃雌", "师思", "牛刘", "福胡", "班帮", "本崩", "金京", "先香", "关光", "电定"]
                .map(|pair| (pair.chars().next().unwrap(), pair.chars().nth(1).unwrap()))
        {
            check(said, heard, false, true);
        }
    }

    #[test]
    fn sounds_that_are_not() {
        check('爸', '怕', false, false);
        check('金', '将', false, false);
        check('女', '努', false, false);
        check('a', 'a', false, false);
    }
}
