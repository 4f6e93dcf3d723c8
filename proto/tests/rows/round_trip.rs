//! Observations rows hold all that a rulebook needs, however long the call.

use callqa_domain::{
    Channel, ChannelObserved, Gap, GapReason, Label, Language, Observations, Observed, RawText, Span,
    Utterance, judge, redact, rounded,
};
use callqa_proto::header::EventHeaders;
use callqa_proto::wire::ObservationsRow;
use callqa_proto::{Ending, PART_BYTES, ReassemblyError, Topic, reassemble};
use proptest::prelude::*;

use crate::fixture::{assess, call, delivery, observations, rulebook, said, thresholds};

/// What is published, as a consumer reads it.
fn published(observations: Observations) -> Vec<ObservationsRow> {
    let (assessment, rulebook, headers) = (assess(call(), observations), rulebook(), EventHeaders::default());
    let ending = Ending::Assessed { assessment: &assessment, rulebook: &rulebook };
    let messages = ending.messages(&delivery(&headers)).unwrap();
    let payloads = messages.iter().filter(|message| message.topic == Topic::Observations).map(|m| &m.payload);
    payloads
        .inspect(|payload| assert!(payload.len() <= PART_BYTES, "{} bytes", payload.len()))
        .map(|payload| serde_json::from_slice(payload).unwrap())
        .collect()
}

fn check_lossless(observations: Observations) -> usize {
    let rows = published(observations.clone());
    let parts = rows.len();
    let (call_again, again) = reassemble(rows.into_iter().rev().collect()).unwrap();
    assert_eq!(call_again, call());
    assert_eq!(again, observations);
    parts
}

#[test]
fn a_short_call_is_one_row() {
    assert_eq!(check_lossless(observations()), 1);
}

#[test]
fn a_call_without_a_word_is_one_row() {
    let silent = Observations { utterances: Vec::new(), gaps: Vec::new(), ..observations() };
    assert_eq!(check_lossless(silent), 1);
}

#[test]
fn the_same_verdicts_come_of_rows_as_of_the_call() {
    let (call, observations) = reassemble(published(observations())).unwrap();
    let again = judge(&call, &observations, &rulebook());
    assert_eq!(again.verdicts, assess(crate::fixture::call(), crate::fixture::observations()).verdicts);
}

/// Four hours of speech in short spans, every label on every utterance.
fn long_call() -> Observations {
    let every: Vec<(Label, f32)> = Label::ALL.iter().map(|&label| (label, 0.1234)).collect();
    let line = |i: u64| {
        let channel = if i.is_multiple_of(2) { Channel::Agent } else { Channel::Customer };
        said(channel, i * 3_600, "请您稍等,我帮您\"查\"一下,号码13800138000", &every)
    };
    let speech = |from: u64| (from..14_400).map(|i| Span::new(i * 1_000, i * 1_000 + 600)).collect();
    let of = |channel, from| ChannelObserved { channel, language: Some(Language::Zh), speech: speech(from) };
    Observations {
        duration_ms: 14_400_000,
        channels: vec![of(Channel::Agent, 0), of(Channel::Customer, 1)],
        utterances: (0..4_000).map(line).collect(),
        ..observations()
    }
}

/// Reads and reassembles, without the judge: four hours of rules would take longer than the rest together.
#[test]
fn a_long_call_is_cut_under_the_limit() {
    let mut assessment = assess(call(), observations());
    assessment.observations = long_call();
    let (rulebook, headers) = (rulebook(), EventHeaders::default());
    let ending = Ending::Assessed { assessment: &assessment, rulebook: &rulebook };
    let messages = ending.messages(&delivery(&headers)).unwrap();
    let of_topic: Vec<_> = messages.iter().filter(|message| message.topic == Topic::Observations).collect();
    assert!(of_topic.len() > 1 && of_topic.iter().all(|message| message.payload.len() <= PART_BYTES));
    let rows = of_topic.iter().map(|message| serde_json::from_slice(&message.payload).unwrap()).collect();
    assert_eq!(reassemble(rows).unwrap().1, assessment.observations);
}

