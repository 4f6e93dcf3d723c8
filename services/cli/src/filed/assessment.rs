//! An assessment as `callqa assess --json` printed it.

use std::collections::BTreeMap;

use callqa_domain::{
    ChannelObserved, Gap, Label, Observations, Observed, OutcomeEstimate, Provenance, Threshold,
};
use serde::Deserialize;
use serde_json::Value;

use super::event::Event;
use super::{Filed, FiledRefusal, JudgedBy};

/// What of it is needed to judge the call again.
#[derive(Deserialize)]
struct Assessed {
    call_id: String,
    #[serde(default)]
    tenant: String,
    #[serde(default)]
    revision: u32,
    #[serde(default)]
    event: Event,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    duration_ms: u64,
    #[serde(default)]
    dual_mono: bool,
    channels: Vec<ChannelObserved>,
    utterances: Vec<Observed>,
    #[serde(default)]
    gaps: Vec<Gap>,
    thresholds: BTreeMap<Label, Threshold>,
    #[serde(default)]
    outcome_probabilities: Option<OutcomeEstimate>,
    #[serde(default)]
    provenance: Option<Provenance>,
}

/// Whether a document is an assessment, or says that there is none.
pub fn is_one(value: &Value) -> bool {
    value.get("ending").is_some_and(Value::is_string)
}

/// Reads one.
///
/// # Errors
/// Where the call was not judged, or the document is another one.
pub fn read(value: Value) -> Result<Filed, FiledRefusal> {
    if value["ending"] != "assessed" {
        return Err(FiledRefusal::NotAssessed);
    }
    let assessed = Assessed::deserialize(value).map_err(|_| FiledRefusal::OtherShape)?;
    let mut call = assessed.event.call(assessed.tenant, assessed.call_id, assessed.revision);
    call.labels = assessed.labels;
    let observations = Observations {
        duration_ms: assessed.duration_ms,
        dual_mono: assessed.dual_mono,
        channels: assessed.channels,
        utterances: assessed.utterances,
        gaps: assessed.gaps,
        thresholds: assessed.thresholds,
        outcome: assessed.outcome_probabilities,
    };
    Ok(Filed {
        call,
        observations,
        judged_by: assessed
            .provenance
            .map_or(JudgedBy::NotSaid, |provenance| JudgedBy::Digest(provenance.rulebook_digest)),
    })
}
