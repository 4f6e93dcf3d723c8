//! Every message of the input ends in exactly one way.

use std::collections::BTreeMap;

use callqa_proto::wire::{CallRecorded, Recording};
use callqa_proto::{Message, Topic};

use crate::Running;
use crate::calls::{GREETS, PANICS, by_uri, inline, message, ordinary, test_call, wav};
use crate::cluster::{Cluster, wait_until};

/// A message that is no event, whatever its headers say.
fn raw(key: &str, content_type: &str, payload: &[u8]) -> Message {
    let headers = vec![("content-type", content_type.to_owned())];
    Message { topic: Topic::Recorded, key: key.to_owned(), headers, payload: payload.to_vec() }
}

fn with_header(mut message: Message, name: &'static str, value: &str) -> Message {
    message.headers.retain(|(header, _)| *header != name);
    message.headers.push((name, value.to_owned()));
    message
}

fn with_sha256(call_id: &str, sha256: &str) -> CallRecorded {
    let inline = Some(wav(GREETS));
    let recording = Recording { inline, sha256: Some(sha256.to_owned()), ..Recording::default() };
    CallRecorded { recording: Some(recording), ..ordinary(call_id) }
}

fn mono_said(call_id: &str) -> CallRecorded {
    CallRecorded { channel_layout: 3, ..ordinary(call_id) }
}

/// Events, each with the ending and the reason that it must have.
fn inputs() -> Vec<(Message, &'static str, &'static str)> {
    let nowhere = with_header(message(&ordinary("version")), "ce_type", "org.callqa.call.recorded.v2");
    let cut = wav(GREETS)[..20_000].to_vec();
    let unknown_language = CallRecorded { agent_language: Some("fr".to_owned()), ..ordinary("french") };
    let opted_out = CallRecorded { opted_out: Some(true), ..ordinary("opted-out") };
    let answered_by_machine = CallRecorded { answered_by_machine: Some(true), ..ordinary("machine") };
    let nameless = CallRecorded { call_id: String::new(), ..ordinary("") };
    vec![
        (message(&ordinary("good")), "assessed", ""),
        (message(&test_call("test")), "excluded", "test_call"),
        (message(&opted_out), "excluded", "opt_out"),
        (message(&answered_by_machine), "excluded", "voicemail"),
        (
            message(&inline("silent", wav(GREETS)[..44].iter().copied().chain(vec![0; 128_000]).collect())),
            "excluded",
            "no_speech",
        ),
        (raw("garbage", "application/json", b"{ not json"), "dead_lettered", "undecodable_event"),
        (raw("xml", "text/xml", b"<call/>"), "dead_lettered", "undecodable_event"),
        (raw("empty", "application/json", b""), "dead_lettered", "undecodable_event"),
        (raw("protobuf", "application/protobuf", b"\xff\xff\xff"), "dead_lettered", "undecodable_event"),
        (nowhere, "dead_lettered", "unknown_version"),
        (message(&nameless), "dead_lettered", "invalid_event"),
        (message(&unknown_language), "dead_lettered", "unknown_language"),
        (message(&inline("text", b"RIFF, or so it says.wav".to_vec())), "dead_lettered", "not_audio"),
        (message(&inline("cut", cut)), "dead_lettered", "damaged_audio"),
        (message(&mono_said("layout")), "dead_lettered", "wrong_channel_layout"),
        (message(&with_sha256("hash", &"0".repeat(64))), "dead_lettered", "recording_mismatch"),
        (message(&by_uri("outside", "file:///etc/hostname")), "dead_lettered", "recording_forbidden"),
        (message(&by_uri("ftp", "ftp://media.example/call.wav")), "dead_lettered", "recording_forbidden"),
        (message(&by_uri("host", "https://media.example/call.wav")), "dead_lettered", "recording_forbidden"),
        (message(&inline("panic", wav(PANICS))), "dead_lettered", "internal"),
        (message(&ordinary("good-after-all")), "assessed", ""),
    ]
}

#[test]
fn every_message_has_exactly_one_ending_and_the_next_goes_on() {
    let cluster = Cluster::start();
    let inputs = inputs();
    inputs.iter().for_each(|(message, ..)| cluster.publish(message));
    let worker = Running::start(cluster.config(&[]));
    let results = cluster.rows(Topic::Results, inputs.len());
    wait_until("every call is committed", || cluster.committed() == inputs.len() as i64);
    worker.stop();

    assert_eq!(cluster.length(Topic::Results.default_name(), 3), inputs.len() as i64, "one ending a message");
    let mut expected: Vec<(&str, &str)> =
        inputs.iter().map(|(_, ending, reason)| (*ending, *reason)).collect();
    let mut found: Vec<(&str, &str)> =
        results.iter().map(|row| (row.field("ending"), row.field("reason"))).collect();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
    let closed = expected.iter().filter(|(ending, _)| *ending != "assessed").count();
    let letters = cluster.rows(Topic::DeadLetters, closed);
    assert!(letters.iter().all(|row| !row.field("detail").is_empty()));
    // Neither the audio nor a word of the call is in a dead letter, and no number anywhere.
    for row in results.iter().chain(&letters).chain(&cluster.rows(Topic::Observations, 2)) {
        assert!(!String::from_utf8_lossy(&row.payload).contains("6222021234567890123"));
    }
}

#[test]
fn rows_bear_the_calls_name_and_their_source() {
    let cluster = Cluster::start();
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    cluster.publish(&with_header(message(&ordinary("good")), "traceparent", traceparent));
    let worker = Running::start(cluster.config(&[]));
    let ending = cluster.rows(Topic::Results, 1).remove(0);
    let findings = cluster.rows(Topic::Findings, 5);
    worker.stop();
    assert_eq!((ending.key.as_str(), ending.field("call_id")), ("demo/good", "good"));
    assert_eq!(ending.field("started_at"), "2026-01-05T09:30:00+08:00");
    assert_eq!(ending.headers["ce_id"], ending.field("row_id"));
    assert_eq!(ending.headers["traceparent"], traceparent);
    assert_eq!(ending.headers["callqa_source_topic"], "qa.calls.recorded.v1");
    assert!(
        findings
            .iter()
            .all(|row| row.field("result_id") == ending.field("result_id") && row.key == ending.key)
    );
}

/// At least once, and every repeat is the same: whoever upserts sees each ending once.
#[test]
fn a_redelivery_repeats_the_same_rows() {
    let cluster = Cluster::start();
    for event in [ordinary("good"), inline("text", b"no audio".to_vec())] {
        cluster.publish(&message(&event));
        cluster.publish(&message(&event));
    }
    let worker = Running::start(cluster.config(&[]));
    let rows = cluster.rows(Topic::Results, 4);
    worker.stop();
    let mut by_id: BTreeMap<&str, Vec<&[u8]>> = BTreeMap::new();
    rows.iter().for_each(|row| by_id.entry(row.field("ending_id")).or_default().push(&row.payload));
    assert_eq!(by_id.len(), 2);
    assert!(by_id.values().all(|repeats| repeats.len() == 2 && repeats[0] == repeats[1]));
}
