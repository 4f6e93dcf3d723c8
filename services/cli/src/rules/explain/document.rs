//! An explanation for programs.

use callqa_domain::{Came, Distance, Evidence, Explanation, Judgement, Rulebook, Verdict};
use serde::Serialize;

use super::text::{distance, sentence};
use crate::filed::Filed;
use crate::words::Tongue;

/// What is said of one call. Times are milliseconds of the recording, probabilities 0–1.
#[derive(Serialize)]
pub struct Document<'a> {
    call_id: &'a str,
    rulebook: &'a str,
    rulebook_version: &'a str,
    rulebook_digest: &'a str,
    score: u32,
    provisional: bool,
    rules: Vec<Explained<'a>>,
}

#[derive(Serialize)]
struct Explained<'a> {
    title: &'a str,
    /// What the agent is told.
    tell: &'a str,
    class: &'static str,
    verdict: &'a Verdict,
    steps: Vec<StepTold<'a>>,
}

#[derive(Serialize)]
struct StepTold<'a> {
    /// A sentence.
    says: String,
    /// `yes`, `no`, `in_doubt`.
    came: &'static str,
    found: &'a [Evidence],
    nearest: Vec<NearTold<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    measured: Option<f64>,
}

#[derive(Serialize)]
struct NearTold<'a> {
    #[serde(flatten)]
    evidence: &'a Evidence,
    /// What was wanting: `probability`, `confidence`, `too_early`, `too_late`, `unanswered`, `length`.
    wanting: &'static str,
    /// By how much: a probability, or milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<f64>,
    /// A sentence.
    says: String,
}

/// The document of one call.
pub fn of<'a>(
    filed: &'a Filed,
    judgement: &Judgement,
    rulebook: &'a Rulebook,
    explained: &'a [Explanation<'a>],
    tongue: Tongue,
) -> Document<'a> {
    Document {
        call_id: &filed.call.call_id,
        rulebook: rulebook.id(),
        rulebook_version: rulebook.version(),
        rulebook_digest: rulebook.digest(),
        score: judgement.scorecard.score,
        provisional: judgement.scorecard.provisional,
        rules: explained.iter().map(|explanation| rule(explanation, tongue)).collect(),
    }
}

fn rule<'a>(explanation: &'a Explanation<'a>, tongue: Tongue) -> Explained<'a> {
    let Explanation { rule, verdict, steps } = explanation;
    let steps = steps.iter().map(|step| StepTold {
        says: sentence(step, tongue),
        came: match step.came {
            Came::Yes => "yes",
            Came::No => "no",
            Came::Unknown => "in_doubt",
        },
        found: &step.found,
        nearest: step
            .near
            .iter()
            .map(|near| {
                let (wanting, by) = short(near.by);
                NearTold { evidence: &near.evidence, wanting, by, says: distance(near.by, tongue) }
            })
            .collect(),
        measured: step.measured,
    });
    Explained {
        title: tongue.told(&rule.title),
        tell: tongue.told(&rule.tell),
        class: rule.class.name(),
        verdict,
        steps: steps.collect(),
    }
}

#[allow(clippy::cast_precision_loss)] // milliseconds of one call
fn short(by: Distance) -> (&'static str, Option<f64>) {
    match by {
        Distance::Probability { short_by } => ("probability", Some(four_places(short_by))),
        Distance::Confidence { heard, floor } => ("confidence", Some(four_places(floor - heard))),
        Distance::TooEarly { by_ms, .. } => ("too_early", Some(by_ms as f64)),
        Distance::TooLate { by_ms, .. } => ("too_late", Some(by_ms as f64)),
        Distance::Unanswered => ("unanswered", None),
        Distance::Length { short_by_ms } => ("length", Some(short_by_ms as f64)),
    }
}

/// As probabilities are published.
fn four_places(probability: f32) -> f64 {
    (f64::from(probability) * 10_000.0).round() / 10_000.0
}
