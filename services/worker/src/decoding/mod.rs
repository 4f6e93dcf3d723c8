//! Where a recording is decoded: in this process, or in a child that may have so much memory and no more.
//!
//! Codecs read what strangers wrote. A panic in one is caught, an abort or a hunger for memory is not: in a child it
//! costs that one recording and nothing else (decisions/012).

mod apart;
mod child;
mod fault;
mod wire;

use callqa_audio::{AudioError, Decoder, Limits, Summary};
use callqa_models::StopSignal;

pub use apart::Apart;
pub use child::run_if_asked;
pub use fault::DecoderFault;

use crate::analyst::AssessError;
use crate::recording::Recording;

/// Where recordings are decoded.
#[derive(Debug, Clone, Default)]
pub enum Decoding {
    /// In this process.
    #[default]
    Here,
    /// In a child process for each recording.
    Apart(Apart),
}

/// A recording that is to be decoded.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Its bytes.
    pub recording: &'a Recording,
    /// What it is said to be; its content decides.
    pub content_type: Option<&'a str>,
    /// What it may cost.
    pub limits: &'a Limits,
}

impl Source<'_> {
    fn decoder(&self) -> Result<Decoder, AudioError> {
        Decoder::open(self.recording.reader(), self.content_type, self.limits)
    }
}

/// What a survey of the whole recording tells, before any model hears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outline {
    /// How many channels it has.
    pub channels: usize,
    /// How long it is.
    pub duration_ms: u64,
    /// Whether two channels carry one signal.
    pub is_dual_mono: bool,
}

impl From<Summary> for Outline {
    fn from(summary: Summary) -> Self {
        let is_dual_mono = summary.is_dual_mono();
        Self { channels: summary.levels.len(), duration_ms: summary.duration_ms, is_dual_mono }
    }
}

impl Decoding {
    /// Surveys a recording, and makes ready to decode it once more.
    ///
    /// # Errors
    /// What is wrong with the recording, what became of the child, or the stop signal.
    pub fn open(&self, source: &Source<'_>, stop: &StopSignal) -> Result<(Outline, Blocks), AssessError> {
        match self {
            Self::Here => {
                let outline = survey(source.decoder()?, stop)?;
                Ok((outline, Blocks::Here(Box::new(source.decoder()?))))
            }
            Self::Apart(apart) => {
                let mut child = apart.start(source, stop)?;
                Ok((child.outline()?, Blocks::Apart(Box::new(child))))
            }
        }
    }
}

/// Decodes the whole recording once: one that is cut, too long or damaged at its end costs a hundredth of a listened
/// one, and whether both channels carry one signal is known before their speech is told apart.
fn survey(mut decoder: Decoder, stop: &StopSignal) -> Result<Outline, AssessError> {
    while decoder.next_block()?.is_some() {
        if stop.is_stopped() {
            return Err(AssessError::Stopped);
        }
    }
    Ok(decoder.summary().into())
}

/// A recording's audio, block after block.
pub enum Blocks {
    /// Decoded in this process.
    Here(Box<Decoder>),
    /// Decoded by a child.
    Apart(Box<apart::Child>),
}

impl Blocks {
    /// The next samples of every channel, 16 kHz; `None` after the last.
    ///
    /// # Errors
    /// What is wrong with the recording, what became of the child, or the stop signal.
    pub fn next_block(&mut self) -> Result<Option<Vec<Vec<f32>>>, AssessError> {
        match self {
            Self::Here(decoder) => Ok(decoder.next_block()?.map(|block| block.channels)),
            Self::Apart(child) => child.block(),
        }
    }
}

#[cfg(test)]
mod tests;
