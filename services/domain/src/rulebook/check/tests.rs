//! Mistakes, each with the sentence that tells it.

mod form;

use crate::Rulebook;

#[track_caller]
fn check(rules: &str, expect: &[&str]) {
    let text = format!("id = \"t\"\nversion = \"1\"\n{rules}");
    let mistakes = Rulebook::parse(&text).map_or_else(|errors| errors.0, |_| Vec::new());
    assert_eq!(mistakes.len(), expect.len(), "{mistakes:#?}");
    for (mistake, part) in mistakes.iter().zip(expect) {
        assert!(mistake.contains(part), "{mistake:?} does not say {part:?}");
    }
}

fn rule(id: &str, rest: &str) -> String {
    let said = "{ zh = \"一\", en = \"one\" }";
    format!("[[rule]]\nid = \"{id}\"\ntitle = {said}\ntell = {said}\nowner = \"agent\"\n{rest}\n")
}

const GREETS: &str =
    "class = \"minor\"\npoints = 3\nmust.found = { speaker = \"agent\", labels = [\"greeting\"] }";

#[test]
fn a_good_rule_has_no_mistakes() {
    check(&rule("a.b", GREETS), &[]);
}

#[test]
fn all_mistakes_come_at_once() {
    let twice = rule("a.b", GREETS) + &rule("a.b", "class = \"notice\"\npoints = 2");
    check(&twice, &["two rules have this id", "nothing is demanded", "a notice deducts nothing"]);
}

#[test]
fn numbers_that_mean_nothing() {
    check(&rule("a.b", &GREETS.replace('3', "101")), &["a score has 100 to lose"]);
    check(
        &rule("a.b", "class = \"notice\"\nmust.pace = { zh = [nan, 300.0], en = [100.0, 200.0] }"),
        &["[least, most]"],
    );
    let first = GREETS.replace(" }", ", window.first = { turns = 1, seconds = nan } }");
    check(&rule("a.b", &first), &["a time in seconds"]);
}

#[test]
fn a_measure_is_in_no_turn() {
    let with = |window: &str| {
        let found = format!("{{ speaker = \"agent\", measure = \"interruption\", window = {{ {window} }} }}");
        rule("a.b", &format!("class = \"notice\"\nmust_not.found = {found}"))
    };
    check(&with("last_turns = 2"), &["in nobody's turn"]);
    check(&with("first = { turns = 2, seconds = 0.0 }"), &["in nobody's turn"]);
    check(&with("first = { turns = 2, seconds = 30.0 }"), &[]);
    check(&with("last_turns = 2, last_seconds = 30.0"), &[]);
}

#[test]
fn patterns_that_never_match() {
    let with = |pattern: &str| rule("a.b", &format!("class = \"notice\"\nmust.found = {{ {pattern} }}"));
    check(&with("speaker = \"customer\", labels = [\"greeting\"]"), &["only ever given to the agent"]);
    check(&with("speaker = \"agent\", phrases = \"none\""), &["no phrase list `none`"]);
    check(&with("speaker = \"agent\""), &["a pattern needs"]);
    check(
        &with("speaker = \"agent\", labels = [\"greeting\"], window = { before_trigger = true }"),
        &["speaks of a trigger, and there is none"],
    );
    check(
        &with("speaker = \"agent\", labels = [\"greeting\"], window = { last_turns = 0 }"),
        &["can never match"],
    );
    check(&with("speaker = \"agent\", labels = [\"greeting\"], window = {}"), &["can never match"]);
    check(
        &with("speaker = \"agent\", labels = [\"greeting\"], window.before_trigger = false"),
        &["line 9: a.b: `before_trigger = false` admits nothing"],
    );
}

