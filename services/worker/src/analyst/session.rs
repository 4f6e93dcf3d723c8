//! One call, from its first sample to its observations. Audio comes in blocks of any length; what is made of
//! it depends on the audio alone.

use callqa_audio::WINDOW_SAMPLES;
use callqa_domain::{
    Call, Channel, ChannelObserved, Gap, Heard, Language, Observations, Observed, Utterance, redact,
    redact_across,
};
use callqa_models::{Kit, ModelError, Scene, StopSignal, WINDOWS_TOGETHER, Window};

use super::AssessError;
use super::track::Track;

/// Detector windows between two looks at the stop signal: about a second of the call.
const WINDOWS_BETWEEN_LOOKS: usize = 32;

/// A call that is being listened to.
pub(super) struct Session<'a> {
    kit: &'a mut Kit,
    tracks: Vec<Track>,
    /// Samples of each channel that do not fill a detector's window yet.
    rest: Vec<Vec<f32>>,
    detected: Option<Language>,
    /// Full windows, each with its track, until there are enough for the transcriber.
    waiting: Vec<(usize, Window)>,
    transcript: Vec<Utterance>,
    gaps: Vec<Gap>,
}

impl<'a> Session<'a> {
    /// Begins with a recording whose first channels are these people's.
    pub(super) fn begin(kit: &'a mut Kit, call: &Call, channels: &[Channel]) -> Self {
        kit.detector.reset(channels.len());
        let language = |channel| match channel {
            Channel::Agent => call.agent_language,
            Channel::Customer => call.customer_language,
            Channel::Mixed => call.agent_language.or(call.customer_language),
        };
        Self {
            kit,
            tracks: channels.iter().map(|&channel| Track::new(channel, language(channel))).collect(),
            rest: vec![Vec::new(); channels.len()],
            detected: None,
            waiting: Vec::new(),
            transcript: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// Takes the next samples, 16 kHz, of every channel of the recording; channels that nobody listens to
    /// are passed over.
    pub(super) fn feed(&mut self, channels: &[Vec<f32>], stop: &StopSignal) -> Result<(), AssessError> {
        for (rest, samples) in self.rest.iter_mut().zip(channels) {
            rest.extend_from_slice(samples);
        }
        let windows = self.rest.iter().map(Vec::len).min().unwrap_or(0) / WINDOW_SAMPLES;
        for i in 0..windows {
            if i.is_multiple_of(WINDOWS_BETWEEN_LOOKS) && stop.is_stopped() {
                return Err(AssessError::Stopped);
            }
            self.step(i * WINDOW_SAMPLES, stop)?;
        }
        for rest in &mut self.rest {
            rest.drain(..windows * WINDOW_SAMPLES);
        }
        Ok(())
    }

    /// The call has ended. `None` where nobody spoke.
    pub(super) fn finish(
        mut self,
        duration_ms: u64,
        dual_mono: bool,
        stop: &StopSignal,
    ) -> Result<Option<Observations>, AssessError> {
        if self.rest.iter().any(|rest| !rest.is_empty()) {
            self.rest.iter_mut().for_each(|rest| rest.resize(WINDOW_SAMPLES, 0.0));
            self.step(0, stop)?;
        }
        for (i, track) in self.tracks.iter_mut().enumerate() {
            self.waiting.extend(track.finish(duration_ms).into_iter().map(|window| (i, window)));
        }
        if self.tracks.iter().all(|track| track.speech.is_empty()) {
            return Ok(None);
        }
        while !self.waiting.is_empty() {
            self.transcribe(stop)?;
        }
        self.observations(duration_ms, dual_mono, stop).map(Some)
    }

    /// One detector window of every channel: in step, so that the order of all that follows does not depend
    /// on how the audio was cut.
    fn step(&mut self, at: usize, stop: &StopSignal) -> Result<(), AssessError> {
        let mut windows = vec![[0.0; WINDOW_SAMPLES]; self.rest.len()];
        for (window, rest) in windows.iter_mut().zip(&self.rest) {
            window.copy_from_slice(&rest[at..at + WINDOW_SAMPLES]);
        }
        let probabilities = self.kit.detector.step(&windows)?;
        for (i, probability) in probabilities.into_iter().enumerate() {
            let full = self.tracks[i].take(&windows[i], probability);
            self.waiting.extend(full.into_iter().map(|window| (i, window)));
        }
        while self.waiting.len() >= WINDOWS_TOGETHER {
            self.transcribe(stop)?;
        }
        Ok(())
    }

    /// The first of the waiting windows, as many as go together.
    fn transcribe(&mut self, stop: &StopSignal) -> Result<(), AssessError> {
        let together: Vec<_> = self.waiting.drain(..self.waiting.len().min(WINDOWS_TOGETHER)).collect();
        let said = |i: usize| self.tracks[i].language;
        // Until the language is told, the window with most speech tells it best.
        if self.detected.is_none() {
            let unknown = together.iter().filter(|(i, _)| said(*i).is_none());
            if let Some((_, window)) = unknown.max_by_key(|(_, window)| window.speech()) {
                self.detected = Some(self.kit.transcriber.detect_language(window, stop)?);
            }
        }
        let detected = self.detected.unwrap_or(Language::Zh);
        let windows: Vec<(&Window, Language)> =
            together.iter().map(|(i, window)| (window, said(*i).unwrap_or(detected))).collect();
        for transcribed in self.kit.transcriber.transcribe(&windows, stop)? {
            self.transcript.extend(transcribed.heard.into_iter().map(utterance));
            self.gaps.extend(transcribed.gaps);
        }
        Ok(())
    }

    fn observations(
        mut self,
        duration_ms: u64,
        dual_mono: bool,
        stop: &StopSignal,
    ) -> Result<Observations, AssessError> {
        self.transcript.sort_by_key(|u| (u.span.start_ms, u.channel, u.span.end_ms));
        self.gaps.sort_by_key(|gap| (gap.span.start_ms, gap.channel, gap.span.end_ms));
        redact_across(&mut self.transcript);
        let scene = Scene::whole(&self.transcript);
        let scores = self.kit.classifier.classify(&[scene], stop)?.pop().unwrap_or_default();
        if scores.len() != self.transcript.len() {
            let what = format!("{} scores for {} utterances", scores.len(), self.transcript.len());
            return Err(AssessError::Model(ModelError::Onnx { name: "classifier", what }));
        }
        let detected = self.detected;
        let channels = self.tracks.into_iter().map(|track| ChannelObserved {
            channel: track.channel,
            language: if track.speech.is_empty() { None } else { track.language.or(detected) },
            speech: track.speech,
        });
        let mut channels: Vec<ChannelObserved> = channels.collect();
        channels.sort_by_key(|observed| observed.channel);
        let observed = self.transcript.into_iter().zip(scores);
        let utterances: Vec<Observed> =
            observed.map(|(utterance, scores)| Observed { utterance, scores }).collect();
        Ok(Observations {
            duration_ms,
            dual_mono,
            channels,
            gaps: self.gaps,
            thresholds: self.kit.classifier.thresholds().clone(),
            outcome: Some(self.kit.outcome.estimate(&utterances)?),
            utterances,
        })
    }
}

/// From here on nothing holds what was said word for word.
fn utterance(heard: Heard) -> Utterance {
    let (text, redactions) = redact(&heard.text);
    let confidence = (heard.confidence.clamp(0.0, 1.0) * 1_000.0).round() / 1_000.0;
    Utterance { channel: heard.channel, span: heard.span, text, redactions, confidence }
}
