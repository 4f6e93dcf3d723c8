//! Doubt, cuts, gaps and nonsense: where a wrong verdict would cost an agent points.

use proptest::prelude::*;

use super::tests::{call, check_ended, judged, met, not_applicable, pack, unknown, violated};
use crate::test_call::call_from;
use crate::{
    Call, Channel, ChannelObserved, EndedBy, FlagReason, Gap, GapReason, Judgement, Label, Observations,
    Observed, OutcomeKind, RawText, Reason, Ruling, Span, Utterance, judge, redact,
};

/// A call whose observations were spoiled before it was judged.
fn spoiled(lines: &str, spoil: impl FnOnce(&mut Observations)) -> Judgement {
    let mut observations = call_from(lines);
    spoil(&mut observations);
    judge(&call(), &observations, &pack())
}

#[track_caller]
fn check_spoiled(
    rule: &str,
    lines: &str,
    ruling: Ruling,
    reason: Option<Reason>,
    spoil: impl FnOnce(&mut Observations),
) {
    let judgement = spoiled(lines, spoil);
    let verdict = judgement.verdicts.iter().find(|verdict| verdict.rule == rule).unwrap();
    assert_eq!((verdict.ruling, verdict.reason), (ruling, reason), "{verdict:#?}");
}

/// Speech of a channel in which the transcriber found no words.
fn wordless(observations: &mut Observations, channel: Channel, span: Span) {
    observations.gaps.push(Gap { channel, span, reason: GapReason::NoWords });
    for observed in observations.channels.iter_mut().filter(|c| c.channel == channel) {
        observed.speech.push(span);
        observed.speech.sort_unstable();
    }
}

#[test]
fn an_offer_anywhere_in_the_same_turn_excuses() {
    let rule = "attitude.blame-shifting";
    met(rule, "c 坏了 | a 我先帮您登记 #offers_solution | a 您找厂家 #blame_shifting | c 算了吧");
    let excused = "c 坏了 | a 找厂家 #blame_shifting | a 我先帮您登记 #offers_solution";
    met(rule, "c 坏了 | a 找厂家 #blame_shifting? | a 我先帮您登记 #offers_solution");
    let doubtful =
        "c 然后 | a 这个也找他们 #blame_shifting? | c 啊这样 | a 对对 那个 | c 那我 | a 就这样 | c 行吧 再说";
    unknown(rule, &format!("{excused} | c 那个 | a 嗯 好吧 | {doubtful}"), Reason::ModelInDoubt);
}

#[test]
fn a_round_that_may_not_have_been_one_deducts_nothing() {
    let rule = "script.escalate-after-three";
    let sure = "a 规定如此 #explains | c 我不同意 #rejects_explanation";
    let unsure = "a 规定如此 #explains? | c 我不同意 #rejects_explanation";
    let end = "a 没有别的 | c 那算 | a 嗯 好吧";
    unknown(rule, &format!("{sure} | {unsure} | {sure} | {end}"), Reason::ModelInDoubt);
    let twice = "a 规定如此 #explains? | a 就是这样 #explains | c 不行 #rejects_explanation? | c 我不同意 #rejects_explanation";
    violated(rule, &format!("{twice} | {twice} | {twice} | {end}"));
}

#[test]
fn what_was_not_understood_is_not_absent() {
    let quiet = "a 您好 | c ~听不清 | a 三十元 | c ~听不清 | a 再见 #closing";
    unknown("script.survey-invitation", quiet, Reason::LowCoverage);
    unknown("script.anything-else", quiet, Reason::LowCoverage);
    unknown("attitude.empathy", quiet, Reason::LowCoverage);
    unknown("script.verify-identity", "a ~听不清 | c 查余额 | a ~听不清 | c 谢谢", Reason::LowCoverage);
    met("communication.dead-air", "a ~听不清 | c 查余额 | a ~听不清 | c 谢谢");
}

