//! The command line without Kafka, and on real recordings where they are at hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use callqa_tests::{callqa, test_audio, top};
use serde_json::Value;

/// Nobody listens there: `assess` must not ask for a broker.
const NO_BROKER: &str = "127.0.0.1:1";

fn assess(arguments: &[&str]) -> Vec<Value> {
    let outcome = callqa(NO_BROKER, &[&["assess", "--json"], arguments].concat());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn said(assessment: &Value, speaker: &str) -> String {
    let utterances = assessment["utterances"].as_array().unwrap().iter();
    let texts = utterances.filter(|u| u["speaker"] == speaker).filter_map(|u| u["text"].as_str());
    texts.collect::<Vec<_>>().join(" ").to_lowercase()
}

#[test]
fn the_same_call_twice_gives_the_same_bytes() {
    let call = top().join("tests/calls/13-en-hotel-dates.opus");
    let twice = [(); 2].map(|()| callqa(NO_BROKER, &["assess", "--json", call.to_str().unwrap()]));
    assert_eq!(twice[0].code, Some(0), "{}", twice[0].stderr);
    assert_eq!(twice[0].stdout, twice[1].stdout);
}

#[test]
fn a_file_that_is_no_audio_is_one_sentence_and_exit_code_1() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.wav");
    std::fs::write(&path, "these are notes").unwrap();
    let outcome = callqa(NO_BROKER, &["assess", path.to_str().unwrap()]);
    assert_eq!(outcome.code, Some(1));
    assert_eq!(outcome.stderr.trim().lines().count(), 1, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("notes.wav"), "{}", outcome.stderr);
}

#[test]
fn wrong_usage_is_exit_code_2() {
    assert_eq!(callqa(NO_BROKER, &["assess"]).code, Some(2));
    assert_eq!(callqa(NO_BROKER, &["asses", "x.wav"]).code, Some(2));
}

/// Of the words of a real recording, at most this share may be heard wrongly. Whisper base gets about a quarter of
/// them wrong here, and not the same quarter on every processor: what this test tells apart is a transcript from none.
const ERROR_RATE_ALLOWED: f64 = 0.4;

/// Real Mandarin clips, each with its transcript: character error rate over all of them.
#[test]
fn real_mandarin_clips() {
    let Some(clips) = test_audio("zh_clips") else { return };
    let transcripts = std::fs::read_to_string(clips.join("transcripts.tsv")).unwrap();
    let (mut spoken, mut heard) = (Vec::new(), Vec::new());
    for line in transcripts.lines().skip(1) {
        let fields: Vec<_> = line.split('\t').collect();
        let clip = clips.join(fields[0]);
        let assessed = assess(&["--language", "zh", "--layout", "mono", clip.to_str().unwrap()]);
        spoken.extend(fields[3].chars());
        heard.extend(said(&assessed[0], "mixed").chars().filter(|c| c.is_alphanumeric()));
    }
    let rate = strsim::generic_levenshtein(&spoken, &heard) as f64 / spoken.len() as f64;
    println!("character error rate over {} characters: {rate:.3}", spoken.len());
    assert!(rate <= ERROR_RATE_ALLOWED, "{rate:.3}: {}", String::from_iter(heard));
}

/// Real English: the agent's side of a call, against the script that the agent read from. The speech departs from
/// it here and there, so this is no clean word error rate: only how much of the script is not in the transcript.
#[test]
fn a_real_english_agent() {
    let Some(calls) = test_audio("en_calls") else { return };
    let script = std::fs::read_to_string(calls.join("demo_agent.script.md")).unwrap();
    let lines = script.lines().filter_map(|line| line.strip_prefix("**Agent**:"));
    let spoken: Vec<String> = lines.flat_map(words).collect();
    let assessed = assess(&["--language", "en", calls.join("demo_agent.wav").to_str().unwrap()]);
    let heard = words(&["agent", "mixed"].map(|speaker| said(&assessed[0], speaker)).join(" "));
    let rate = strsim::generic_levenshtein(&spoken, &heard) as f64 / spoken.len() as f64;
    println!("word error rate against the script of {} words: {rate:.3}", spoken.len());
    assert!(rate <= ERROR_RATE_ALLOWED, "{rate:.3}: {}", heard.join(" "));
}

fn words(text: &str) -> Vec<String> {
    let plain: String =
        text.to_lowercase().chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-').collect();
    plain.split([' ', '-']).filter(|word| !word.is_empty()).map(String::from).collect()
}
