//! Models that are opened when a dialogue first needs them.

use std::sync::Arc;

use callqa_models::{Classifier, OutcomeEstimator};

use super::reading::Reading;
use super::transcript::Dialogue;
use crate::CliError;
use crate::models::Whereabouts;

/// The models that dialogues are read with. The outcome model is opened for the first of them, the classifiers for the
/// first turn that has no labels.
pub struct Opened<'a> {
    models: &'a Whereabouts,
    classifier: Option<Arc<dyn Classifier>>,
    outcome: Option<Arc<dyn OutcomeEstimator>>,
}

impl<'a> Opened<'a> {
    /// Nothing is opened yet.
    pub fn of(models: &'a Whereabouts) -> Self {
        Self { models, classifier: None, outcome: None }
    }

    /// Reads a dialogue.
    ///
    /// # Errors
    /// Models that can't be opened, or that fail.
    pub fn read(&mut self, dialogue: &Dialogue) -> Result<Reading, CliError> {
        let classifier = if dialogue.is_labelled() { None } else { Some(self.classifier()?) };
        let outcome = self.outcome()?;
        Reading::of(dialogue, classifier.as_deref(), Some(&*outcome))
    }

    fn classifier(&mut self) -> Result<Arc<dyn Classifier>, CliError> {
        if let Some(classifier) = &self.classifier {
            return Ok(Arc::clone(classifier));
        }
        Ok(Arc::clone(self.classifier.insert(self.models.classifier()?)))
    }

    fn outcome(&mut self) -> Result<Arc<dyn OutcomeEstimator>, CliError> {
        if let Some(outcome) = &self.outcome {
            return Ok(Arc::clone(outcome));
        }
        Ok(Arc::clone(self.outcome.insert(self.models.outcome()?)))
    }
}
