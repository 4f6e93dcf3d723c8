//! Rows as they are published, judged by two rulebooks.

use std::fmt::Write as _;
use std::fs;

use callqa_domain::{Assessment, Judgement, Label, Provenance, Threshold, judge};
use callqa_proto::header::EventHeaders;
use callqa_proto::{Delivery, Ending, Topic};
use serde_json::{Value, json};

use super::*;
use crate::judge::reading::Reading;
use crate::judge::transcript::Dialogue;

/// The default rulebook, in which greeting is dearer, no insult is fatal, and a rule is gone and another new.
fn changed_rulebook() -> Rulebook {
    let text = rules::BASELINE
        .replacen("id = \"service-baseline\"", "id = \"ours\"", 1)
        .replacen("points = 3", "points = 20", 1)
        .replace("class = \"fatal\"\n", "class = \"minor\"\npoints = 1\n")
        .replace("id = \"resolution.repeat-contact\"", "id = \"resolution.came-back\"")
        .replace("labels = [\"dismissive\"] }", "labels = [\"dismissive\", \"blame_shifting\"] }");
    Rulebook::parse(&text).unwrap()
}

const GREETS: &str = "您好";
const RUDE: &str = "你脑子进水了吧";
const SHIFTS: &str = "这不是我们的问题";

/// The rows of a call in which an agent says one thing.
fn rows(call_id: &str, revision: u32, agent: &str, says: &str) -> Vec<String> {
    let given = |text, label| if says == text { label } else { json!(null) };
    let labels = json!({"politeness": given(RUDE, json!("rude")),
        "script": given(GREETS, json!(["greeting"])).as_array().cloned()
            .or(given(SHIFTS, json!(["blame_shifting"])).as_array().cloned()).unwrap_or_default()});
    let dialogue = json!({"id": call_id, "queue": "broadband", "ended_by": "agent", "turns": [
        {"speaker": "agent", "text": says, "labels": labels},
        {"speaker": "customer", "text": "我的宽带坏了", "labels": {"resolution": ["states_issue"]}},
        {"speaker": "agent", "text": "已经好了", "labels": {}}]});
    let mut dialogue = Dialogue::read(&dialogue).unwrap();
    dialogue.call.revision = revision;
    dialogue.call.legs = vec![callqa_domain::Leg { agent_id: agent.to_owned(), from_ms: None, to_ms: None }];
    published(dialogue)
}

/// What the worker would publish of a call.
fn published(dialogue: Dialogue) -> Vec<String> {
    let mut observations = Reading::of(&dialogue, None, None).unwrap().observations;
    observations.thresholds =
        Label::ALL.iter().map(|&label| (label, Threshold { holds: 0.6, doubt: 0.4 })).collect();
    let rulebook = rules::read(None).unwrap();
    let Judgement { acoustics, coverage, outcome, verdicts, scorecard, flag } =
        judge(&dialogue.call, &observations, &rulebook);
    let provenance = Provenance {
        event_digest: String::new(),
        recording_sha256: String::new(),
        models: Vec::new(),
        rulebook: rulebook.id().to_owned(),
        rulebook_version: rulebook.version().to_owned(),
        rulebook_digest: rulebook.digest().to_owned(),
        config_digest: String::new(),
        build: String::new(),
    };
    let call = dialogue.call;
    let assessment = Assessment {
        call,
        observations,
        acoustics,
        coverage,
        outcome,
        verdicts,
        scorecard,
        flag,
        provenance,
    };
    let ending = Ending::Assessed { assessment: &assessment, rulebook: &rulebook };
    let headers = EventHeaders::default();
    let messages = ending.messages(&Delivery {
        headers: &headers,
        topic: "qa.calls.v1",
        partition: 0,
        offset: 0,
        attempt: 1,
    });
    let rows = messages.unwrap().into_iter().filter(|message| message.topic == Topic::Observations);
    rows.map(|message| String::from_utf8(message.payload).unwrap()).collect()
}

