//! The default pack, rule by rule, on calls of a line.

use crate::test_call::call_from;
use crate::{Call, EndedBy, Judgement, Reason, Rulebook, Ruling, judge};

pub(super) fn pack() -> Rulebook {
    Rulebook::parse(include_str!("../../../../deploy/rulebooks/service-baseline.toml")).unwrap()
}

pub(super) fn call() -> Call {
    Call { direction: crate::Direction::Inbound, ended_by: EndedBy::Agent, ..Call::new("demo", "1") }
}

pub(super) fn judged(ended_by: EndedBy, lines: &str) -> Judgement {
    judge(&Call { ended_by, ..call() }, &call_from(lines), &pack())
}

#[track_caller]
pub(super) fn check_ended(
    ended_by: EndedBy,
    rule: &str,
    lines: &str,
    ruling: Ruling,
    reason: Option<Reason>,
) {
    let judgement = judged(ended_by, lines);
    let verdict = judgement.verdicts.iter().find(|verdict| verdict.rule == rule).unwrap();
    assert_eq!((verdict.ruling, verdict.reason), (ruling, reason), "{verdict:#?}");
}

#[track_caller]
pub(super) fn met(rule: &str, lines: &str) {
    check_ended(EndedBy::Agent, rule, lines, Ruling::Met, None);
}

#[track_caller]
pub(super) fn violated(rule: &str, lines: &str) {
    check_ended(EndedBy::Agent, rule, lines, Ruling::Violated, None);
}

#[track_caller]
pub(super) fn not_applicable(rule: &str, lines: &str, reason: Reason) {
    check_ended(EndedBy::Agent, rule, lines, Ruling::NotApplicable, Some(reason));
}

#[track_caller]
pub(super) fn unknown(rule: &str, lines: &str, reason: Reason) {
    check_ended(EndedBy::Agent, rule, lines, Ruling::Unknown, Some(reason));
}

#[test]
fn greeting() {
    let rule = "script.greeting";
    met(rule, "a 您好 #greeting | c 你好 | a 请讲 | c 好的");
    met(rule, "a 喂 | c 你好 | a 您好 #greeting | c 我查话费");
    violated(
        rule,
        "a@0-1000 喂 | c@2000-9000 你好 | a@9500-10500 请讲 | c@11000-12000 我查 | a@13000-14000 您好 #greeting",
    );
    unknown(rule, "a 您好 #greeting? | c 你好 | a 请讲 | c 我查话费 | a 好", Reason::ModelInDoubt);
    unknown(rule, "a ~好 | c 你好 | a ~讲 | c 我查话费 | a 再见", Reason::LowCoverage);
    not_applicable(rule, "a 您好 #greeting", Reason::NoConversation);
    unknown(rule, "m 您好 #greeting | m 你好", Reason::Mono);
}

#[test]
fn self_identification() {
    let rule = "script.self-identification";
    met(rule, "a 我是小王 #self_identification | c 你好");
    violated(rule, "a 您好 | c 你好 | a 请讲 | c 好 我说 | a 您说 | c 我的网断了");
    let call = Call { auto_announced: Some(true), ..call() };
    let judgement = judge(&call, &call_from("a 您好 | c 你好"), &pack());
    assert_eq!(judgement.verdicts[1].ruling, Ruling::NotApplicable);
}

#[test]
fn verify_identity() {
    let rule = "script.verify-identity";
    met(rule, "a 请问您贵姓 #identity_verification | c 我姓王 | a 余额三十 #discloses_account_data");
    violated(rule, "c 查余额 | a 余额三十 #discloses_account_data | c 好的");
    violated(rule, "a 请问您贵姓 #identity_verification | a 余额三十 #discloses_account_data | c 谢谢");
    violated(rule, "c 查 | a 余额三十 #discloses_account_data | a 您贵姓 #identity_verification | c 王");
    not_applicable(rule, "a 您好 | c 你好", Reason::PreconditionAbsent);
}

#[test]
fn hold_courtesy() {
    let rule = "script.hold-courtesy";
    let asked = "a@0-1000 请稍等 #hold_request | c@1100-1500 好的";
    met(rule, &format!("{asked} | a@12000-13000 久等了 #hold_return | c@14000-15000 嗯 你说"));
    violated(
        rule,
        &format!("{asked} | a@12000-13000 查到了 | c@14000-15000 多少 | a@16000-17000 久等了 #hold_return"),
    );
    not_applicable(rule, &format!("{asked} | a@9000-10000 查到了"), Reason::PreconditionAbsent);
    let twice = "a@12000-13000 久等了 #hold_return | c@13500-14500 还有一个 | a@15000-16000 再等一下 #hold_request | \
                 c@17000-18000 好的 | a@30000-31000 查到了 | c@32000-33000 多少";
    violated(rule, &format!("{asked} | {twice}"));
}

