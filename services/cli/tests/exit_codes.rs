//! What the built program says and how it exits, without models and without a broker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output};

/// Nothing listens on port 1 of this machine: a refused connection, at once.
const NO_BROKER: &str = "127.0.0.1:1";

fn callqa(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callqa"));
    command.args(args).env_remove("CALLQA_BROKERS").env("CALLQA_MODELS", "/nonexistent");
    command.output().unwrap()
}

#[track_caller]
fn check(args: &[&str], code: i32, stdout: &str, stderr: &str) {
    let output = callqa(args);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    assert!(out.contains(stdout), "{stdout:?} is not in standard output:\n{out}");
    assert!(err.contains(stderr), "{stderr:?} is not in standard error:\n{err}");
}

#[test]
fn a_wrong_command_line_is_2() {
    check(&[], 2, "", "Usage");
    check(&["assess"], 2, "", "PATH");
    check(&["assess", "a.wav", "--language", "fr"], 2, "", "zh, en, auto");
    check(&["assess", "a.wav", "--analysts", "0"], 2, "", "0 is not in 1..");
    check(&["transcribe", "a.wav"], 2, "", "unrecognized subcommand");
    check(&["publish", "calls", "--inline", "--by-uri"], 2, "", "cannot be used with");
    check(&["results", "--follow", "--expect", "3"], 2, "", "cannot be used with");
    check(&["results", "--follow", "--summary", "rows"], 2, "", "cannot be used with");
    check(&["results", "--observations"], 2, "", "--summary <FILE>");
    for outlet in [&["--json"][..], &["--summary", "rows"], &["--timeout", "1m"]] {
        check(&[&["publish", "calls"], outlet].concat(), 2, "", "--wait");
    }
    check(&["rules", "explain"], 2, "", "<FILE>...");
    check(&["export", "--to", "vtt"], 2, "", "<FILE>...");
    check(&["results", "--timeout", "soon"], 2, "", "write 90s, 15m or 1h30m");
    check(&["rules", "check"], 2, "", "FILE");
    check(&["topics", "create", "--partitions", "0"], 2, "", "0 is not in 1..");
}

#[test]
fn help_and_version_are_0() {
    check(&["--version"], 0, "callqa 0.", "");
    check(&["assess", "--help"], 0, "JSON Lines in the order of the file names", "");
    check(
        &["--help"],
        0,
        "Exit codes: 0 done; 1 a call or the command failed; 2 the command line is wrong",
        "",
    );
}

#[test]
fn a_path_without_recordings_is_1_and_named() {
    check(&["assess", "no/such.wav"], 1, "", "callqa: no/such.wav: No such file");
    let folder = tempfile::tempdir().unwrap();
    check(&["assess", folder.path().to_str().unwrap()], 1, "", "there is no recording in this folder");
}

#[test]
fn mistakes_of_a_sheet_are_1_and_come_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.wav"), "").unwrap();
    fs::write(folder.path().join("calls.csv"), "file,direction\na.wav,up\nb.wav,inbound\n").unwrap();
    let path = folder.path().to_str().unwrap();
    check(&["assess", path], 1, "", "line 2, column 2 (direction): is none of inbound, outbound, unknown");
    check(&["publish", path, "--brokers", NO_BROKER], 1, "", "calls.csv: 1 mistake");
}

#[test]
fn models_that_are_not_there_are_1_and_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.wav");
    fs::write(&file, "").unwrap();
    check(&["assess", file.to_str().unwrap()], 1, "", "`models/fetch` brings it");
    check(&["verify-models"], 1, "", "`models/fetch` brings it");
}

#[test]
fn the_heads_of_the_configuration_are_verified() {
    let folder = tempfile::tempdir().unwrap();
    let (config, heads) = (folder.path().join("worker.toml"), folder.path().join("heads"));
    fs::create_dir(&heads).unwrap();
    fs::write(heads.join("politeness.onnx"), "another").unwrap();
    fs::write(&config, format!("[models]\nheads = '{}'\n", heads.display())).unwrap();
    check(
        &["verify-models", "--config", config.to_str().unwrap()],
        1,
        "",
        "model politeness is not the pinned file",
    );
}

