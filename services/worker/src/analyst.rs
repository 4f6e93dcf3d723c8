//! Listens to one call and judges it: audio to speech, speech to words, words to labels, labels to verdicts.
//!
//! Plain functions: no await, no channel, no clock but the stop signal. The same call gives the same
//! assessment, byte for byte, and a stop gives an error, never a shorter result.

mod error;
mod layout;
mod session;
mod track;

use std::sync::Arc;

use callqa_audio::Limits;
use callqa_domain::{
    Assessment, Call, ExclusionReason, ModelId, Observations, Provenance, Purpose, Rulebook, judge,
};
use callqa_models::{Kit, StopSignal};

use crate::decoding::{Decoding, Source};
use crate::recording::Recording;

pub use error::AssessError;
pub(crate) use error::recording_reason;
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
    decoding: Decoding,
}

impl Analyst {
    /// An analyst with its own models; `models` names their files.
    #[must_use]
    pub fn new(kit: Kit, models: Arc<[ModelId]>, rulebook: Arc<Rulebook>, settings: Settings) -> Self {
        Self { kit, models, rulebook, settings, decoding: Decoding::default() }
    }

    /// The same, with recordings decoded elsewhere: it does not change what is heard.
    #[must_use]
    pub fn decoding(self, decoding: Decoding) -> Self {
        Self { decoding, ..self }
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
        let source = Source {
            recording: submission.recording,
            content_type: submission.content_type,
            limits: &self.settings.limits,
        };
        let (outline, mut blocks) = self.decoding.open(&source, stop)?;
        let dual_mono = outline.is_dual_mono;
        let channels = layout::channels(call.layout, outline.channels, dual_mono)?;
        if outline.duration_ms < MIN_CALL_MS {
            return Ok(Judged::Excluded(ExclusionReason::TooShort));
        }
        let mut session = Session::begin(&mut self.kit, call, &channels);
        while let Some(channels) = blocks.next_block()? {
            session.feed(&channels, stop)?;
        }
        let Some(observations) = session.finish(outline.duration_ms, dual_mono, stop)? else {
            return Ok(Judged::Excluded(ExclusionReason::NoSpeech));
        };
        Ok(Judged::Assessed(Box::new(self.assessment(submission, observations))))
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

#[cfg(test)]
mod tests;
