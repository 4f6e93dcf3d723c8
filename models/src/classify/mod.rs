//! What an utterance does: one shared text encoder, three small classifiers on top.

pub(crate) mod context;
mod encoder;
mod head;
pub(crate) mod outcome;
pub(crate) mod passage;

use std::collections::BTreeMap;

use callqa_domain::{Channel, Label, Scores, Task, Threshold, Utterance, rounded};

use crate::{Classifier, ModelError, Scene, StopSignal};
use context::{Context, contexts};
pub(crate) use encoder::Encoder;
use encoder::States;
pub(crate) use encoder::WIDTH;
pub(crate) use head::{EncoderId, Head};
pub(crate) use outcome::OutcomeModel;
use passage::Passage;

/// Utterances whose tokens' states are held at once; more would only hold memory.
const LINES: usize = 64;

/// The encoder and its three heads, shared by all analysts.
pub(crate) struct Heads {
    encoder: Encoder,
    heads: Vec<Head>,
    thresholds: BTreeMap<Label, Threshold>,
    decides: BTreeMap<Label, f32>,
}

impl Heads {
    pub(crate) fn new(encoder: Encoder, heads: Vec<Head>) -> Self {
        let thresholds = heads.iter().flat_map(|head| head.thresholds.clone()).collect();
        let decides = heads.iter().flat_map(|head| head.decides.clone()).collect();
        Self { encoder, heads, thresholds, decides }
    }

    /// Probabilities of the labels that a speaker's utterances can have, for each of these utterances.
    fn score(
        &self,
        speaker: Channel,
        lines: &[Line<'_>],
        states: &States<'_>,
        scores: &mut [Scores],
        stop: &StopSignal,
    ) -> Result<(), ModelError> {
        let theirs: Vec<usize> = (0..lines.len())
            .filter(|&i| [speaker, Channel::Mixed].contains(&lines[i].utterance.channel))
            .collect();
        if theirs.is_empty() {
            return Ok(());
        }
        let passages: Vec<_> = theirs.iter().map(|&i| lines[i].passage(speaker)).collect();
        let features = self.encoder.embed(&passages, states, stop)?.concat();
        for head in self.heads.iter().filter(|head| judges(head.task, speaker)) {
            let probabilities = head.run(theirs.len(), features.clone())?;
            for (&i, row) in theirs.iter().zip(probabilities.chunks(head.labels.len())) {
                let labelled = head.labels.iter().zip(row).filter(|(label, _)| label.speaker() == speaker);
                scores[i].extend(labelled.map(|(&label, &probability)| (label, rounded(probability))));
            }
        }
        Ok(())
    }
}

impl Classifier for Heads {
    fn classify(&self, scenes: &[Scene<'_>], stop: &StopSignal) -> Result<Vec<Vec<Scores>>, ModelError> {
        let lines: Vec<Line<'_>> = scenes.iter().flat_map(lines).collect();
        let mut scores = vec![Scores::new(); lines.len()];
        for (lines, scores) in lines.chunks(LINES).zip(scores.chunks_mut(LINES)) {
            let states = self.encoder.read(lines.iter().flat_map(Line::texts), stop)?;
            for speaker in [Channel::Agent, Channel::Customer] {
                self.score(speaker, lines, &states, scores, stop)?;
            }
        }
        let mut scores = scores.into_iter();
        Ok(scenes.iter().map(|scene| scores.by_ref().take(scene.judged().len()).collect()).collect())
    }

    fn thresholds(&self) -> &BTreeMap<Label, Threshold> {
        &self.thresholds
    }

    fn decides(&self) -> &BTreeMap<Label, f32> {
        &self.decides
    }
}

/// An utterance that is judged, and what came before it.
struct Line<'a> {
    utterance: &'a Utterance,
    context: Context,
}

impl Line<'_> {
    fn texts(&self) -> impl Iterator<Item = &str> {
        let before = self.context.turns.iter().flat_map(|turn| turn.texts.iter().map(String::as_str));
        std::iter::once(self.utterance.text.as_str()).chain(before)
    }

    fn passage(&self, speaker: Channel) -> Passage<'_> {
        Passage::new(self.utterance.text.as_str(), speaker, &self.context)
    }
}

fn lines<'a>(scene: &Scene<'a>) -> impl Iterator<Item = Line<'a>> {
    let contexts = contexts(scene.transcript).into_iter().skip(scene.judged_from);
    scene.judged().iter().zip(contexts).map(|(utterance, context)| Line { utterance, context })
}

fn judges(task: Task, speaker: Channel) -> bool {
    task.labels().any(|label| label.speaker() == speaker)
}
