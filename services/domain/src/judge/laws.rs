//! Laws of scores, flags and evidence, over calls and rulebooks that nobody wrote by hand.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::tests::call;
use crate::test_call::call_from;
use crate::{
    Call, Channel, ChannelObserved, EndedBy, Judgement, Label, Leg, Observations, Observed, Rulebook, Ruling,
    Span, Utterance, judge, redact,
};

const PACK: &str = include_str!("../../../../deploy/rulebooks/service-baseline.toml");

/// What stands before the rules of the pack, and its rules, each as it is written.
static WRITTEN: LazyLock<(&str, Vec<&str>)> = LazyLock::new(|| {
    let mut parts = PACK.split("\n[[rule]]");
    (parts.next().unwrap_or_default(), parts.collect())
});

/// A rulebook of these rules of the pack, in this order.
fn rulebook(rules: &[usize]) -> Rulebook {
    let (head, written) = &*WRITTEN;
    let rules: String = rules.iter().map(|&rule| format!("\n[[rule]]{}", written[rule])).collect();
    Rulebook::parse(&format!("{head}{rules}")).unwrap()
}

fn score(label: Label) -> impl Strategy<Value = (Label, f32)> {
    prop_oneof![8 => Just(0.02f32), 2 => Just(0.97f32), 1 => 0.3..0.95f32]
        .prop_map(move |score| (label, score))
}

/// Who, how long after the line before began, for how long, the words, how well heard, and the labels' scores.
type Line = (Channel, u64, u64, String, f32, Vec<(Label, f32)>);

/// What one side says: any of its labels, sure or in doubt.
fn said(channel: Channel) -> impl Strategy<Value = Line> {
    let text = prop::sample::select(vec![
        "您好，很高兴为您服务",
        "嗯",
        "好的",
        "这个不归我管",
        "我的卡号是4111111111111111",
        "随便你",
        "再见",
        "a second please",
        "calm down",
        "我家的网断了",
    ]);
    let labels = Label::ALL.iter().copied().filter(|label| label.speaker() == channel);
    let scores: Vec<_> = labels.map(score).collect();
    let confidence = prop_oneof![6 => Just(0.9f32), 1 => Just(0.2f32)];
    (0..14_000u64, 200..6_000u64, text, confidence, scores).prop_map(
        move |(pause, length, text, confidence, scores)| {
            (channel, pause, length, text.to_owned(), confidence, scores)
        },
    )
}

/// A call as recordings give them: in time order, inside its duration, now and then one over the other.
fn a_call() -> impl Strategy<Value = Observations> {
    let either = prop_oneof![said(Channel::Agent), said(Channel::Customer)];
    prop::collection::vec(either, 0..24).prop_map(|lines| {
        let mut start = 0;
        let utterances: Vec<Observed> = lines
            .into_iter()
            .map(|(channel, pause, length, text, confidence, scores)| {
                start += pause;
                let (text, redactions) = redact(&crate::RawText::new(text));
                let span = Span::new(start, start + length);
                let utterance = Utterance { channel, span, text, redactions, confidence };
                Observed { utterance, scores: scores.into_iter().collect() }
            })
            .collect();
        let speech = |channel| {
            let spans =
                utterances.iter().filter(|o| o.utterance.channel == channel).map(|o| o.utterance.span);
            crate::join(spans.collect(), 300)
        };
        let language = Some(crate::Language::Zh);
        let channels = [Channel::Agent, Channel::Customer].map(|channel| ChannelObserved {
            channel,
            language,
            speech: speech(channel),
        });
        let ends = utterances.iter().map(|o| o.utterance.span.end_ms);
        Observations {
            duration_ms: ends.max().unwrap_or(0),
            channels: channels.into(),
            utterances,
            ..call_from("a 您好")
        }
    })
}

fn ended() -> impl Strategy<Value = Call> {
    let who = prop_oneof![
        Just(EndedBy::Agent),
        Just(EndedBy::Customer),
        Just(EndedBy::Line),
        Just(EndedBy::Unknown)
    ];
    who.prop_map(|ended_by| Call { ended_by, ..call() })
}

/// Some rules of the pack in any order.
fn some_rules() -> impl Strategy<Value = Vec<usize>> {
    let all: Vec<usize> = (0..23).collect();
    prop::sample::subsequence(all, 1..=23).prop_shuffle()
}

fn sorted(mut judgement: Judgement) -> Judgement {
    judgement.verdicts.sort_by(|a, b| a.rule.cmp(&b.rule));
    judgement
}