#[test]
fn anything_else_and_survey() {
    let rule = "script.anything-else";
    met(rule, "c 查话费 | a 还有别的吗 #anything_else | c 没有了 | a 再见 #closing");
    violated(rule, "c 查话费 | a 三十 | c 好 知道了 | a 再见 #closing");
    met(rule, "c 查话费 | a 三十 | c 知道了 | a 还有别的吗 谢谢来电 #anything_else #closing");
    met(rule, "c 查 | a 再见 #closing | c 等等 | a 还有别的吗 #anything_else | c 没有了 | a 再见 #closing");
    let late = "c 查话费 | a 三十 | c 知道了 | a 再见 #closing | a 还有别的吗 #anything_else";
    violated(rule, late);
    unknown(rule, &late.replace("#closing", "#closing?"), Reason::ModelInDoubt);
    unknown(rule, &format!("{late} | a 好 再见 #closing?"), Reason::ModelInDoubt);
    met(rule, "c 查话费 | a 三十 | c 知道了 | a 还有别的吗 #anything_else");
    not_applicable(rule, "c 没别的事了 #nothing_more | a 再见 #closing", Reason::PreconditionAbsent);
    let cut = "c 查话费 | a 三十元 | c 我知道了";
    check_ended(EndedBy::Line, rule, cut, Ruling::NotApplicable, Some(Reason::CutShort));
    check_ended(EndedBy::Unknown, rule, cut, Ruling::Unknown, Some(Reason::MissingAttribute));
    check_ended(
        EndedBy::Customer,
        rule,
        "c 查 | a 三十元 | c 知道了 | a 再见 #closing",
        Ruling::Violated,
        None,
    );
    let survey = "script.survey-invitation";
    met(survey, "c 查话费 | a 请您评价 #survey_invitation | c 好的 行");
    not_applicable(survey, "c 太差了 #dissatisfied | a 抱歉 | c 算了吧", Reason::PreconditionAbsent);
}

#[test]
fn no_survey_pressure() {
    let rule = "script.no-survey-pressure";
    violated(rule, "a 您好 | c 我要投诉 #asks_supervisor | a 好 | a 请您评价 #survey_invitation");
    met(rule, "a 您好 | c 我要投诉 #asks_supervisor | a 好的抱歉");
    let won_back = "c@0-1000 太差了 #dissatisfied | a@2000-3000 修好了 | c@20000-21000 可以了 | \
                    a@29000-30000 请评价 #survey_invitation";
    not_applicable(rule, won_back, Reason::PreconditionAbsent);
}

#[test]
fn closing() {
    let rule = "script.closing";
    met(rule, "c 查话费 | a 三十 | c 好 知道了 | a 再见 #closing");
    violated(rule, "c 查话费 | a 三十 | c 好 知道了 | a 挂了");
    check_ended(EndedBy::Customer, rule, "c 查 | a 三十", Ruling::NotApplicable, Some(Reason::CutShort));
}

#[test]
fn escalate_after_three() {
    let rule = "script.escalate-after-three";
    let round = "a 规定如此 #explains | c 我不同意 #rejects_explanation";
    let three = [round; 3].join(" | ");
    violated(rule, &format!("{three} | a 没有别的 | c 那算 | a 嗯 好吧"));
    met(rule, &format!("{three} | a 请等 | c 快点啊 | a 帮您转主管 #escalates"));
    met(rule, &format!("{round} | a 已上报 #escalates | {round} | {round} | a 请等 | c 快 | a 好吧"));
    not_applicable(rule, &[round; 2].join(" | "), Reason::PreconditionAbsent);
    check_ended(
        EndedBy::Customer,
        rule,
        &format!("{three} | a 等等"),
        Ruling::NotApplicable,
        Some(Reason::CutShort),
    );
    let once = "a 规定如此 #explains | a 就是这样 #explains | c 我不同意 #rejects_explanation";
    not_applicable(rule, &[once; 2].join(" | "), Reason::PreconditionAbsent);
}

#[test]
fn forbidden_phrases() {
    let rule = "script.forbidden-phrases";
    violated(rule, "c 怎么办 | a 这个不 归我管");
    violated(rule, "lang=en | c It is broken | a Well, that's not my problem.");
    met(rule, "c 不归我管 | a 我来帮您");
    unknown(rule, "c 怎么办 | a ~这个不归我管", Reason::ModelInDoubt);
    violated(rule, "c 怎么办 | a 这个不归握管");
    met(rule, "c 怎么办 | a 您看您啥时候方便 | c 明天吧 | a 你啥都不用带");
}

