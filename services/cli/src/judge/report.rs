//! What is said of a dialogue, as one JSON object.

use std::collections::BTreeMap;

use callqa_domain::{Evidence, Judgement, OutcomeEstimate, Reason, Ruling};
use serde::Serialize;
use serde_json::Value;

use super::reading::Reading;
use crate::{CliError, dialogue};

/// A judged dialogue. Times are milliseconds of the call, probabilities 0–1.
#[derive(Serialize)]
struct Report<'a> {
    id: &'a Value,
    outcome: &'static str,
    outcome_probability: f32,
    /// Of each outcome; the judge may still call it unknown.
    outcome_probabilities: Option<OutcomeEstimate>,
    rules: BTreeMap<&'a str, Ruling>,
    /// Of rules that are neither met nor violated.
    reasons: BTreeMap<&'a str, Reason>,
    flagged: bool,
    /// 0–100.
    score: u32,
    /// The score stands only once a human has upheld a fatal verdict.
    provisional: bool,
    turns: &'a [String],
    evidence: BTreeMap<&'a str, &'a [Evidence]>,
}

/// The line of one dialogue.
///
/// # Errors
/// Where it can't be written as JSON.
pub fn line(id: &Value, mut judgement: Judgement, reading: &Reading) -> Result<String, CliError> {
    // Who reads this knows the turns of the file, not the utterances in the order of time.
    let evidence = judgement.verdicts.iter_mut().flat_map(|verdict| &mut verdict.evidence);
    for quote in evidence.filter_map(|evidence| evidence.quote.as_mut()) {
        quote.utterance = reading.turn_of.get(quote.utterance).copied().unwrap_or(quote.utterance);
    }
    let verdicts = &judgement.verdicts;
    dialogue::json_line(&Report {
        id,
        outcome: judgement.outcome.kind.name(),
        outcome_probability: judgement.outcome.probability,
        outcome_probabilities: reading.observations.outcome,
        rules: verdicts.iter().map(|v| (v.rule.as_str(), v.ruling)).collect(),
        reasons: verdicts.iter().filter_map(|v| Some((v.rule.as_str(), v.reason?))).collect(),
        flagged: judgement.flag.is_some(),
        score: judgement.scorecard.score,
        provisional: judgement.scorecard.provisional,
        turns: &reading.texts,
        evidence: verdicts.iter().map(|v| (v.rule.as_str(), v.evidence.as_slice())).collect(),
    })
}
