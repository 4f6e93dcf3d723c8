//! Fetches a call's recording, for as long as there is hope.
//!
//! Two things look alike and are not. A recording that is not there *yet* is the call's own matter: the call steps
//! aside, so that others go on, and after the grace it is a dead letter. A store that answers nobody is no call's
//! fault: every call waits for it where it is, polling pauses for want of seats, and no grace is spent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use callqa_proto::{RecordingRef, Source};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::info;

use crate::disposition::Disposition;
use crate::store::{Fetched, Store, StoreError};
use crate::telemetry::{Cause, Metrics};

/// The first wait of a call that steps aside; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest of these waits: so late a recording or a store that is there again is noticed at most.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// So many calls may stand aside. They hold no recording, so each costs a few kilobytes; but all of them, and all
/// calls behind them in their partitions, are judged again after a crash.
pub const STANDING_ASIDE: usize = 256;

/// A call's place among those in flight.
pub type Seat = Option<OwnedSemaphorePermit>;

/// Fetches recordings with patience.
pub struct Fetching {
    store: Store,
    grace: Duration,
    seats: Arc<Semaphore>,
    aside: Arc<Semaphore>,
    /// Recordings that the store gave: as long as it grows, the store answers.
    fetched: AtomicU64,
    /// Calls that wait for a store that answers nobody.
    held_up: AtomicUsize,
    metrics: Arc<Metrics>,
}

impl Fetching {
    /// Fetches from `store`; a recording that is not there is waited for as long as `grace`. Calls that step aside
    /// come back to `seats`.
    #[must_use]
    pub fn new(store: Store, grace: Duration, seats: Arc<Semaphore>, metrics: Arc<Metrics>) -> Self {
        Self {
            store,
            grace,
            seats,
            aside: Arc::new(Semaphore::new(STANDING_ASIDE)),
            fetched: AtomicU64::new(0),
            held_up: AtomicUsize::new(0),
            metrics,
        }
    }

    /// Fetches a recording. While it is waited for, `seat` may be empty; in the end it is taken again.
    ///
    /// # Errors
    /// Why there is no hope, or none within the grace.
    pub async fn fetch(&self, wanted: &RecordingRef, seat: &mut Seat) -> Result<Fetched, StoreError> {
        let waits = ExponentialBuilder::default().with_min_delay(FIRST_WAIT).with_max_delay(LONGEST_WAIT);
        let mut waits = waits.without_max_times().build();
        let (mut spent, mut fetched_before) = (Duration::ZERO, self.fetched.load(Ordering::Relaxed));
        loop {
            self.sit_down(seat).await;
            let error = match self.store.fetch(wanted).await {
                Ok(fetched) => {
                    let of_store = matches!(wanted.source, Source::Uri(_));
                    self.fetched.fetch_add(u64::from(of_store), Ordering::Relaxed);
                    return Ok(fetched);
                }
                Err(error) => error,
            };
            let fetched_now = self.fetched.load(Ordering::Relaxed);
            let is_the_calls_own = !may_be_the_store(&error) || fetched_now > fetched_before;
            fetched_before = fetched_now;
            if error.disposition() == Disposition::DeadLetter || (is_the_calls_own && spent >= self.grace) {
                return Err(error);
            }
            let wait = waits.next().unwrap_or(LONGEST_WAIT);
            info!(reason = error.reason().name(), ?wait, aside = is_the_calls_own, "recording waited for");
            if is_the_calls_own {
                let wait = wait.min(self.grace.saturating_sub(spent));
                self.stand_aside(wait, seat).await;
                spent += wait;
            } else {
                let _held_up = HeldUp::by_the_store(self);
                tokio::time::sleep(wait).await;
            }
        }
    }

    /// Waits without a seat where there is room to; else where it is, so that no more calls are taken.
    async fn stand_aside(&self, wait: Duration, seat: &mut Seat) {
        let place = Arc::clone(&self.aside).try_acquire_owned();
        if place.is_ok() {
            *seat = None;
        }
        tokio::time::sleep(wait).await;
    }

    async fn sit_down(&self, seat: &mut Seat) {
        if seat.is_none() {
            // Nobody closes the semaphore.
            *seat = Arc::clone(&self.seats).acquire_owned().await.ok();
        }
    }
}

/// A call that waits for the store, until it is dropped: its wait may be broken off by a stop.
struct HeldUp<'a>(&'a Fetching);

impl<'a> HeldUp<'a> {
    fn by_the_store(fetching: &'a Fetching) -> Self {
        fetching.held_up.fetch_add(1, Ordering::Relaxed);
        fetching.metrics.blocked(Cause::Store, true);
        Self(fetching)
    }
}

impl Drop for HeldUp<'_> {
    fn drop(&mut self) {
        let others = self.0.held_up.fetch_sub(1, Ordering::Relaxed) > 1;
        self.0.metrics.blocked(Cause::Store, others);
    }
}

/// A failure that the whole store may have, unless it gives others their recordings.
fn may_be_the_store(error: &StoreError) -> bool {
    match error {
        StoreError::Status { status } => *status >= 500 || *status == 429,
        StoreError::Unreachable(_) | StoreError::TooSlow(_) | StoreError::Copy(_) => true,
        _ => false,
    }
}