#[test]
fn a_side_that_spoke_without_a_word_understood_is_unknown() {
    let lines = "a@0-1000 您好 | a@9000-10000 喂喂";
    not_applicable("script.greeting", lines, Reason::NoConversation);
    check_spoiled("script.greeting", lines, Ruling::Unknown, Some(Reason::LowCoverage), |observations| {
        wordless(observations, Channel::Customer, Span::new(2000, 8000));
    });
}

#[test]
fn a_wait_that_may_have_been_announced() {
    let asked =
        "a@0-1000 等一下 #hold_request? | c@1100-1500 好的 | a@20000-21000 查到了 | c@22000-23000 多少";
    unknown("script.hold-courtesy", asked, Reason::ModelInDoubt);
    unknown("communication.dead-air", asked, Reason::ModelInDoubt);
    unknown(
        "communication.dead-air",
        "c@0-900 查话费 | a@1000-2000 ~听不清 | c@20000-21000 喂喂",
        Reason::ModelInDoubt,
    );
    let silent = "c@0-900 查话费 | a@1000-2000 我看看 | c@20000-21000 喂喂";
    violated("communication.dead-air", silent);
    check_spoiled(
        "communication.dead-air",
        silent,
        Ruling::Unknown,
        Some(Reason::ModelInDoubt),
        |observations| {
            wordless(observations, Channel::Agent, Span::new(2400, 3400));
        },
    );
}

#[test]
fn who_hears_the_customer_out_is_not_away() {
    let rule = "script.hold-courtesy";
    let told = "a@0-1000 请稍等您说 #hold_request | c@1100-14000 我上个月办的套餐 | a@14500-16000 查到了";
    not_applicable(rule, told, Reason::PreconditionAbsent);
    violated(rule, "a@0-1000 请稍等 #hold_request | c@15000-16000 喂还在吗 | a@30000-31000 查到了");
    let back = "a@0-1000 请稍等 #hold_request | a@30000-31000 查到了 | c@32000-33000 多少";
    check_spoiled(rule, back, Ruling::Unknown, Some(Reason::ModelInDoubt), |observations| {
        wordless(observations, Channel::Agent, Span::new(25000, 26000));
    });
}

#[test]
fn a_first_time_that_is_in_doubt() {
    let complaint =
        "a 您好 | c 不太好 #asks_supervisor? | a 请您评价 #survey_invitation | c 我要投诉 #asks_supervisor";
    unknown("script.no-survey-pressure", complaint, Reason::ModelInDoubt);
    let comforted = "c 唉 这样 #dissatisfied? | a 非常抱歉 #empathy_apology | c 太差了 #dissatisfied | a 这个 | c 哎呀 | a 那个";
    unknown("attitude.empathy", comforted, Reason::ModelInDoubt);
    let asks = "c 你叫什么 #asks_identification | a 工号一 #self_identification | c 你是 #asks_identification? | a 我 | c 说吧 | a 嗯 不";
    unknown("attitude.refuses-identification", asks, Reason::ModelInDoubt);
}

#[test]
fn praise_needs_certainty_and_something_to_play() {
    let rule = "praise.calm-under-fire";
    let line = "c 太差了 #dissatisfied | a 抱歉 | c 气死了 #dissatisfied? | a 修好了 | c 行 可以了 #confirms_resolved";
    unknown(rule, line, Reason::ModelInDoubt);
    not_applicable(rule, &line.replace("a 修好了", "a 急什么 #dismissive"), Reason::PreconditionAbsent);
    let praised = judged(EndedBy::Agent, &line.replace('?', ""));
    let verdict = praised.verdicts.iter().find(|verdict| verdict.rule == rule).unwrap();
    assert_eq!(verdict.evidence[0].claim.map(|claim| claim.label), Some(Label::Dissatisfied));
}

