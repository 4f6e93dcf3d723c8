//! `rules test` and `rules backtest` through the real program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use callqa_tests::{Outcome, callqa, top};
use serde_json::{Value, json};

/// Nobody listens there: neither command must ask for a broker.
const NO_BROKER: &str = "127.0.0.1:1";
/// What no message may repeat.
const SECRET: &str = "watchword";

fn baseline() -> String {
    top().join("deploy/rulebooks/service-baseline.toml").to_str().unwrap().to_owned()
}

/// Runs a command on a file of its own with this text.
fn run(command: &[&str], text: &str) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, text).unwrap();
    callqa(NO_BROKER, &[command, &[file.to_str().unwrap()]].concat())
}

#[test]
fn the_shipped_rulebook_passes_its_tests() {
    let tests = top().join("deploy/rulebooks/service-baseline.tests.toml");
    let rulebook = baseline();
    for more in [&[][..], &["--rulebook", rulebook.as_str()]] {
        let outcome = callqa(NO_BROKER, &[&["rules", "test", tests.to_str().unwrap()], more].concat());
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{}", outcome.stdout);
        assert!(outcome.stdout.ends_with(": all as expected\n"), "{}", outcome.stdout);
    }
}

#[test]
fn an_expectation_that_fails() {
    let text = "[[case]]\nname = \"rude\"\ndialogue = '''\ncustomer @0-1: 喂\nagent @2-3: 闭嘴 #rude\n'''\n\
        [case.expect]\nattitude.rude = \"met\"\nscript.forbidden-phrases = \"violated\"\n";
    let outcome = run(&["rules", "test"], text);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), ""));
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    let failure = ":8: rude: attitude.rude expected met, judged violated; agent 2.0-3.0 s \"闭嘴\"";
    assert!(lines[0].ends_with(failure), "{lines:?}");
    assert_eq!(lines[1..], ["1 case, 2 expectations: 1 not as expected, agreement 0.500"]);
}

#[test]
fn a_file_with_mistakes() {
    let text = "[[case]]\nname = \"x\"\ndialogue = '''\n您好\nagent: 您好 #hello\n'''\n\
        [case.expect]\nscript.hello = \"met\"\n";
    let outcome = run(&["rules", "test"], text);
    assert_eq!(outcome.code, Some(1));
    let said: Vec<&str> = outcome.stderr.lines().collect();
    assert!(said[0].ends_with(": 3 mistakes"), "{said:?}");
    for (line, expect) in
        said[1..].iter().zip([":4: nobody says this", ":5: #hello is no label", ":8: `script.hello` is"])
    {
        assert!(line.contains(expect), "{line}");
    }
    assert_eq!(outcome.stdout, "0 cases, 0 expectations; 1 file not run because of mistakes\n");
}

/// A row of a call in which the agent says hello, and says nothing more.
fn row(call: &str) -> Value {
    let labels = ["rude", "greeting", "closing"];
    json!({
        "schema_version": 1, "result_id": call, "tenant": "t", "call_id": call, "part": 0, "parts": 1,
        "purpose": "live", "direction": "inbound", "ended_by": "agent", "duration_ms": 6000,
        "leg_agent_id": ["1024"], "leg_from_ms": [-1], "leg_to_ms": [-1], "labels": {"team": "north"},
        "channel": ["agent", "customer"], "channel_language": ["en", "en"],
        "threshold_label": labels, "threshold_holds": [0.5, 0.5, 0.5], "threshold_doubt": [0.4, 0.4, 0.4],
        "speech_channel": ["agent", "customer"], "speech_start_ms": [0, 3000], "speech_end_ms": [2000, 6000],
        "utterance_speaker": ["agent", "customer"], "utterance_start_ms": [0, 3000],
        "utterance_end_ms": [2000, 6000], "utterance_text": ["hello there", SECRET],
        "utterance_confidence": [0.9, 0.9],
        "score_utterance": [0, 0, 0], "score_label": labels, "score_probability": [0.1, 0.9, 0.1]
    })
}

