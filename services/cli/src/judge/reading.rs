//! A written dialogue as if it had been heard.

use std::collections::BTreeMap;

use callqa_domain::{
    Channel, ChannelLayout, ChannelObserved, Gap, GapReason, Label, Observations, Observed, Scores,
    Threshold, Utterance, join, redact_across,
};
use callqa_models::{Classifier, ModelError, OutcomeEstimator, Scene, StopSignal};

use super::transcript::{Dialogue, Turn};
use crate::CliError;

/// A pause shorter than this is part of the speech around it (`labels-and-rules`, section 4).
const JOINED_UNDER_MS: u64 = 300;
/// Where no classifier declares any: labels that were given score 1, the others 0.
const GIVEN: Threshold = Threshold { holds: 0.5, doubt: 0.5 };

/// What would have been observed of a call in which just this was said.
pub struct Reading {
    /// In the order of time.
    pub observations: Observations,
    /// Of each utterance, the index of its turn in the dialogue.
    pub turn_of: Vec<usize>,
    /// The redacted text of each turn of the dialogue, in its order.
    pub texts: Vec<String>,
}

impl Reading {
    /// Reads a dialogue; `classifier` says what those turns do that have no labels, and `outcome` how it came out,
    /// where it is asked.
    ///
    /// # Errors
    /// A model that fails.
    pub fn of(
        dialogue: &Dialogue,
        classifier: Option<&dyn Classifier>,
        outcome: Option<&dyn OutcomeEstimator>,
    ) -> Result<Self, CliError> {
        let mono = dialogue.call.layout == Some(ChannelLayout::Mono);
        let channel = |turn: &Turn| if mono { Channel::Mixed } else { turn.speaker };
        let turns = &dialogue.turns;

        let mut turn_of: Vec<usize> = (0..turns.len()).filter(|&i| turns[i].has_words()).collect();
        turn_of.sort_by_key(|&i| (turns[i].span.start_ms, channel(&turns[i]), turns[i].span.end_ms));
        let mut transcript: Vec<Utterance> =
            turn_of.iter().map(|&i| utterance(&turns[i], channel(&turns[i]))).collect();
        redact_across(&mut transcript);

        let mut texts = vec![String::new(); turns.len()];
        for (&turn, utterance) in turn_of.iter().zip(&transcript) {
            utterance.text.as_str().clone_into(&mut texts[turn]);
        }
        let labels = turn_of.iter().map(|&i| turns[i].labels.as_ref());
        let scores = scores(&transcript, labels, classifier)?;
        let observed = transcript.into_iter().zip(scores);
        let utterances: Vec<Observed> =
            observed.map(|(utterance, scores)| Observed { utterance, scores }).collect();
        let given = || Label::ALL.iter().map(|&label| (label, GIVEN)).collect::<BTreeMap<_, _>>();
        let channels: &[Channel] =
            if mono { &[Channel::Mixed] } else { &[Channel::Agent, Channel::Customer] };
        let observations = Observations {
            duration_ms: turns.iter().map(|turn| turn.span.end_ms).max().unwrap_or(0),
            dual_mono: false,
            channels: channels
                .iter()
                .map(|&one| {
                    let theirs = turns.iter().filter(|turn| channel(turn) == one).map(|turn| turn.span);
                    let speech = join(theirs.filter(|span| span.len_ms() > 0).collect(), JOINED_UNDER_MS);
                    let language = dialogue.call.agent_language.filter(|_| !speech.is_empty());
                    ChannelObserved { channel: one, language, speech }
                })
                .collect(),
            gaps: gaps(turns, channel),
            thresholds: classifier.map_or_else(given, |classifier| classifier.thresholds().clone()),
            outcome: outcome.map(|outcome| outcome.estimate(&utterances)).transpose()?,
            utterances,
        };
        Ok(Self { observations, turn_of, texts })
    }
}

fn utterance(turn: &Turn, channel: Channel) -> Utterance {
    let Turn { span, text, redactions, confidence, .. } = turn;
    Utterance {
        channel,
        span: *span,
        text: text.clone(),
        redactions: redactions.clone(),
        confidence: *confidence,
    }
}

/// A turn with a time and without words is speech that could not be transcribed.
fn gaps(turns: &[Turn], channel: impl Fn(&Turn) -> Channel) -> Vec<Gap> {
    let wordless = turns.iter().filter(|turn| !turn.has_words() && turn.span.len_ms() > 0);
    let mut gaps: Vec<Gap> = wordless
        .map(|turn| Gap { channel: channel(turn), span: turn.span, reason: GapReason::NoWords })
        .collect();
    gaps.sort_by_key(|gap| (gap.span.start_ms, gap.channel, gap.span.end_ms));
    gaps
}

