//! Laws: every number that identifies somebody goes, however it is given; what identifies nobody stays.
//!
//! The utterances are generated with fixed seeds, so a figure here means the same in every run.

mod broken;
mod dice;
mod glance;
mod ordinary;
mod sensitive;
mod voice;

use std::sync::LazyLock;

use proptest::prelude::*;
use regex::Regex;

use dice::Dice;
use sensitive::{NUMBERS, Said};
use voice::Voice;

use super::*;

/// As many as make a tenth of a percent visible.
const UTTERANCES: usize = 2_000;

static NUMERAL: LazyLock<Regex> = LazyLock::new(|| {
    let en = "zero|oh|o|nought|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|[a-z]+teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|double|triple";
    regex(&format!("(?i)[0-9０-９零〇洞一二两三四五六七八九幺十百]|\\b(?:{en})\\b|@|艾特| at [a-z]+ dot "))
});
static MARK: LazyLock<Regex> = LazyLock::new(|| regex(r"\[[a-z_]+\]"));

/// How many digits and number words stand in a text.
fn numerals(text: &str) -> usize {
    NUMERAL.find_iter(&MARK.replace_all(text, "\u{1}")).count()
}

/// Whether nothing of the number is left, and whether the words around it are.
fn judged(said: &Said) -> (bool, bool, Vec<RedactedKind>) {
    let (text, redactions) = redact(&RawText::new(said.text()));
    let gone = numerals(text.as_str()) <= numerals(&said.frame.replace("{}", "\u{1}"));
    let mut words = said.frame.split("{}").map(|part| part.trim_matches(|c: char| !c.is_alphanumeric()));
    let kept = words.all(|words| text.as_str().contains(words));
    (gone, kept, redactions.iter().map(|redaction| redaction.kind).collect())
}

fn measure(voice: Voice, seed: u64) -> (f64, f64, f64) {
    let mut dice = Dice::new(seed);
    let (mut gone, mut kept, mut named) = (0, 0, 0);
    let mut shown = 0;
    for _ in 0..UTTERANCES {
        let said = sensitive::said(voice, &mut dice);
        let (all_gone, all_kept, kinds) = judged(&said);
        gone += usize::from(all_gone);
        kept += usize::from(all_kept);
        named += usize::from(kinds == [said.kind]);
        if (!all_gone || !all_kept || kinds != [said.kind]) && shown < 40 {
            shown += 1;
            let got = redact(&RawText::new(said.text())).0;
            eprintln!(
                "{voice:?} gone {all_gone} kept {all_kept} {:?}: {} -> {}",
                said.kind,
                said.text(),
                got.as_str()
            );
        }
    }
    let share = |count: usize| count as f64 / UTTERANCES as f64;
    eprintln!("{voice:?}: gone {:.4}, words kept {:.4}, kind {:.4}", share(gone), share(kept), share(named));
    (share(gone), share(kept), share(named))
}

#[test]
fn written_numbers_go() {
    let (gone, kept, _) = measure(Voice::Written, 11);
    assert!(gone >= 1.0 && kept >= 0.98, "gone {gone}, kept {kept}");
}

#[test]
fn numbers_spoken_in_english_go() {
    let (gone, kept, _) = measure(Voice::SpokenEn, 12);
    assert!(gone >= 0.995 && kept >= 0.98, "gone {gone}, kept {kept}");
}

#[test]
fn numbers_spoken_in_chinese_go() {
    let (gone, kept, _) = measure(Voice::SpokenZh, 13);
    assert!(gone >= 0.995 && kept >= 0.98, "gone {gone}, kept {kept}");
}

#[test]
fn numbers_broken_over_utterances_go() {
    let mut dice = Dice::new(14);
    let (mut gone, mut shown) = (0, 0);
    for _ in 0..UTTERANCES {
        let call = broken::call(&mut dice);
        let after = broken::redacted(&call);
        let left: usize = after.iter().map(|text| numerals(text)).sum();
        gone += usize::from(left <= call.ordinary);
        if left > call.ordinary && shown < 40 {
            shown += 1;
            eprintln!("broken: {:?} -> {after:?}", call.lines);
        }
    }
    let share = gone as f64 / UTTERANCES as f64;
    eprintln!("broken: gone {share:.4}");
    assert!(share >= 0.995, "{share}");
}

#[test]
fn ordinary_numbers_stay() {
    let mut dice = Dice::new(15);
    let (mut stayed, mut shown) = (0, 0);
    for _ in 0..UTTERANCES {
        let raw = ordinary::said(&mut dice);
        let text = redact(&RawText::new(raw.as_str())).0;
        stayed += usize::from(text.as_str() == raw);
        if text.as_str() != raw && shown < 40 {
            shown += 1;
            eprintln!("ordinary: {raw} -> {}", text.as_str());
        }
    }
    let share = stayed as f64 / UTTERANCES as f64;
    eprintln!("ordinary: stays {share:.4}");
    assert!(share >= 0.98, "{share}");
}

#[track_caller]
fn is_lawful(raw: &str) {
    glance::hides_nothing_in(raw);
    let (once, redactions) = redact(&RawText::new(raw));
    assert_eq!(redact(&RawText::new(once.as_str())), (once.clone(), Vec::new()), "{raw}");
    for redaction in redactions {
        let mark: String =
            once.as_str().chars().skip(redaction.at_char).take(redaction.kind.mark().len()).collect();
        assert_eq!(mark, redaction.kind.mark(), "{raw}");
    }
}

#[test]
fn generated_utterances_are_redacted_once_and_at_the_right_place() {
    let mut dice = Dice::new(16);
    for _ in 0..UTTERANCES {
        let voice = dice.one(&[Voice::Written, Voice::SpokenEn, Voice::SpokenZh]);
        let first = sensitive::said(voice, &mut dice).text();
        let second = sensitive::said(voice, &mut dice).text();
        is_lawful(&format!("{first} {} {second}", ordinary::said(&mut dice)));
    }
    assert_eq!(NUMBERS.len(), 6);
}

proptest! {
    #[test]
    fn any_unicode_is_lawful(raw in "\\PC{0,40}") {
        is_lawful(&raw);
    }

    #[test]
    fn any_words_are_lawful(raw in "((one|two|oh|double|triple|twenty|hundred|thousand|and|point|at|dot|com|十|百|零|个|八|两|洞|X|card|尾号|born|plate is|粤B|order number|手机|4111|0|1|5|okay|对|。|\\[card\\]|\\]|嗯|三月)[ ,.-]?){0,14}") {
        is_lawful(&raw);
    }
}