#[test]
fn speakers_that_nobody_is() {
    let with = |pattern: &str| {
        let list = "[phrases.x]\nen = [\"oh\"]";
        format!("{list}\n{}", rule("a.b", &format!("class = \"notice\"\nmust.found = {{ {pattern} }}")))
    };
    let asks = "speaker = \"agent\", labels = [\"identity_verification\"]";
    check(&with(&format!("{asks}, answered_by = \"customer\"")), &[]);
    check(&with(&format!("{asks}, answered_by = \"agent\"")), &["`answered_by` is the speaker too"]);
    check(&with(&format!("{asks}, answered_by = \"mixed\"")), &["`answered_by = \"mixed\"` is nobody"]);
    check(&with("speaker = \"mixed\", phrases = \"x\""), &["`speaker = \"mixed\"` is nobody"]);
    check(&with("speaker = \"mixed\", labels = [\"greeting\"]"), &["`speaker = \"mixed\"` is nobody"]);
    check(&with("speaker = \"mixed\", measure = \"hold\""), &["`speaker = \"mixed\"` is nobody"]);
    check(&with("speaker = \"mixed\", measure = \"silence\""), &[]);
    let spoken = "when = [{ holds.spoken = { speaker = \"mixed\", at_least_seconds = 1.0 } }]";
    check(&rule("a.b", &format!("{GREETS}\n{spoken}")), &["`spoken.speaker = \"mixed\"` is nobody"]);
}

#[test]
fn phrase_lists() {
    let with = |list: &str| format!("[phrases.x]\n{list}\n{}", rule("a.b", GREETS));
    check(&with("by_sound = \"similar\"\nzh = [\"致电\"]"), &[]);
    check(
        &with("by_sound = \"same\"\nzh = [\"喂\", \"工号\"]"),
        &["line 3: phrases.x: `喂` has one character and would be heard everywhere"],
    );
    check(&with("zh = [\"喂\"]"), &[]);
    check(&with("by_sound = \"loud\""), &["line 4"]);
    check(&with("by_sound = \"same\"\nen = [\"oh\"]"), &["`by_sound` is for `zh`"]);
    check(&with("zh = []"), &["the list is empty"]);
    check(
        &with("en = [\"?!\", \"take {count}\", \"take {number}\"]"),
        &["no letter", "placeholder is {number}"],
    );
}

#[test]
fn lines_and_ids_are_named() {
    let two = rule("a.b", GREETS) + &rule("a.b", GREETS);
    check(&two, &["line 11: a.b: two rules have this id"]);
}

#[test]
fn ten_thousand_rules() {
    let many: String = (0..10_000).map(|number| rule(&format!("a.{number}"), GREETS)).collect();
    check(&many, &[]);
    check(&(many + &rule("a.9", GREETS)), &["line 80003: a.9: two rules"]);
}

#[test]
fn patterns_that_say_too_much() {
    let with = |clause: &str| {
        format!("[phrases.x]\nen = [\"oh\"]\n{}", rule("a.b", &format!("class = \"notice\"\n{clause}")))
    };
    let found = |pattern: &str| with(&format!("must.found = {{ speaker = \"agent\", {pattern} }}"));
    check(&found("labels = [\"greeting\"], phrases = \"x\""), &[]);
    check(&found("phrases = [\"x\", \"y\"]"), &["no phrase list `y`"]);
    check(&found("phrases = 7"), &["the name of a phrase list"]);
    check(&found("measure = \"hold\", phrases = \"x\""), &["a `measure` alone"]);
    let last =
        "labels = [\"greeting\"], window.before_last = { speaker = \"customer\", labels = [\"closing\"] }";
    check(&found(last), &["label `closing` is only ever given to the agent"]);
    check(
        &found("labels = [\"greeting\"], unless = { speaker = \"agent\", phrases = \"x\" }"),
        &["`unless` excuses"],
    );
    let one = "{ found = { speaker = \"agent\", phrases = \"x\" } }";
    check(&with(&format!("must.all = [{one}, {one}]")), &[]);
    check(&with(&format!("must.all = [{one}]")), &["two demands or more"]);
    check(&with(&format!("must_not.all = [{one}, {one}]")), &["make a rule of each"]);
    check(&with("must.started_between = [\"08:00\", \"21:00\"]"), &[]);
    check(&with("must.started_between = [\"21:00\", \"08:00\"]"), &["hours over midnight"]);
}

