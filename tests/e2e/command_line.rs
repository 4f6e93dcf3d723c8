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

/// A real Mandarin clip: the words that a listener hears are in the transcript.
#[test]
fn a_real_mandarin_clip() {
    let Some(clips) = test_audio("zh_clips") else { return };
    let clip = clips.join("funasr_asr_example.wav");
    let assessed = assess(&["--language", "zh", "--layout", "mono", clip.to_str().unwrap()]);
    let said = said(&assessed[0], "mixed");
    assert!(said.contains("语音识别"), "{said}");
}

/// Real English: the agent's side of a call, alone on its channel.
#[test]
fn a_real_english_agent() {
    let Some(calls) = test_audio("en_calls") else { return };
    let call = calls.join("demo_agent.wav");
    let assessed = assess(&["--language", "en", call.to_str().unwrap()]);
    let everything = ["agent", "mixed"].map(|speaker| said(&assessed[0], speaker)).join(" ");
    for words in ["life insurance", "anything else", "great day"] {
        assert!(everything.contains(words), "{words:?} is not in {everything}");
    }
}