/// Backtests a file of these lines.
fn backtest<'a>(from: &'a Rulebook, to: &'a Rulebook, lines: &[String]) -> Backtest<'a> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.jsonl");
    fs::write(&file, lines.join("\n")).unwrap();
    let mut backtest = Backtest::between(from, to);
    backtest.read_file(&file);
    backtest.tell_incomplete();
    backtest
}

fn three_calls() -> Vec<String> {
    [rows("a", 0, "1024", GREETS), rows("b", 0, "1024", RUDE), rows("c", 0, "2048", SHIFTS)].concat()
}

#[test]
fn the_same_rulebook_changes_nothing() {
    let rulebook = rules::read(None).unwrap();
    let backtest = backtest(&rulebook, &rulebook, &three_calls());
    assert_eq!((backtest.unread, backtest.calls.len()), (0, 3));
    assert!(backtest.changes().all(|change| !change.is_one()));
    let text = report::text(&backtest);
    assert!(text.contains("3 calls, of which 0 would be") && text.contains("no verdict changes"), "{text}");
}

#[test]
fn a_changed_rulebook_shows_by_rule_agent_and_team() {
    let (from, to) = (rules::read(None).unwrap(), changed_rulebook());
    let backtest = backtest(&from, &to, &three_calls());
    let text = report::text(&backtest);
    let said = |line: &str| {
        let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.lines().any(|found| squeezed(found) == line), "{line:?} is not in\n{text}");
    };
    let version = from.version();
    said(&format!(
        "service-baseline {version} -> ours {version}: 3 calls, of which 3 would be judged otherwise"
    ));
    said("attitude.dismissive 1 1 met -> violated");
    said("resolution.repeat-contact 3 3 met -> no rule");
    said("resolution.came-back 3 3 no rule -> met");
    said("newly flagged: 0 calls");
    said("no longer flagged: 1 call: b");
    // Each lacks name, question, survey and goodbye (-10). a greets. b does not and is rude. c does not, and shifts
    // blame.
    let scores: Vec<(u32, u32)> =
        backtest.changes().map(|change| (change.before.score, change.after.score)).collect();
    assert_eq!(scores, [(90, 90), (0, 69), (77, 50)]);
    for team in ["all", "broadband"] {
        said(&format!("{team} 3 3 55.7 69.7 +14.0 2 1"));
    }
    said("1024 2 2 45.0 79.5 +34.5 1 0");
    said("2048 1 1 77.0 50.0 -27.0 1 1");
}

#[test]
fn a_changed_call_as_json() {
    let (from, to) = (rules::read(None).unwrap(), changed_rulebook());
    let backtest = backtest(&from, &to, &rows("c", 3, "2048", SHIFTS));
    let line = dialogue::json_line(backtest.changes().next().unwrap()).unwrap();
    let json: Value = serde_json::from_str(&line).unwrap();
    let known = [("tenant", "local"), ("call_id", "c"), ("agent", "2048"), ("team", "broadband")];
    assert!(known.iter().all(|(key, value)| json[key] == *value) && json["revision"] == 3, "{json}");
    let changed = &json["verdicts"][0];
    assert_eq!((&changed["rule"], &changed["from"]), (&json!("attitude.dismissive"), &json!("met")));
    assert_eq!((&changed["to"], &changed["evidence"]["start_ms"]), (&json!("violated"), &json!(0)));
    assert!(!line.contains(SHIFTS));
}

#[test]
fn the_highest_revision_counts_and_repeats_do_not() {
    let rulebook = rules::read(None).unwrap();
    let (first, second) = (rows("a", 0, "1024", GREETS), rows("a", 1, "1024", RUDE));
    for order in [[&first, &second, &second], [&second, &first, &first]] {
        let lines: Vec<String> = order.into_iter().flatten().cloned().collect();
        let backtest = backtest(&rulebook, &rulebook, &lines);
        let change = backtest.changes().next().unwrap();
        assert_eq!((change.revision, change.before.score, backtest.calls.len()), (1, 0, 1));
        assert_eq!((backtest.superseded, backtest.unread), (1, 0));
    }
}