#[test]
fn a_broker_that_is_not_there_is_1_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.wav"), "").unwrap();
    let output = callqa(&["publish", folder.path().to_str().unwrap(), "--brokers", NO_BROKER]);
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(err.starts_with("callqa: no Kafka broker answered at 127.0.0.1:1 within 10 s"), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
}

/// Settings may stand in the environment; what is no text is none of them.
#[test]
fn an_environment_that_is_no_text_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("worker.toml");
    fs::write(&config, "[kafka]\ngruop = 'x'\n").unwrap();
    for (args, part) in [
        (&["check-config", config.to_str().unwrap()][..], "did you mean kafka.group?"),
        (&["publish", "no/such.wav"][..], "no/such.wav: No such file"),
        (&["verify-models"][..], "`models/fetch` brings it"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callqa"));
        command.args(args).env_remove("CALLQA_BROKERS").env("CALLQA_MODELS", "/nonexistent");
        let output = command.env("LEGACY", OsStr::from_bytes(b"\xff")).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {err}");
        assert!(err.contains(part), "{args:?}: {err}");
    }
}

#[test]
fn rules_are_checked() {
    let baseline = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/rulebooks/service-baseline.toml");
    check(&["rules", "check", baseline], 0, "rules, no mistakes", "");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.toml");
    fs::write(&file, "id = 'x'\nversion = '1'\nconfidence_floor = 7\n").unwrap();
    check(
        &["rules", "check", baseline, file.to_str().unwrap()],
        1,
        "no mistakes",
        "2 mistakes in the rulebook",
    );
    check(&["rules", "check", "no-such.toml"], 1, "", "no-such.toml: No such file");
}

#[test]
fn a_configuration_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("worker.toml");
    let tree = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let here = folder.path().display();
    let rulebook = format!("[rulebook]\nfile = '{tree}/deploy/rulebooks/service-baseline.toml'\n");
    let models = format!("[models]\ndir = '{here}'\nheads = '{tree}/models/heads'\n");
    let all_there = format!(
        "{rulebook}{models}manifest = '{tree}/models/manifest.toml'\n[store]\nfile_roots = ['{here}']\n\
         [journal]\nfolder = '{here}'\n"
    );
    fs::write(&file, format!("{all_there}[kafka]\ngruop = 'x'\n[analysts]\ncount = 0\n")).unwrap();
    check(&["check-config", file.to_str().unwrap()], 1, "", "worker.toml: 2 mistakes");
    fs::write(&file, &all_there).unwrap();
    check(&["check-config", file.to_str().unwrap()], 0, "no mistakes", "");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["worker.toml"], "looking leaves nothing behind");
}

/// What is wrong with the settings and what they name that is not there, in one letter.
#[test]
fn all_that_a_worker_opens_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().display();
    let file = folder.path().join("worker.toml");
    fs::write(folder.path().join("rules.toml"), "id = 'x'\nversion = '1'\nconfidence_floor = 7\n").unwrap();
    let settings = format!(
        "[kafka]\ngruop = 'x'\n[rulebook]\nfile = '{here}/rules.toml'\n\
         [models]\ndir = '{here}/no-models'\nheads = '{here}/no-heads'\nmanifest = '{here}/no-manifest'\n\
         [store]\nfile_roots = ['{here}', '{here}/no-calls', '{here}/no-more']\nspool = '{here}/no-spool'\n\
         ca_file = '{here}/no-ca'\n[journal]\nfolder = 'relative'\n"
    );
    fs::write(&file, settings).unwrap();
    for part in [
        "worker.toml: 10 mistakes",
        "is not a setting; did you mean kafka.group?",
        "mistakes in the rulebook:",
        "no-manifest: No such file",
        "models.dir ",
        "models.heads ",
        "no-calls` can't be used: No such file",
        "no-more` can't be used: No such file",
        "store.spool ",
        "store.ca_file ",
        "`relative` is not an absolute path",
    ] {
        check(&["check-config", file.to_str().unwrap()], 1, "", part);
    }
}