#[test]
fn scopes_and_days_that_admit_nothing() {
    let with = |head: &str| format!("{head}\n{}", rule("a.b", GREETS));
    check(&with("[scope]\nqueues = [\"a\"]\ndirections = [\"outbound\"]"), &[]);
    check(
        &with("[scope]\nqueues = []\nlabels = { campaign = [] }"),
        &["scope.queues", "scope.labels.campaign"],
    );
    check(&with("[scope]\ndirections = [\"unknown\"]"), &["`unknown` is no direction"]);
    check(&with("[validity]\nfrom = \"2026-01-01\"\nuntil = \"2025-12-31\""), &["no call is ever judged"]);
    check(&with("[validity]\nfrom = \"January\""), &["line 4"]);
}

#[test]
fn lists_that_are_part_of_themselves() {
    let with = |lists: &str| format!("{lists}\n{}", rule("a.b", GREETS));
    check(&with("[phrases.a]\nalso = [\"b\"]\n[phrases.b]\nen = [\"oh\"]"), &[]);
    check(
        &with("[phrases.a]\nalso = [\"b\"]\n[phrases.b]\nalso = [\"c\"]\n[phrases.c]\nalso = [\"a\"]"),
        &[
            "part of itself (a > b > c > a)",
            "part of itself (b > c > a > b)",
            "part of itself (c > a > b > c)",
        ],
    );
    check(&with("[phrases.a]\nalso = [\"a\"]"), &["part of itself (a > a)"]);
    check(&with("[phrases.a]\nalso = [\"z\"]"), &["there is no phrase list `z`"]);
}

#[test]
fn expressions() {
    let with = |list: &str| format!("[phrases.x]\n{list}\n{}", rule("a.b", GREETS));
    check(&with("regex = ['不(归|关)我管']\nexcept_regex = ['不归我管了']"), &[]);
    check(
        &with("regex = ['(a{100}){100}{100}']"),
        &["line 3: phrases.x: `(a{100}){100}{100}` could explode"],
    );
    check(&with("regex = ['\\b(whatever|)\\b']"), &["`\\b(whatever|)\\b` matches the empty text"]);
    check(
        &with("regex = ['(']\nexcept_regex = ['a*']"),
        &["is no regular expression", "matches the empty text"],
    );
}

#[test]
fn preconditions_that_never_hold() {
    let with = |when: &str| rule("a.b", &format!("{GREETS}\nwhen = [{when}]"));
    let attribute =
        |name: &str, is: &str| format!("{{ holds.attribute = {{ name = \"{name}\", is = [{is}] }} }}");
    check(&with(&attribute("ended_by", "\"agent\"")), &[]);
    check(&with(&attribute("labels.vip", "\"yes\"")), &[]);
    check(
        &with(&attribute("ended_by", "\"agnt\"")),
        &["`ended_by` is never `agnt`: it is agent or customer or line"],
    );
    check(&with(&attribute("queue", "")), &["one of none"]);
    check(&with(&attribute("colour", "\"red\"")), &["`colour` is no attribute of a call"]);
    check(
        &with(&format!("{}, {}", attribute("queue", "\"a\""), attribute("queue", "\"b\""))),
        &["no value of `queue` is in both lists"],
    );
    let closes = "{ speaker = \"agent\", labels = [\"closing\"] }";
    check(
        &with(&format!("{{ holds.found = {closes} }}, {{ holds.not.found = {closes} }}")),
        &["one denies what the other demands"],
    );
    check(&with("{ holds.any = [] }"), &["of nothing says nothing"]);
    check(&with("{ holds.outcome = [] }"), &["names none"]);
    check(
        &with("{ holds.spoken = { speaker = \"agent\", at_least_seconds = nan } }"),
        &["a time in seconds"],
    );
    let of_trigger =
        "{ holds.found = { speaker = \"agent\", labels = [\"closing\"], window.before_trigger = true } }";
    check(
        &rule("a.b", &format!("{GREETS}\ntrigger.first = [{closes}]\nwhen = [{of_trigger}]")),
        &["speaks of a trigger, and there is none"],
    );
}