#[test]
fn attitude() {
    violated("attitude.rude", "c 怎么办 | a 你傻吗 #rude");
    met("attitude.rude", "c 你傻吗 | a 我来帮您");
    violated("attitude.dismissive", "c 怎么办 | a 说过了 #dismissive");
    unknown("attitude.dismissive", "c 怎么办 | a 说过了 #dismissive?", Reason::ModelInDoubt);
    violated(
        "attitude.blame-shifting",
        "c 坏了 | a 找厂家 #blame_shifting | c 啊？怎么 | a 对 就这样 | c 算了吧 | a 再见",
    );
    met("attitude.blame-shifting", "c 坏了 | a 找厂家 #blame_shifting | a 我先帮您登记 #offers_solution");
    let asks = "c 你叫什么 #asks_identification";
    violated("attitude.refuses-identification", &format!("{asks} | a 不能说 | c 凭什么 | a 就是不能"));
    met(
        "attitude.refuses-identification",
        &format!("{asks} | a 不能说 | c 凭什么 | a 工号一 #self_identification"),
    );
    met("attitude.empathy", "c 太差了 #dissatisfied | a 非常抱歉 #empathy_apology");
    violated("attitude.empathy", "c 太差了 #dissatisfied | a 哦这样 | c 什么哦 | a 等着吧");
}

#[test]
fn communication() {
    let over = "c@0-4000 我昨天买的 | a@2000-5000 知道了知道了";
    met("communication.interruption", over);
    let three = (0..3).map(|i| {
        let at = i * 10_000;
        format!("c@{at}-{} 我昨天买的 | a@{}-{} 知道了知道了", at + 4000, at + 2000, at + 5000)
    });
    violated("communication.interruption", &three.collect::<Vec<_>>().join(" | "));
    violated("communication.dead-air", "a@0-1000 您好 | c@11000-12000 喂喂");
    not_applicable("communication.pace", "a@0-1000 您好 | c@2000-3000 喂喂", Reason::PreconditionAbsent);
    violated("communication.pace", "a@0-40000 您好 | c@41000-42000 喂喂");
}

#[test]
fn resolution_risk_and_praise() {
    violated("resolution.repeat-contact", "c 我打过三次 #repeat_contact | a 您好");
    violated("resolution.unresolved", "c 还是坏的 #says_unresolved | a 没法子");
    not_applicable("resolution.unresolved", "c 你好 | a 您好", Reason::PreconditionAbsent);
    violated("risk.escalation-threat", "c 我找律师 #threatens_escalation | a 您好");
    let praised = "c 太差了 #dissatisfied | a 抱歉 | c 气死了 #dissatisfied | a 修好了 | c 行 可以了 #confirms_resolved";
    met("praise.calm-under-fire", praised);
    not_applicable(
        "praise.calm-under-fire",
        &praised.replace("a 修好了", "a 急什么 #dismissive"),
        Reason::PreconditionAbsent,
    );
}

#[test]
fn score_and_flag() {
    let good = judged(
        EndedBy::Agent,
        "a 您好 #greeting | a 我是小王 #self_identification | c 谢谢 没事了 #nothing_more | \
                                       a 请评价 #survey_invitation | a 再见 #closing",
    );
    assert_eq!((good.scorecard.score, good.scorecard.provisional, good.flag), (100, false, None));

    let rude = judged(EndedBy::Agent, "a 您好 #greeting | c 怎么办 | a 你傻吗 #rude");
    assert_eq!((rude.scorecard.score, rude.scorecard.provisional), (0, true));
    let flag = rude.flag.unwrap();
    let codes: Vec<&str> = flag.reasons.iter().map(|reason| reason.code()).collect();
    assert_eq!((flag.priority, codes), (93, vec!["attitude.rude", "script.forbidden-phrases"]));
}

#[test]
fn a_risk_that_is_a_serious_rule_is_as_urgent_as_one_that_is_not() {
    let id = "id = \"risk.escalation-threat\"";
    let text = include_str!("../../../../deploy/rulebooks/service-baseline.toml");
    let (before, risk) = text.split_once(id).unwrap();
    let serious = risk.replacen("class = \"notice\"", "class = \"serious\"\npoints = 10", 1);
    let lines = "c 我找律师 #threatens_escalation | a 您好";
    for text in [text, format!("{before}{id}{serious}").as_str()] {
        let flag = judge(&call(), &call_from(lines), &Rulebook::parse(text).unwrap()).flag.unwrap();
        let risk = crate::FlagReason::Risk("risk.escalation-threat".to_owned());
        assert_eq!((flag.priority, flag.reasons), (75, vec![risk]));
    }
}

#[test]
fn what_was_missing_shows_where_it_was_due() {
    let judgement =
        judged(EndedBy::Agent, "a@0-1000 喂 | c@2000-3000 你好 | a@4000-6000 请讲 | c@20000-21000 我查话费");
    let evidence = &judgement.verdicts[0].evidence[0];
    assert_eq!((evidence.span.start_ms, evidence.span.end_ms, evidence.quote.is_none()), (0, 10_000, true));
}

#[test]
fn the_agents_name_changes_nothing() {
    let observations = call_from("a 您好 #greeting | c 怎么办 | a 你傻吗 #rude");
    let named = |agent: &str| {
        let leg = crate::Leg { agent_id: agent.into(), from_ms: None, to_ms: None };
        judge(&Call { legs: vec![leg], ..call() }, &observations, &pack())
    };
    assert_eq!(named("a-1"), named("b-2"));
}
