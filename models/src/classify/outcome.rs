//! How a call came out: a small calibrated model over what the three classifiers said of its utterances.

use std::path::Path;
use std::sync::Mutex;

use callqa_domain::{OUTCOME_COLUMNS, OUTCOME_CUES, Observed, OutcomeEstimate, outcome_columns, rounded};
use ort::environment::Environment;
use ort::session::Session;
use ort::value::Tensor;

use crate::onnx::{failed, held, session};
use crate::{ModelError, OutcomeEstimator};

/// Its name in the manifest.
pub(crate) const NAME: &str = "outcome";
/// What it estimates, in the order of its output.
const OUTCOMES: &str = "resolved,partially_resolved,unresolved";

/// The outcome model.
pub(crate) struct OutcomeModel {
    session: Mutex<Session>,
}

impl OutcomeModel {
    /// Opens it, and checks that it reads the columns that [`outcome_columns`] writes.
    pub(crate) fn open(environment: &Environment, path: &Path) -> Result<Self, ModelError> {
        let session = session(environment, NAME, path)?;
        let unfit = |what: String| ModelError::Unfit { name: NAME.to_owned(), what };
        let metadata = session.metadata().map_err(failed(NAME))?;
        let declared = |key: &str| metadata.custom(key).unwrap_or_default();
        let cues = OUTCOME_CUES.map(|cue| cue.name()).join(",");
        if declared("callqa.labels") != OUTCOMES {
            return Err(unfit(format!("its labels are `{}`, not `{OUTCOMES}`", declared("callqa.labels"))));
        }
        if declared("callqa.cues") != cues {
            return Err(unfit(format!("its cues are `{}`, not `{cues}`", declared("callqa.cues"))));
        }
        drop(metadata);
        Ok(Self { session: Mutex::new(session) })
    }
}

impl OutcomeEstimator for OutcomeModel {
    fn estimate(&self, utterances: &[Observed]) -> Result<OutcomeEstimate, ModelError> {
        let columns =
            Tensor::from_array(([1, OUTCOME_COLUMNS], outcome_columns(utterances))).map_err(failed(NAME))?;
        let mut session = held(&self.session);
        let outputs = session.run(ort::inputs!["cues" => columns]).map_err(failed(NAME))?;
        let (_, found) = outputs["probabilities"].try_extract_tensor::<f32>().map_err(failed(NAME))?;
        match *found {
            [resolved, partially_resolved, unresolved] => Ok(OutcomeEstimate {
                resolved: rounded(resolved),
                partially_resolved: rounded(partially_resolved),
                unresolved: rounded(unresolved),
            }),
            _ => Err(ModelError::Onnx { name: NAME, what: format!("{} numbers for one call", found.len()) }),
        }
    }
}
