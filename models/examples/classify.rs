//! What it is worth to classify utterances together, for `tests/load/pipeline batching`.
//!
//! `classify ROUNDS MANIFEST MODELS HEADS` reads a call a line from standard input,
//! `[{"speaker":"agent","text":"…"},…]`, and prints a JSON line for each round: the CPU-seconds for all calls, one
//! utterance at a time with what was said before it, one call at a time, and all calls together. The three must give
//! the same scores.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

use callqa_domain::{RawText, Scores, Span, Utterance, redact};
use callqa_models::{Classifier, Models, ModelsConfig, Scene, StopSignal};
use serde_json::{Value, json};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rounds, manifest, models, heads] = arguments.as_slice() else {
        eprintln!("usage: classify ROUNDS MANIFEST MODELS HEADS < CALLS");
        std::process::exit(2);
    };
    let config = ModelsConfig {
        manifest: manifest.into(),
        dir: models.into(),
        heads: heads.into(),
        whisper: "whisper-base-int8".to_owned(),
        device: 0,
    };
    let classifier = Models::open_classifier(&config).expect("the classifiers open");
    let calls: Vec<Vec<Utterance>> =
        std::io::stdin().lines().map(|line| call(&line.expect("the calls are readable"))).collect();
    let utterances: usize = calls.iter().map(Vec::len).sum();
    for _ in 0..rounds.parse().expect("ROUNDS is a number") {
        let ways = [one_by_one, call_by_call, together].map(|way| timed(|| way(&*classifier, &calls)));
        let [(singly, single), (by_call, call), (at_once, all)] = &ways;
        assert!(singly == by_call && by_call == at_once, "a score hangs on what it is classified with");
        println!(
            "{}",
            json!({ "utterances": utterances, "calls": calls.len(), "single": single, "call": call, "together": all })
        );
    }
}

fn one_by_one(classifier: &dyn Classifier, calls: &[Vec<Utterance>]) -> Vec<Scores> {
    let until = |call: &[Utterance], i: usize| {
        let scene = Scene { transcript: &call[..=i], judged_from: i };
        classifier.classify(&[scene], &StopSignal::new()).expect("it is classified").concat()
    };
    calls.iter().flat_map(|call| (0..call.len()).flat_map(|i| until(call, i))).collect()
}

fn call_by_call(classifier: &dyn Classifier, calls: &[Vec<Utterance>]) -> Vec<Scores> {
    let whole = |call: &Vec<Utterance>| {
        classifier.classify(&[Scene::whole(call)], &StopSignal::new()).expect("it is classified").concat()
    };
    calls.iter().flat_map(whole).collect()
}

fn together(classifier: &dyn Classifier, calls: &[Vec<Utterance>]) -> Vec<Scores> {
    let scenes: Vec<Scene<'_>> = calls.iter().map(|call| Scene::whole(call)).collect();
    classifier.classify(&scenes, &StopSignal::new()).expect("they are classified").concat()
}

fn call(line: &str) -> Vec<Utterance> {
    let turns: Vec<Value> = serde_json::from_str(line).expect("a call is a list of turns");
    (0..).zip(&turns).map(|(at, turn)| utterance(at, turn)).collect()
}

fn utterance(at: u64, turn: &Value) -> Utterance {
    let (text, redactions) = redact(&RawText::new(turn["text"].as_str().expect("a turn has text")));
    let channel = serde_json::from_value(turn["speaker"].clone()).expect("a turn has a speaker");
    Utterance { channel, span: Span::new(at * 1_000, (at + 1) * 1_000), text, redactions, confidence: 1.0 }
}

/// What came out, and CPU-seconds of this process.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let before = cpu_seconds();
    let done = work();
    (done, cpu_seconds() - before)
}

/// User and system time, from `/proc/self/stat`.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("a name").split_whitespace().collect();
    let ticks: f64 = fields[11..13].iter().map(|field| field.parse::<f64>().expect("a number")).sum();
    ticks / 100.0
}
