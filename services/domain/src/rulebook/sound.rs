//! How Mandarin sounds: toneless pinyin, and the sounds that recognisers take for each other.

use std::sync::LazyLock;

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

/// A few letters as one number, which is compared at once.
const fn key(letters: &str) -> u64 {
    let (bytes, mut at, mut key) = (letters.as_bytes(), 0, 0);
    while at < bytes.len() {
        key = key << 8 | bytes[at] as u64;
        at += 1;
    }
    key
}

const fn keys<const N: usize>(pairs: [(&str, &str); N]) -> [(u64, u64); N] {
    let (mut keys, mut at) = ([(0, 0); N], 0);
    while at < N {
        keys[at] = (key(pairs[at].0), key(pairs[at].1));
        at += 1;
    }
    keys
}

/// Initials that many speakers, and so recognisers, do not keep apart.
const CONFUSED_INITIALS: [(u64, u64); 5] =
    keys([("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("f", "h")]);
/// The same of finals: front and back nasals, bare or after a glide. `ian` for `ing` is what makes 制定 of 致电.
const CONFUSED_FINALS: [(u64, u64); 6] =
    keys([("an", "ang"), ("en", "eng"), ("in", "ing"), ("ian", "iang"), ("uan", "uang"), ("ian", "ing")]);

/// One reading of a character, without its tone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Syllable {
    initial: u64,
    /// What follows the initial.
    rest: u64,
}

/// The first and the last character that has readings: extension A, and the basic block.
const FIRST: char = '\u{3400}';
const LAST: char = '\u{9fff}';

/// Every reading of every character, looked up once: a call has thousands of characters.
static READINGS: LazyLock<Vec<Vec<Syllable>>> = LazyLock::new(|| (FIRST..=LAST).map(looked_up).collect());

/// Every reading of a character; none where it is not Han.
pub(super) fn readings(c: char) -> &'static [Syllable] {
    let place = u32::from(c).checked_sub(u32::from(FIRST)).filter(|_| c <= LAST);
    place.and_then(|place| READINGS.get(place as usize)).map_or(&[], Vec::as_slice)
}

fn looked_up(c: char) -> Vec<Syllable> {
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
    fn of(plain: &str) -> Self {
        let two = ["zh", "ch", "sh"].iter().any(|initial| plain.starts_with(initial));
        let one = plain.starts_with(|c: char| c.is_ascii_lowercase() && !"aeiou".contains(c));
        let (initial, rest) = plain.split_at(if two { 2 } else { usize::from(one) });
        Self { initial: key(initial), rest: key(rest) }
    }

    /// One bit, the same for all that are confused: a text in which it is missing has nothing that sounds like this.
    ///
    /// Of finals that are confused, the first letter is the same.
    pub(super) fn trace(self) -> u64 {
        let confused = CONFUSED_INITIALS.iter().find(|(one, _)| *one == self.initial);
        let initial = confused.map_or(self.initial, |(_, other)| *other);
        let mut first = self.rest;
        while first >= 1 << u8::BITS {
            first >>= u8::BITS;
        }
        1 << ((initial * 7 + first) % u64::from(u64::BITS))
    }

    /// Whether one may be heard where the other was said.
    pub(super) fn sounds_like(self, other: Self, sound: Sound) -> bool {
        let near = |a: u64, b: u64, confused: &[(u64, u64)]| {
            a == b
                || sound == Sound::Similar
                    && confused.iter().any(|&(x, y)| (x, y) == (a, b) || (y, x) == (a, b))
        };
        near(self.initial, other.initial, &CONFUSED_INITIALS) && near(self.rest, other.rest, &CONFUSED_FINALS)
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
    fn what_sounds_alike_leaves_the_same_trace() {
        let all: Vec<Syllable> = READINGS.iter().flatten().copied().collect();
        let mut different: Vec<Syllable> = Vec::new();
        for one in all {
            if !different.contains(&one) {
                different.push(one);
            }
        }
        assert!(different.len() > 350, "{}", different.len());
        for (one, other) in different.iter().flat_map(|one| different.iter().map(move |other| (one, other))) {
            assert!(!one.sounds_like(*other, Sound::Similar) || one.trace() == other.trace());
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
