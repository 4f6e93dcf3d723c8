//! One classifier over embeddings, with what its card declares.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use callqa_domain::{Label, Task, Threshold};
use ort::environment::Environment;
use ort::session::Session;
use ort::value::Tensor;
use serde::Deserialize;

use super::WIDTH;
use crate::ModelError;
use crate::onnx::{failed, held, session};

/// What a head's file declares of a label.
#[derive(Deserialize)]
struct Declared {
    #[serde(flatten)]
    threshold: Threshold,
    decides: f32,
}

/// SHA-256 of the encoder's two files, in hex.
#[derive(Clone, Copy)]
pub(crate) struct EncoderId<'a> {
    pub(crate) alone: &'a str,
    pub(crate) together: &'a str,
}

/// A classifier for one task.
pub(crate) struct Head {
    pub(super) task: Task,
    /// In the order of its output.
    pub(super) labels: Vec<Label>,
    pub(super) thresholds: BTreeMap<Label, Threshold>,
    /// From which probability each label is told, where one answer is wanted.
    pub(super) decides: BTreeMap<Label, f32>,
    session: Mutex<Session>,
}

impl Head {
    /// Opens a head, and checks that it was trained for these labels on this encoder.
    pub(crate) fn open(
        environment: &Environment,
        task: Task,
        path: &Path,
        encoder: EncoderId<'_>,
    ) -> Result<Self, ModelError> {
        let session = session(environment, task.name(), path)?;
        let unfit = |what: String| ModelError::Unfit { name: task.name().to_owned(), what };
        let labels: Vec<Label> = task.labels().collect();
        let names = labels.iter().map(|label| label.name()).collect::<Vec<_>>().join(",");
        let metadata = session.metadata().map_err(failed(task.name()))?;
        let declared =
            |key: &str| metadata.custom(key).ok_or_else(|| unfit(format!("it does not say its {key}")));
        let trained = declared("callqa.labels")?;
        if trained != names {
            return Err(unfit(format!("its labels are `{trained}`, not `{names}`")));
        }
        for (key, actual) in
            [("callqa.encoder_sha256", encoder.alone), ("callqa.context_encoder_sha256", encoder.together)]
        {
            let trained = declared(key)?;
            if trained != actual {
                return Err(unfit(format!("it was trained on the encoder {trained}, not on {actual}")));
            }
        }
        let declared: BTreeMap<Label, Declared> = serde_json::from_str(&declared("callqa.thresholds")?)
            .map_err(|e| unfit(format!("its thresholds can't be read: {e}")))?;
        if let Some(label) = labels.iter().find(|label| !declared.contains_key(label)) {
            return Err(unfit(format!("it declares no threshold for `{}`", label.name())));
        }
        drop(metadata);
        let input = session.inputs().iter().find(|input| input.name() == "features");
        let width = input.and_then(|input| input.dtype().tensor_shape()?.last().copied());
        if width != Some(WIDTH as i64) {
            return Err(unfit(format!("its input `features` is not {WIDTH} wide")));
        }
        Ok(Self {
            task,
            labels,
            thresholds: declared.iter().map(|(&label, d)| (label, d.threshold)).collect(),
            decides: declared.iter().map(|(&label, d)| (label, d.decides)).collect(),
            session: Mutex::new(session),
        })
    }

    /// Probabilities [rows, labels] of rows of [`WIDTH`] numbers. No row goes alone: see
    /// [`Encoder::read`](super::Encoder::read).
    pub(super) fn run(&self, rows: usize, mut features: Vec<f32>) -> Result<Vec<f32>, ModelError> {
        let name = self.task.name();
        if rows == 1 {
            features.extend_from_within(..);
            return self.run(2, features).map(|mut both| {
                both.truncate(self.labels.len());
                both
            });
        }
        let input = Tensor::from_array(([rows, WIDTH], features)).map_err(failed(name))?;
        let mut session = held(&self.session);
        let outputs = session.run(ort::inputs!["features" => input]).map_err(failed(name))?;
        let (_, probabilities) =
            outputs["probabilities"].try_extract_tensor::<f32>().map_err(failed(name))?;
        if probabilities.len() == rows * self.labels.len() {
            Ok(probabilities.to_vec())
        } else {
            Err(ModelError::Onnx { name, what: format!("{} numbers for {rows} rows", probabilities.len()) })
        }
    }
}
