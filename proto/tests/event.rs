//! Reading events: both forms, and everything that can be wrong with them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use callqa_domain::{
    Channel, ChannelLayout, DeadLetterReason, Direction, EndedBy, ExclusionReason, Language, Purpose, Span,
};
use callqa_proto::header::EventHeaders;
use callqa_proto::wire::{self, CallRecorded, Hold, Leg, Recording};
use callqa_proto::{DecodeError, EVENT_BYTES, Event, INLINE_BYTES, Source, decode};
use prost::Message as _;
use serde_json::{Value, json};

fn headers(pairs: &[(&str, &str)]) -> EventHeaders {
    EventHeaders::read(pairs.iter().map(|(name, value)| (*name, value.as_bytes())))
}

fn full() -> CallRecorded {
    CallRecorded {
        tenant: "demo".into(),
        call_id: "call-7".into(),
        revision: 2,
        supersedes: Some(1),
        purpose: wire::Purpose::Reprocess.into(),
        interaction_id: Some("case-1".into()),
        queue: Some("billing".into()),
        legs: vec![
            Leg { agent_id: "1024".into(), from_ms: Some(0), to_ms: Some(40_000) },
            Leg { agent_id: "2048".into(), from_ms: Some(40_000), to_ms: None },
        ],
        customer_id: Some("c-99".into()),
        direction: wire::Direction::Inbound.into(),
        started_at: Some("2025-03-01T09:30:00+08:00".into()),
        answered_at: Some("2025-03-01T09:30:12+08:00".into()),
        ended_by: wire::EndedBy::Customer.into(),
        holds: vec![Hold { start_ms: 10_000, end_ms: 25_000 }],
        auto_announced: Some(true),
        agent_language: Some("zh-CN".into()),
        customer_language: Some("en".into()),
        channel_layout: wire::ChannelLayout::CustomerFirst.into(),
        recording: Some(Recording {
            uri: Some("https://recordings.example/7.wav?signature=secret".into()),
            inline: None,
            sha256: Some("AB".repeat(32)),
            size_bytes: Some(480_044),
            content_type: Some("audio/wav".into()),
        }),
        labels: [("campaign".to_owned(), "spring".to_owned())].into(),
        opted_out: None,
        answered_by_machine: Some(false),
    }
}

/// A call with nothing but what it must have, as JSON, with this changed.
fn with(change: Value) -> Value {
    let mut event = json!({"tenant": "demo", "call_id": "c1", "recording": {"uri": "file:///c1.wav"}});
    for (key, value) in change.as_object().unwrap() {
        event[key] = value.clone();
    }
    event
}

fn decode_json(event: &Value) -> Result<Event, DecodeError> {
    decode(&EventHeaders::default(), event.to_string().as_bytes())
}

#[test]
fn both_forms_say_the_same() {
    let protobuf =
        decode(&headers(&[("content-type", "application/x-protobuf")]), &full().encode_to_vec()).unwrap();
    let text = serde_json::to_vec(&full()).unwrap();
    let json = decode(&headers(&[("content-type", "application/json; charset=utf-8")]), &text).unwrap();
    assert_eq!(protobuf.call, json.call);
    assert_eq!(protobuf.recording, json.recording);
    assert_ne!(protobuf.digest, json.digest, "the digest is of the bytes as received");
}

#[test]
fn every_field_arrives() {
    let event =
        decode(&headers(&[("content-type", "application/protobuf")]), &full().encode_to_vec()).unwrap();
    let call = event.call;
    assert_eq!((call.tenant.as_str(), call.call_id.as_str(), call.revision), ("demo", "call-7", 2));
    assert_eq!((call.supersedes, call.purpose), (Some(1), Purpose::Reprocess));
    assert_eq!((call.direction, call.ended_by), (Direction::Inbound, EndedBy::Customer));
    assert_eq!(call.agent_id(), Some("1024"));
    assert_eq!(call.legs[1].from_ms, Some(40_000));
    assert_eq!(call.holds, [Span::new(10_000, 25_000)]);
    assert_eq!(call.started_at.unwrap().to_string(), "2025-03-01T09:30:00+08:00");
    assert_eq!(call.auto_announced, Some(true));
    assert_eq!((call.agent_language, call.customer_language), (Some(Language::Zh), Some(Language::En)));
    assert_eq!(call.layout, Some(ChannelLayout::CustomerFirst));
    assert_eq!(call.labels["campaign"], "spring");
    assert_eq!(event.recording.sha256, Some("ab".repeat(32)));
    assert_eq!(event.recording.size_bytes, Some(480_044));
    assert_eq!(Channel::Agent.name(), "agent");
}

#[test]
fn little_is_needed() {
    let event = decode_json(&with(json!({}))).unwrap();
    assert_eq!((event.call.revision, event.call.purpose), (0, Purpose::Live));
    assert_eq!((event.call.layout, event.call.started_at, event.call.auto_announced), (None, None, None));
    assert_eq!(event.exclusion(), None);
}