#[test]
fn every_met_verdict_can_be_played() {
    let judgement = judged(EndedBy::Agent, "a 您好 #greeting | c 你好 | a 再见 #closing");
    let silent = judgement.verdicts.iter().filter(|v| v.ruling == Ruling::Met && v.evidence.is_empty());
    assert_eq!(silent.map(|verdict| verdict.rule.as_str()).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn an_answer_begins_after_the_question() {
    let rule = "script.verify-identity";
    let over = "c@0-5000 我想查一下余额 | a@3000-4000 您贵姓 #identity_verification | \
                a@6000-7000 余额三十 #discloses_account_data";
    violated(rule, over);
    check_spoiled(rule, over, Ruling::Met, None, |observations| {
        wordless(observations, Channel::Customer, Span::new(5100, 5900));
    });
}

#[test]
fn interruptions_are_counted_by_who_starts_to_speak() {
    let rule = "communication.interruption";
    let one = "c@0-9000 我昨天买的 | a@2000-3000 不是这个 | a@3100-4000 您听我说 | a@4100-5000 不能退的";
    met(rule, one);
    let at = |from: u64, text: &str| {
        format!("c@{from}-{} 我昨天买的 | a@{}-{} {text}", from + 4000, from + 2000, from + 5000)
    };
    let three = |text: &str| [at(0, text), at(10_000, text), at(20_000, text)].join(" | ");
    violated(rule, &three("知道了知道了"));
    unknown(rule, &three("~知道了知道了"), Reason::ModelInDoubt);
    met(rule, &three("对，对，对。"));
}

#[test]
fn a_fifth_unintelligible_is_flagged() {
    let flag = judged(EndedBy::Agent, "a@0-8000 您好 #greeting | c@8000-10000 ~听不清").flag.unwrap();
    assert!(flag.reasons.contains(&FlagReason::ImpairedCoverage));
}

#[test]
fn a_classifier_that_says_nothing_deducts_nothing() {
    let lines = "a 喂 | c 你好 | a 请讲 | c 我查话费 | a 再见";
    check_spoiled("script.greeting", lines, Ruling::Unknown, Some(Reason::ModelInDoubt), |observations| {
        observations.thresholds.remove(&Label::Greeting);
    });
    check_spoiled("attitude.rude", lines, Ruling::Unknown, Some(Reason::ModelInDoubt), |observations| {
        observations.utterances[0].scores.insert(Label::Rude, f32::NAN);
    });
    let silent = spoiled(lines, |observations| observations.thresholds.clear());
    assert_eq!((silent.scorecard.score, silent.outcome.kind), (100, OutcomeKind::Unknown));
}

#[test]
fn speech_without_words_that_opens_a_call_may_have_been_a_greeting() {
    let lines = "a@8000-10000 说一下订单号 | c@10500-12000 三七五 | a@12500-14000 查到了";
    check_spoiled("script.greeting", lines, Ruling::Unknown, Some(Reason::LowCoverage), |observations| {
        wordless(observations, Channel::Agent, Span::new(1000, 7000));
    });
    violated("script.greeting", lines);
}

#[test]
fn a_mono_call_has_an_outcome() {
    let rule = "resolution.unresolved";
    violated(rule, "m 还是坏的 #says_unresolved | m 没法子");
    not_applicable(rule, "m 你好 | m 您好", Reason::PreconditionAbsent);
    unknown("communication.dead-air", "m 还是坏的 | m 没法子", Reason::Mono);
}

#[test]
fn a_broken_line_leaves_the_outcome_open() {
    let lines = "c 还是坏的 #says_unresolved | a 我帮您看";
    assert_eq!(judged(EndedBy::Line, lines).outcome.kind, OutcomeKind::Unknown);
    assert_eq!(judged(EndedBy::Customer, lines).outcome.kind, OutcomeKind::Unresolved);
    let mended = "c 已经好了 #confirms_resolved | a 不客气";
    assert_eq!(judged(EndedBy::Line, mended).outcome.kind, OutcomeKind::Resolved);
}

#[test]
fn windows_at_the_very_end() {
    check_ended(
        EndedBy::Line,
        "attitude.empathy",
        "a 您好 | c 太差了 #dissatisfied",
        Ruling::NotApplicable,
        Some(Reason::CutShort),
    );
    check_ended(
        EndedBy::Unknown,
        "attitude.empathy",
        "a 您好 | c 太差了 #dissatisfied",
        Ruling::Unknown,
        Some(Reason::MissingAttribute),
    );
    check_ended(
        EndedBy::Customer,
        "script.hold-courtesy",
        "c@0-900 查话费 | a@1000-2000 请稍等 #hold_request | c@20000-21000 喂喂",
        Ruling::NotApplicable,
        Some(Reason::CutShort),
    );
}

#[test]
fn courteous_words_are_no_forbidden_phrases() {
    let rule = "script.forbidden-phrases";
    met(rule, "c 怎么装 | a 这是傻瓜式操作很简单");
    violated(rule, "c 怎么装 | a 你傻啊");
    met(rule, "lang=en | c It may be a silly one | a That is not a stupid question at all");
    met(rule, "lang=en | c It is broken | a Our team will deal with it today");
    violated(rule, "lang=en | c It is broken | a Are you stupid or what?");
}

/// Times of any size in any order, any probability, any text.
fn nonsense() -> impl Strategy<Value = Observations> {
    let time = prop_oneof![0..60_000u64, Just(u64::MAX), Just(u64::MAX - 1)];
    let channel = prop_oneof![Just(Channel::Agent), Just(Channel::Customer), Just(Channel::Mixed)];
    let probability = prop_oneof![0.0..1.0f32, Just(f32::NAN), Just(f32::INFINITY), Just(-1.0)];
    let span = (time.clone(), time.clone()).prop_map(|(start_ms, end_ms)| Span { start_ms, end_ms });
    let scores = prop::collection::btree_map(prop::sample::select(Label::ALL), probability.clone(), 0..8);
    let text = "[a-z 好的。请稍等0-9]{0,12}";
    let said = (channel.clone(), span.clone(), text, probability, scores).prop_map(
        |(channel, span, text, confidence, scores)| {
            let (text, redactions) = redact(&RawText::new(text));
            Observed { utterance: Utterance { channel, span, text, redactions, confidence }, scores }
        },
    );
    let heard = (channel, prop::collection::vec(span, 0..5), prop::option::of(Just(crate::Language::Zh)))
        .prop_map(|(channel, speech, language)| ChannelObserved { channel, language, speech });
    (prop::collection::vec(said, 0..12), prop::collection::vec(heard, 0..4), time).prop_map(
        |(utterances, channels, duration_ms)| Observations {
            duration_ms,
            channels,
            utterances,
            ..call_from("a 您好")
        },
    )
}

proptest! {
    #[test]
    fn nonsense_is_judged_and_never_costs_more_than_its_violations(observations in nonsense()) {
        let call = Call { ended_by: EndedBy::Agent, ..call() };
        let judgement = judge(&call, &observations, &pack());
        prop_assert_eq!(judgement.verdicts.len(), 23);
        for verdict in &judgement.verdicts {
            prop_assert!(verdict.deducted == 0 || verdict.ruling == Ruling::Violated);
            prop_assert_eq!(
                verdict.reason.is_some(),
                matches!(verdict.ruling, Ruling::Unknown | Ruling::NotApplicable)
            );
            for quote in verdict.evidence.iter().filter_map(|evidence| evidence.quote.as_ref()) {
                let text = observations.utterances[quote.utterance].utterance.text.as_str().chars();
                let cut: String = text.skip(quote.from_char).take(quote.to_char - quote.from_char).collect();
                prop_assert_eq!(&cut, &quote.text);
            }
        }
        let deducted: u32 = judgement.verdicts.iter().map(|verdict| verdict.deducted).sum();
        prop_assert_eq!(judgement.scorecard.score, 100u32.saturating_sub(deducted));
        prop_assert_eq!(
            format!("{judgement:?}"),
            format!("{:?}", judge(&call, &observations, &pack()))
        );
    }
}
