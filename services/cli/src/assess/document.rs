//! One call as a JSON document for programs: everything that was heard and concluded, nested.

use std::collections::BTreeMap;
use std::path::Path;

use callqa_domain::{
    Acoustics, Assessment, ChannelObserved, Coverage, Evidence, Gap, Label, Muted, Observed, OutcomeEstimate,
    Provenance, Threshold, Verdict,
};
use callqa_worker::analyst::Judged;
use serde::Serialize;

use super::crew::Outcome;
use crate::CliError;
use crate::filed::Event;

/// A judged call. Times are milliseconds of the recording, probabilities 0–1.
#[derive(Serialize)]
struct Assessed<'a> {
    call_id: &'a str,
    tenant: &'a str,
    revision: u32,
    file: String,
    ending: &'static str,
    duration_ms: u64,
    language: Option<&'static str>,
    /// 0–100.
    score: u32,
    /// The score stands only once a human has upheld a fatal verdict.
    provisional: bool,
    outcome: &'static str,
    outcome_probability: f32,
    /// Of each outcome; the judge may still call it unknown.
    outcome_probabilities: Option<OutcomeEstimate>,
    flagged: bool,
    /// 0–100, the most urgent highest.
    flag_priority: Option<u32>,
    /// Most urgent first.
    flags: Vec<Flagged<'a>>,
    /// In the rulebook's order.
    verdicts: &'a [Verdict],
    /// In time order.
    utterances: &'a [Observed],
    gaps: &'a [Gap],
    channels: &'a [ChannelObserved],
    dual_mono: bool,
    /// One track with both speakers: rules that need to know who speaks are unknown.
    mono: bool,
    /// What has to be silenced before anybody may hear the recording.
    muted: Vec<Muted>,
    acoustics: &'a Acoustics,
    coverage: Coverage,
    thresholds: &'a BTreeMap<Label, Threshold>,
    labels: &'a BTreeMap<String, String>,
    /// What the call's event said.
    event: Event,
    provenance: &'a Provenance,
}

/// A reason for a look, with what to play.
#[derive(Serialize)]
struct Flagged<'a> {
    reason: &'a str,
    evidence: &'a [Evidence],
}

/// A call that is not to be judged.
#[derive(Serialize)]
struct Excluded<'a> {
    call_id: &'a str,
    tenant: &'a str,
    revision: u32,
    file: String,
    ending: &'static str,
    reason: &'static str,
}

/// The document, on one line.
///
/// # Errors
/// Where it can't be written as JSON.
pub fn json_line(file: &Path, outcome: &Outcome) -> Result<String, CliError> {
    let json = match &outcome.judged {
        Judged::Assessed(assessment) => serde_json::to_string(&assessed(file, assessment)),
        Judged::Excluded(reason) => serde_json::to_string(&Excluded {
            call_id: &outcome.call.call_id,
            tenant: &outcome.call.tenant,
            revision: outcome.call.revision,
            file: file.display().to_string(),
            ending: "excluded",
            reason: reason.name(),
        }),
    };
    json.map(|json| json + "\n").map_err(|source| CliError::Json { source })
}

fn assessed<'a>(file: &Path, assessment: &'a Assessment) -> Assessed<'a> {
    let Assessment {
        call,
        observations,
        acoustics,
        coverage,
        outcome,
        verdicts,
        scorecard,
        flag,
        provenance,
    } = assessment;
    let evidence = |rule: &str| {
        let verdict = verdicts.iter().find(|verdict| verdict.rule == rule);
        verdict.map_or(&[][..], |verdict| &verdict.evidence)
    };
    let reasons = flag.iter().flat_map(|flag| &flag.reasons);
    Assessed {
        call_id: &call.call_id,
        tenant: &call.tenant,
        revision: call.revision,
        file: file.display().to_string(),
        ending: "assessed",
        duration_ms: observations.duration_ms,
        language: observations.language().map(callqa_domain::Language::code),
        score: scorecard.score,
        provisional: scorecard.provisional,
        outcome: outcome.kind.name(),
        outcome_probability: outcome.probability,
        outcome_probabilities: observations.outcome,
        flagged: flag.is_some(),
        flag_priority: flag.as_ref().map(|flag| flag.priority),
        flags: reasons.map(|r| Flagged { reason: r.code(), evidence: evidence(r.code()) }).collect(),
        verdicts,
        utterances: &observations.utterances,
        gaps: &observations.gaps,
        channels: &observations.channels,
        dual_mono: observations.dual_mono,
        mono: observations.is_mono(),
        muted: observations.muted(),
        acoustics,
        coverage: *coverage,
        thresholds: &observations.thresholds,
        labels: &call.labels,
        event: Event::of(call),
        provenance,
    }
}
