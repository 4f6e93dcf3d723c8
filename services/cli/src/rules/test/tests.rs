//! Test files, from text to report.

use super::*;

/// Runs a file; its failures and its summary.
fn run(toml: &str) -> (String, String) {
    let rulebook = crate::rules::read(None).unwrap();
    let cases = cases::read(toml, &rulebook).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    let mut tally = Tally::default();
    let failures = tally.run("t.toml", &cases, &rulebook).unwrap();
    (failures, tally.summary())
}

fn case(fields: &str, dialogue: &str, expect: &str) -> String {
    format!(
        "[[case]]\nname = \"a case\"\n{fields}\ndialogue = '''\n{dialogue}\n'''\n[case.expect]\n{expect}\n"
    )
}

#[track_caller]
fn check(fields: &str, dialogue: &str, expect: &str) {
    let (failures, summary) = run(&case(fields, dialogue, expect));
    assert!(failures.is_empty(), "{failures}");
    assert!(summary.contains("all as expected"), "{summary}");
}

#[track_caller]
fn check_failure(fields: &str, dialogue: &str, expect: &str, line: &str) {
    let (failures, summary) = run(&case(fields, dialogue, expect));
    assert_eq!(failures.trim_end(), line);
    assert_eq!(summary, "1 case, 1 expectation: 1 not as expected, agreement 0.000\n");
}

/// Every mistake as `line: sentence`, each of which must contain what is expected.
#[track_caller]
fn check_mistakes(toml: &str, expect: &[&str]) {
    let rulebook = crate::rules::read(None).unwrap();
    let mistakes = cases::read(toml, &rulebook).map_or_else(|mistakes| mistakes, |_| Vec::new());
    let said: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), expect.len(), "{said:#?}");
    for (said, expect) in said.iter().zip(expect) {
        let (line, part) = expect.split_once(": ").unwrap();
        assert!(said.starts_with(&format!("{line}: ")) && said.contains(part), "{said:?} for {expect:?}");
    }
}

const BROKEN: &str = "customer: 我的宽带坏了 #states_issue";

#[test]
fn only_named_rules_are_checked() {
    check("", &format!("agent: 您好 #greeting\n{BROKEN}"), "script.greeting = \"met\"");
    check("", &format!("agent: 您好 #greeting\n{BROKEN}"), "\"script.greeting\" = \"met\"");
}

#[test]
fn marks_of_either_keyboard() {
    check(
        "",
        &format!("Agent： 您好 ＃greeting？ #courteous\n\n{BROKEN}"),
        "script.greeting = \"unknown\"\nattitude.rude = \"met\"",
    );
}

#[test]
fn what_the_event_says() {
    let dialogue = format!("agent: 您好 #greeting\n{BROKEN}\nagent: 好了");
    check("ended_by = \"agent\"", &dialogue, "script.self-identification = \"violated\"");
    check("auto_announced = true", &dialogue, "script.self-identification = \"not_applicable\"");
}

#[test]
fn an_outcome_needs_a_word_to_that_effect() {
    let said = format!("agent: 好了\n{BROKEN} #says_unresolved");
    check("outcome = \"unresolved\"", &said, "resolution.unresolved = \"violated\"");
    check("", &said, "resolution.unresolved = \"not_applicable\"");
    let unsaid = format!("agent: 好了\n{BROKEN}");
    check("outcome = \"unresolved\"", &unsaid, "resolution.unresolved = \"not_applicable\"");
}

#[test]
fn a_failure_shows_what_was_judged_and_where() {
    check_failure(
        "",
        &format!("{BROKEN}\nagent: 你听不懂人话啊 #rude"),
        "attitude.rude = \"met\"",
        "t.toml:9: a case: attitude.rude expected met, judged violated; agent 1.7-3.5 s \"你听不懂人话啊\"",
    );
    check_failure(
        "ended_by = \"customer\"",
        &format!("{BROKEN}\nagent: 好了"),
        "script.closing = \"violated\"",
        "t.toml:9: a case: script.closing expected violated, judged not_applicable (cut_short)",
    );
    check_failure(
        "ended_by = \"agent\"",
        "customer @0-4: 我的宽带坏了\nagent @4.5-6: 好了",
        "script.closing = \"met\"",
        "t.toml:9: a case: script.closing expected met, judged violated; agent 4.5-6.0 s",
    );
}

