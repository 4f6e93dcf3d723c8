//! Dialogues whose every turn has labels, from file to report.

use callqa_domain::judge;
use callqa_models::scripted::{self, Keywords};
use serde_json::Value;
use std::sync::Arc;

use super::reading::Reading;
use super::*;
use crate::rules;

/// `a text #label` or `c text #label`, a line a turn; other fields of the dialogue first.
fn judged(fields: &str, lines: &[&str]) -> Value {
    let turns: Vec<Value> = lines.iter().map(|line| turn(line)).collect();
    let turns = serde_json::to_string(&turns).unwrap();
    report(&format!(r#"{{"id":"x"{fields},"turns":{turns}}}"#))
}

fn turn(line: &str) -> Value {
    let (who, said) = line.split_once(' ').unwrap();
    let mut parts = said.split(" #");
    let text = parts.next();
    let (mut politeness, mut resolution, mut script) = (None, Vec::new(), Vec::new());
    for name in parts {
        let label = callqa_domain::Label::ALL.iter().find(|label| label.name() == name).unwrap();
        match label.task() {
            callqa_domain::Task::Politeness => politeness = Some(name),
            callqa_domain::Task::Resolution => resolution.push(name),
            callqa_domain::Task::Script => script.push(name),
        }
    }
    let labels = serde_json::json!({"politeness": politeness, "resolution": resolution, "script": script});
    let speaker = if who == "a" { "agent" } else { "customer" };
    serde_json::json!({"speaker": speaker, "text": text, "labels": labels})
}

fn report(json: &str) -> Value {
    let dialogue = Dialogue::read(&serde_json::from_str(json).unwrap()).unwrap();
    assert!(dialogue.is_labelled());
    let outcome = scripted::kit(&Arc::default(), Keywords::of(&[])).outcome;
    let reading = Reading::of(&dialogue, None, Some(&*outcome)).unwrap();
    let rulebook = rules::read(None).unwrap();
    let judgement = judge(&dialogue.call, &reading.observations, &rulebook);
    serde_json::from_str(&report::line(&dialogue.id, judgement, &reading, &rulebook).unwrap()).unwrap()
}

const GOOD: &[&str] = &[
    "a 您好，我是工号1024 #courteous #greeting #self_identification",
    "c 我的宽带坏了 #states_issue",
    "a 已经给您修好了 #neutral #offers_solution",
    "c 好了，谢谢，没有别的了 #confirms_resolved #nothing_more",
    "a 请您给我的服务评价，再见 #courteous #survey_invitation #closing",
];

#[test]
fn a_good_call() {
    let report = judged(r#","lang":"zh","ended_by":"agent""#, GOOD);
    assert_eq!(report["outcome"], "resolved");
    assert_eq!(report["rules"]["script.greeting"], "met");
    assert_eq!(report["rules"]["script.closing"], "met");
    assert_eq!(report["reasons"]["script.anything-else"], "precondition_absent");
    assert_eq!((&report["score"], &report["flagged"]), (&100.into(), &false.into()));
    assert_eq!(report["evidence"]["script.greeting"][0]["utterance"], 0);
    assert_eq!(report["turns"].as_array().unwrap().len(), 5);
    assert_eq!(report["rules"].as_object().unwrap().len(), rules::read(None).unwrap().rules().len());
}

#[test]
fn a_rude_agent() {
    let report =
        judged("", &["a 您好 #neutral #greeting", "c 我的网断了 #states_issue", "a 你听不懂人话啊 #rude"]);
    assert_eq!(report["rules"]["attitude.rude"], "violated");
    assert_eq!(
        (&report["score"], &report["provisional"], &report["flagged"]),
        (&0.into(), &true.into(), &true.into())
    );
    assert_eq!(report["evidence"]["attitude.rude"][0]["utterance"], 2);
}

#[test]
fn evidence_names_turns_as_they_are_written() {
    let report = report(
        r#"{"id":1,"turns":[
            {"speaker":"customer","text":"my line is dead","start_ms":3000,"end_ms":5000,"labels":{}},
            {"speaker":"agent","text":"hello there","start_ms":0,"end_ms":1000,"labels":{"script":["greeting"]}}]}"#,
    );
    let evidence = &report["evidence"]["script.greeting"][0];
    assert_eq!((&evidence["utterance"], &evidence["text"]), (&1.into(), &"hello there".into()));
    assert_eq!(report["turns"][1], "hello there");
}

#[test]
fn mono_has_no_roles() {
    let report = judged(r#","channels":1"#, GOOD);
    assert_eq!(report["rules"]["script.greeting"], "unknown");
    assert_eq!(report["reasons"]["script.greeting"], "mono");
}

#[test]
fn half_a_conversation_is_none() {
    for lines in [&GOOD[..0], &GOOD[..1], &GOOD[1..2]] {
        let report = judged("", lines);
        assert_eq!(report["outcome"], "unknown");
        assert_eq!(report["rules"]["script.greeting"], "not_applicable", "{lines:?}");
        assert_eq!(report["reasons"]["script.greeting"], "no_conversation", "{lines:?}");
        assert_eq!((&report["score"], &report["flagged"]), (&100.into(), &false.into()));
    }
}

#[test]
fn what_was_hardly_heard_is_unknown() {
    let report = report(
        r#"{"id":1,"ended_by":"agent","turns":[
            {"speaker":"agent","text":"eh hm","confidence":0.05,"labels":{}},
            {"speaker":"customer","text":"my line is dead","labels":{}},
            {"speaker":"agent","text":"eh hm","confidence":0.05,"labels":{}}]}"#,
    );
    assert_eq!(report["rules"]["script.greeting"], "unknown");
    assert_eq!(report["reasons"]["script.greeting"], "low_coverage");
}

#[test]
fn a_very_long_dialogue() {
    let lines: Vec<&str> = GOOD[1..4].iter().copied().cycle().take(5_000).collect();
    let report = judged("", &lines);
    assert_eq!(report["turns"].as_array().unwrap().len(), 5_000);
    assert_eq!(report["rules"]["script.greeting"], "violated");
}