/// A call so long that its rows are several.
fn long_call() -> Vec<String> {
    let turn = |at: usize| {
        let speaker = if at.is_multiple_of(2) { "agent" } else { "customer" };
        json!({"speaker": speaker, "text": "好".repeat(60), "labels": {}})
    };
    let turns: Vec<Value> = (0..1_500).map(turn).collect();
    published(Dialogue::read(&json!({"id": "long", "turns": turns})).unwrap())
}

#[test]
fn parts_may_be_spread() {
    let rulebook = rules::read(None).unwrap();
    let long = long_call();
    assert!(long.len() > 1);
    let spread: Vec<String> =
        long.iter().rev().cloned().flat_map(|row| [row, three_calls()[0].clone()]).collect();
    let whole = backtest(&rulebook, &rulebook, &spread);
    assert_eq!((whole.unread, whole.calls.len()), (0, 2));
    let part = backtest(&rulebook, &rulebook, &long[1..]);
    assert_eq!((part.unread, part.calls.len()), (1, 0));
}

#[track_caller]
fn check_refusal(line: &[u8], expect: &str) {
    let sentence = stored::row(line).unwrap_err().to_string();
    assert!(sentence.contains(expect) && !sentence.contains("secret"), "{sentence}");
}

#[test]
fn refusals_never_quote() {
    check_refusal(b"secret", "not JSON (column 1)");
    check_refusal(b"{\"parts\": 1, \"utterance_text\": \"secret\"}", "another kind of value");
    check_refusal(b"{\"ending\": \"secret\"}", "no row of qa.observations.v1");
    check_refusal(b"{\"result_id\": \"secret\", \"parts\": 1, \"part\": 1}", "no row of qa.observations.v1");
    check_refusal(b"{\"result_id\": \"secret\", \"parts\": 1, \"schema_version\": 9}", "has version 9");
    let odd =
        rows("a", 0, "1024", GREETS).remove(0).replace("\"ended_by\":\"agent\"", "\"ended_by\":\"secret\"");
    let refusal: RowRefusal =
        reassemble(vec![stored::row(odd.as_bytes()).unwrap().unwrap()]).unwrap_err().into();
    assert_eq!(
        refusal.to_string(),
        "the rows of this call do not fit together: ended_by holds a code that is not known here"
    );
}

#[test]
fn the_rest_goes_on() {
    let rulebook = rules::read(None).unwrap();
    let mut lines = three_calls();
    lines.insert(1, "{".to_owned());
    lines.insert(1, String::new());
    let mut long = String::new();
    write!(long, "{{\"x\":\"{}\"}}", "x".repeat(crate::lines::LONGEST_LINE)).unwrap();
    lines.insert(0, long);
    let backtest = backtest(&rulebook, &rulebook, &lines);
    assert_eq!((backtest.unread, backtest.calls.len()), (2, 3));
    assert!(report::text(&backtest).contains("2 rows or calls could not be read"));
}

/// As `callqa results --summary` writes rows.
fn wrapped(topic: &str, row: &str) -> String {
    format!("{{\"topic\":\"{topic}\",\"row\":{row}}}")
}

#[test]
fn a_summary_is_read_whatever_its_topics_are_called() {
    let rulebook = rules::read(None).unwrap();
    let result = wrapped("ours.results", "{\"ending_id\":\"e\",\"result_id\":\"r\"}");
    let mut lines: Vec<String> = three_calls().iter().map(|row| wrapped("ours.observations", row)).collect();
    lines.insert(0, result.clone());
    let whole = backtest(&rulebook, &rulebook, &lines);
    assert_eq!((whole.unread, whole.passed_over, whole.calls.len()), (0, 1, 3));
    // Without any row of observations that is said.
    let part = backtest(&rulebook, &rulebook, &[result]);
    assert_eq!((part.unread, part.calls.len()), (1, 0));
}