#[test]
fn numbers_are_not_repeated() {
    let (failures, _) =
        run(&case("", "customer: 喂\nagent: 我打13800138000找你 #rude", "attitude.rude = \"met\""));
    assert!(failures.contains("[phone]") && !failures.contains("13800138000"), "{failures}");
}

#[test]
fn mistakes_of_a_dialogue_come_all_at_once() {
    let dialogue = [
        "大家好",
        "您好 agent: 您好",
        "agent: 您好 #greting",
        "customer: 我的宽带坏了 #greeting",
        "agent: 好 #rude #courteous",
        "agent @9-8: 好",
        "agent @soon: 好",
        "agent: #greeting",
        "customer:",
        "customer: 说 #我不知道",
    ];
    check_mistakes(
        &case("", &dialogue.join("\n"), "script.greeting = \"met\""),
        &[
            "5: nobody says this",
            "6: text stands before the speaker",
            "7: #greting is no label; the agent's are: courteous,",
            "8: #greeting is only ever given to the agent",
            "9: #rude and #courteous: of these an utterance has one",
            "10: it ends at 8 s and starts at 9 s",
            "11: write @start-end in seconds",
            "12: labels without words",
            "13: nothing is said",
            "14: is no label; the customer's are: states_issue,",
        ],
    );
}

#[test]
fn lines_stand_in_the_order_of_time() {
    let backwards = "agent @5-6: 您好\ncustomer @2-3: 喂\nagent: 在";
    check_mistakes(
        &case("", backwards, "script.greeting = \"met\""),
        &["6: it starts at 2000 ms of the call, and the line above it at 5000 ms"],
    );
    check_mistakes(
        &case("", "agent @99990-99999: 您好", "script.greeting = \"met\""),
        &["4: `start_ms` must be milliseconds from the start of the call, 24 hours"],
    );
}

#[test]
fn mistakes_of_a_case_come_all_at_once() {
    check_mistakes(
        &case(
            "lang = \"fr\"\nended_by = 3\nauto_announced = \"yes\"\noutcome = \"good\"\nqueue = 1\nspeed = 1",
            "agent: 您好",
            "script.greting = \"met\"\nscript.closing = \"fine\"\nnone = 1",
        ),
        &[
            "3: `lang` must be \"zh\", \"en\"",
            "4: `ended_by` must be \"agent\"",
            "5: `auto_announced` must be true or false",
            "6: `outcome` must be \"resolved\"",
            "7: `queue` must be text",
            "8: `speed` is not known in a case: it may have name, lang",
            "13: `script.greting` is no rule of service-baseline",
            "14: `script.closing` must be \"met\", \"violated\", \"not_applicable\", \"unknown\"",
            "15: `none` must be \"met\"",
            "15: `none` is no rule",
        ],
    );
}

#[test]
fn what_a_case_needs() {
    check_mistakes("", &["1: there is no [[case]]"]);
    check_mistakes("case = 1", &["1: there is no [[case]]"]);
    check_mistakes("[[cases]]", &["1: `cases` is not known here", "1: there is no [[case]]"]);
    check_mistakes(
        "[[case]]\n",
        &["1: the case has no name", "1: the case has no dialogue", "1: the case has no [case.expect]"],
    );
    check_mistakes(
        "[[case]]\nname = \" \"\ndialogue = \"\"\n[case.expect]\n",
        &["2: the name is empty", "3: the dialogue is empty", "4: nothing is expected"],
    );
    let twice = case("", "agent: 您好", "script.greeting = \"not_applicable\"").repeat(2);
    check_mistakes(&twice, &["10: another case has this name"]);
}

#[test]
fn what_is_no_toml() {
    check_mistakes("[[case]]\nname = x\n", &["2: this is not TOML"]);
    check_mistakes("[[case]]\nname = \"x\"\nname = \"y\"\n", &["3: this is not TOML"]);
}

