//! The rows of the three endings: what they say, and that they keep the contract.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;
mod round_trip;

use std::collections::BTreeSet;

use callqa_domain::{DeadLetterReason, ExclusionReason, Provenance, identity};
use callqa_proto::header::EventHeaders;
use callqa_proto::wire::{FindingRow, ResultRow, ReviewTaskRow};
use callqa_proto::{CallName, Closed, ClosedKind, Ending, Message, Subject, Topic, schema};
use serde_json::Value;

use fixture::{assess, call, delivery, observations, provenance, rulebook};

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn headers() -> EventHeaders {
    EventHeaders::read([("traceparent", TRACEPARENT.as_bytes())])
}

fn assessed() -> Vec<Message> {
    let (assessment, rulebook) = (assess(call(), observations()), rulebook());
    Ending::Assessed { assessment: &assessment, rulebook: &rulebook }.messages(&delivery(&headers())).unwrap()
}

fn closed(subject: Subject<'_>, kind: ClosedKind) -> Vec<Message> {
    let provenance = Provenance { recording_sha256: String::new(), ..provenance() };
    Ending::Closed(Closed { subject, kind, provenance: &provenance }).messages(&delivery(&headers())).unwrap()
}

fn undecodable() -> Vec<Message> {
    let detail = "the event is not JSON".to_owned();
    let kind = ClosedKind::DeadLettered { reason: DeadLetterReason::UndecodableEvent, detail };
    closed(Subject::Undecodable, kind)
}

fn excluded() -> Vec<Message> {
    closed(Subject::Call(&call()), ClosedKind::Excluded(ExclusionReason::OptOut))
}

fn every_kind_of_message() -> Vec<Message> {
    [assessed(), undecodable(), excluded()].concat()
}

fn rows<T: serde::de::DeserializeOwned>(messages: &[Message], topic: Topic) -> Vec<T> {
    let of_topic = messages.iter().filter(|message| message.topic == topic);
    of_topic.map(|message| serde_json::from_slice(&message.payload).unwrap()).collect()
}

fn ending(messages: &[Message]) -> ResultRow {
    rows(messages, Topic::Results).pop().unwrap()
}

fn header<'a>(message: &'a Message, name: &str) -> Option<&'a str> {
    message.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

fn schema_of(topic: Topic) -> Value {
    let file = match topic {
        Topic::Recorded => "call-recorded.v1.schema.json",
        Topic::Findings => "finding.v1.schema.json",
        Topic::Observations => "observations.v1.schema.json",
        Topic::ReviewTasks => "review-task.v1.schema.json",
        Topic::DeadLetters => "dead-letter.v1.schema.json",
        Topic::Results => "result.v1.schema.json",
    };
    schema::all().into_iter().find(|(name, _)| *name == file).unwrap().1
}

#[test]
fn every_row_keeps_its_schema() {
    let messages = every_kind_of_message();
    for topic in
        [Topic::Findings, Topic::Observations, Topic::ReviewTasks, Topic::DeadLetters, Topic::Results]
    {
        let schema = jsonschema::validator_for(&schema_of(topic)).unwrap();
        let rows: Vec<Value> = rows(&messages, topic);
        assert!(!rows.is_empty(), "no row for {topic:?}");
        for row in rows {
            let mistakes: Vec<String> = schema.iter_errors(&row).map(|error| error.to_string()).collect();
            assert_eq!(mistakes, Vec::<String>::new(), "{topic:?}: {row}");
        }
    }
}

#[test]
fn events_that_are_published_keep_their_schema() {
    let text = include_bytes!("../golden/call-recorded.v1.json");
    let schema = jsonschema::validator_for(&schema_of(Topic::Recorded)).unwrap();
    assert!(schema.is_valid(&serde_json::from_slice(text).unwrap()));
}

#[test]
fn rows_are_flat_and_complete() {
    for message in every_kind_of_message() {
        let row: Value = serde_json::from_slice(&message.payload).unwrap();
        let names: BTreeSet<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
        let schema = schema_of(message.topic);
        let expect: BTreeSet<&str> =
            schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, expect);
        for (name, value) in row.as_object().unwrap() {
            let is_scalar = |value: &Value| !value.is_array() && !value.is_object();
            let flat = match value {
                Value::Array(items) => items.iter().all(is_scalar),
                Value::Object(map) => name == "labels" && map.values().all(is_scalar),
                _ => true,
            };
            assert!(flat, "{name}");
        }
    }
}

