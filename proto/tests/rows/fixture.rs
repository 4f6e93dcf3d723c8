//! A call in which most of what rows can say happens.

use std::collections::BTreeMap;

use callqa_domain::{
    Assessment, Call, Channel, ChannelLayout, ChannelObserved, Direction, EndedBy, Gap, GapReason, Label,
    Language, Leg, ModelId, Observations, Observed, OutcomeEstimate, Provenance, Purpose, RawText, Rulebook,
    Span, Threshold, Utterance, judge, redact,
};
use callqa_proto::Delivery;
use callqa_proto::header::EventHeaders;

pub fn rulebook() -> Rulebook {
    let toml = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/rulebooks/service-baseline.toml");
    Rulebook::parse(&std::fs::read_to_string(toml).unwrap()).unwrap()
}

pub fn call() -> Call {
    Call {
        tenant: "demo".into(),
        call_id: "call-7".into(),
        revision: 2,
        supersedes: Some(1),
        purpose: Purpose::Reprocess,
        interaction_id: Some("case-1".into()),
        queue: Some("billing".into()),
        legs: vec![
            Leg { agent_id: "1024".into(), from_ms: None, to_ms: Some(9_000) },
            Leg { agent_id: "2048".into(), from_ms: Some(9_000), to_ms: None },
        ],
        customer_id: Some("c-99".into()),
        direction: Direction::Inbound,
        started_at: Some("2025-03-01T09:30:00+08:00".parse().unwrap()),
        answered_at: Some("2025-03-01T01:30:12Z".parse().unwrap()),
        ended_by: EndedBy::Agent,
        holds: vec![Span::new(12_000, 30_000)],
        auto_announced: Some(false),
        agent_language: Some(Language::Zh),
        customer_language: None,
        layout: Some(ChannelLayout::AgentFirst),
        labels: [("campaign".to_owned(), "spring \"25\"".to_owned())].into(),
    }
}

pub fn said(channel: Channel, start_ms: u64, text: &str, scores: &[(Label, f32)]) -> Observed {
    let (text, redactions) = redact(&RawText::new(text));
    let span = Span::new(start_ms, start_ms + 2_500);
    let utterance = Utterance { channel, span, text, redactions, confidence: 0.912 };
    Observed { utterance, scores: scores.iter().copied().collect() }
}

pub fn thresholds() -> BTreeMap<Label, Threshold> {
    Label::ALL.iter().map(|&label| (label, Threshold { holds: 0.6125, doubt: 0.4 })).collect()
}

pub fn estimate() -> OutcomeEstimate {
    OutcomeEstimate { resolved: 0.05, partially_resolved: 0.125, unresolved: 0.825 }
}

pub fn observations() -> Observations {
    use Channel::{Agent, Customer};
    let utterances = vec![
        said(Agent, 500, "您好,很高兴为您服务", &[(Label::Greeting, 0.9731), (Label::Courteous, 0.8)]),
        said(Customer, 4_000, "我的电话是13800138000,网又断了", &[(Label::StatesIssue, 0.91)]),
        said(Agent, 8_000, "你听不懂人话啊", &[(Label::Rude, 0.9512), (Label::Neutral, 0.02)]),
        said(Customer, 9_500, "我要去工信部投诉你们", &[(Label::ThreatensEscalation, 0.99)]),
        said(Agent, 32_000, "卡号6222021234567890123,再见", &[(Label::Closing, 0.7)]),
    ];
    let of =
        |channel| utterances.iter().filter(move |o| o.utterance.channel == channel).map(|o| o.utterance.span);
    let channel = |channel, language| ChannelObserved { channel, language, speech: of(channel).collect() };
    Observations {
        duration_ms: 36_000,
        dual_mono: false,
        channels: vec![channel(Agent, Some(Language::Zh)), channel(Customer, None)],
        gaps: vec![Gap { channel: Customer, span: Span::new(15_000, 15_400), reason: GapReason::NoWords }],
        thresholds: thresholds(),
        outcome: Some(estimate()),
        utterances,
    }
}

pub fn provenance() -> Provenance {
    let rulebook = rulebook();
    Provenance {
        event_digest: "e".repeat(64),
        recording_sha256: "f".repeat(64),
        models: vec![
            ModelId { name: "silero-vad".into(), sha256: "1".repeat(64) },
            ModelId { name: "whisper-base".into(), sha256: "2".repeat(64) },
        ],
        rulebook: rulebook.id().into(),
        rulebook_version: rulebook.version().into(),
        rulebook_digest: rulebook.digest().into(),
        config_digest: "c".repeat(64),
        build: "0.1.0".into(),
    }
}

pub fn assess(call: Call, observations: Observations) -> Assessment {
    let judgement = judge(&call, &observations, &rulebook());
    Assessment {
        call,
        observations,
        acoustics: judgement.acoustics,
        coverage: judgement.coverage,
        outcome: judgement.outcome,
        verdicts: judgement.verdicts,
        scorecard: judgement.scorecard,
        flag: judgement.flag,
        provenance: provenance(),
    }
}

pub fn delivery(headers: &EventHeaders) -> Delivery<'_> {
    Delivery { topic: "qa.calls.recorded.v1", partition: 3, offset: 41, headers, attempt: 1 }
}
