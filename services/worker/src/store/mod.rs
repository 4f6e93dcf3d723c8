//! Fetches recordings: inline, from folders, from web servers and object stores; nothing unchecked leaves it.

mod address;
mod error;
mod files;
mod guard;
mod host;
mod objects;
mod place;
#[cfg(test)]
mod tests;
mod web;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use callqa_proto::{RecordingRef, RecordingUri, Source};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tracing::info;

use crate::config::{self, ByteSize};
use crate::disposition::Disposition;
use crate::recording::Recording;
use crate::telemetry::{Metrics, Stage};
pub use error::StoreError;
pub use files::FileRoots;
use guard::{Guard, Lookup, certificates, system_lookup};
pub use host::HostPattern;
use objects::Buckets;
pub use place::Origin;
use place::Place;
use web::Web;

/// The first wait before a recording is asked for again; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest of these waits.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The byte budget counts in these: a semaphore has 32-bit permits.
const BUDGET_UNIT: u64 = 1 << 10;

/// Why the store can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreOpenError {
    /// A folder is missing.
    #[error("{key}: `{}` can't be used: {source}", path.display())]
    Folder {
        /// Which setting names it.
        key: &'static str,
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No TLS.
    #[error("https can't be used: {0}")]
    Tls(reqwest::Error),
    /// The operator's certificates are not to be had.
    #[error("store.ca_file: `{}` can't be used: {source}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No client for the object store.
    #[error("store.s3 can't be used: {0}")]
    ObjectStore(object_store::Error),
}

/// Fetches recordings.
#[derive(Debug)]
pub struct Store {
    files: FileRoots,
    web: Web,
    buckets: Buckets,
    spool: PathBuf,
    limit: ByteSize,
    fetch_timeout: Duration,
    patience: Duration,
    budget: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

/// A part of the byte budget.
pub type Share = OwnedSemaphorePermit;

/// A recording, with its share of the byte budget.
#[derive(Debug)]
pub struct Fetched {
    /// The recording.
    pub recording: Recording,
    /// Released with the last use of the recording.
    _share: Share,
}

impl Store {
    /// Opens the store; recordings of more than `limit` bytes are refused.
    ///
    /// # Errors
    /// A folder that is missing, certificates that can't be read, or no TLS.
    pub fn open(
        config: &config::Store,
        limit: ByteSize,
        metrics: Arc<Metrics>,
    ) -> Result<Self, StoreOpenError> {
        Self::with_lookup(config, limit, metrics, system_lookup())
    }

    fn with_lookup(
        config: &config::Store,
        limit: ByteSize,
        metrics: Arc<Metrics>,
        lookup: Lookup,
    ) -> Result<Self, StoreOpenError> {
        let files = roots(&config.file_roots)?;
        try_spool(config)?;
        let guard = Guard::new(config, lookup)?;
        Ok(Self {
            files,
            buckets: Buckets::open(&config.objects, &guard)?,
            web: Web::new(config, guard),
            spool: config.spool.clone(),
            limit,
            fetch_timeout: config.fetch_timeout,
            patience: config.patience,
            budget: Arc::new(Semaphore::new(budget_units(config.bytes_in_flight.0) as usize)),
            metrics,
        })
    }

    /// Folders and certificates that are not to be had: all of them, where [`Self::open`] stops at the first.
    #[must_use]
    pub fn missing(config: &config::Store) -> Vec<StoreOpenError> {
        let files = config.file_roots.iter().filter_map(|root| roots(std::slice::from_ref(root)).err());
        let certificates = config.ca_file.as_deref().map(certificates);
        files.chain(try_spool(config).err()).chain(certificates.and_then(Result::err)).collect()
    }

    /// Fetches a recording, again and again while the cause of a failure may pass and `store.patience` lasts, and
    /// checks it.
    ///
    /// # Errors
    /// The last failure.
    pub async fn fetch(&self, wanted: &RecordingRef) -> Result<Fetched, StoreError> {
        let waits = ExponentialBuilder::default().with_min_delay(FIRST_WAIT).with_max_delay(LONGEST_WAIT);
        let mut waits = waits.without_max_times().build();
        let began = Instant::now();
        loop {
            let share = self.reserve(wanted).await?;
            let error = match self.ask(wanted, share).await {
                Ok(fetched) => return Ok(fetched),
                Err(error) => error,
            };
            let wait = waits.next().unwrap_or(LONGEST_WAIT);
            let has_patience = began.elapsed() + wait <= self.patience;
            if error.disposition() == Disposition::DeadLetter || !has_patience {
                return Err(error);
            }
            self.metrics.retried(Stage::Fetch);
            info!(
                reason = error.reason().name(),
                error = &error as &dyn std::error::Error,
                ?wait,
                "recording asked for again"
            );
            tokio::time::sleep(wait).await;
        }
    }