#[test]
fn a_summary_never_passes_over_a_file() {
    let tally = Tally { cases: 2, expectations: 3, failed: 0, unread_files: 1 };
    assert_eq!(
        tally.summary(),
        "2 cases, 3 expectations: all as expected; 1 file not run because of mistakes\n"
    );
    assert!(!tally.is_good());
}

/// The tests that are shipped with the default rulebook pass, and name each of its rules.
#[test]
fn the_default_rulebook_passes_its_tests() {
    let shipped = include_str!("../../../../../deploy/rulebooks/service-baseline.tests.toml");
    let (failures, summary) = run(shipped);
    assert!(failures.is_empty(), "{failures}");
    assert!(summary.contains("all as expected"), "{summary}");
    let rulebook = crate::rules::read(None).unwrap();
    let cases = cases::read(shipped, &rulebook).unwrap();
    let expected = |rule: &str, ruling: Ruling| {
        cases.iter().flat_map(|case| &case.expected).any(|e| e.rule == rule && e.ruling == ruling)
    };
    for rule in rulebook.rules() {
        assert!(expected(&rule.id, Ruling::Met), "no case in which {} is met", rule.id);
        // Praise is never violated.
        let other = if rule.section() == "praise" { Ruling::NotApplicable } else { Ruling::Violated };
        assert!(expected(&rule.id, other), "no case in which {} is {}", rule.id, other.name());
    }
}

#[test]
fn what_is_usual_need_not_be_repeated() {
    let usual = "[usual]\nmet = [\"attitude.rude\", \"script.greeting\"]\nscript.closing = \"met\"\n";
    let greets = format!("agent: 您好 #greeting\n{BROKEN}\nagent: 再见 #closing");
    let (failures, summary) =
        run(&(usual.to_owned() + &case("", &greets, "met = [\"communication.dead-air\"]")));
    assert!(failures.is_empty(), "{failures}");
    assert_eq!(summary, "1 case, 4 expectations: all as expected\n");
    let rude = format!(
        "agent: 您好 #greeting\n{BROKEN}\nagent: 闭嘴 #rude\ncustomer: 什么态度\nagent: 再见 #closing"
    );
    let (failures, _) = run(&(usual.to_owned() + &case("", &rude, "violated = [\"attitude.rude\"]")));
    assert!(failures.is_empty(), "{failures}");
    let (failures, _) = run(&(usual.to_owned() + &case("", BROKEN, "unknown = [\"attitude.rude\"]")));
    assert!(failures.starts_with("t.toml:11: a case: attitude.rude expected unknown"), "{failures}");
    assert!(failures.contains("t.toml:5: a case: script.greeting expected met"), "{failures}");
}

#[test]
fn a_rule_is_expected_once() {
    check_mistakes(
        &case("", "agent: 您好", "met = [\"script.greeting\", 7]\nviolated = [\"script.greeting\"]"),
        &["8: a rule is named by its id", "9: `script.greeting` stands here twice"],
    );
}

#[test]
fn one_track_and_a_time() {
    check("channels = 1", &format!("agent: 您好 #greeting\n{BROKEN}"), "script.greeting = \"unknown\"");
    check(
        "started_at = \"2026-03-04T10:00:00+08:00\"",
        &format!("agent: 您好\n{BROKEN}"),
        "attitude.rude = \"met\"",
    );
}

/// A rule of a rulebook that judges calls of one tenant, one campaign and one year.
const SCOPED: &str = r#"
id = "scoped"
version = "1"
[scope]
tenants = ["acme"]
labels = { campaign = ["spring"] }
[validity]
from = "2026-01-01"
until = "2026-12-31"
[[rule]]
id = "script.greeting"
title = { zh = "问候", en = "Greeting" }
tell = { zh = "请问候。", en = "Greet." }
class = "minor"
points = 3
owner = "agent"
must.found = { speaker = "agent", labels = ["greeting"] }
"#;

#[track_caller]
fn check_scoped(fields: &str, judged: &str) {
    let rulebook = Rulebook::parse(SCOPED).unwrap();
    let toml = case(fields, &format!("agent: 您好 #greeting\n{BROKEN}"), "script.greeting = \"violated\"");
    let cases = cases::read(&toml, &rulebook).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    let failures = Tally::default().run("t.toml", &cases, &rulebook).unwrap();
    assert!(failures.contains(&format!("expected violated, judged {judged}")), "{failures}");
}

