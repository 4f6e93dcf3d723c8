//! The rows that go out, made from endings.

pub(crate) mod codes;
mod dead_letter;
mod finding;
mod observations;
mod reassemble;
mod result;
mod review;

use callqa_domain::{Assessment, Call, Moment, Provenance, identity};

pub(crate) use dead_letter::dead_letter;
pub(crate) use finding::findings;
pub use observations::PART_BYTES;
pub(crate) use observations::observations;
pub use reassemble::{ReassemblyError, reassemble};
pub(crate) use result::{assessed, closed};
pub(crate) use review::review_task;

use crate::{CallName, Topic};

/// Version of every row's shape. A field that is added does not change it; a field whose meaning
/// changes would, and would move to a topic of its own version.
pub const SCHEMA_VERSION: u32 = 1;

/// The ids that all rows of an ending share.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    pub(crate) ending_id: String,
    pub(crate) result_id: String,
}

impl Ids {
    pub(crate) fn new(ending_id: String, provenance: &Provenance) -> Self {
        let result_id = identity::result_id(&identity::ResultInputs {
            ending_id: &ending_id,
            event_digest: &provenance.event_digest,
            recording_sha256: &provenance.recording_sha256,
            models: &provenance.models,
            rulebook_digest: &provenance.rulebook_digest,
            config_digest: &provenance.config_digest,
            build: &provenance.build,
        });
        Self { ending_id, result_id }
    }

    pub(crate) fn of(assessment: &Assessment) -> Self {
        Self::new(CallName::of(&assessment.call).ending_id(), &assessment.provenance)
    }

    pub(crate) fn row(&self, topic: Topic, key: &str) -> String {
        identity::row_id(&self.result_id, topic.row_kind(), key)
    }
}

/// Counts of one call are far below the limit; where they are not, the limit says enough.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn written(moment: Option<Moment>) -> Option<String> {
    moment.map(|moment| moment.to_string())
}

fn language(assessment: &Assessment) -> Option<String> {
    assessment.observations.language().map(|language| language.code().to_owned())
}

fn model_lists(provenance: &Provenance) -> (Vec<String>, Vec<String>) {
    provenance.models.iter().map(|model| (model.name.clone(), model.sha256.clone())).unzip()
}

/// Who was on the line at this time; the first agent where the event does not tell.
fn agent_at(call: &Call, at_ms: u64) -> Option<String> {
    let covers = |leg: &&callqa_domain::Leg| {
        leg.from_ms.is_none_or(|from| from <= at_ms) && leg.to_ms.is_none_or(|to| at_ms < to)
    };
    let on_line = call.legs.iter().find(covers).map(|leg| leg.agent_id.as_str());
    on_line.or_else(|| call.agent_id()).map(str::to_owned)
}
