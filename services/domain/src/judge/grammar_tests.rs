//! What the grammar can say beyond the default pack, rule by rule.

use super::tests::call;
use crate::test_call::call_from;
use crate::{Call, EndedBy, Reason, Rulebook, Ruling, judge};

/// A notice with this demand, after these lists.
fn rulebook(lists: &str, rule: &str) -> Rulebook {
    let said = "{ zh = \"一\", en = \"one\" }";
    Rulebook::parse(&format!(
        "id = \"t\"\nversion = \"1\"\n{lists}\n[[rule]]\nid = \"a.b\"\ntitle = {said}\ntell = {said}\n\
         class = \"notice\"\nowner = \"agent\"\n{rule}"
    ))
    .unwrap()
}

#[track_caller]
fn check(rulebook: &Rulebook, lines: &str, expect: Ruling) {
    check_ended(EndedBy::Agent, rulebook, lines, expect);
}

#[track_caller]
fn check_ended(ended_by: EndedBy, rulebook: &Rulebook, lines: &str, expect: Ruling) {
    let call = Call { ended_by, labels: [("vip".to_owned(), "yes".to_owned())].into(), ..call() };
    let verdict = judge(&call, &call_from(lines), rulebook).verdicts.remove(0);
    assert_eq!(verdict.ruling, expect, "{lines}: {verdict:#?}");
}

const MET: Ruling = Ruling::Met;
const VIOLATED: Ruling = Ruling::Violated;
const NOT_APPLICABLE: Ruling = Ruling::NotApplicable;
const UNKNOWN: Ruling = Ruling::Unknown;

#[test]
fn so_many_different_phrases() {
    let lists = "[phrases.told]\nen = [\"collect a debt\", \"be recorded\", \"your rights\"]";
    let told = "{ speaker = \"agent\", phrases = \"told\", at_least = 2, different = true }";
    let rulebook = rulebook(lists, &format!("must.found = {told}"));
    check(&rulebook, "lang=en | a This is to collect a debt and will be recorded | c Fine then", MET);
    check(&rulebook, "lang=en | a This is to collect a debt | c Fine then | a Now your rights", MET);
    check(&rulebook, "lang=en | a To collect a debt, to collect a debt | c Fine then", VIOLATED);
}

#[test]
fn the_same_words_count_once() {
    let lists =
        "[phrases.no]\nzh = [\"随便你\", \"随便\"]\n[phrases.more]\nzh = [\"有完没完\"]\nalso = [\"no\"]";
    let no = "speaker = \"agent\", phrases = [\"more\", \"no\"], at_least = 2";
    let never = rulebook(lists, &format!("must_not.found = {{ {no} }}"));
    check(&never, "c 怎么办 | a 随便你", MET);
    check(&never, "c 怎么办 | a 随便你 有完没完", VIOLATED);
    check(&never, "c 怎么办 | a 随便你 随便", VIOLATED);
    let different = rulebook(lists, &format!("must.found = {{ {no}, different = true }}"));
    check(&different, "c 怎么办 | a 随便你 | c 什么啊 | a 随便你", VIOLATED);
    check(&different, "c 怎么办 | a 随便你 | c 什么啊 | a 有完没完", MET);
}

#[test]
fn an_offence_that_may_be_excused_does_not_count() {
    let unless = "{ speaker = \"agent\", labels = [\"empathy_apology\"], window.after_trigger.turns = 1 }";
    let rulebook = rulebook(
        "[phrases.no]\nzh = [\"随便你\"]",
        &format!(
            "must_not.found = {{ speaker = \"agent\", phrases = \"no\", at_least = 2, unless = {unless} }}"
        ),
    );
    let one = "a 随便你 | c 什么啊 | a 那这样 | c 怎么这样";
    check(&rulebook, one, MET);
    check(&rulebook, &format!("{one} | a 随便你 | c 你说什么 | a 就这样"), VIOLATED);
    check(&rulebook, &format!("{one} | a 随便你 | c 你说什么 | a 就这样 #empathy_apology?"), UNKNOWN);
    check(&rulebook, &format!("{one} | a 随便你 | c 你说什么 | a 抱歉啊 #empathy_apology"), MET);
    // The line broke before the agent could apologise.
    let cut = format!("{one} | a 随便你");
    check_ended(EndedBy::Line, &rulebook, &cut, NOT_APPLICABLE);
    check_ended(EndedBy::Agent, &rulebook, &cut, VIOLATED);
}

