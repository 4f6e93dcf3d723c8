//! What is said of a dialogue, as one JSON object.

use std::collections::BTreeMap;

use callqa_domain::{Evidence, Judgement, Muted, OutcomeEstimate, Reason, Rulebook, Ruling};
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
    flag: Option<Flagged<'a>>,
    /// 0–100.
    score: u32,
    /// The score stands only once a human has upheld a fatal verdict.
    provisional: bool,
    rulebook: JudgedBy<'a>,
    turns: &'a [String],
    muted: Vec<Muted>,
    evidence: BTreeMap<&'a str, &'a [Evidence]>,
}

#[derive(Serialize)]
struct Flagged<'a> {
    /// 0–100, the most urgent highest.
    priority: u32,
    /// Most urgent first.
    reasons: Vec<&'a str>,
}

/// Which rules said so: the version of every verdict.
#[derive(Serialize)]
struct JudgedBy<'a> {
    id: &'a str,
    version: &'a str,
    digest: &'a str,
}

/// The line of one dialogue.
///
/// # Errors
/// Where it can't be written as JSON.
pub fn line(
    id: &Value,
    mut judgement: Judgement,
    reading: &Reading,
    rulebook: &Rulebook,
) -> Result<String, CliError> {
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
        flag: judgement.flag.as_ref().map(|flag| Flagged {
            priority: flag.priority,
            reasons: flag.reasons.iter().map(callqa_domain::FlagReason::code).collect(),
        }),
        score: judgement.scorecard.score,
        provisional: judgement.scorecard.provisional,
        rulebook: JudgedBy { id: rulebook.id(), version: rulebook.version(), digest: rulebook.digest() },
        turns: &reading.texts,
        muted: reading.observations.muted(),
        evidence: verdicts.iter().map(|v| (v.rule.as_str(), v.evidence.as_slice())).collect(),
    })
}
