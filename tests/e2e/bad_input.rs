//! Whatever comes in ends in exactly one ending with its reason, and the next call goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use callqa_tests::{Broker, Launch, Worker, callqa, publish, read_all, top, wait_for};
use serde_json::{Value, json};

const INPUT: &str = "qa.calls.recorded.v1";
/// All of these together are a minute of work at the most; the rest is waiting for retries.
const ENDED_WITHIN: Duration = Duration::from_secs(240);

/// A silent PCM WAV file.
fn wav(channels: u16, rate: u32, bytes_each: u16, frames: u32) -> Vec<u8> {
    let frame = channels * bytes_each;
    let bytes = frames * u32::from(frame);
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + bytes).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend(1_u16.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(frame)).to_le_bytes());
    file.extend(frame.to_le_bytes());
    file.extend((bytes_each * 8).to_le_bytes());
    file.extend(b"data");
    file.extend(bytes.to_le_bytes());
    // Silence is 128 where samples have one byte, and 0 where they have two.
    file.resize(file.len() + bytes as usize, if bytes_each == 1 { 128 } else { 0 });
    file
}

struct Case {
    call_id: &'static str,
    event: Vec<u8>,
    headers: Vec<(&'static str, &'static str)>,
    /// The ending and the reason.
    expect: (&'static str, &'static str),
}

fn event(call_id: &str, recording: &Value, more: &Value) -> Vec<u8> {
    let mut event = json!({ "tenant": "demo", "call_id": call_id, "recording": recording });
    for (key, value) in more.as_object().unwrap() {
        event[key] = value.clone();
    }
    event.to_string().into_bytes()
}

/// A case around a recording that is written to the folder.
fn recorded(root: &Path, call_id: &'static str, file: &[u8], expect: (&'static str, &'static str)) -> Case {
    let path = root.join(format!("{call_id}.wav"));
    std::fs::write(&path, file).unwrap();
    let recording = json!({ "uri": format!("file://{}", path.display()) });
    Case { call_id, event: event(call_id, &recording, &json!({})), headers: Vec::new(), expect }
}

fn cases(root: &Path) -> Vec<Case> {
    let dead = |reason| ("dead_lettered", reason);
    let good = wav(2, 8000, 2, 80_000);
    let mut text = b"this is not audio, whatever its name says. ".repeat(40);
    text.push(b'\n');
    let mut cases = vec![
        recorded(root, "zero-bytes", b"", dead("recording_empty")),
        recorded(root, "text", &text, dead("not_audio")),
        recorded(root, "truncated", &good[..good.len() / 2], dead("damaged_audio")),
        recorded(root, "one-millisecond", &wav(2, 8000, 2, 8), dead("recording_too_short")),
        recorded(root, "nine-channels", &wav(9, 8000, 2, 8000), dead("too_many_channels")),
        recorded(root, "odd-rate", &wav(2, 2000, 2, 8000), dead("sample_rate_out_of_range")),
        recorded(root, "silence", &good, ("excluded", "no_speech")),
    ];
    // Ten hours of silence in a format that keeps them small.
    cases.push(recorded(root, "five-hours", &wav(1, 8000, 1, 5 * 3600 * 8000), dead("recording_too_long")));
    let uri = |name: &str| json!({ "uri": format!("file://{}", root.join(name).display()) });
    let mut more = |call_id, recording: Value, fields: Value, expect| {
        cases.push(Case { call_id, event: event(call_id, &recording, &fields), headers: Vec::new(), expect });
    };
    more("missing", uri("nowhere.wav"), json!({}), dead("recording_missing"));
    more("outside", json!({ "uri": "file:///etc/hostname" }), json!({}), dead("recording_forbidden"));
    let mut mismatch = uri("silence.wav");
    mismatch["sha256"] = json!("0".repeat(64));
    more("wrong-hash", mismatch, json!({}), dead("recording_mismatch"));
    more(
        "wrong-layout",
        uri("silence.wav"),
        json!({ "channel_layout": "mono" }),
        dead("wrong_channel_layout"),
    );
    more("unknown-language", uri("silence.wav"), json!({ "agent_language": "fr" }), dead("unknown_language"));
    more("test-call", uri("silence.wav"), json!({ "purpose": "test" }), ("excluded", "test_call"));
    more("two-mistakes", json!({}), json!({ "started_at": "yesterday" }), dead("invalid_event"));
    cases.push(Case {
        call_id: "",
        event: b"{ this is no JSON".to_vec(),
        headers: vec![("content-type", "application/json")],
        expect: dead("undecodable_event"),
    });
    cases.push(Case {
        call_id: "",
        event: event("later-version", &uri("silence.wav"), &json!({})),
        headers: vec![("content-type", "application/json"), ("ce_type", "org.callqa.call.recorded.v9")],
        expect: dead("unknown_version"),
    });
    cases
}

