//! Analysts at work: threads that take the next recording until none is left. What they say is handed on in the
//! order of the files, whoever is done first.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use callqa_audio::AudioError;
use callqa_domain::{Call, Rulebook};
use callqa_models::{ModelError, Models, StopSignal};
use callqa_proto::decode;
use callqa_proto::header::EventHeaders;
use callqa_worker::analyst::{Analyst, AssessError, Judged, Settings, Submission};
use callqa_worker::analysts::WorkError;
use callqa_worker::recording::{Recording, RecordingWriter};

use super::failure::Failure;
use crate::CliError;
use crate::recording::{CallFile, Content};

/// Recordings are read in pieces of this size.
const PIECE: usize = 1 << 16;

/// What all analysts share.
pub struct Bench<'a> {
    /// Opened once.
    pub models: &'a Models,
    /// By which calls are judged.
    pub rulebook: Arc<Rulebook>,
    /// Limits, and what goes into provenance.
    pub settings: Settings,
}

/// A call that came to an end.
pub struct Outcome {
    /// As the event describes it.
    pub call: Call,
    /// Which end.
    pub judged: Judged,
}

/// What became of one recording.
pub type Heard = Result<Outcome, Failure>;

/// Judges all recordings with so many analysts; `tell` hears of each, in their order.
///
/// # Errors
/// Models of which no analyst can get a set of his own; what `tell` says.
pub fn assess(
    bench: &Bench<'_>,
    calls: &[CallFile],
    analysts: usize,
    mut tell: impl FnMut(usize, Heard) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let (stop, next) = (StopSignal::new(), AtomicUsize::new(0));
    let (sender, heard) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..analysts {
            let (sender, stop, next) = (sender.clone(), stop.clone(), &next);
            scope.spawn(move || {
                // A failure to be told is the receiver's end: nobody is left who would want to know.
                let tell = |told| sender.send(told).is_ok();
                let mut analyst = match bench.analyst() {
                    Ok(analyst) => analyst,
                    Err(error) => {
                        tell(Err(error));
                        return;
                    }
                };
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(call) = calls.get(index) else { break };
                    if !tell(Ok((index, bench.listen(&mut analyst, call, &stop)))) {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let told = in_order(heard.iter(), &mut tell);
        stop.stop();
        told
    })
}

fn in_order(
    heard: impl Iterator<Item = Result<(usize, Heard), ModelError>>,
    tell: &mut impl FnMut(usize, Heard) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let mut early = BTreeMap::new();
    let mut due = 0;
    for one in heard {
        let (index, outcome) = one?;
        early.insert(index, outcome);
        while let Some(outcome) = early.remove(&due) {
            tell(due, outcome)?;
            due += 1;
        }
    }
    Ok(())
}

impl Bench<'_> {
    fn analyst(&self) -> Result<Analyst, ModelError> {
        let ids = self.models.ids().into();
        Ok(Analyst::new(self.models.kit()?, ids, Arc::clone(&self.rulebook), self.settings.clone()))
    }

    fn listen(&self, analyst: &mut Analyst, call: &CallFile, stop: &StopSignal) -> Heard {
        let recording = self.recording(call)?;
        let content = Content { sha256: recording.sha256().to_owned(), bytes: recording.bytes() };
        let message = call.by_uri(&content)?.message(crate::SOURCE).map_err(Failure::Event)?;
        let event = decode(&EventHeaders::default(), &message.payload).map_err(Failure::Description)?;
        if let Some(reason) = event.exclusion() {
            return Ok(Outcome { call: event.call, judged: Judged::Excluded(reason) });
        }
        let submission = Submission {
            call: &event.call,
            event_digest: &event.digest,
            recording: &recording,
            content_type: None,
        };
        let judged = catch_unwind(AssertUnwindSafe(|| analyst.assess(&submission, stop)));
        match judged {
            Ok(judged) => Ok(Outcome { judged: judged?, call: event.call }),
            Err(_) => {
                // What it left behind in its models may be half done.
                *analyst = self.analyst().map_err(AssessError::Model)?;
                Err(WorkError::Panicked.into())
            }
        }
    }

    fn recording(&self, call: &CallFile) -> Result<Recording, Failure> {
        let limit = self.settings.limits.max_bytes;
        let mut file = File::open(&call.path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
        }
        let mut writer = RecordingWriter::new(&std::env::temp_dir());
        let mut piece = vec![0; PIECE];
        loop {
            let read = file.read(&mut piece)?;
            if read == 0 {
                return Ok(writer.finish());
            }
            writer.push(&piece[..read])?;
            if writer.bytes() > limit {
                let actual = file.metadata()?.len().max(writer.bytes());
                return Err(AssessError::Audio(AudioError::TooLarge { actual, limit }).into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_early_waits_for_its_turn() {
        let done = [2, 0, 3, 1].map(|index| Ok((index, Err(Failure::from(WorkError::Panicked)))));
        let mut told = Vec::new();
        in_order(done.into_iter(), &mut |index, _| {
            told.push(index);
            Ok(())
        })
        .unwrap();
        assert_eq!(told, [0, 1, 2, 3]);
    }

    #[test]
    fn models_that_fail_end_it_all() {
        let done = [Ok((0, Err(Failure::from(WorkError::Panicked)))), Err(ModelError::Stopped)];
        assert!(in_order(done.into_iter(), &mut |_, _| Ok(())).is_err());
    }
}