#[test]
fn regular_expressions_and_exceptions() {
    let lists = "[phrases.no]\nregex = ['(我们)?也?没(有)?办法']\nexcept = [\"不是没办法\"]\n\
                 [phrases.more]\nzh = [\"随便你\"]\nalso = [\"no\"]";
    let rulebook = rulebook(lists, "must_not.found = { speaker = \"agent\", phrases = \"more\" }");
    check(&rulebook, "c 怎么办 | a 我们也没有办法", VIOLATED);
    check(&rulebook, "c 怎么办 | a 不是没办法，我来申请", MET);
    check(&rulebook, "c 怎么办 | a 随便你", VIOLATED);
}

#[test]
fn within_seconds_or_turns_of_the_trigger() {
    let asks = "trigger.every = [{ speaker = \"customer\", labels = [\"asks_supervisor\"] }]";
    let must = |window: &str| {
        let found = format!("{{ speaker = \"agent\", labels = [\"escalates\"], window = {{ {window} }} }}");
        rulebook("", &format!("{asks}\nmust.found = {found}"))
    };
    let call = "c@0-1000 找主管 #asks_supervisor | a@2000-3000 好吧 | c@4000-5000 快点啊 | a@9000-10000 帮您转 #escalates";
    check(&must("after_trigger.seconds = 8"), call, MET);
    check(&must("after_trigger.seconds = 7"), call, VIOLATED);
    check(&must("after_trigger = { turns = 1, seconds = 2 }"), call, VIOLATED);
    check(&must("after_trigger = { turns = 1, seconds = 8 }"), call, MET);
    check(&must("after_trigger = { turns = 2, seconds = 2 }"), call, MET);
    let before = "a@0-1000 已转主管 #escalates | c@2000-3000 我知道了 | a@4000-5000 嗯 那个 | c@9000-9900 找主管 #asks_supervisor";
    check(&must("before_trigger = true"), before, MET);
    check(&must("before_trigger.seconds = 9"), before, MET);
    check(&must("before_trigger.seconds = 8"), before, VIOLATED);
    check(&must("before_trigger.turns = 2"), before, MET);
    check(&must("before_trigger.turns = 1"), before, VIOLATED);
}

#[test]
fn a_window_that_the_end_of_the_call_cut() {
    let trigger = "trigger.first = [{ speaker = \"customer\", labels = [\"asks_supervisor\"] }]";
    let check = |ended_by, window: &str, expect| {
        let found = format!("{{ speaker = \"agent\", labels = [\"escalates\"], window.{window} }}");
        let lines = "c@0-1000 找主管 #asks_supervisor | a@2000-3000 好吧那 | c@4000-10000 快点啊";
        check_ended(ended_by, &rulebook("", &format!("{trigger}\nmust.found = {found}")), lines, expect);
    };
    for window in ["first = { turns = 0, seconds = 60 }", "after_trigger = { turns = 0, seconds = 60 }"] {
        check(EndedBy::Customer, window, NOT_APPLICABLE);
        check(EndedBy::Agent, window, VIOLATED);
    }
    check(EndedBy::Customer, "first = { turns = 0, seconds = 5 }", VIOLATED);
    check(EndedBy::Customer, "first = { turns = 3, seconds = 0 }", NOT_APPLICABLE);
    check(EndedBy::Customer, "first = { turns = 1, seconds = 0 }", VIOLATED);
    // Of turns and seconds, one that passed was chance enough.
    for window in ["first", "after_trigger"] {
        let extent =
            |turns: usize, seconds: u32| format!("{window} = {{ turns = {turns}, seconds = {seconds} }}");
        check(EndedBy::Customer, &extent(3, 60), NOT_APPLICABLE);
        check(EndedBy::Customer, &extent(1, 60), VIOLATED);
        check(EndedBy::Customer, &extent(3, 5), VIOLATED);
    }
}

#[test]
fn an_excuse_that_is_due_in_the_same_turn_needs_no_other_words() {
    let unless = "{ speaker = \"agent\", labels = [\"empathy_apology\"], window.after_trigger = { turns = 0, same_turn = true } }";
    let rulebook = rulebook(
        "[phrases.no]\nzh = [\"随便你\"]",
        &format!("must_not.found = {{ speaker = \"agent\", phrases = \"no\", unless = {unless} }}"),
    );
    check(&rulebook, "c 怎么办 | a 随便你 | c 什么啊 | a@20000-60000 ~听不清", VIOLATED);
    check(&rulebook, "c 怎么办 | a 随便你 | a 抱歉啊 #empathy_apology | c 什么啊", MET);
}