#[test]
fn null_and_empty_are_absent() {
    let event = decode_json(&with(json!({"queue": "", "started_at": null, "agent_language": ""}))).unwrap();
    assert_eq!((event.call.queue, event.call.started_at, event.call.agent_language), (None, None, None));
}

#[test]
fn unknown_fields_are_passed_over_and_count_in_the_digest() {
    let plain = decode_json(&with(json!({}))).unwrap();
    let more = decode_json(&with(json!({"mood_of_the_day": {"colour": "blue"}}))).unwrap();
    assert_eq!(plain.call, more.call);
    assert_ne!(plain.digest, more.digest);
    // Field 99, a string, in Protobuf.
    let mut bytes = full().encode_to_vec();
    bytes.extend([0x9a, 0x06, 0x02, b'h', b'i']);
    assert!(decode(&headers(&[("content-type", "application/protobuf")]), &bytes).is_ok());
}

#[test]
fn inline_audio_is_base64_in_json() {
    let event = decode_json(&with(json!({"recording": {"inline": "UklGRg==", "size_bytes": 4}}))).unwrap();
    assert_eq!(event.recording.source, Source::Inline(b"RIFF".to_vec()));
    let largest = CallRecorded {
        recording: Some(Recording { inline: Some(vec![7; INLINE_BYTES]), ..Recording::default() }),
        ..full()
    };
    let text = serde_json::to_vec(&largest).unwrap();
    assert!(
        text.len() < EVENT_BYTES && text.len() < 1_000_000,
        "it must pass Kafka's default limit of 1 MiB"
    );
    assert!(decode(&EventHeaders::default(), &text).is_ok());
}

#[track_caller]
fn check_exclusion(change: Value, expect: ExclusionReason) {
    assert_eq!(decode_json(&with(change)).unwrap().exclusion(), Some(expect));
}

#[test]
fn an_event_may_exclude_its_call() {
    check_exclusion(json!({"purpose": "test"}), ExclusionReason::TestCall);
    check_exclusion(json!({"answered_by_machine": true}), ExclusionReason::Voicemail);
    check_exclusion(json!({"opted_out": true, "purpose": "test"}), ExclusionReason::OptOut);
}

/// Everything that is wrong, in the order in which it is said.
#[track_caller]
fn check_mistakes(change: Value, expect: &[&str]) {
    let DecodeError::Invalid { mistakes, .. } = decode_json(&with(change)).unwrap_err() else {
        panic!("another error");
    };
    assert_eq!(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>(), expect);
}

#[test]
fn ids_are_needed_and_bounded() {
    check_mistakes(json!({"tenant": " "}), &["tenant is missing or empty"]);
    check_mistakes(json!({"tenant": 7}), &["tenant must be a string"]);
    check_mistakes(
        json!({"tenant": "a/b"}),
        &["tenant must not hold `/`: it parts tenant and call id in keys"],
    );
    check_mistakes(json!({"call_id": "a\nb"}), &["call_id must not hold control characters"]);
    check_mistakes(json!({"call_id": "x".repeat(257)}), &["call_id is 257 bytes, more than the 256 allowed"]);
}

#[test]
fn all_mistakes_at_once() {
    check_mistakes(
        json!({
            "revision": -1, "purpose": "fun", "legs": [{"agent_id": "1"}, 5, {"from_ms": 9, "to_ms": 3}],
            "holds": [{"start_ms": 5_000, "end_ms": 4_000}, {"start_ms": 1}], "started_at": "yesterday",
            "recording": {"sha256": "abc"}, "labels": {"a": 1},
        }),
        &[
            "revision must be a whole number from 0 to 4294967295",
            "legs[1] must be an object",
            "holds[1].end_ms is missing or empty",
            "labels must be an object whose values are strings",
            "started_at must be an RFC 3339 date and time with offset, 2025-03-01T09:30:00+08:00 for example",
            "recording must have uri or inline, but has neither",
            "recording.sha256 must be 64 hexadecimal digits",
            "purpose has a value that this version does not know: see proto/README.md, or leave it out",
            "legs[1].agent_id is missing or empty",
            "legs[1].to_ms must not come before from_ms",
            "holds[0].end_ms must not come before start_ms",
            "holds[1].end_ms must not come before start_ms",
        ],
    );
}

#[test]
fn times_need_an_offset_and_an_order() {
    let bad =
        "answered_at must be an RFC 3339 date and time with offset, 2025-03-01T09:30:00+08:00 for example";
    check_mistakes(json!({"answered_at": "2025-03-01T09:30:00"}), &[bad]);
    check_mistakes(
        json!({"started_at": "2025-03-01T09:30:00+08:00", "answered_at": "2025-03-01T01:29:59Z"}),
        &["answered_at must not come before started_at"],
    );
}