#[test]
fn every_bad_call_ends_once_and_the_next_one_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let broker = Broker::start();
    let worker = Launch::released(broker.address(), &root).set("store.recording_grace", "5s").start();

    let cases = cases(&root);
    for case in &cases {
        publish(broker.address(), INPUT, case.call_id, &case.event, &case.headers);
    }
    let good = std::fs::read(top().join("tests/calls/13-en-hotel-dates.opus")).unwrap();
    std::fs::write(root.join("good.opus"), good).unwrap();
    let recording = json!({ "uri": format!("file://{}/good.opus", root.display()) });
    publish(
        broker.address(),
        INPUT,
        "good",
        &event("good", &recording, &json!({ "agent_language": "en" })),
        &[],
    );

    let endings = wait_for(ENDED_WITHIN, || {
        let endings = read_all(broker.address(), "qa.results.v1");
        (endings.len() > cases.len()).then_some(endings)
    });
    let endings = endings.unwrap_or_else(|| panic!("an ending a call; the worker's log:\n{}", worker.log()));

    let mut found: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for ending in &endings {
        let text = |field: &str| ending.json[field].as_str().unwrap_or_default().to_owned();
        found.entry(text("call_id")).or_default().push((text("ending"), text("reason")));
        let published = String::from_utf8_lossy(&ending.payload);
        assert!(!published.contains(root.to_str().unwrap()), "a path was published: {published}");
    }
    for case in &cases {
        let expect = (case.expect.0.to_owned(), case.expect.1.to_owned());
        let of_call = found.get(case.call_id).cloned().unwrap_or_default();
        let times = of_call.iter().filter(|ending| **ending == expect).count();
        assert_eq!(times, 1, "{:?}: expected {expect:?} once, got {of_call:?}", case.call_id);
    }
    for letter in read_all(broker.address(), "qa.calls.dlq.v1") {
        let detail = letter.json["detail"].as_str().unwrap_or_default();
        assert!(!detail.contains(root.to_str().unwrap()), "a path was published: {detail}");
        assert_eq!(letter.header("callqa_source_topic"), Some(INPUT));
    }
    let assessed = found["good"].iter().map(|(ending, _)| ending.as_str()).collect::<Vec<_>>();
    assert_eq!(assessed, ["assessed"]);

    let audit = callqa(broker.address(), &["audit"]);
    assert_eq!(audit.code, Some(0), "{}{}", audit.stdout, audit.stderr);
    assert_eq!(worker.stop(), Some(0));
}

/// The same event twice: the second ending repeats the first byte for byte, under the same id.
#[test]
fn a_redelivery_repeats_the_same_ending() {
    let calls = top().join("tests/calls").canonicalize().unwrap();
    let broker = Broker::start();
    let worker = Worker::start(&broker, &calls);
    let recording = json!({ "uri": format!("file://{}/13-en-hotel-dates.opus", calls.display()) });
    let event = event("again", &recording, &json!({ "agent_language": "en", "ended_by": "agent" }));
    for _ in 0..2 {
        publish(broker.address(), INPUT, "again", &event, &[]);
    }
    let twice = wait_for(ENDED_WITHIN, || {
        let results = read_all(broker.address(), "qa.results.v1");
        (results.len() == 2).then_some(results)
    });
    let results =
        twice.unwrap_or_else(|| panic!("two deliveries, two endings; the worker's log:\n{}", worker.log()));
    assert_eq!(results[0].payload, results[1].payload);
    assert_eq!(results[0].header("ce_id"), results[1].header("ce_id"));
    assert_eq!(results[0].key, "demo/again");

    for topic in ["qa.findings.v1", "qa.observations.v1", "qa.review.tasks.v1"] {
        let mut rows: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
        for record in read_all(broker.address(), topic) {
            rows.entry(record.header("ce_id").unwrap().to_owned()).or_default().push(record.payload);
        }
        for (id, payloads) in rows {
            assert_eq!(payloads.len(), 2, "{topic}: row {id} came {} times", payloads.len());
            assert_eq!(payloads[0], payloads[1], "{topic}: row {id} differs");
        }
    }
    assert_eq!(worker.stop(), Some(0));
}