#[test]
fn in_the_last_seconds() {
    let rulebook =
        rulebook("", "must.found = { speaker = \"agent\", labels = [\"closing\"], window.last_seconds = 5 }");
    check(&rulebook, "c@0-1000 你好啊 | a@8000-9000 再见 #closing | c@10000-12000 嗯 那好", MET);
    check(&rulebook, "c@0-1000 你好啊 | a@5000-6000 再见 #closing | c@10000-12000 嗯 那好", VIOLATED);
}

#[test]
fn one_after_the_other() {
    let steps = "{ speaker = \"agent\", labels = [\"identity_verification\"] }, \
                 { speaker = \"agent\", labels = [\"discloses_account_data\"] }";
    let must = rulebook("", &format!("must.sequence = [{steps}]"));
    let never = rulebook("", &format!("must_not.sequence = [{steps}]"));
    let (ask, tell) = ("a 您贵姓 #identity_verification", "a 余额三十 #discloses_account_data");
    check(&must, &format!("{ask} | c 姓王 | {tell}"), MET);
    check(&must, &format!("{tell} | c 姓王 | {ask}"), VIOLATED);
    check(&must, &format!("{ask} | c 姓王 | {tell}?"), UNKNOWN);
    check(&never, &format!("{ask} | c 姓王 | {tell}"), VIOLATED);
    check(&never, &format!("{tell} | c 姓王 | {ask}"), MET);
}

#[test]
fn measures() {
    let ratio = rulebook("", "must.talk_ratio = [0.2, 0.6]");
    check(&ratio, "a@0-3000 您好 | c@3000-6000 你好啊", MET);
    check(&ratio, "a@0-9000 您好 | c@9000-10000 你好啊", VIOLATED);
    let silence =
        rulebook("", "must_not.found = { speaker = \"agent\", measure = \"silence\", at_least = 2 }");
    let one = "a@0-1000 您好 | c@5000-6000 你好啊 | a@7000-8000 请讲";
    check(&silence, one, MET);
    check(&silence, &format!("{one} | c@12000-13000 好 那个"), VIOLATED);
    let overtalk = rulebook("", "must_not.found = { speaker = \"agent\", measure = \"overtalk\" }");
    check(&overtalk, "a@0-1000 您好 | c@500-6000 你好啊", VIOLATED);
    check(&overtalk, "a@0-1000 您好 | c@501-6000 你好啊", MET);
}

#[test]
fn attributes_of_the_event() {
    let holds = |name: &str, value: &str| {
        let when = format!("when = [{{ holds.attribute = {{ name = \"{name}\", is = [\"{value}\"] }} }}]");
        rulebook("", &format!("{when}\nmust_not.found = {{ speaker = \"agent\", labels = [\"rude\"] }}"))
    };
    let lines = "a 您好 #rude | c 你好啊";
    check(&holds("labels.vip", "yes"), lines, VIOLATED);
    check(&holds("labels.vip", "no"), lines, NOT_APPLICABLE);
    check(&holds("labels.other", "no"), lines, UNKNOWN);
    check(&holds("tenant", "demo"), lines, VIOLATED);
    check(&holds("language", "en"), lines, NOT_APPLICABLE);
}

/// Each label may be wrong now and then, so a claim that needs three of them must be surer of each.
#[test]
fn three_rounds_each_hardly_above_the_threshold() {
    let rulebook = super::tests::pack();
    let judged = |probability: f32| {
        let round = "a 规定如此 #explains | c 我不同意 #rejects_explanation";
        let mut observations =
            call_from(&format!("{} | a 没有别的 | c 那算 | a 嗯 好吧", [round; 3].join(" | ")));
        for scores in observations.utterances.iter_mut().map(|observed| &mut observed.scores) {
            scores.values_mut().for_each(|score| *score = probability);
        }
        let call = Call { ended_by: EndedBy::Agent, ..call() };
        let judgement = judge(&call, &observations, &rulebook);
        let verdict =
            judgement.verdicts.into_iter().find(|v| v.rule == "script.escalate-after-three").unwrap();
        (verdict.ruling, verdict.reason, verdict.evidence.len())
    };
    // Thresholds are 0.6 here: 0.61 thrice is far from sure, 0.87 thrice leaves as much doubt as one label at 0.6.
    assert_eq!(judged(0.61), (UNKNOWN, Some(Reason::ModelInDoubt), 6));
    assert_eq!(judged(0.85), (UNKNOWN, Some(Reason::ModelInDoubt), 6));
    assert_eq!(judged(0.87), (VIOLATED, None, 7));
    assert_eq!(judged(0.99), (VIOLATED, None, 7));
}