#[test]
fn a_recording_has_one_place() {
    check_mistakes(json!({"recording": null}), &["recording is missing or empty"]);
    check_mistakes(json!({"recording": "x.wav"}), &["recording must be an object"]);
    check_mistakes(
        json!({"recording": {"uri": "file:///a", "inline": "UklGRg=="}}),
        &["recording must have either uri or inline, but has both"],
    );
    check_mistakes(
        json!({"recording": {"inline": "UklGRg==", "size_bytes": 5}}),
        &["recording.size_bytes is 5, but inline holds 4 bytes"],
    );
    check_mistakes(
        json!({"recording": {"inline": "not base64"}}),
        &["recording.inline must be standard base64 with padding"],
    );
    check_mistakes(
        json!({"recording": {"uri": "c1.wav"}}),
        &["recording.uri must be a URI with a scheme, https://… for example"],
    );
}

#[test]
fn inline_audio_is_bounded() {
    let event = CallRecorded {
        recording: Some(Recording { inline: Some(vec![0; INLINE_BYTES + 1]), ..Recording::default() }),
        ..full()
    };
    let error =
        decode(&headers(&[("content-type", "application/protobuf")]), &event.encode_to_vec()).unwrap_err();
    assert!(error.to_string().ends_with("recording.inline is 716801 bytes, more than the 716800 allowed"));
}

/// Two bytes make an empty leg in Protobuf: looking at each of half a million, and at the mistakes of those before it,
/// would hold the reader of the topic up for minutes.
#[test]
fn the_work_of_half_a_million_legs_is_bounded() {
    let mut bytes = full().encode_to_vec();
    bytes.extend(b"\x42\0".repeat(500_000));
    let error = decode(&headers(&[("content-type", "application/protobuf")]), &bytes).unwrap_err();
    let DecodeError::Invalid { mistakes, .. } = error else { panic!("{error}") };
    assert!(mistakes.iter().any(|mistake| mistake.field == "legs"), "too many are told");
    assert!(mistakes.len() <= 65, "{} mistakes", mistakes.len());
}

#[track_caller]
fn check_reason(change: Value, expect: DeadLetterReason) {
    assert_eq!(decode_json(&with(change)).unwrap_err().reason(), expect);
}

#[test]
fn an_unknown_language_is_told_apart() {
    check_reason(json!({"agent_language": "fr-FR"}), DeadLetterReason::UnknownLanguage);
    check_reason(json!({"agent_language": "fr", "purpose": "x"}), DeadLetterReason::InvalidEvent);
}

#[test]
fn a_wrong_event_may_still_name_its_call() {
    let named = decode_json(&with(json!({"agent_language": "fr", "revision": 3}))).unwrap_err();
    let name = named.call().unwrap();
    assert_eq!((name.tenant.as_str(), name.call_id.as_str(), name.revision), ("demo", "c1", 3));
    assert_eq!(decode_json(&with(json!({"revision": "3"}))).unwrap_err().call(), None);
}

#[track_caller]
fn check_refused(pairs: &[(&str, &str)], payload: &[u8], expect: fn(&DecodeError) -> bool) {
    let error = decode(&headers(pairs), payload).unwrap_err();
    assert!(expect(&error), "{error:?}");
}

#[test]
fn forms_and_versions_that_are_not_read() {
    let event = with(json!({})).to_string().into_bytes();
    let empty: fn(&DecodeError) -> bool = |error| matches!(error, DecodeError::Empty);
    let form: fn(&DecodeError) -> bool = |error| matches!(error, DecodeError::ContentType { .. });
    let version: fn(&DecodeError) -> bool = |error| matches!(error, DecodeError::UnknownVersion { .. });
    check_refused(&[], b"", empty);
    check_refused(&[], b"\x0a\x04demo", form);
    check_refused(&[("content-type", "text/csv")], &event, form);
    check_refused(&[("content-type", "application/cloudevents+json")], &event, form);
    check_refused(&[("ce_type", "org.callqa.call.recorded.v2")], &event, version);
    check_refused(&[("ce_type", "com.example.other")], &event, version);
    check_refused(&[("ce_specversion", "0.3")], &event, version);
    check_refused(&[], b"{\"tenant\":", |error| matches!(error, DecodeError::Json(_)));
    check_refused(&[("content-type", "application/json")], b"[]", |error| {
        matches!(error, DecodeError::Invalid { .. })
    });
    check_refused(&[("content-type", "application/protobuf")], b"\xff\xff", |e| {
        matches!(e, DecodeError::Protobuf(_))
    });
    check_refused(&[], &vec![b'{'; EVENT_BYTES + 1], |error| matches!(error, DecodeError::TooLarge { .. }));
}

#[test]
fn errors_and_debug_forms_repeat_no_value() {
    let secret = "13800138000";
    let event = json!({
        "tenant": [secret], "call_id": {"x": secret}, "purpose": secret, "started_at": secret, "holds": secret,
        "agent_language": secret, "labels": {secret: 7}, "recording": {"uri": secret, "sha256": secret},
    });
    let error = decode_json(&event).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(secret));
    let error = decode(&headers(&[("content-type", secret)]), b"{}").unwrap_err();
    assert!(!format!("{error} {error:?}").contains(secret));
    let event =
        decode_json(&with(json!({"recording": {"uri": "https://u:13800138000@host/?k=13800138000"}})))
            .unwrap();
    assert!(!format!("{event:?} {:?}", full()).contains(secret));
    assert!(!format!("{:?}", full()).contains("signature"));
}
