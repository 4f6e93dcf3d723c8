//! Models that follow a script: the same traits, milliseconds instead of seconds, for tests of everything
//! around them. Behind the feature `scripted`; no released program has it.
//!
//! A line of the script is a tone of its own pitch. Whoever "hears" the tone answers with the line, so a
//! recording made of tones goes through decoding, resampling, speech detection and packing like any other.

use std::collections::BTreeMap;
use std::f32::consts::TAU;
use std::sync::Arc;
use std::time::{Duration, Instant};

use callqa_domain::{
    Gap, GapReason, Heard, Label, Language, ModelId, Observed, OutcomeEstimate, RawText, Scores, Span,
    Threshold, Utterance,
};

use crate::window::{SAMPLE_RATE, Window};
use crate::{
    Classifier, Kit, ModelError, OutcomeEstimator, Scene, SpeechDetector, StopSignal, Transcribed,
    Transcriber, VAD_WINDOW,
};

/// Pitch of the first line, hertz: inside a telephone's band.
const LOWEST_PITCH: usize = 400;
/// Hertz between two lines: more than counting zero crossings of half a second is wrong by.
const PITCH_STEP: usize = 25;
/// Samples below this are silence to the scripted detector and transcriber.
const SILENCE: f32 = 0.02;
/// Loudness of a tone.
const LOUDNESS: f32 = 0.3;
/// How often a line that takes a while looks for a stop.
const LOOK_FOR_A_STOP: Duration = Duration::from_millis(20);

/// What the transcriber does when it hears a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Gives these words.
    Says(String),
    /// Hears speech and no words.
    Mumbles,
    /// Fails.
    Fails,
    /// Goes on until it is stopped.
    Hangs,
    /// Panics.
    Panics,
    /// Ends the process, as native code does that finds its memory broken.
    Aborts,
    /// Gives these words after a while, as a model does that has much to listen to.
    Takes(Duration, String),
}

/// All lines of a test's calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    lines: Vec<Line>,
}

impl Script {
    /// A script of these words, in this order.
    #[must_use]
    pub fn of(words: &[&str]) -> Self {
        Self { lines: words.iter().map(|words| Line::Says((*words).to_owned())).collect() }
    }

    /// The same with another line at the end.
    #[must_use]
    pub fn and(mut self, line: Line) -> Self {
        self.lines.push(line);
        self
    }

    /// The tone of a line, of so many milliseconds (at least 300, or it is no speech), at a sample rate.
    #[must_use]
    pub fn tone(line: usize, ms: u64, sample_rate: u32) -> Vec<f32> {
        let pitch = (LOWEST_PITCH + line * PITCH_STEP) as f32;
        let count = ms * u64::from(sample_rate) / 1_000;
        (0..count).map(|i| LOUDNESS * (i as f32 * pitch * TAU / sample_rate as f32).sin()).collect()
    }

    fn line(&self, samples: &[f32]) -> Option<&Line> {
        let loud = |s: &f32| s.abs() >= SILENCE;
        let voiced = &samples[samples.iter().position(loud)?..=samples.iter().rposition(loud)?];
        let crossings = voiced.windows(2).filter(|pair| (pair[0] < 0.0) != (pair[1] < 0.0)).count();
        let pitch = crossings as f64 * SAMPLE_RATE as f64 / voiced.len() as f64 / 2.0;
        let line = (pitch - LOWEST_PITCH as f64) / PITCH_STEP as f64;
        self.lines.get(line.round().max(0.0) as usize)
    }
}

/// A kit that hears this script, and classifies by [`Keywords`].
#[must_use]
pub fn kit(script: &Arc<Script>, keywords: Keywords) -> Kit {
    Kit {
        detector: Box::new(Loudness),
        transcriber: Box::new(Reader { script: Arc::clone(script) }),
        classifier: Arc::new(keywords),
        outcome: Arc::new(LastWord),
    }
}

/// What a result's provenance says of these models.
#[must_use]
pub fn ids() -> Vec<ModelId> {
    vec![ModelId { name: "scripted".to_owned(), sha256: "0".repeat(64) }]
}

/// Takes everything loud for speech.
struct Loudness;

impl SpeechDetector for Loudness {
    fn reset(&mut self, _channels: usize) {}

    fn step(&mut self, windows: &[[f32; VAD_WINDOW]]) -> Result<Vec<f32>, ModelError> {
        let speech = |window: &[f32; VAD_WINDOW]| {
            window.iter().filter(|s| s.abs() >= SILENCE).count() > VAD_WINDOW / 4
        };
        Ok(windows.iter().map(|window| if speech(window) { 0.99 } else { 0.01 }).collect())
    }
}

struct Reader {
    script: Arc<Script>,
}

impl Reader {
    #[allow(clippy::panic)] // a line may ask for one, to see what is around a model that panics
    fn read(&self, window: &Window, stop: &StopSignal) -> Result<Transcribed, ModelError> {
        let mut transcribed = Transcribed::default();
        let gap = |span| Gap { channel: window.channel, span, reason: GapReason::NoWords };
        for piece in &window.pieces {
            let span = piece.span();
            match self.script.line(&window.samples[piece.at..piece.end()]) {
                Some(Line::Says(words)) => transcribed.heard.push(said(window, span, words)),
                Some(Line::Mumbles) | None => transcribed.gaps.push(gap(span)),
                Some(Line::Fails) => {
                    return Err(ModelError::Onnx { name: "scripted", what: "the script says so".to_owned() });
                }
                Some(Line::Hangs) => {
                    while !stop.is_stopped() {
                        std::thread::yield_now();
                    }
                    return Err(ModelError::Stopped);
                }
                Some(Line::Panics) => panic!("the script says so"),
                Some(Line::Aborts) => std::process::abort(),
                Some(Line::Takes(time, words)) => {
                    work_for(*time, stop)?;
                    transcribed.heard.push(said(window, span, words));
                }
            }
        }
        if stop.is_stopped() { Err(ModelError::Stopped) } else { Ok(transcribed) }
    }
}

