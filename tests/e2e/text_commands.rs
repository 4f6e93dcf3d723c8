//! `classify` and `judge`: written lines and dialogues through the real program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::PathBuf;

use callqa_tests::{Outcome, callqa};
use serde_json::{Value, json};

/// Nobody listens there: neither command must ask for a broker.
const NO_BROKER: &str = "127.0.0.1:1";
/// What no message may repeat.
const SECRET: &str = "watchword";

/// Writes these lines to a file, and runs a command on it.
fn run(command: &str, lines: &[String], more: &[&str]) -> (Outcome, Vec<Value>) {
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("lines.jsonl");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let outcome = callqa(NO_BROKER, &[&[command, file.to_str().unwrap()], more].concat());
    let out = outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (outcome, out)
}

fn line(id: &str, speaker: &str, text: &str) -> String {
    json!({"id": id, "speaker": speaker, "context": [], "text": text}).to_string()
}

#[test]
fn lines_are_classified_in_their_order() {
    let long = "好".repeat(5_000);
    let strange = ["", " ", "。", "😀😀", "12345", "Je suis désolé", "مرحبا", long.as_str()];
    let mut lines: Vec<String> =
        strange.iter().enumerate().map(|(i, text)| line(&i.to_string(), "agent", text)).collect();
    lines.extend((8..100).map(|i| line(&i.to_string(), "customer", "我要投诉你们")));
    let (outcome, out) = run("classify", &lines, &[]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let ids = out.iter().map(|line| line["id"].as_str().unwrap().parse().unwrap());
    assert_eq!(ids.collect::<Vec<usize>>(), (0..100).collect::<Vec<_>>());
    for line in &out[..8] {
        let sum: f64 = line["politeness"].as_object().unwrap().values().map(|p| p.as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 0.01, "{line}");
        assert_eq!(line["script"].as_object().unwrap().len(), 13);
    }
    assert!(out[..4].iter().all(|line| line["decided"]["politeness"].is_null()));
    // The same words are worth the same, whatever they are classified with.
    assert!(
        out[8..]
            .iter()
            .all(|line| line["politeness"].is_null() && line["resolution"] == out[8]["resolution"])
    );
}

#[test]
fn a_line_that_can_not_be_read_keeps_its_place() {
    let lines = [
        line("a", "agent", "您好"),
        SECRET.to_owned(),
        json!({"id": "c", "text": SECRET}).to_string(),
        line("d", "bot", SECRET),
        line("e", "agent", &"x".repeat(1 << 20)),
        line("f", "agent", "再见"),
    ];
    let (outcome, out) = run("classify", &lines, &[]);
    assert_eq!(outcome.code, Some(1));
    let ids: Vec<&Value> = out.iter().map(|line| &line["id"]).collect();
    assert_eq!(json!(ids), json!(["a", null, "c", "d", null, "f"]));
    assert!(out[1..5].iter().all(|line| line["error"].is_string()), "{out:?}");
    let said: Vec<&str> = outcome.stderr.lines().collect();
    assert_eq!(said.len(), 4, "{said:?}");
    for (line, number) in said.iter().zip(2..) {
        assert!(line.contains(&format!("lines.jsonl:{number}: ")), "{line}");
    }
    assert!(!outcome.stderr.contains(SECRET) && !outcome.stdout.contains(SECRET));
}

/// The folder of models holds ONNX Runtime, for the outcome, and nothing else: who opens the encoder fails.
#[test]
fn labelled_dialogues_need_no_classifier() {
    let turn = |speaker: &str, text: &str, labels: Value| json!({"speaker": speaker, "text": text, "labels": labels});
    let dialogue = json!({"id": "rude", "lang": "zh", "ended_by": "agent", "turns": [
        turn("agent", "您好", json!({"politeness": "neutral", "resolution": [], "script": ["greeting"]})),
        turn("customer", "我的电话是13812345678", json!({"resolution": ["states_issue"]})),
        turn("agent", "你听不懂人话啊", json!({"politeness": "rude"})),
    ]});
    let bad = json!({"id": "bad", "turns": [turn("agent", SECRET, json!({"script": [SECRET]}))]});
    let none = json!({"id": "none", "turns": []});
    let models = tempfile::tempdir().unwrap();
    let fetched = std::env::var_os("CALLQA_MODELS").expect("CALLQA_MODELS: run these tests with tests/run");
    let runtime = PathBuf::from(fetched).join("onnxruntime");
    std::os::unix::fs::symlink(runtime, models.path().join("onnxruntime")).unwrap();
    let lines = [dialogue.to_string(), bad.to_string(), none.to_string()];
    let (outcome, out) = run("judge", &lines, &["--models", models.path().to_str().unwrap()]);
    assert_eq!((outcome.code, out.len()), (Some(1), 3), "{}", outcome.stderr);
    assert_eq!((&out[0]["rules"]["attitude.rude"], &out[0]["score"]), (&json!("violated"), &json!(0)));
    assert_eq!(out[0]["evidence"]["attitude.rude"][0]["utterance"], 2);
    assert!(out[0]["turns"][1].as_str().unwrap().contains("[phone]"));
    assert_eq!(out[1]["id"], "bad");
    assert!(outcome.stderr.contains("lines.jsonl:2 (id \"bad\"): turn 1: `script`"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains(SECRET) && !outcome.stdout.contains(SECRET));
    assert_eq!(out[2]["reasons"]["script.greeting"], "no_conversation");
}

#[test]
fn other_dialogues_are_classified() {
    let turn = |speaker: &str, text: &str| json!({"speaker": speaker, "text": text});
    let dialogue = json!({"id": 1, "lang": "en", "channels": 2, "ended_by": "customer", "turns": [
        turn("agent", "Hello, thank you for calling, my name is Anna. How can I help you?"),
        turn("customer", "My internet has been down since Monday."),
        turn("agent", "Are you stupid or what?"),
    ]});
    let (outcome, out) = run("judge", &[dialogue.to_string()], &[]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert_eq!(out[0]["rules"]["script.greeting"], "met", "{}", out[0]);
    assert_eq!(out[0]["evidence"]["script.greeting"][0]["label"], "greeting");
}