#[test]
fn fields_keep_their_order() {
    let text = String::from_utf8(assessed().pop().unwrap().payload).unwrap();
    assert!(text.starts_with(r#"{"schema_version":1,"ending_id":""#), "{text}");
    assert!(text.ends_with(r#""build":"0.1.0"}"#), "{text}");
}

#[test]
fn the_ending_comes_last_and_once() {
    for messages in [assessed(), undecodable(), excluded()] {
        assert_eq!(messages.last().unwrap().topic, Topic::Results);
        assert_eq!(messages.iter().filter(|message| message.topic == Topic::Results).count(), 1);
    }
}

#[test]
fn a_repeat_is_the_same_to_the_byte() {
    assert_eq!(every_kind_of_message(), every_kind_of_message());
}

#[test]
fn row_ids_are_unique_and_are_the_ce_ids() {
    let messages = every_kind_of_message();
    let ids: BTreeSet<&str> = messages.iter().map(|message| header(message, "ce_id").unwrap()).collect();
    assert_eq!(ids.len(), messages.len());
    for message in &messages {
        let row: Value = serde_json::from_slice(&message.payload).unwrap();
        assert_eq!(row["row_id"], header(message, "ce_id").unwrap());
    }
}

#[test]
fn headers_are_cloud_events_and_tell_the_place() {
    let messages = assessed();
    let message = messages.last().unwrap();
    assert_eq!(message.key, "demo/call-7");
    for (name, value) in [
        ("ce_specversion", "1.0"),
        ("ce_type", "org.callqa.result.v1"),
        ("ce_source", "/callqa/worker"),
        ("ce_subject", "demo/call-7"),
        ("ce_time", "2025-03-01T09:30:00+08:00"),
        ("content-type", "application/json"),
        ("callqa_source_topic", "qa.calls.recorded.v1"),
        ("callqa_source_partition", "3"),
        ("callqa_source_offset", "41"),
        ("callqa_attempt", "1"),
        ("traceparent", TRACEPARENT),
    ] {
        assert_eq!(header(message, name), Some(value), "{name}");
    }
}

#[test]
fn the_place_is_in_no_payload() {
    for message in every_kind_of_message() {
        assert!(!String::from_utf8(message.payload).unwrap().contains("qa.calls.recorded.v1"));
    }
}

#[test]
fn an_assessment_is_summed_up() {
    let row = ending(&assessed());
    let assessment = assess(call(), observations());
    assert_eq!((row.ending.as_str(), row.reason), ("assessed", None));
    assert_eq!((row.score, row.provisional, row.flagged), (Some(0), true, true));
    assert_eq!(row.flag_reasons.first().map(String::as_str), Some("attitude.rude"));
    assert!(row.violated_rules.contains(&"risk.escalation-threat".to_owned()));
    let rules = row.rules_met + row.rules_violated + row.rules_not_applicable + row.rules_unknown;
    assert_eq!(rules as usize, assessment.verdicts.len());
    assert_eq!(row.violated_rules.len(), row.rules_violated as usize);
    assert_eq!((row.duration_ms, row.utterances, row.gaps), (Some(36_000), Some(5), Some(1)));
    assert_eq!((row.silences, row.dead_airs), (Some(1), Some(1)));
    assert_eq!((row.silence_ms, row.dead_air_ms), (Some(20_000), Some(20_000)));
    assert_eq!((row.overtalks, row.overtalk_ms), (Some(1), Some(1_000)));
    assert_eq!(row.agent_ids, ["1024", "2048"]);
    assert_eq!(row.ending_id, identity::ending_id("demo", "call-7", 2));
}

#[test]
fn a_finding_carries_what_to_play() {
    let rows: Vec<FindingRow> = rows(&assessed(), Topic::Findings);
    let rude = rows.iter().find(|row| row.kind == "verdict" && row.name == "attitude.rude").unwrap();
    assert_eq!((rude.ruling.as_deref(), rude.class.as_deref()), (Some("violated"), Some("fatal")));
    assert_eq!(
        (rude.speaker.as_deref(), rude.start_ms, rude.end_ms),
        (Some("agent"), Some(8_000), Some(10_500))
    );
    assert_eq!((rude.label.as_deref(), rude.probability), (Some("rude"), Some(0.9512)));
    assert_eq!((rude.agent_id.as_deref(), rude.owner.as_deref()), (Some("1024"), Some("agent")));
    assert_eq!(rude.evidence_text, ["你听不懂人话啊"]);
    assert_eq!(rude.evidence_utterance, [2]);
    let closing = rows.iter().find(|row| row.kind == "label" && row.name == "closing").unwrap();
    assert_eq!(closing.agent_id.as_deref(), Some("2048"), "the agent who was on the line");
    assert!(rows.iter().any(|row| row.kind == "acoustic" && row.name == "dead_air"));
    assert!(rows.iter().all(|row| row.name != "neutral"));
}

#[test]
fn evidence_lists_are_of_one_length() {
    for row in rows::<FindingRow>(&assessed(), Topic::Findings) {
        let length = row.evidence_speaker.len();
        assert_eq!(
            [length; 3],
            [row.evidence_start_ms.len(), row.evidence_end_ms.len(), row.evidence_text.len()]
        );
        assert_eq!([length; 2], [row.evidence_from_char.len(), row.evidence_to_char.len()]);
        let claims = [row.evidence_label.len(), row.evidence_probability.len(), row.evidence_threshold.len()];
        assert_eq!([length; 4], [row.evidence_utterance.len(), claims[0], claims[1], claims[2]]);
    }
}

#[test]
fn a_review_task_says_what_to_play_for_each_reason() {
    let row: ReviewTaskRow = rows(&assessed(), Topic::ReviewTasks).pop().unwrap();
    assert_eq!(row.reasons[0], "attitude.rude");
    assert_eq!((row.reason_start_ms[0], row.reason_text[0].as_str()), (8_000, "你听不懂人话啊"));
    assert_eq!([row.reasons.len(); 2], [row.reason_speaker.len(), row.reason_end_ms.len()]);
    assert!(row.reason_start_ms.iter().zip(&row.reason_end_ms).all(|(start, end)| start < end));
}

#[test]
fn an_exclusion_keeps_what_the_event_says_and_nothing_of_the_call() {
    let row = ending(&excluded());
    assert_eq!((row.ending.as_str(), row.reason.as_deref()), ("excluded", Some("opt_out")));
    assert_eq!((row.queue.as_deref(), row.score, row.duration_ms), (Some("billing"), None, None));
    assert_eq!(row.recording_sha256, None);
    assert_eq!(excluded().len(), 2);
}

#[test]
fn an_undecodable_event_is_known_by_its_place() {
    let messages = undecodable();
    let row = ending(&messages);
    assert_eq!((row.ending.as_str(), row.tenant, row.call_id), ("dead_lettered", None, None));
    assert_eq!(row.ending_id, identity::undecodable_id("qa.calls.recorded.v1", 3, 41));
    assert_eq!(messages[0].key, "qa.calls.recorded.v1/3/41");
}

#[test]
fn a_wrong_event_that_names_its_call_ends_under_that_name() {
    let name = CallName { tenant: "demo".into(), call_id: "call-7".into(), revision: 2 };
    let detail = "the event has 1 mistake: queue must be a string".to_owned();
    let kind = ClosedKind::DeadLettered { reason: DeadLetterReason::InvalidEvent, detail };
    let row = ending(&closed(Subject::Named(name), kind));
    assert_eq!(row.ending_id, ending(&assessed()).ending_id, "a corrected event replaces it");
    assert_ne!(row.result_id, ending(&assessed()).result_id);
}

#[test]
fn numbers_that_were_spoken_are_nowhere() {
    for message in assessed() {
        let text = String::from_utf8(message.payload).unwrap();
        assert!(!text.contains("13800138000") && !text.contains("6222021234567890123"));
    }
}