impl Transcriber for Reader {
    fn transcribe(
        &mut self,
        windows: &[(&Window, Language)],
        stop: &StopSignal,
    ) -> Result<Vec<Transcribed>, ModelError> {
        windows.iter().map(|(window, _)| self.read(window, stop)).collect()
    }

    fn detect_language(&mut self, window: &Window, _stop: &StopSignal) -> Result<Language, ModelError> {
        let chinese = window.pieces.iter().any(|piece| {
            let line = self.script.line(&window.samples[piece.at..piece.end()]);
            matches!(line, Some(Line::Says(words)) if words.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)))
        });
        Ok(if chinese { Language::Zh } else { Language::En })
    }
}

fn said(window: &Window, span: Span, words: &str) -> Heard {
    Heard { channel: window.channel, span, text: RawText::new(words.to_owned()), confidence: 0.9 }
}

/// Lets the time pass; a stop ends it.
fn work_for(time: Duration, stop: &StopSignal) -> Result<(), ModelError> {
    let done = Instant::now() + time;
    while let Some(left) = done.checked_duration_since(Instant::now()) {
        if stop.is_stopped() {
            return Err(ModelError::Stopped);
        }
        std::thread::park_timeout(left.min(LOOK_FOR_A_STOP));
    }
    Ok(())
}

/// Classifies by words: a label holds where an utterance contains one of its words.
#[derive(Debug, Clone)]
pub struct Keywords {
    words: Vec<(&'static str, Label)>,
    thresholds: BTreeMap<Label, Threshold>,
    decides: BTreeMap<Label, f32>,
}

impl Keywords {
    /// These words, each with the label that it gives.
    #[must_use]
    pub fn of(words: &[(&'static str, Label)]) -> Self {
        let threshold = Threshold { holds: 0.6, doubt: 0.4 };
        Self {
            words: words.to_vec(),
            thresholds: Label::ALL.iter().map(|&label| (label, threshold)).collect(),
            decides: Label::ALL.iter().map(|&label| (label, 0.5)).collect(),
        }
    }

    fn score(&self, utterance: &Utterance, label: Label) -> f32 {
        let said = |word: &str| utterance.text.as_str().to_lowercase().contains(word);
        if self.words.iter().any(|&(word, of)| of == label && said(word)) { 0.95 } else { 0.02 }
    }
}

impl Classifier for Keywords {
    fn classify(&self, scenes: &[Scene<'_>], stop: &StopSignal) -> Result<Vec<Vec<Scores>>, ModelError> {
        if stop.is_stopped() {
            return Err(ModelError::Stopped);
        }
        let judged = |utterance: &Utterance, label: Label| {
            utterance.channel == label.speaker() || utterance.channel == callqa_domain::Channel::Mixed
        };
        let scores = |utterance: &Utterance| {
            let labels = Label::ALL.iter().copied().filter(|&label| judged(utterance, label));
            labels.map(|label| (label, self.score(utterance, label))).collect()
        };
        Ok(scenes.iter().map(|scene| scene.judged().iter().map(scores).collect()).collect())
    }

    fn thresholds(&self) -> &BTreeMap<Label, Threshold> {
        &self.thresholds
    }

    fn decides(&self) -> &BTreeMap<Label, f32> {
        &self.decides
    }
}

/// Takes the last word on the matter for the outcome.
struct LastWord;

impl OutcomeEstimator for LastWord {
    fn estimate(&self, utterances: &[Observed]) -> Result<OutcomeEstimate, ModelError> {
        let said = |observed: &Observed, label| observed.scores.get(&label).is_some_and(|&p| p >= 0.6);
        let last = |labels: &[Label]| {
            utterances.iter().rposition(|observed| labels.iter().any(|&label| said(observed, label)))
        };
        let resolved = last(&[Label::ConfirmsResolved, Label::NothingMore]);
        let partially = last(&[Label::PromisesCallback, Label::Escalates]);
        let unresolved = last(&[Label::SaysUnresolved, Label::RejectsExplanation, Label::Dissatisfied]);
        let latest = resolved.max(partially).max(unresolved);
        let share = |at: Option<usize>| if latest.is_some() && at == latest { 0.8 } else { 0.1 };
        Ok(OutcomeEstimate {
            resolved: share(resolved),
            partially_resolved: share(partially),
            unresolved: share(unresolved),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tone_is_its_own_line() {
        let words: Vec<String> = (0..100).map(|i| i.to_string()).collect();
        let script = Script::of(&words.iter().map(String::as_str).collect::<Vec<_>>());
        for (i, words) in words.iter().enumerate() {
            let mut heard = vec![0.0; 700];
            heard.extend(Script::tone(i, 500, SAMPLE_RATE as u32));
            heard.extend([0.0; 900]);
            assert_eq!(script.line(&heard), Some(&Line::Says(words.clone())));
        }
        assert_eq!(script.line(&[0.0; 8_000]), None);
    }
}
