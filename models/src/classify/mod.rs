//! What an utterance does: one shared text encoder, three small classifiers on top.

mod context;
mod encoder;
mod head;
pub(crate) mod outcome;

use std::collections::BTreeMap;

use callqa_domain::{Channel, Label, Scores, Task, Threshold, Utterance, rounded};

use crate::{Classifier, ModelError, Scene, StopSignal};
use context::{Context, contexts};
pub(crate) use encoder::Encoder;
use encoder::{Embedding, WIDTH};
pub(crate) use head::Head;
pub(crate) use outcome::OutcomeModel;

/// Numbers that describe an utterance: its embedding, those of the two turns before it, whether the agent
/// speaks, and for each of those turns whether there is one and whether the agent speaks in it.
pub(crate) const FEATURES: usize = 3 * WIDTH + 5;
/// Utterances that go through a head at once; more would only hold memory.
const ROWS: usize = 256;

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
        embeddings: &BTreeMap<&str, Embedding>,
        scores: &mut [Scores],
    ) -> Result<(), ModelError> {
        let theirs: Vec<usize> = (0..lines.len())
            .filter(|&i| [speaker, Channel::Mixed].contains(&lines[i].utterance.channel))
            .collect();
        for head in self.heads.iter().filter(|head| judges(head.task, speaker)) {
            for rows in theirs.chunks(ROWS) {
                let features = rows.iter().flat_map(|&i| features(&lines[i], speaker, embeddings)).collect();
                let probabilities = head.run(rows.len(), features)?;
                for (&i, row) in rows.iter().zip(probabilities.chunks(head.labels.len())) {
                    let labelled =
                        head.labels.iter().zip(row).filter(|(label, _)| label.speaker() == speaker);
                    scores[i].extend(labelled.map(|(&label, &probability)| (label, rounded(probability))));
                }
            }
        }
        Ok(())
    }
}

impl Classifier for Heads {
    fn classify(&self, scenes: &[Scene<'_>], stop: &StopSignal) -> Result<Vec<Vec<Scores>>, ModelError> {
        let lines: Vec<Line<'_>> = scenes.iter().flat_map(lines).collect();
        let before = lines.iter().flat_map(|line| &line.context.turns).map(|turn| turn.text.as_str());
        let texts = lines.iter().map(|line| line.utterance.text.as_str()).chain(before);
        let embeddings = self.encoder.embed(texts, stop)?;
        let mut scores = vec![Scores::new(); lines.len()];
        for speaker in [Channel::Agent, Channel::Customer] {
            self.score(speaker, &lines, &embeddings, &mut scores)?;
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

fn lines<'a>(scene: &Scene<'a>) -> impl Iterator<Item = Line<'a>> {
    let contexts = contexts(scene.transcript).into_iter().skip(scene.judged_from);
    scene.judged().iter().zip(contexts).map(|(utterance, context)| Line { utterance, context })
}

fn judges(task: Task, speaker: Channel) -> bool {
    task.labels().any(|label| label.speaker() == speaker)
}

/// One row of [`FEATURES`] numbers. On a mono recording nobody knows who speaks: the utterance is judged as
/// if it were this speaker's, and the turns before as if speakers took turns.
fn features(line: &Line<'_>, speaker: Channel, embeddings: &BTreeMap<&str, Embedding>) -> Vec<f32> {
    let Line { utterance, context } = line;
    let is_agent = |channel: Channel, turns_back: usize| match channel {
        Channel::Agent => 1.0,
        Channel::Customer => 0.0,
        Channel::Mixed => f32::from(u8::from((speaker == Channel::Agent) == turns_back.is_multiple_of(2))),
    };
    let mut row = Vec::with_capacity(FEATURES);
    let mut add = |text: Option<&str>| match text.and_then(|text| embeddings.get(text)) {
        Some(embedding) => row.extend_from_slice(embedding),
        None => row.extend_from_slice(&[0.0; WIDTH]),
    };
    add(Some(utterance.text.as_str()));
    add(context.turns.first().map(|turn| turn.text.as_str()));
    add(context.turns.get(1).map(|turn| turn.text.as_str()));
    row.push(is_agent(utterance.channel, 0));
    for back in [1, 2] {
        let turn = context.turns.get(back - 1);
        row.push(f32::from(u8::from(turn.is_some())));
        row.push(turn.map_or(0.0, |turn| is_agent(turn.channel, back)));
    }
    row
}