proptest! {
    #[test]
    fn a_score_is_what_the_deductions_leave(call in ended(), observed in a_call(), rules in some_rules()) {
        let rulebook = rulebook(&rules);
        let judgement = judge(&call, &observed, &rulebook);
        prop_assert!(judgement.scorecard.score <= 100);
        let deducted: u32 = judgement.verdicts.iter().map(|verdict| verdict.deducted).sum();
        prop_assert_eq!(judgement.scorecard.score, 100u32.saturating_sub(deducted));
        let fatal = judgement.verdicts.iter().any(|v| v.rule == "attitude.rude" && v.ruling == Ruling::Violated);
        prop_assert_eq!(judgement.scorecard.provisional, fatal);
        if let Some(flag) = judgement.flag {
            prop_assert!(flag.priority <= 100 && !flag.reasons.is_empty());
        }
    }

    #[test]
    fn a_rule_that_is_not_violated_never_lowers_a_score(
        call in ended(), observed in a_call(), mut rules in some_rules(), more in 0..23usize
    ) {
        rules.retain(|rule| *rule != more);
        prop_assume!(!rules.is_empty());
        let before = judge(&call, &observed, &rulebook(&rules));
        rules.push(more);
        let after = judge(&call, &observed, &rulebook(&rules));
        let added = after.verdicts.last().unwrap();
        if added.ruling != Ruling::Violated {
            prop_assert_eq!(after.scorecard.score, before.scorecard.score);
            prop_assert_eq!(after.flag, before.flag);
        }
        prop_assert!(after.scorecard.score <= before.scorecard.score);
    }

    #[test]
    fn the_order_of_the_rules_changes_nothing(call in ended(), observed in a_call(), rules in some_rules()) {
        let mut in_order = rules.clone();
        in_order.sort_unstable();
        let one = judge(&call, &observed, &rulebook(&rules));
        let other = judge(&call, &observed, &rulebook(&in_order));
        prop_assert_eq!(sorted(one), sorted(other));
    }

    #[test]
    fn all_evidence_lies_in_the_call(call in ended(), observed in a_call()) {
        let all: Vec<usize> = (0..23).collect();
        for verdict in judge(&call, &observed, &rulebook(&all)).verdicts {
            for evidence in &verdict.evidence {
                prop_assert!(evidence.span.start_ms <= evidence.span.end_ms);
                prop_assert!(evidence.span.end_ms <= observed.duration_ms, "{:?}", verdict);
                if let Some(quote) = &evidence.quote {
                    let utterance = &observed.utterances[quote.utterance].utterance;
                    let said = utterance.text.as_str().chars().skip(quote.from_char);
                    let cut: String = said.take(quote.to_char - quote.from_char).collect();
                    prop_assert_eq!(&cut, &quote.text);
                    prop_assert_eq!(evidence.span, utterance.span);
                    prop_assert_eq!(evidence.channel, Some(utterance.channel));
                }
            }
            let settled = matches!(verdict.ruling, Ruling::Met | Ruling::Violated);
            prop_assert!(!settled || !verdict.evidence.is_empty(), "nothing to play: {:?}", verdict);
        }
    }

    #[test]
    fn whose_call_it_is_changes_no_deduction(call in ended(), observed in a_call(), agent in "[a-z0-9]{0,8}") {
        let all: Vec<usize> = (0..23).collect();
        let rulebook = rulebook(&all);
        let legs = vec![Leg { agent_id: agent, from_ms: None, to_ms: None }];
        let named = Call { legs, customer_id: Some("c".into()), call_id: "another".into(), ..call.clone() };
        prop_assert_eq!(judge(&call, &observed, &rulebook), judge(&named, &observed, &rulebook));
    }

    #[test]
    fn what_is_explained_is_what_was_judged(call in ended(), observed in a_call()) {
        let all: Vec<usize> = (0..23).collect();
        let rulebook = rulebook(&all);
        let explained = crate::explain(&call, &observed, &rulebook);
        let told: Vec<_> = explained.iter().map(|explanation| explanation.verdict.clone()).collect();
        prop_assert_eq!(told, judge(&call, &observed, &rulebook).verdicts);
        prop_assert!(explained.iter().all(|explanation| !explanation.steps.is_empty()));
    }
}

/// No speech, one side alone, and a call of an hour and more: a verdict for every rule, and none invented.
#[test]
fn calls_of_any_length() {
    let all: Vec<usize> = (0..23).collect();
    let rulebook = rulebook(&all);
    let judged =
        |observed: &Observations| judge(&Call { ended_by: EndedBy::Agent, ..call() }, observed, &rulebook);
    let nobody =
        Observations {
            utterances: Vec::new(), channels: Vec::new(), duration_ms: 0, ..call_from("a 您好")
        };
    for silent in
        [nobody, call_from("a 您好 #greeting | a 再见 #rude"), call_from("c 喂 | c 有人吗 #dissatisfied")]
    {
        let judgement = judged(&silent);
        assert_eq!(judgement.scorecard.score, 100);
        assert!(
            judgement.verdicts.iter().all(|verdict| verdict.ruling == Ruling::NotApplicable),
            "{judgement:#?}"
        );
    }
    let round = "a 规定如此 #explains | c 我不同意 #rejects_explanation | a 请等 #hold_request #blame_shifting | c 快点啊 #dissatisfied";
    let long = format!("a 您好 #greeting | {}", [round; 1_250].join(" | "));
    let judgement = judged(&call_from(&long));
    assert_eq!(judgement.verdicts.len(), 23);
    let ruling = |id: &str| judgement.verdicts.iter().find(|verdict| verdict.rule == id).map(|v| v.ruling);
    assert_eq!(ruling("script.greeting"), Some(Ruling::Met));
    assert_eq!(ruling("script.escalate-after-three"), Some(Ruling::Violated));
}