#[test]
fn triggers_and_sequences_that_never_come() {
    let with = |rest: &str| rule("a.b", &format!("{GREETS}\n{rest}"));
    let asks = "{ speaker = \"customer\", labels = [\"asks_supervisor\"] }";
    check(&with("trigger.first = []"), &["names nothing"]);
    check(
        &with(&format!("trigger.rounds = {{ count = 0, open = {asks}, close = {asks} }}")),
        &["`rounds.count` is 0", "closed by the other"],
    );
    let rejects = "{ speaker = \"customer\", labels = [\"rejects_explanation\"] }";
    let explains = "{ speaker = \"agent\", labels = [\"explains\"] }";
    let rounds = |open: &str, close: &str| {
        with(&format!("trigger.rounds = {{ count = 3, open = {open}, close = {close} }}"))
    };
    let twice = |pattern: &str| pattern.replace(" }", ", at_least = 2 }");
    let uncounted = "each match counts by itself: no `at_least`";
    check(&rounds(explains, rejects), &[]);
    check(&rounds(explains, &twice(rejects)), &[uncounted]);
    check(&rounds("{ speaker = \"agent\", measure = \"hold\" }", rejects), &["a `measure` never does"]);
    check(&with(&format!("trigger.every = [{}]", twice(asks))), &[uncounted]);
    let two = asks.replace("] }", ", \"dissatisfied\"], at_least = 2, different = true }");
    check(&with(&format!("trigger.first = [{two}]")), &[uncounted]);
    check(&with(&format!("trigger.first = [{asks}]\nwhen = [{{ holds.found = {two} }}]")), &[]);
    let notice = |clause: &str| rule("a.b", &format!("class = \"notice\"\n{clause}"));
    let last = |last: &str| {
        notice(&format!(
            "must.found = {}",
            explains.replace(" }", &format!(", window.before_last = {last} }}"))
        ))
    };
    check(&last(rejects), &[]);
    check(&last(&twice(rejects)), &["in `before_last` each match counts by itself"]);
    check(&notice(&format!("must.sequence = [{asks}, {asks}]")), &[]);
    check(&notice(&format!("must.sequence = [{asks}]")), &["two steps or more"]);
    check(&notice("must.talk_ratio = [0.8, 0.2]"), &["shares from 0 to 1"]);
    let two = "speaker = \"agent\", labels = [\"greeting\"], at_least = 2, different = true";
    check(&notice(&format!("must.found = {{ {two} }}")), &["there are 1 to find"]);
}

#[test]
fn classes_and_sentences() {
    check(&rule("a.b", &GREETS.replace("minor", "fatal")), &["takes the whole score"]);
    let fatal = rule("a.b", &GREETS.replace("minor\"\npoints = 3", "fatal\""));
    check(&fatal, &[]);
    for owner in ["company", "customer"] {
        let others = fatal.replace("owner = \"agent\"", &format!("owner = \"{owner}\""));
        check(&others, &["only the agent's rules deduct"]);
    }
    check(&rule("a.b", GREETS).replace("en = \"one\"", "en = \" \""), &["in zh and in en"]);
}

#[test]
fn the_default_pack_is_sound() {
    let text = include_str!("../../../../../deploy/rulebooks/service-baseline.toml");
    let rulebook = Rulebook::parse(text).unwrap();
    assert_eq!(rulebook.rules().len(), 23);
}
