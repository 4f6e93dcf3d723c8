//! The sample calls as they were written: with the words, labels and times of the script, and no model in
//! between, the judge must give the verdicts that the writer of the calls expected.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;

use callqa_domain::{
    Call, Channel, ChannelObserved, Direction, EndedBy, Label, Language, Observations, Observed, RawText,
    Rulebook, Span, Task, Threshold, Utterance, judge, redact,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Script {
    language: Language,
    event: Event,
    turns: Vec<Line>,
    expected: Expected,
}

#[derive(Deserialize)]
struct Event {
    ended_by: EndedBy,
    direction: Direction,
    auto_announced: Option<bool>,
}

#[derive(Deserialize)]
struct Line {
    speaker: Channel,
    text: String,
    #[serde(default)]
    labels: Vec<Label>,
}

#[derive(Deserialize)]
struct Expected {
    verdicts: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Timeline {
    duration_ms: u64,
    turns: Vec<Spoken>,
}

#[derive(Deserialize)]
struct Spoken {
    start_ms: u64,
    end_ms: u64,
}

fn observations(script: &Script, timeline: &Timeline) -> Observations {
    let mut utterances: Vec<Observed> = script.turns.iter().zip(&timeline.turns).map(observed).collect();
    utterances.sort_by_key(|o| (o.utterance.span, o.utterance.channel));
    let channels = [Channel::Agent, Channel::Customer].map(|channel| ChannelObserved {
        channel,
        language: Some(script.language),
        speech: utterances
            .iter()
            .filter(|o| o.utterance.channel == channel)
            .map(|o| o.utterance.span)
            .collect(),
    });
    Observations {
        duration_ms: timeline.duration_ms,
        dual_mono: false,
        channels: channels.into(),
        utterances,
        gaps: Vec::new(),
        thresholds: Label::ALL.iter().map(|&label| (label, Threshold { holds: 0.5, doubt: 0.4 })).collect(),
        outcome: None,
    }
}

fn observed((line, spoken): (&Line, &Spoken)) -> Observed {
    let mut scores: BTreeMap<Label, f32> = line.labels.iter().map(|&label| (label, 1.0)).collect();
    let polite = line.labels.iter().any(|label| label.task() == Task::Politeness);
    if line.speaker == Channel::Agent && !polite {
        scores.insert(Label::Neutral, 1.0);
    }
    let (text, redactions) = redact(&RawText::new(line.text.as_str()));
    let span = Span::new(spoken.start_ms, spoken.end_ms);
    Observed {
        utterance: Utterance { channel: line.speaker, span, text, redactions, confidence: 1.0 },
        scores,
    }
}

fn call(event: &Event) -> Call {
    Call {
        direction: event.direction,
        ended_by: event.ended_by,
        auto_announced: event.auto_announced,
        ..Call::new("demo", "sample")
    }
}

/// These hang on the outcome, which is a model's estimate; the rest follows from the labels.
const OUTCOME_RULES: &[&str] = &["resolution.unresolved", "praise.calm-under-fire"];

#[test]
fn the_judge_agrees_with_who_wrote_the_calls() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pack = std::fs::read_to_string(top.join("deploy/rulebooks/service-baseline.toml")).unwrap();
    let rulebook = Rulebook::parse(&pack).unwrap();
    let mut scripts: Vec<_> = std::fs::read_dir(top.join("tests/calls"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".script.toml"))
        .collect();
    scripts.sort();
    assert!(scripts.len() >= 12, "there should be a dozen sample calls");

    let mut differences = Vec::new();
    for path in scripts {
        let script: Script = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let timeline = path.to_string_lossy().replace(".script.toml", ".timeline.json");
        let timeline: Timeline = serde_json::from_str(&std::fs::read_to_string(timeline).unwrap()).unwrap();
        let judgement = judge(&call(&script.event), &observations(&script, &timeline), &rulebook);
        for verdict in &judgement.verdicts {
            let expected = &script.expected.verdicts[&verdict.rule];
            if verdict.ruling.name() != expected && !OUTCOME_RULES.contains(&verdict.rule.as_str()) {
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                let reason = verdict.reason.map_or("", |reason| reason.name());
                differences.push(format!(
                    "{name} {}: expected {expected}, judged {} {reason}",
                    verdict.rule,
                    verdict.ruling.name()
                ));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
