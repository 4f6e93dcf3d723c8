//! Listens to one call and judges it: audio to speech, speech to words, words to labels, labels to verdicts.
//!
//! Plain functions: no await, no channel, no clock but the stop signal. The same call gives the same
//! assessment, byte for byte, and a stop gives an error, never a shorter result.

mod error;
mod layout;
mod session;
mod track;

use std::sync::Arc;

use callqa_audio::{Decoder, Limits, Summary};
use callqa_domain::{
    Assessment, Call, ExclusionReason, ModelId, Observations, Provenance, Purpose, Rulebook, judge,
};
use callqa_models::{Kit, StopSignal};

use crate::recording::Recording;

pub use error::AssessError;
use session::Session;

/// A call shorter than this can't hold a greeting and an answer; it was misdialled or broke off.
const MIN_CALL_MS: u64 = 3_000;

/// What is the same for every call of an analyst, and a part of its results' provenance.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What a recording may cost.
    pub limits: Limits,
    /// Digest of the settings that can change a result, BLAKE3 in hex.
    pub config_digest: String,
    /// Version of this program.
    pub build: String,
}

/// A call that is to be assessed.
#[derive(Debug, Clone, Copy)]
pub struct Submission<'a> {
    /// What its event says.
    pub call: &'a Call,
    /// Digest of that event, BLAKE3 in hex.
    pub event_digest: &'a str,
    /// Its recording.
    pub recording: &'a Recording,
    /// What the recording is said to be; its content decides.
    pub content_type: Option<&'a str>,
}

/// What an analyst says of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Judged {
    /// It was judged.
    Assessed(Box<Assessment>),
    /// It was not, and nothing went wrong.
    Excluded(ExclusionReason),
}

/// Judges calls, one at a time.
pub struct Analyst {
    kit: Kit,
    models: Arc<[ModelId]>,
    rulebook: Arc<Rulebook>,
    settings: Settings,
}

impl Analyst {
    /// An analyst with its own models; `models` names their files.
    #[must_use]
    pub fn new(kit: Kit, models: Arc<[ModelId]>, rulebook: Arc<Rulebook>, settings: Settings) -> Self {
        Self { kit, models, rulebook, settings }
    }

    /// Listens to a call and judges it.
    ///
    /// # Errors
    /// What is wrong with the recording or its layout, a model that failed, or the stop signal.
    pub fn assess(&mut self, submission: &Submission<'_>, stop: &StopSignal) -> Result<Judged, AssessError> {
        let call = submission.call;
        if call.purpose == Purpose::Test {
            return Ok(Judged::Excluded(ExclusionReason::TestCall));
        }
        let summary = self.survey(submission, stop)?;
        let dual_mono = summary.is_dual_mono();
        let channels = layout::channels(call.layout, summary.levels.len(), dual_mono)?;
        if summary.duration_ms < MIN_CALL_MS {
            return Ok(Judged::Excluded(ExclusionReason::TooShort));
        }
        let mut session = Session::begin(&mut self.kit, call, &channels);
        let mut decoder = open(submission, &self.settings.limits)?;
        while let Some(block) = decoder.next_block()? {
            session.feed(&block.channels, stop)?;
        }
        let Some(observations) = session.finish(summary.duration_ms, dual_mono, stop)? else {
            return Ok(Judged::Excluded(ExclusionReason::NoSpeech));
        };
        Ok(Judged::Assessed(Box::new(self.assessment(submission, observations))))
    }

    /// Decodes the whole recording once, before any model hears it: a recording that is cut, too long or
    /// damaged at its end costs a hundredth of a listened one, and whether both channels carry one signal is
    /// known before their speech is told apart.
    fn survey(&self, submission: &Submission<'_>, stop: &StopSignal) -> Result<Summary, AssessError> {
        let mut decoder = open(submission, &self.settings.limits)?;
        while decoder.next_block()?.is_some() {
            if stop.is_stopped() {
                return Err(AssessError::Stopped);
            }
        }
        Ok(decoder.summary())
    }

    fn assessment(&self, submission: &Submission<'_>, observations: Observations) -> Assessment {
        let judgement = judge(submission.call, &observations, &self.rulebook);
        Assessment {
            call: submission.call.clone(),
            observations,
            acoustics: judgement.acoustics,
            coverage: judgement.coverage,
            outcome: judgement.outcome,
            verdicts: judgement.verdicts,
            scorecard: judgement.scorecard,
            flag: judgement.flag,
            provenance: Provenance {
                event_digest: submission.event_digest.to_owned(),
                recording_sha256: submission.recording.sha256().to_owned(),
                models: self.models.to_vec(),
                rulebook: self.rulebook.id().to_owned(),
                rulebook_version: self.rulebook.version().to_owned(),
                rulebook_digest: self.rulebook.digest().to_owned(),
                config_digest: self.settings.config_digest.clone(),
                build: self.settings.build.clone(),
            },
        }
    }
}

fn open(submission: &Submission<'_>, limits: &Limits) -> Result<Decoder, AssessError> {
    Ok(Decoder::open(submission.recording.reader(), submission.content_type, limits)?)
}

#[cfg(test)]
mod tests;
