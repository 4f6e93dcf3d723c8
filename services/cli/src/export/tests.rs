//! What is exported: in the right shape, with nothing that was not observed, and nothing that a page would run.

use super::*;
use crate::filed::JudgedBy;
use crate::judge::reading::Reading;
use crate::judge::transcript::Dialogue;
use crate::rules;

fn filed(json: serde_json::Value) -> Filed {
    let dialogue = Dialogue::read(&json).unwrap();
    let observations = Reading::of(&dialogue, None, None).unwrap().observations;
    Filed { call: dialogue.call, observations, judged_by: JudgedBy::Nobody }
}

/// A call in which a number is given, an agent interrupts and is rude, and somebody tries to write markup.
fn rude_call() -> Filed {
    let turn = |speaker: &str, text: &str, start: u64, end: u64, labels: serde_json::Value| serde_json::json!({"speaker": speaker, "text": text, "start_ms": start, "end_ms": end, "labels": labels});
    let none = || serde_json::json!({});
    filed(serde_json::json!({"id": "a/<b>&c", "lang": "en", "ended_by": "agent", "turns": [
        turn("agent", "Hello, Ben here.", 0, 2_000, serde_json::json!({"script": ["greeting", "self_identification"]})),
        turn("customer", "My card is 4111 1111 1111 1111 & <script>alert(1)</script> --> it fails", 2_500, 9_000,
            serde_json::json!({"resolution": ["states_issue"]})),
        turn("agent", "Are you stupid?", 6_000, 10_000, serde_json::json!({"politeness": "rude"})),
        turn("customer", "What?", 15_000, 16_000, none()),
    ]}))
}

fn told<R>(filed: &Filed, look: impl FnOnce(&Told<'_>) -> R) -> R {
    let rulebook = rules::read(None).unwrap();
    let judgement = judge(&filed.call, &filed.observations, &rulebook);
    look(&Told { filed, judgement: &judgement, rulebook: &rulebook })
}

#[test]
fn contact_lens() {
    let json = told(&rude_call(), |told| contact_lens::json(told).unwrap());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        json["Participants"][0],
        serde_json::json!({"ParticipantId": "AGENT", "ParticipantRole": "AGENT"})
    );
    assert_eq!(json["Transcript"][0]["Content"], "Hello, Ben here.");
    assert_eq!(
        (&json["Transcript"][2]["BeginOffsetMillis"], &json["Transcript"][2]["EndOffsetMillis"]),
        (&6_000.into(), &10_000.into())
    );
    let redacted = &json["Transcript"][1]["Redaction"]["RedactedTimestamps"];
    assert_eq!(*redacted, serde_json::json!([{"BeginOffsetMillis": 2_500, "EndOffsetMillis": 9_000}]));
    assert!(
        json["Transcript"][0].get("Redaction").is_none() && json["Transcript"][0].get("Sentiment").is_none()
    );
    let rude = &json["Categories"]["MatchedDetails"]["attitude.rude"]["PointsOfInterest"];
    assert_eq!(*rude, serde_json::json!([{"BeginOffsetMillis": 6_000, "EndOffsetMillis": 10_000}]));
    let matched: Vec<&str> = json["Categories"]["MatchedCategories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c.as_str().unwrap())
        .collect();
    assert!(matched.contains(&"attitude.rude") && !matched.contains(&"script.greeting"), "{matched:?}");
    let characteristics = &json["ConversationCharacteristics"];
    assert_eq!(
        characteristics["Interruptions"]["InterruptionsByInterrupter"]["AGENT"][0]["DurationMillis"],
        3_000
    );
    assert_eq!(
        (
            &characteristics["Interruptions"]["TotalCount"],
            &characteristics["Interruptions"]["TotalTimeMillis"]
        ),
        (&1.into(), &3_000.into())
    );
    assert_eq!(characteristics["NonTalkTime"]["Instances"][0]["DurationMillis"], 5_000);
    assert_eq!(characteristics["TalkTime"]["DetailsByParticipant"]["AGENT"]["TotalTimeMillis"], 6_000);
    assert_eq!(characteristics["TalkTime"]["TotalTimeMillis"], 13_500);
    assert_eq!(characteristics["TalkSpeed"]["DetailsByParticipant"]["AGENT"]["AverageWordsPerMinute"], 60);
    assert!(!json.to_string().contains("4111"));
}

#[test]
fn a_mandarin_pace_is_no_number_of_words_and_a_mono_call_has_no_roles() {
    let mono = filed(serde_json::json!({"id": 1, "lang": "zh", "channels": 1, "turns": [
        {"speaker": "agent", "text": "您好", "labels": {}}, {"speaker": "customer", "text": "我查话费", "labels": {}}]}));
    let json = told(&mono, |told| contact_lens::json(told).unwrap());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["Participants"], serde_json::json!([{"ParticipantId": "MIXED"}]));
    assert!(json["ConversationCharacteristics"].get("TalkSpeed").is_none());
}