#[test]
fn rows_that_are_not_one_result_are_refused() {
    let row = published(observations()).remove(0);
    let refused = |rows| reassemble(rows).is_err_and(|error| matches!(error, ReassemblyError::Parts { .. }));
    assert!(refused(vec![]));
    assert!(refused(vec![row.clone(), row.clone()]));
    assert!(refused(vec![ObservationsRow { parts: 2, ..row.clone() }]));
    let other = ObservationsRow { part: 1, parts: 2, result_id: "other".into(), ..row.clone() };
    assert!(refused(vec![ObservationsRow { parts: 2, ..row }, other]));
}

#[test]
fn lists_that_do_not_fit_are_refused() {
    let row = published(observations()).remove(0);
    let refused = |row| reassemble(vec![row]).is_err_and(|error| matches!(error, ReassemblyError::Lists(..)));
    assert!(refused(ObservationsRow { speech_end_ms: vec![], ..row.clone() }));
    assert!(refused(ObservationsRow { score_utterance: vec![99; row.score_label.len()], ..row.clone() }));
    assert!(refused(ObservationsRow { first_utterance: 1, ..row }));
}

#[test]
fn codes_of_another_version_are_refused() {
    let row = published(observations()).remove(0);
    let odd = ObservationsRow { ended_by: "ghost".into(), ..row };
    assert!(matches!(reassemble(vec![odd]), Err(ReassemblyError::Code { field: "ended_by", .. })));
}

prop_compose! {
    fn any_span()(start in 0u64..10_000_000, length in 0u64..100_000) -> Span { Span::new(start, start + length) }
}

prop_compose! {
    fn any_utterance()(
        agent in any::<bool>(), span in any_span(), text in "\\PC{0,60}", number in any::<bool>(),
        confidence in 0f32..1.0, scores in prop::collection::btree_map(prop::sample::select(Label::ALL), 0f32..1.0, 0..6),
    ) -> Observed {
        let raw = if number { format!("{text} 13800138000 a@b.cn") } else { text };
        let (text, redactions) = redact(&RawText::new(raw));
        let channel = if agent { Channel::Agent } else { Channel::Customer };
        let scores = scores.into_iter().map(|(label, probability)| (label, rounded(probability))).collect();
        Observed { utterance: Utterance { channel, span, text, redactions, confidence }, scores }
    }
}

prop_compose! {
    fn any_observations()(
        duration_ms in any::<u64>(), dual_mono in any::<bool>(),
        utterances in prop::collection::vec(any_utterance(), 0..30),
        agent in prop::collection::vec(any_span(), 0..20), customer in prop::collection::vec(any_span(), 0..20),
        gaps in prop::collection::vec((any_span(), any::<bool>()), 0..5), zh in any::<bool>(),
    ) -> Observations {
        let language = if zh { Some(Language::Zh) } else { None };
        let gap = |(span, twice): (Span, bool)| {
            let reason = if twice { GapReason::Repetition } else { GapReason::NoWords };
            Gap { channel: Channel::Agent, span, reason }
        };
        Observations {
            duration_ms, dual_mono, utterances,
            channels: vec![
                ChannelObserved { channel: Channel::Agent, language, speech: agent },
                ChannelObserved { channel: Channel::Customer, language: None, speech: customer },
            ],
            gaps: gaps.into_iter().map(gap).collect(),
            thresholds: thresholds(),
            outcome: None,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost(observations in any_observations()) {
        let mut assessment = assess(call(), self::observations());
        assessment.observations = observations.clone();
        let (rulebook, headers) = (rulebook(), EventHeaders::default());
        let ending = Ending::Assessed { assessment: &assessment, rulebook: &rulebook };
        let messages = ending.messages(&delivery(&headers)).unwrap();
        let payloads = messages.iter().filter(|message| message.topic == Topic::Observations).map(|m| &m.payload);
        let rows = payloads.map(|payload| serde_json::from_slice(payload).unwrap()).collect();
        prop_assert_eq!(reassemble(rows).unwrap().1, observations);
    }
}
