//! How fast a call is judged without models: redaction, turns, acoustics, every rule, score and flag.
//!
//! ```text
//! cargo run --release -p callqa-domain --example judge-speed
//! ```
//!
//! The calls are the held-out dialogues of `tests/eval/data`, laid end to end and cut into calls of 60 utterances. Time
//! is that of this thread on a processor, so what else the machine does is not counted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use callqa_domain::{
    Call, Channel, ChannelObserved, Direction, EndedBy, Label, Language, Observations, Observed,
    OutcomeEstimate, RawText, Rulebook, Span, Task, Threshold, Utterance, judge, redact_across,
};
use serde::Deserialize;

/// Utterances of a call.
const UTTERANCES: usize = 60;
/// Milliseconds of an utterance, and from one to the next.
const SPOKEN_MS: u64 = 2_600;
const APART_MS: u64 = 3_000;
/// Each call is judged so often: some seconds altogether.
const ROUNDS: usize = 20;

#[derive(Deserialize)]
struct Line {
    lang: Language,
    speaker: Channel,
    text: String,
    politeness: Option<Label>,
    #[serde(default)]
    resolution: Vec<Label>,
    #[serde(default)]
    script: Vec<Label>,
}

fn main() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pack = std::fs::read_to_string(top.join("deploy/rulebooks/service-baseline.toml")).unwrap();
    let rulebook = Rulebook::parse(&pack).unwrap();
    let lines = lines(&top.join("tests/eval/data"));
    let calls: Vec<&[Line]> = lines.chunks_exact(UTTERANCES).collect();
    println!("{} calls of {UTTERANCES} utterances, {} rules", calls.len(), rulebook.rules().len());

    let call = call();
    let heard: Vec<Observations> = calls.iter().map(|lines| observations(lines)).collect();
    let mut deducted = 0;
    let judging = timed(|| {
        for observations in (0..ROUNDS).flat_map(|_| &heard) {
            deducted += judge(&call, observations, &rulebook).scorecard.score;
        }
    });
    report("judged (turns, acoustics, rules, score, flag)", calls.len() * ROUNDS, judging);
    let everything = timed(|| {
        for lines in (0..ROUNDS / 4).flat_map(|_| &calls) {
            deducted += judge(&call, &observations(lines), &rulebook).scorecard.score;
        }
    });
    report("redacted and judged", calls.len() * (ROUNDS / 4), everything);
    assert!(deducted > 0, "every call fails: the calls are not what they should be");
}

fn report(what: &str, calls: usize, nanoseconds: u64) {
    let rate = calls as f64 * 1e9 / nanoseconds as f64;
    println!(
        "{what}: {calls} calls in {:.2} CPU-seconds, {rate:.0} calls per CPU-second",
        nanoseconds as f64 / 1e9
    );
}

/// Nanoseconds that this thread spent on a processor.
fn timed(work: impl FnOnce()) -> u64 {
    let spent = || {
        let counters = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        counters.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    let before = spent();
    work();
    spent() - before
}

fn lines(folder: &Path) -> Vec<Line> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let read = |file: &PathBuf| std::fs::read_to_string(file).unwrap();
    let parse = |line: &str| serde_json::from_str(line).unwrap();
    files.iter().flat_map(|file| read(file).lines().map(parse).collect::<Vec<_>>()).collect()
}

/// What the models would have said: every label of the speaker has a probability.
fn observed(number: usize, line: &Line) -> Utterance {
    let start_ms = number as u64 * APART_MS;
    let span = Span::new(start_ms, start_ms + SPOKEN_MS);
    let (text, redactions) = callqa_domain::redact(&RawText::new(line.text.as_str()));
    Utterance { channel: line.speaker, span, text, redactions, confidence: 0.9 }
}

fn observations(lines: &[Line]) -> Observations {
    let mut transcript: Vec<Utterance> =
        lines.iter().enumerate().map(|(at, line)| observed(at, line)).collect();
    redact_across(&mut transcript);
    let scores = |line: &Line| -> BTreeMap<Label, f32> {
        let given = line.politeness.iter().chain(&line.resolution).chain(&line.script);
        let given: Vec<Label> = given.copied().collect();
        let theirs =
            Task::ALL.into_iter().flat_map(Task::labels).filter(|label| label.speaker() == line.speaker);
        theirs.map(|label| (label, if given.contains(&label) { 0.97 } else { 0.02 })).collect()
    };
    let utterances: Vec<Observed> = transcript
        .into_iter()
        .zip(lines)
        .map(|(utterance, line)| Observed { utterance, scores: scores(line) })
        .collect();
    let channels = [Channel::Agent, Channel::Customer].map(|channel| ChannelObserved {
        channel,
        language: Some(lines[0].lang),
        speech: utterances
            .iter()
            .filter(|o| o.utterance.channel == channel)
            .map(|o| o.utterance.span)
            .collect(),
    });
    Observations {
        duration_ms: lines.len() as u64 * APART_MS,
        dual_mono: false,
        channels: channels.into(),
        gaps: Vec::new(),
        thresholds: Label::ALL.iter().map(|&label| (label, Threshold { holds: 0.6, doubt: 0.4 })).collect(),
        outcome: Some(OutcomeEstimate { resolved: 0.7, partially_resolved: 0.2, unresolved: 0.1 }),
        utterances,
    }
}

fn call() -> Call {
    Call { direction: Direction::Inbound, ended_by: EndedBy::Agent, ..Call::new("demo", "1") }
}