    /// Who is to give a recording; `None` where the event has it, or names nobody.
    #[must_use]
    pub fn origin(&self, wanted: &RecordingRef) -> Option<Origin> {
        let Source::Uri(uri) = &wanted.source else { return None };
        match Place::of(uri).ok()? {
            Place::File(path) => self.files.root_of(&path).map(|root| Origin::Folder(root.to_owned())),
            Place::Web(url) => Origin::host(&url),
            Place::Object { bucket, .. } => Some(Origin::Bucket(bucket)),
        }
    }

    /// Waits until so many bytes of the budget are free as the recording may have.
    ///
    /// # Errors
    /// A recording that is said to have more than is allowed.
    pub async fn reserve(&self, wanted: &RecordingRef) -> Result<Share, StoreError> {
        let promised = match &wanted.source {
            Source::Inline(bytes) => Some(bytes.len() as u64),
            Source::Uri(_) => wanted.size_bytes,
        };
        if let Some(actual) = promised.filter(|bytes| *bytes > self.limit.0) {
            return Err(StoreError::TooLarge { actual: Some(ByteSize(actual)), limit: self.limit });
        }
        let units = budget_units(promised.unwrap_or(self.limit.0));
        let share = Arc::clone(&self.budget).acquire_many_owned(units).await;
        share.map_err(|closed| StoreError::Copy(std::io::Error::other(closed)))
    }

    /// Asks for a recording once, and checks it; `share` is what was reserved for it.
    ///
    /// # Errors
    /// Why it is not to be had.
    pub async fn ask(&self, wanted: &RecordingRef, share: Share) -> Result<Fetched, StoreError> {
        let (recording, mut share) = match &wanted.source {
            Source::Inline(bytes) => (Recording::of(bytes.clone()), share),
            Source::Uri(uri) => {
                let fetched = self.fetch_uri(uri, wanted.size_bytes, share);
                tokio::time::timeout(self.fetch_timeout, fetched)
                    .await
                    .unwrap_or(Err(StoreError::TooSlow(self.fetch_timeout)))?
            }
        };
        check(wanted, &recording)?;
        let unused = share.num_permits().saturating_sub(budget_units(recording.bytes()) as usize);
        drop(share.split(unused));
        Ok(Fetched { recording, _share: share })
    }

    async fn fetch_uri(
        &self,
        uri: &RecordingUri,
        promised: Option<u64>,
        share: Share,
    ) -> Result<(Recording, Share), StoreError> {
        // More than was promised, and so reserved, is another recording.
        let limit = promised.map_or(self.limit, |bytes| ByteSize(self.limit.0.min(bytes)));
        let fetched = match Place::of(uri)? {
            Place::File(path) => self.copy_file(path, limit, share).await,
            Place::Web(url) => {
                self.web.fetch(&url, limit, &self.spool).await.map(|recording| (recording, share))
            }
            Place::Object { bucket, key } => {
                let fetched = self.buckets.fetch(&bucket, &key, limit, &self.spool).await;
                fetched.map(|recording| (recording, share))
            }
        };
        match (fetched, promised) {
            (Err(StoreError::TooLarge { actual, .. }), Some(expected)) => {
                Err(StoreError::WrongSize { actual: actual.map(|bytes| bytes.0), expected })
            }
            (fetched, _) => fetched,
        }
    }

    /// Copies on a thread of its own, which nobody can break off: what it holds of the budget stays with it until it
    /// has ended.
    async fn copy_file(
        &self,
        path: PathBuf,
        limit: ByteSize,
        share: Share,
    ) -> Result<(Recording, Share), StoreError> {
        let (files, spool, within) = (self.files.clone(), self.spool.clone(), self.fetch_timeout);
        let copy = tokio::task::spawn_blocking(move || {
            files.copy(&path, limit, &spool, within).map(|recording| (recording, share))
        });
        // Its own words would quote a panic's message.
        let failed =
            |_| StoreError::Copy(std::io::Error::other("the copy ended in a way that it should not have"));
        copy.await.map_err(failed)?
    }
}

fn roots(roots: &[PathBuf]) -> Result<FileRoots, StoreOpenError> {
    let key = "store.file_roots";
    FileRoots::open(roots).map_err(|(path, source)| StoreOpenError::Folder { key, path, source })
}

fn try_spool(config: &config::Store) -> Result<(), StoreOpenError> {
    let (key, path) = ("store.spool", config.spool.clone());
    match tempfile::tempfile_in(&path) {
        Ok(_) => Ok(()),
        Err(source) => Err(StoreOpenError::Folder { key, path, source }),
    }
}

fn check(wanted: &RecordingRef, recording: &Recording) -> Result<(), StoreError> {
    let actual = recording.bytes();
    if let Some(expected) = wanted.size_bytes.filter(|expected| *expected != actual) {
        return Err(StoreError::WrongSize { actual: Some(actual), expected });
    }
    match &wanted.sha256 {
        Some(expected) if !expected.eq_ignore_ascii_case(recording.sha256()) => {
            Err(StoreError::WrongHash { actual: recording.sha256().to_owned(), expected: expected.clone() })
        }
        _ => Ok(()),
    }
}

fn budget_units(bytes: u64) -> u32 {
    bytes.div_ceil(BUDGET_UNIT).try_into().unwrap_or(u32::MAX)
}