#[test]
fn a_scope_can_be_tried() {
    let answered = "answered_at = \"2026-03-04T10:00:00+08:00\"";
    let (tenant, campaign) = ("tenant = \"acme\"", "labels.campaign = \"spring\"");
    check_scoped(&format!("{tenant}\n{campaign}\n{answered}"), "met");
    check_scoped(&format!("{campaign}\n{answered}"), "not_applicable (out_of_scope)");
    check_scoped(
        &format!("{tenant}\nlabels = {{ campaign = \"autumn\" }}\n{answered}"),
        "not_applicable (out_of_scope)",
    );
    check_scoped(
        &format!("{tenant}\n{campaign}\n{}", answered.replace("2026", "2027")),
        "not_applicable (out_of_scope)",
    );
    check_scoped(&format!("{tenant}\n{answered}"), "unknown (missing_attribute)");
    check_scoped(&format!("{tenant}\n{campaign}"), "unknown (missing_attribute)");
    check_mistakes(
        &case(
            "tenant = 1\nlabels = \"spring\"\nanswered_at = 2026",
            "agent: 您好",
            "script.closing = \"met\"",
        ),
        &[
            "3: `tenant` must be text",
            "4: `labels` must be a table of texts",
            "5: `answered_at` must be text",
        ],
    );
    check_mistakes(
        &case("labels.campaign = 7", "agent: 您好", "script.closing = \"met\""),
        &["3: `labels.campaign` must be text"],
    );
}

/// A good example is praised, and its absence is no violation.
const NEVER: [(&str, Ruling); 1] = [("praise.calm-under-fire", Ruling::Violated)];

/// The cases that are shipped with a pack.
#[track_caller]
fn check_shipped(rulebook: &str, tests: &str) {
    let rulebook = Rulebook::parse(rulebook).unwrap();
    let cases = cases::read(tests, &rulebook).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    let mut tally = Tally::default();
    let failures = tally.run(rulebook.id(), &cases, &rulebook).unwrap();
    assert!(failures.is_empty(), "{failures}");
    let expected: Vec<_> = cases.iter().flat_map(|case| &case.expected).collect();
    let mut missing = Vec::new();
    for (rule, ruling) in rulebook.rules().iter().flat_map(|rule| RULINGS.map(|ruling| (rule, ruling))) {
        let is_tested = expected.iter().any(|one| one.rule == rule.id && one.ruling == ruling);
        if !is_tested && !NEVER.contains(&(rule.id.as_str(), ruling)) {
            missing.push(format!("{} {}", rule.id, ruling.name()));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn the_shipped_tests_have_every_answer_of_every_rule() {
    check_shipped(
        include_str!("../../../../../deploy/rulebooks/service-baseline.toml"),
        include_str!("../../../../../deploy/rulebooks/service-baseline.tests.toml"),
    );
    check_shipped(
        include_str!("../../../../../deploy/rulebooks/collections-zh.toml"),
        include_str!("../../../../../deploy/rulebooks/collections-zh.tests.toml"),
    );
    check_shipped(
        include_str!("../../../../../deploy/rulebooks/collections-en.toml"),
        include_str!("../../../../../deploy/rulebooks/collections-en.tests.toml"),
    );
}

/// Dialogues with true labels: what the rules say of them is what a person expects who reads their definitions.
#[test]
fn verdicts_on_true_labels_are_those_that_a_person_expects() {
    let rulebook = crate::rules::read(None).unwrap();
    let mut tally = Tally::default();
    for text in [
        include_str!("../../../../../tests/eval/verdicts/mandarin.toml"),
        include_str!("../../../../../tests/eval/verdicts/english.toml"),
        include_str!("../../../../../tests/eval/verdicts/doubtful.toml"),
    ] {
        let cases = cases::read(text, &rulebook).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
        eprintln!("{}", tally.run("verdicts", &cases, &rulebook).unwrap());
    }
    eprintln!("{}", tally.summary());
    assert!(tally.cases >= 60 && tally.expectations >= 1_200, "{}", tally.summary());
    assert!(tally.agreement() >= 0.97, "{}", tally.summary());
}
