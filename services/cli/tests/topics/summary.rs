//! `callqa results --summary`: the rows of the results that count, for programs.

use super::*;

#[test]
fn a_summary_has_each_finding_of_the_results_that_count_once() {
    let kafka = Kafka::start();
    let (corrected, finding) = flagged("a");
    let corrected = ResultRow { revision: Some(1), ending_id: "of revision 1".into(), ..corrected };
    let first = ResultRow { result_id: "of revision 0".into(), ..flagged("a").0 };
    let other = FindingRow { row_id: "another row".into(), kind: "label".into(), ..finding.clone() };
    let superseded = FindingRow { result_id: first.result_id.clone(), ..finding.clone() };
    for row in [&finding, &superseded, &other, &finding] {
        kafka.put("qa.findings.v1", "a", row);
    }
    for row in [&corrected, &first] {
        kafka.put("qa.results.v1", "a", row);
    }
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("rows.jsonl");
    kafka.check(&["results", "--summary", summary.to_str().unwrap()], 0, &["[conduct.rude]"]);
    let lines = json_lines(&summary);
    let written: Vec<[&str; 2]> = lines
        .iter()
        .map(|line| [&line["topic"], &line["row"]["row_id"]].map(|value| value.as_str().unwrap()))
        .collect();
    let expected = [["qa.findings.v1", "row"], ["qa.findings.v1", "another row"], ["qa.results.v1", ""]];
    assert_eq!(written, expected);
}

#[test]
fn a_summary_that_cannot_be_written_is_told_before_the_wait() {
    let kafka = Kafka::start();
    let wait = ["results", "--expect", "1", "--timeout", "1s", "--summary", "/nonexistent/rows.jsonl"];
    let output = kafka.callqa(&wait);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("callqa: /nonexistent/rows.jsonl: No such file"), "{said}");
    assert!(!said.contains("0/1 calls"), "{said}");
}

/// A row of the call's words, as the worker publishes them.
fn observations(call_id: &str, result_id: &str) -> Value {
    json!({
        "schema_version": 1, "row_id": format!("words of {result_id}"), "result_id": result_id,
        "tenant": "default", "call_id": call_id, "part": 0, "parts": 1, "purpose": "live",
        "direction": "inbound", "ended_by": "agent", "duration_ms": 6000,
        "channel": ["agent", "customer"], "channel_language": ["en", "en"],
        "threshold_label": ["closing"], "threshold_holds": [0.5], "threshold_doubt": [0.4],
        "speech_channel": ["agent", "customer"], "speech_start_ms": [0, 3000], "speech_end_ms": [2000, 6000],
        "utterance_speaker": ["agent", "customer"], "utterance_start_ms": [0, 3000],
        "utterance_end_ms": [2000, 6000], "utterance_text": ["hello there", "hello"],
        "utterance_confidence": [0.9, 0.9],
        "score_utterance": [0], "score_label": ["closing"], "score_probability": [0.1]
    })
}

#[test]
fn a_summary_with_observations_is_explained() {
    let kafka = Kafka::start();
    end_both(&kafka);
    for result_id in ["result of a", "an earlier result of a", "result of a"] {
        kafka.put("qa.observations.v1", "a", &observations("a", result_id));
    }
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("rows.jsonl");
    let path = summary.to_str().unwrap();

    kafka.check(&["results", "--summary", path], 0, &[]);
    let missing =
        "callqa: the files have rows of other topics alone; `callqa results --summary FILE --observations`";
    kafka.check(&["rules", "explain", path], 1, &[missing]);

    kafka.check(&["results", "--summary", path, "--observations"], 0, &[]);
    let rows = json_lines(&summary);
    let words: Vec<&Value> = rows.iter().filter(|line| line["topic"] == "qa.observations.v1").collect();
    assert_eq!(words.len(), 1, "one row, of the result that counts: {words:?}");
    assert_eq!(words[0]["row"]["result_id"], "result of a");
    let closing = "must: agent: closing, in the last 2 turns: no";
    kafka.check(&["rules", "explain", "--rule", "script.closing", path], 0, &[closing]);
    kafka.check(&["export", "--to", "vtt", path], 0, &["<v Agent>hello there"]);
    let rulebook = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/rulebooks/service-baseline.toml");
    let backtest = ["rules", "backtest", "--from", rulebook, "--to", rulebook, path];
    kafka.check(&backtest, 0, &["1 call, of which 0 would be judged otherwise"]);
}
