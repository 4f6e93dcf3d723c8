//! What an explanation tells: what was found, what came nearest, and by how much it missed.

use super::tests::{call, pack};
use crate::test_call::call_from;
use crate::{Call, Came, Distance, EndedBy, Explanation, Rulebook, Step, Wanted, explain};

#[track_caller]
fn check_by(rulebook: &Rulebook, rule: &str, lines: &str, check: impl FnOnce(&Explanation<'_>)) {
    let call = Call { ended_by: EndedBy::Agent, ..call() };
    let observations = call_from(lines);
    let explained = explain(&call, &observations, rulebook);
    check(explained.iter().find(|explanation| explanation.rule.id == rule).unwrap());
}

#[track_caller]
fn check(rule: &str, lines: &str, check: impl FnOnce(&Explanation<'_>)) {
    check_by(&pack(), rule, lines, check);
}

fn must<'s>(explanation: &'s Explanation<'_>) -> &'s Step<'s> {
    explanation.steps.iter().find(|step| matches!(step.wanted, Wanted::Must(_) | Wanted::MustNot(_))).unwrap()
}

#[test]
fn a_match_outside_of_its_window() {
    let late = "a@0-1000 喂 | c@2000-9000 你好啊 | a@9500-11000 请讲 | c@11500-12000 我查 | a@13000-14000 您好 #greeting";
    check("script.greeting", late, |explanation| {
        let step = must(explanation);
        assert_eq!((step.came, step.found.len()), (Came::No, 0));
        assert_eq!(step.near[0].by, Distance::TooLate { by_ms: 2_000, turns: 1 });
        assert_eq!(step.near[0].evidence.span.start_ms, 13_000);
    });
}

#[test]
fn a_label_below_its_threshold() {
    let mut observations = call_from("a 喂 | c 你好啊 | a 再见");
    observations.utterances[0].scores.insert(crate::Label::Greeting, 0.25);
    let rulebook = pack();
    let explained = explain(&call(), &observations, &rulebook);
    let near = &must(&explained[0]).near[0];
    let Distance::Probability { short_by } = near.by else { panic!("{near:?}") };
    assert!((short_by - 0.35).abs() < 1e-6);
    assert_eq!(near.evidence.claim.map(|claim| claim.probability), Some(0.25));
}

#[test]
fn words_that_nobody_heard_well() {
    check("script.forbidden-phrases", "c 怎么办 | a ~这个不归我管", |explanation| {
        let near = &must(explanation).near[0];
        assert_eq!(near.by, Distance::Confidence { heard: 0.1, floor: 0.4 });
    });
}

#[test]
fn rounds_that_were_closed_and_one_that_was_not() {
    let round = "a 规定如此 #explains | c 我不同意 #rejects_explanation";
    let two = format!("{round} | {round} | a 就是这样 #explains | c 那好吧");
    check("script.escalate-after-three", &two, |explanation| {
        let step = &explanation.steps[0];
        assert!(matches!(step.wanted, Wanted::Rounds(_)));
        assert_eq!((step.came, step.measured, step.found.len()), (Came::No, Some(2.0), 4));
        assert_eq!(explanation.steps.len(), 1, "nothing fell due");
    });
    let three = format!("{two} | {round} | a 没有别的 | c 那算 | a 嗯 好吧");
    check("script.escalate-after-three", &three, |explanation| {
        assert_eq!((explanation.steps[0].came, explanation.steps[0].measured), (Came::Yes, Some(3.0)));
        assert_eq!(must(explanation).came, Came::No);
    });
}

#[test]
fn a_silence_that_is_not_long_enough() {
    check("communication.dead-air", "a@0-1000 您好 | c@9000-11000 喂喂 在吗", |explanation| {
        assert_eq!(must(explanation).near[0].by, Distance::Length { short_by_ms: 2_000 });
    });
}

#[test]
fn the_missing_step_of_a_sequence() {
    let rulebook = Rulebook::parse(
        "id = \"t\"\nversion = \"1\"\n[[rule]]\nid = \"a.b\"\ntitle = { zh = \"一\", en = \"one\" }\n\
         tell = { zh = \"一\", en = \"one\" }\nclass = \"notice\"\nowner = \"agent\"\nmust.sequence = [\n\
         { speaker = \"agent\", labels = [\"identity_verification\"] },\n\
         { speaker = \"agent\", labels = [\"hold_request\"] },\n\
         { speaker = \"agent\", labels = [\"discloses_account_data\"] } ]",
    )
    .unwrap();
    let lines = "a 请等 #hold_request | c 好吧 | a 您贵姓 #identity_verification | c 王啊 | a 余额三十 #discloses_account_data";
    check_by(&rulebook, "a.b", lines, |explanation| {
        let came: Vec<Came> = explanation.steps.iter().map(|step| step.came).collect();
        assert_eq!(came, [Came::Yes, Came::Unknown]);
        assert_eq!(explanation.verdict.ruling, crate::Ruling::Violated);
    });
    let whole = "a 您贵姓 #identity_verification | c 王啊 | a 请等 #hold_request | c 好吧 | a 余额三十 #discloses_account_data";
    check_by(&rulebook, "a.b", whole, |explanation| {
        assert_eq!((explanation.verdict.ruling, explanation.steps.len()), (crate::Ruling::Met, 3));
    });
}

#[test]
fn a_call_that_can_not_be_judged() {
    check("script.greeting", "m 您好 #greeting | m 你好", |explanation| {
        assert!(matches!(explanation.steps[0].wanted, Wanted::Judgeable(Some(crate::Reason::Mono))));
    });
}
