//! The sample calls through a broker process, the worker process and real whisper, against what their writer
//! expected.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;

use callqa_tests::{Broker, Worker, callqa, read_all, top};
use serde::Deserialize;
use serde_json::Value;

/// Of all verdicts on all sample calls, at least this share must be the expected one.
const AGREEMENT_NEEDED: f64 = 0.80;

#[derive(Deserialize)]
struct Script {
    id: String,
    expected: Expected,
}

#[derive(Deserialize)]
struct Expected {
    outcome: String,
    flagged: bool,
    verdicts: BTreeMap<String, String>,
    key_phrases: BTreeMap<String, Vec<Vec<String>>>,
    #[serde(default)]
    redacted: Vec<Redacted>,
}

#[derive(Deserialize)]
struct Redacted {
    value: String,
}

fn scripts() -> Vec<Script> {
    let mut paths: Vec<_> = std::fs::read_dir(top().join("tests/calls"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".script.toml"))
        .collect();
    paths.sort();
    paths.iter().map(|path| toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()).collect()
}

fn of_call<'a>(rows: &'a [Value], call_id: &str) -> Vec<&'a Value> {
    rows.iter().filter(|row| row["call_id"] == call_id).collect()
}

/// Letters and digits only, in lower case: whisper punctuates as it likes.
fn folded(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[test]
fn sample_calls_are_judged_as_their_writer_expected() {
    let scripts = scripts();
    let broker = Broker::start();
    let calls = top().join("tests/calls").canonicalize().unwrap();
    let worker = Worker::start(&broker, &calls);
    let summary = tempfile::NamedTempFile::new().unwrap();
    let published = callqa(
        broker.address(),
        &["publish", calls.to_str().unwrap(), "--wait", "--summary", summary.path().to_str().unwrap()],
    );
    assert_eq!(published.code, Some(0), "{}\n{}", published.stderr, worker.log());
    println!("{}", published.stdout);

    let rows =
        |topic| read_all(broker.address(), topic).into_iter().map(|record| record.json).collect::<Vec<_>>();
    let (results, findings, observations) =
        (rows("qa.results.v1"), rows("qa.findings.v1"), rows("qa.observations.v1"));

    let (mut right, mut all) = (0_u32, 0_u32);
    let (mut phrases_heard, mut phrases) = (0_u32, 0_u32);
    let mut disagreements = Vec::new();
    for script in &scripts {
        let result = of_call(&results, &script.id);
        assert_eq!(result.len(), 1, "{} has exactly one ending", script.id);
        let result = result[0];
        let mut compare = |what: &str, expected: &str, actual: &str| {
            all += 1;
            if expected == actual {
                right += 1;
            } else {
                disagreements.push(format!("{} {what}: expected {expected}, got {actual}", script.id));
            }
        };
        for finding in of_call(&findings, &script.id).into_iter().filter(|row| row["kind"] == "verdict") {
            let rule = finding["name"].as_str().unwrap();
            compare(rule, &script.expected.verdicts[rule], finding["ruling"].as_str().unwrap());
        }
        compare("outcome", &script.expected.outcome, result["outcome"].as_str().unwrap());
        compare("flagged", &script.expected.flagged.to_string(), &result["flagged"].to_string());

        let transcript = of_call(&observations, &script.id);
        for (speaker, expected) in &script.expected.key_phrases {
            let said = folded(&spoken_by(&transcript, speaker));
            for ways in expected {
                phrases += 1;
                if ways.iter().any(|way| said.contains(&folded(way))) {
                    phrases_heard += 1;
                } else {
                    disagreements.push(format!("{} {speaker} was not heard to say {ways:?}", script.id));
                }
            }
        }
        let published = ["agent", "customer"].map(|speaker| folded(&spoken_by(&transcript, speaker)));
        for redacted in &script.expected.redacted {
            let heard = published.iter().any(|text| text.contains(&redacted.value));
            assert!(!heard, "{}: a number was published", script.id);
        }
    }
    let agreement = f64::from(right) / f64::from(all);
    println!("agreement with the expected verdicts: {right} of {all} = {agreement:.3}");
    println!("key phrases heard: {phrases_heard} of {phrases}");
    println!("disagreements:\n  {}", disagreements.join("\n  "));
    assert!(agreement >= AGREEMENT_NEEDED, "agreement is {agreement:.3}");
    assert!(
        f64::from(phrases_heard) >= AGREEMENT_NEEDED * f64::from(phrases),
        "{phrases_heard} of {phrases}"
    );

    let audit = callqa(broker.address(), &["audit"]);
    assert_eq!(audit.code, Some(0), "{}{}", audit.stdout, audit.stderr);
    assert_eq!(worker.stop(), Some(0));
}

/// All words of one speaker, from the rows of the observations topic.
fn spoken_by(rows: &[&Value], speaker: &str) -> String {
    let mut said = String::new();
    for row in rows {
        let (Some(speakers), Some(texts)) =
            (row["utterance_speaker"].as_array(), row["utterance_text"].as_array())
        else {
            continue;
        };
        for (who, text) in speakers.iter().zip(texts) {
            if who == speaker {
                said.push_str(text.as_str().unwrap_or_default());
            }
        }
    }
    said
}