#[test]
fn a_backtest_goes_on_behind_a_row_that_can_not_be_read() {
    let old = std::fs::read_to_string(baseline()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let new = folder.path().join("new.toml");
    // Nobody need say goodbye any more: the rule asks for a greeting instead.
    std::fs::write(
        &new,
        old.replace(
            "labels = [\"closing\"], window.last_turns = 2",
            "labels = [\"greeting\"], window.last_turns = 2",
        ),
    )
    .unwrap();
    let broken = row("b").to_string().replace("\"agent\"", SECRET);
    let rows = format!("{}\n{broken}\n{}\n", row("a"), row("c"));
    let old = baseline();
    let command = ["rules", "backtest", "--from", old.as_str(), "--to", new.to_str().unwrap()];

    let outcome = run(&command, &rows);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains(":2: this is not JSON"), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("2 calls, of which 2 would be judged otherwise"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("violated -> met") && outcome.stdout.contains("north"));

    let outcome = run(&[&command[..], &["--json"]].concat(), &rows);
    let lines: Vec<Value> = outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    let changed = lines[0]["verdicts"].as_array().unwrap().iter().find(|v| v["rule"] == "script.closing");
    let changed = changed.expect("the goodbye is judged otherwise");
    assert_eq!((&changed["from"], &changed["to"]), (&json!("violated"), &json!("met")));
    assert!(lines[0]["after"]["score"].as_u64() > lines[0]["before"]["score"].as_u64());
    assert!(!outcome.stderr.contains(SECRET) && !outcome.stdout.contains(SECRET));
}

/// A stored row is explained and exported as it is: no model, no broker, and nothing that was said leaves unredacted.
#[test]
fn a_stored_call_is_explained_and_exported() {
    let mut row = row("a");
    row["utterance_text"] = json!(["hello <b>there</b>", "my card is 4111 1111 1111 1111"]);
    let line = row.to_string();

    let outcome = run(&["rules", "explain", "--rule", "script.closing"], &line);
    assert_eq!(outcome.code, Some(0), "{}{}", outcome.stdout, outcome.stderr);
    // A row does not say which rulebook judged it.
    assert!(outcome.stderr.contains("what follows is what service-baseline "), "{}", outcome.stderr);
    for part in
        ["script.closing  Closing", "violated, −3 (minor)", "must: agent: closing, in the last 2 turns: no"]
    {
        assert!(outcome.stdout.contains(part), "{part:?} is not in\n{}", outcome.stdout);
    }
    let outcome = run(&["rules", "explain", "--json"], &line);
    let explained: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(explained["rules"].as_array().unwrap().len(), 23);

    let outcome = run(&["export", "--to", "vtt"], &line);
    assert!(
        outcome
            .stdout
            .starts_with("WEBVTT\n\n1\n00:00:00.000 --> 00:00:02.000\n<v Agent>hello &lt;b&gt;there")
    );
    let outcome = run(&["export", "--to", "contact-lens"], &line);
    let analysis: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(analysis["Transcript"][1]["Content"], "my card is [card]");
    let outcome = run(&["export", "--to", "html", "--lang", "zh"], &line);
    assert!(
        outcome.stdout.contains("礼貌结束") && !outcome.stdout.contains("<b>there"),
        "{}",
        outcome.stdout
    );
    assert!(!outcome.stdout.contains("4111"));
}

#[test]
fn what_can_not_be_explained_is_told_in_a_sentence() {
    let outcome = run(&["rules", "explain", "--rule", "script.hello"], "{}");
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("service-baseline has no rule script.hello"), "{}", outcome.stderr);
    let outcome = run(&["rules", "explain"], &json!({"secret": SECRET}).to_string());
    assert_eq!(outcome.code, Some(1));
    assert!(
        outcome.stderr.contains("this is no call on file") && !outcome.stderr.contains(SECRET),
        "{}",
        outcome.stderr
    );
    let excluded = json!({"call_id": "x", "ending": "excluded", "reason": "no_speech"}).to_string();
    let outcome = run(&["export", "--to", "vtt"], &excluded);
    assert!(outcome.stderr.contains("was not assessed"), "{}", outcome.stderr);
    let two = format!("{}\n{}\n", row("a"), row("b"));
    let outcome = run(&["export", "--to", "vtt"], &two);
    assert!(outcome.stderr.contains("the files have 2 calls"), "{}", outcome.stderr);
}
