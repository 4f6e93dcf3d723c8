//! Which calls are in an analyst's hands, on disk: what a worker that died was doing.
//!
//! A call that ends the process (native code aborts, the memory runs out) leaves no error behind. The journal
//! outlives the process: what was begun and not left is a suspect of the next start, is judged alone, so that no
//! neighbour is blamed, and after some crashes it is no longer begun at all.
//!
//! Lines are written, not synchronised: what is written survives the process and its container, since the
//! system holds it. Only the machine's own end can lose a line, and that is no call's fault.

mod file;
mod name;
mod state;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::{info, warn};

use crate::ledger::Partition;
use crate::telemetry::{Cause, Metrics};
use file::JournalFile;
pub use name::Name;
use state::State;
pub use state::{Record, Standing};

/// Why there is no journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalOpenError {
    /// The folder is missing, or is not ours.
    #[error("journal.folder: `{}` can't be used: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else writes it.
    #[error("journal.folder: `{}` is in use by another worker; each worker needs a folder of its own", .0.display())]
    InUse(PathBuf),
}

/// The disk does not take a line now; it may later.
#[derive(Debug, thiserror::Error)]
#[error("the journal can't be written: {0}")]
pub struct JournalBlocked(#[source] io::Error);

/// The journal of one worker.
#[derive(Debug)]
pub struct Journal {
    inner: Mutex<Inner>,
    /// A call is no longer begun once the process has ended so often while it was judged.
    crashes: u32,
    metrics: Arc<Metrics>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// None where no journal is kept.
    file: Option<JournalFile>,
}

impl Journal {
    /// Opens the journal in `folder`; whatever was in hand when it was last written is a suspect now. Without
    /// a folder none is kept, and a crash teaches nothing.
    ///
    /// # Errors
    /// A folder that can't be used. A disk that is full is no error: calls wait for it.
    pub fn open(
        folder: Option<&Path>,
        crashes: u32,
        metrics: Arc<Metrics>,
    ) -> Result<Self, JournalOpenError> {
        let Some(folder) = folder else {
            warn!("journal.folder is not set: a call that ends this process is begun again for ever");
            return Ok(Self {
                inner: Inner { state: State::default(), file: None }.into(),
                crashes,
                metrics,
            });
        };
        let unusable = |source| JournalOpenError::Folder { folder: folder.to_owned(), source };
        let (mut file, records) = JournalFile::open(folder).map_err(unusable)?;
        if !file.is_ours() {
            return Err(JournalOpenError::InUse(folder.to_owned()));
        }
        let mut state = State::default();
        records.iter().for_each(|record| state.apply(record));
        let crashed = state.crash();
        if crashed > 0 {
            warn!(calls = crashed, "the last process ended with these calls in hand; they are judged alone");
        }
        metrics.suspects(state.suspects());
        let rewritten = file.rewrite(&state.records());
        metrics.blocked(Cause::Journal, rewritten.is_err());
        match rewritten {
            Err(source) if !is_passing(&source) => Err(unusable(source)),
            _ => Ok(Self { inner: Inner { state, file: Some(file) }.into(), crashes, metrics }),
        }
    }

    /// What is known of a call from earlier.
    #[must_use]
    pub fn standing(&self, name: &Name) -> Standing {
        self.lock().state.standing(name, self.crashes)
    }

    /// An analyst starts a call.
    ///
    /// # Errors
    /// Where that can't be written; the call must not be begun then.
    pub fn begin(&self, name: &Name) -> Result<(), JournalBlocked> {
        self.write(Record::Begun(name.clone()))
    }

    /// The analyst has it no longer; with or without a judgement.
    pub fn left(&self, name: &Name) {
        self.note(Record::Left(name.clone()));
    }

    /// It has a judgement, which is about to be published.
    ///
    /// # Errors
    /// Where that can't be written: publishing must wait, or a crash could take the judgement back.
    pub fn judged(&self, name: &Name) -> Result<(), JournalBlocked> {
        self.write(Record::Judged(name.clone()))
    }

    /// Kafka has forgotten all calls of the partition below `offset`.
    pub fn committed(&self, partition: &Partition, offset: i64) {
        self.note(Record::Committed(partition.clone(), offset));
    }

    /// The partition is another worker's: nothing that happens from here on is its calls' fault.
    pub fn revoked(&self, partition: &Partition) {
        self.note(Record::Revoked(partition.clone()));
    }

    /// The worker stops and leaves every call that it has in hand to others.
    pub fn drained(&self) {
        self.note(Record::Drained);
    }

    /// Takes a record that may be late on disk: the next one that must be there brings it along.
    fn note(&self, record: Record) {
        if let Err(error) = self.write(record) {
            info!(error = &error as &dyn std::error::Error, "the journal lags behind");
        }
    }

    fn write(&self, record: Record) -> Result<(), JournalBlocked> {
        let mut inner = self.lock();
        let Inner { state, file } = &mut *inner;
        let Some(file) = file else { return Ok(()) };
        if !state.is_changed_by(&record) && !file.is_behind() {
            return Ok(());
        }
        state.apply(&record);
        let written = file.append(&record, || state.records());
        if written.is_err() && matches!(record, Record::Begun(_)) {
            // It is not begun then: whoever asked tries again.
            state.apply(&record.undone());
        }
        self.metrics.blocked(Cause::Journal, written.is_err());
        self.metrics.suspects(state.suspects());
        written.map_err(JournalBlocked)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A full disk and a spent quota pass; a folder that is gone does not.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests;