fn scores<'a>(
    transcript: &[Utterance],
    labels: impl Iterator<Item = Option<&'a Scores>>,
    classifier: Option<&dyn Classifier>,
) -> Result<Vec<Scores>, CliError> {
    let mut scores = match classifier {
        None => vec![Scores::new(); transcript.len()],
        Some(classifier) => {
            classifier.classify(&[Scene::whole(transcript)], &StopSignal::new())?.pop().unwrap_or_default()
        }
    };
    if scores.len() != transcript.len() {
        let what = format!("{} scores for {} utterances", scores.len(), transcript.len());
        return Err(ModelError::Onnx { name: "classifier", what }.into());
    }
    for (scores, given) in scores.iter_mut().zip(labels) {
        if let Some(given) = given {
            scores.clone_from(given);
        }
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use callqa_domain::Span;
    use callqa_models::scripted::{self, Keywords};

    use super::*;

    fn reading(json: &str) -> Reading {
        let dialogue = Dialogue::read(&serde_json::from_str(json).unwrap()).unwrap();
        let keywords = Keywords::of(&[("hello", Label::Greeting)]);
        let classifier: Option<&dyn Classifier> = if dialogue.is_labelled() { None } else { Some(&keywords) };
        let outcome = scripted::kit(&Arc::default(), keywords.clone()).outcome;
        Reading::of(&dialogue, classifier, Some(&*outcome)).unwrap()
    }

    #[test]
    fn utterances_stand_in_the_order_of_time() {
        let reading = reading(
            r#"{"id":"x","turns":[
                {"speaker":"customer","text":"second","start_ms":1000,"end_ms":2000},
                {"speaker":"agent","text":"first of two","start_ms":1000,"end_ms":1500},
                {"speaker":"agent","text":"hello","start_ms":0,"end_ms":800}]}"#,
        );
        assert_eq!(reading.turn_of, [2, 1, 0]);
        assert_eq!(reading.texts, ["second", "first of two", "hello"]);
        assert!(reading.observations.utterances[0].scores[&Label::Greeting] > 0.9);
        let speech = reading.observations.channels.iter().map(|c| c.speech.as_slice());
        assert_eq!(speech.collect::<Vec<_>>(), [&[Span::new(0, 1_500)][..], &[Span::new(1_000, 2_000)][..]]);
    }

    #[test]
    fn labels_take_the_place_of_the_classifier() {
        let turn = |labels: &str| format!(r#"{{"speaker":"agent","text":"hello"{labels}}}"#);
        let none = r#","labels":{}"#;
        let mixed = reading(&format!(r#"{{"id":"x","turns":[{},{}]}}"#, turn(""), turn(none)));
        let greeting =
            |reading: &Reading, at: usize| reading.observations.utterances[at].scores[&Label::Greeting];
        assert!(greeting(&mixed, 0) > 0.9 && greeting(&mixed, 1) < 0.1);
        assert!(mixed.observations.thresholds[&Label::Greeting].holds > 0.5);
        let labelled = reading(&format!(r#"{{"id":"x","turns":[{}]}}"#, turn(none)));
        assert_eq!(labelled.observations.thresholds[&Label::Greeting], GIVEN);
    }

    #[test]
    fn a_turn_without_words_is_a_gap_where_it_has_a_time() {
        let reading = reading(
            r#"{"id":"x","turns":[{"speaker":"agent","text":" ","start_ms":0,"end_ms":900},{"speaker":"agent","text":""}]}"#,
        );
        assert!(reading.observations.utterances.is_empty());
        assert_eq!(reading.observations.gaps.len(), 1);
        assert_eq!(reading.observations.speech_ms(Channel::Agent), 900);
        assert_eq!(reading.texts, ["", ""]);
    }

    #[test]
    fn mono_has_one_channel() {
        let reading = reading(r#"{"id":"x","channels":1,"turns":[{"speaker":"agent","text":"您好"}]}"#);
        assert!(reading.observations.is_mono());
        assert_eq!(reading.observations.channels.len(), 1);
    }

    #[test]
    fn the_answer_to_a_question_is_redacted() {
        let reading = reading(
            r#"{"id":"x","turns":[{"speaker":"agent","text":"请提供身份证后四位"},{"speaker":"customer","text":"7219"}]}"#,
        );
        assert_eq!(reading.texts[1], "[partial_number]");
    }
}
