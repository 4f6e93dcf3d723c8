//! Explanations, from a call to words and JSON.

use callqa_domain::Judgement;

use super::*;
use crate::filed::{Filed, JudgedBy};
use crate::judge::reading::Reading;
use crate::judge::transcript::Dialogue;
use crate::rules;

fn filed(json: serde_json::Value) -> Filed {
    let dialogue = Dialogue::read(&json).unwrap();
    let observations = Reading::of(&dialogue, None, None).unwrap().observations;
    Filed { call: dialogue.call, observations, judged_by: JudgedBy::Nobody }
}

fn turn(speaker: &str, text: &str, resolution: &[&str]) -> serde_json::Value {
    serde_json::json!({"speaker": speaker, "text": text, "labels": {"resolution": resolution}})
}

/// Three rejections in Mandarin, and no escalation.
fn three_rejections() -> Filed {
    let mut turns = Vec::new();
    for _ in 0..3 {
        turns.push(turn("agent", "规定就是这样，我的电话是13812345678", &["explains"]));
        turns.push(turn("customer", "我不同意", &["rejects_explanation"]));
    }
    turns.push(turn("agent", "请您再想想", &[]));
    filed(serde_json::json!({"id": "c-1", "lang": "zh", "ended_by": "agent", "turns": turns}))
}

fn judged(filed: &Filed) -> Judgement {
    judge(&filed.call, &filed.observations, &rules::read(None).unwrap())
}

#[test]
fn an_explanation_names_what_was_found_and_when() {
    let (filed, rulebook) = (three_rejections(), rules::read(None).unwrap());
    let judgement = judged(&filed);
    let mut explained = explain(&filed.call, &filed.observations, &rulebook);
    explained.retain(|one| one.rule.id == "script.escalate-after-three");
    let zh = text::of(&filed, &judgement, &rulebook, &explained, Tongue::Zh);
    for part in [
        "script.escalate-after-three  三次解释未果须上报",
        "违反, −10 (严重)",
        "“解释三次客户仍不接受时，请上报班长或主管。”",
        "触发: 3个回合",
        ": 是 (3)",
        "客户 “我不同意”  不接受解释 1.00 (阈值 0.50)",
        "必须: 坐席：上报",
        ": 否",
        "比阈值低0.50",
    ] {
        assert!(zh.contains(part), "{part:?} is not in\n{zh}");
    }
    assert!(zh.contains("[phone]") && !zh.contains("138"), "{zh}");
    let en = text::of(&filed, &judgement, &rulebook, &explained, Tongue::En);
    for part in [
        "violated, −10 (serious)",
        "3 rounds of (agent: explains or offers solution",
        "must: agent: escalates",
        "0.50 below the threshold",
    ] {
        assert!(en.contains(part), "{part:?} is not in\n{en}");
    }
}

#[test]
fn a_program_reads_the_same() {
    let (filed, rulebook) = (three_rejections(), rules::read(None).unwrap());
    let explained = explain(&filed.call, &filed.observations, &rulebook);
    let judgement = judged(&filed);
    let document = document::of(&filed, &judgement, &rulebook, &explained, Tongue::En);
    let json = serde_json::to_value(document).unwrap();
    assert_eq!(json["rules"].as_array().unwrap().len(), 23);
    assert_eq!(
        (&json["rulebook"], &json["score"]),
        (&"service-baseline".into(), &judgement.scorecard.score.into())
    );
    let rule = json["rules"]
        .as_array()
        .unwrap()
        .iter()
        .find(|r| r["verdict"]["rule"] == "script.escalate-after-three");
    let steps = rule.unwrap()["steps"].as_array().unwrap();
    assert_eq!((&steps[0]["came"], &steps[0]["measured"]), (&"yes".into(), &3.0.into()));
    assert_eq!(steps[1]["nearest"][0]["wanting"], "probability");
}