#[test]
fn captions() {
    let vtt = told(&rude_call(), vtt::captions);
    let cues: Vec<&str> = vtt.trim_end().split("\n\n").collect();
    assert_eq!((cues.len(), cues[0]), (5, "WEBVTT"));
    assert_eq!(cues[1], "1\n00:00:00.000 --> 00:00:02.000\n<v Agent>Hello, Ben here.");
    assert!(cues[2].contains("<v Customer>My card is [card] &amp; &lt;script&gt;"), "{}", cues[2]);
    assert_eq!(cues[2].matches("-->").count(), 1, "{}", cues[2]);
}

#[test]
fn a_page_runs_nothing_that_was_said() {
    for tongue in [Tongue::En, Tongue::Zh] {
        let html = told(&rude_call(), |told| report::html(told, tongue).unwrap());
        assert!(!html.contains("<script") && !html.contains("<b>&c"), "markup of a caller");
        assert!(!html.contains("4111"), "a number");
        for part in
            ["<!DOCTYPE html>", "&#60;script&#62;alert(1)", "attitude.rude", "class=\"gone\"", "id=\"u2\""]
        {
            assert!(html.contains(part), "{part:?} is not in the page");
        }
        assert!(!html.contains("http"), "the page needs something else");
    }
    let zh = told(&rude_call(), |told| report::html(told, Tongue::Zh).unwrap());
    assert!(
        zh.contains("辱骂客户")
            && zh.contains("任何情况下都不得辱骂、威胁或嘲讽客户。")
            && zh.contains("需人工复核")
    );
}

#[test]
fn a_call_without_words_has_a_page_too() {
    let empty = filed(serde_json::json!({"id": "empty", "turns": []}));
    let html = told(&empty, |told| report::html(told, Tongue::En).unwrap());
    assert!(html.contains("Agent and customer did not both speak."));
    assert_eq!(told(&empty, vtt::captions), "WEBVTT\n");
}

#[test]
fn an_id_is_a_file_name() {
    for usual in ["2025-03-01-000417", "8f14e45f-ceea-467f-a8f1-9d1e4b1c2a77", &"x".repeat(LONGEST_STEM)] {
        assert_eq!(stem(usual), usual);
    }
    let long = "x".repeat(LONGEST_STEM + 1);
    assert!(stem(&long).starts_with(&long[1..]) && stem(&long) != stem(&format!("{long}x")));
    let (slash, under) = (stem("a/b"), stem("a_b"));
    assert!(slash.starts_with("a_b-") && slash != under && !slash.contains('/'));
    assert!(!stem("..").starts_with('.') && stem(&"长".repeat(500)).len() < 200);
    assert!(!stem("../../etc").contains('/'));
}

#[track_caller]
fn check_stems(calls: &[(&str, &str)], expect: &[&str]) {
    let one = |&(tenant, id): &(&str, &str)| {
        let mut filed = filed(serde_json::json!({"id": id, "turns": []}));
        filed.call.tenant = tenant.to_owned();
        filed
    };
    let stems = stems(&calls.iter().map(one).collect::<Vec<_>>());
    let different: std::collections::BTreeSet<String> =
        stems.iter().map(|stem| stem.to_lowercase()).collect();
    assert_eq!(different.len(), calls.len(), "{stems:?}");
    for (stem, expect) in stems.iter().zip(expect) {
        let marked = expect.strip_suffix('*').is_some_and(|name| stem.starts_with(name) && stem != name);
        assert!(stem == expect || marked, "{stem} is not {expect}");
    }
}

#[test]
fn no_two_calls_share_a_file() {
    check_stems(&[("t", "a"), ("t", "b")], &["a", "b"]);
    check_stems(&[("t", "a"), ("u", "a"), ("t", "b")], &["a-*", "a-*", "b"]);
    check_stems(&[("t", "a/b"), ("t", "a:b"), ("t", "a_b")], &["a_b-*", "a_b-*", "a_b"]);
    // Some file systems take these for one name.
    check_stems(&[("t", "Call"), ("t", "call")], &["Call-*", "call-*"]);
}
