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

use backon::{ExponentialBuilder, Retryable};
use callqa_proto::{RecordingRef, RecordingUri, Source};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::info;

use crate::config::{self, ByteSize};
use crate::disposition::Disposition;
use crate::recording::Recording;
use crate::telemetry::{Metrics, Stage};
pub use error::StoreError;
pub use files::FileRoots;
use guard::{Guard, Lookup, system_lookup};
pub use host::HostPattern;
use objects::Buckets;
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

/// A recording, with its share of the byte budget.
#[derive(Debug)]
pub struct Fetched {
    /// The recording.
    pub recording: Recording,
    /// Released with the last use of the recording.
    _share: OwnedSemaphorePermit,
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
        let files = FileRoots::open(&config.file_roots).map_err(|(path, source)| StoreOpenError::Folder {
            key: "store.file_roots",
            path,
            source,
        })?;
        tempfile::tempfile_in(&config.spool).map_err(|source| StoreOpenError::Folder {
            key: "store.spool",
            path: config.spool.clone(),
            source,
        })?;
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

    /// Fetches a recording, again and again while the cause of a failure may pass, and checks it.
    ///
    /// # Errors
    /// The last failure.
    pub async fn fetch(&self, wanted: &RecordingRef) -> Result<Fetched, StoreError> {
        let waits = ExponentialBuilder::default()
            .with_min_delay(FIRST_WAIT)
            .with_max_delay(LONGEST_WAIT)
            .without_max_times()
            .with_total_delay(Some(self.patience));
        (|| self.fetch_once(wanted))
            .retry(waits)
            .when(|error: &StoreError| error.disposition() == Disposition::Retry)
            .notify(|error, wait| {
                self.metrics.retried(Stage::Fetch);
                info!(
                    reason = error.reason().name(),
                    error = error as &dyn std::error::Error,
                    ?wait,
                    "recording asked for again"
                );
            })
            .await
    }

    async fn fetch_once(&self, wanted: &RecordingRef) -> Result<Fetched, StoreError> {
        let promised = match &wanted.source {
            Source::Inline(bytes) => Some(bytes.len() as u64),
            Source::Uri(_) => wanted.size_bytes,
        };
        if let Some(actual) = promised.filter(|bytes| *bytes > self.limit.0) {
            return Err(StoreError::TooLarge { actual: Some(ByteSize(actual)), limit: self.limit });
        }
        let mut share = self.reserve(promised.unwrap_or(self.limit.0)).await?;
        let recording = match &wanted.source {
            Source::Inline(bytes) => Recording::of(bytes.clone()),
            Source::Uri(uri) => tokio::time::timeout(self.fetch_timeout, self.fetch_uri(uri, promised))
                .await
                .unwrap_or(Err(StoreError::TooSlow(self.fetch_timeout)))?,
        };
        check(wanted, &recording)?;
        let unused = share.num_permits().saturating_sub(budget_units(recording.bytes()) as usize);
        drop(share.split(unused));
        Ok(Fetched { recording, _share: share })
    }

    /// Waits until so many bytes of the budget are free.
    async fn reserve(&self, bytes: u64) -> Result<OwnedSemaphorePermit, StoreError> {
        let share = Arc::clone(&self.budget).acquire_many_owned(budget_units(bytes)).await;
        share.map_err(|closed| StoreError::Copy(std::io::Error::other(closed)))
    }

    async fn fetch_uri(&self, uri: &RecordingUri, promised: Option<u64>) -> Result<Recording, StoreError> {
        // More than was promised, and so reserved, is another recording.
        let limit = promised.map_or(self.limit, |bytes| ByteSize(self.limit.0.min(bytes)));
        let fetched = match Place::of(uri)? {
            Place::File(path) => self.copy_file(path, limit).await,
            Place::Web(url) => self.web.fetch(&url, limit, &self.spool).await,
            Place::Object { bucket, key } => self.buckets.fetch(&bucket, &key, limit, &self.spool).await,
        };
        match (fetched, promised) {
            (Err(StoreError::TooLarge { actual, .. }), Some(expected)) => {
                Err(StoreError::WrongSize { actual: actual.map(|bytes| bytes.0), expected })
            }
            (fetched, _) => fetched,
        }
    }

    async fn copy_file(&self, path: PathBuf, limit: ByteSize) -> Result<Recording, StoreError> {
        let (files, spool) = (self.files.clone(), self.spool.clone());
        let copy = tokio::task::spawn_blocking(move || files.copy(&path, limit, &spool));
        copy.await.unwrap_or_else(|error| Err(StoreError::Copy(std::io::Error::other(error))))
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
