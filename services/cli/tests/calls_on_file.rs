//! Commands that judge calls on file again: by which rulebook, and into which files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/rulebooks/service-baseline.toml");

fn callqa(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callqa"));
    command.args(args).env("CALLQA_MODELS", "/nonexistent").output().unwrap()
}

#[track_caller]
fn check(args: &[&str], code: i32, stdout: &str, stderr: &str) {
    let output = callqa(args);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    assert!(out.contains(stdout), "{stdout:?} is not in standard output:\n{out}");
    assert!(err.contains(stderr), "{stderr:?} is not in standard error:\n{err}");
}

/// A stored row of a call in which the agent says one thing.
fn row(tenant: &str, call: &str, revision: u32, result: &str, says: &str) -> Value {
    json!({
        "schema_version": 1, "result_id": result, "tenant": tenant, "call_id": call, "revision": revision,
        "part": 0, "parts": 1, "purpose": "live", "direction": "inbound", "ended_by": "agent",
        "duration_ms": 6000, "channel": ["agent", "customer"], "channel_language": ["en", "en"],
        "threshold_label": ["closing"], "threshold_holds": [0.5], "threshold_doubt": [0.4],
        "speech_channel": ["agent", "customer"], "speech_start_ms": [0, 3000], "speech_end_ms": [2000, 6000],
        "utterance_speaker": ["agent", "customer"], "utterance_start_ms": [0, 3000],
        "utterance_end_ms": [2000, 6000], "utterance_text": [says, "yes"], "utterance_confidence": [0.9, 0.9],
        "score_utterance": [0], "score_label": ["closing"], "score_probability": [0.1]
    })
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_rulebook_of_a_configuration_judges() {
    let folder = tempfile::tempdir().unwrap();
    let ours =
        fs::read_to_string(BASELINE).unwrap().replacen("id = \"service-baseline\"", "id = \"ours\"", 1);
    let ours = write(folder.path(), "ours.toml", &ours);
    let config = write(folder.path(), "worker.toml", &format!("[rulebook]\nfile = '{ours}'\n"));
    let rows = write(folder.path(), "rows.jsonl", &row("t", "a", 0, "r", "hello").to_string());
    let (config, rows) = (config.as_str(), rows.as_str());

    check(&["rules", "explain", "--config", config, rows], 0, "  ours ", "which rulebook judged these calls");
    check(
        &["rules", "explain", "--config", config, "--json", rows],
        0,
        "\"rulebook\":\"ours\"",
        "what ours ",
    );
    check(&["export", "--to", "vtt", "--config", config, rows], 0, "WEBVTT", "what ours ");
    // What is named on the command line comes first.
    let both = ["rules", "explain", "--config", config, "--rulebook", BASELINE, rows];
    check(&both, 0, "  service-baseline ", "what service-baseline ");
    check(&["rules", "explain", rows], 0, "  service-baseline ", "what service-baseline ");
    let silent = write(folder.path(), "silent.toml", "[kafka]\ngroup = 'x'\n");
    check(&["rules", "explain", "--config", &silent, rows], 0, "  service-baseline ", "");
}

#[test]
fn a_configuration_whose_rulebook_is_not_there_is_no_baseline() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.toml");
    let config =
        write(folder.path(), "worker.toml", &format!("[rulebook]\nfile = '{}'\n", missing.display()));
    let said = format!("rulebook.file: {}: No such file", missing.display());
    let nothing = write(folder.path(), "a.wav", "");
    for command in [&["assess"][..], &["judge"], &["rules", "explain"], &["export", "--to", "vtt"]] {
        check(&[command, &["--config", &config, &nothing]].concat(), 1, "", &said);
    }
}

#[test]
fn calls_of_one_id_do_not_share_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let uuid = "8f14e45f-ceea-467f-a8f1-9d1e4b1c2a77";
    let rows = [
        row("t", uuid, 1, "r1", "corrected"),
        row("t", uuid, 1, "r2", "corrected again"),
        row("t", uuid, 0, "r0", "first"),
        row("t", "a", 0, "r3", "of one tenant"),
        row("u", "a", 0, "r4", "of another"),
    ];
    let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let rows = write(folder.path(), "rows.jsonl", &lines);
    let out = folder.path().join("out");
    let export = ["export", "--to", "vtt", "--out", out.to_str().unwrap(), rows.as_str()];
    check(&export, 0, "", "2 results superseded by another of the same call");
    assert!(fs::read_to_string(out.join(format!("{uuid}.vtt"))).unwrap().contains("corrected again"));
    let mut words: Vec<String> = fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("a-"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    words.sort();
    assert_eq!(words.len(), 2);
    assert!(words[0].contains("of another") && words[1].contains("of one tenant"), "{words:?}");
}

#[test]
fn of_other_calls_than_the_one_that_is_named_nothing_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut half = row("t", "half", 0, "r1", "hello");
    half["parts"] = json!(2);
    // No model is there that could read this.
    let unlabelled = json!({"id": 7, "turns": [{"speaker": "agent", "text": "hello"}]});
    let lines = format!("{unlabelled}\n{half}\n{}\n", row("t", "a", 0, "r2", "of this call"));
    let file = write(folder.path(), "calls.jsonl", &lines);
    check(&["export", "--to", "vtt", "--call", "a", &file], 0, "of this call", "");
    check(&["rules", "explain", "--call", "a", &file], 0, "script.greeting", "");
    let missing = callqa(&["export", "--to", "vtt", "--call", "b", &file]);
    assert_eq!(missing.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&missing.stderr), "callqa: no file has a call with the id b\n");
}

#[test]
fn an_export_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [row("t", "b", 0, "rb", "hello"), row("t", "a", 0, "ra", "hello")];
    let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let input = write(folder.path(), "a.json", &lines);
    let out = folder.path().to_str().unwrap();
    let said = "a.json: this is there already; name another folder with --out, or remove it";
    check(&["export", "--to", "contact-lens", "--out", out, &input], 1, "", said);
    assert_eq!(fs::read_to_string(&input).unwrap(), lines);
    assert!(!folder.path().join("b.json").exists(), "half a folder");
}

#[test]
fn files_without_a_call_are_no_empty_export() {
    let folder = tempfile::tempdir().unwrap();
    let empty = write(folder.path(), "empty.jsonl", "");
    let said = format!("callqa: {empty}: there is no call in it; give what");
    let export = ["export", "--to", "html", &empty];
    check(&export, 1, "", &said);
    check(&[&export[..], &["--out", folder.path().to_str().unwrap()]].concat(), 1, "", &said);
}
