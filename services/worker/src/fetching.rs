//! Fetches a call's recording, for as long as there is hope.
//!
//! Two things look alike and are not. A recording that is not there *yet* is the call's own matter: after the grace
//! it is a dead letter. A host, bucket or folder that answers nobody is no call's fault: its calls wait until it
//! answers, and no grace is spent. Both step aside meanwhile, as far as there is room, so that others go on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use callqa_proto::RecordingRef;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::Instant;
use tracing::info;

use crate::disposition::Disposition;
use crate::store::{Fetched, Origin, Store, StoreError};
use crate::telemetry::{Cause, Metrics, Stage};

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
    /// Half of the seats: calls that stood aside and ask again take no more, however many they are and however long
    /// a host keeps them, so that new calls find a seat.
    returning: Semaphore,
    /// Recordings that each origin gave: as long as that grows, it answers. One entry for each folder, bucket and
    /// host of the operator's that ever gave one.
    given: Mutex<BTreeMap<Origin, u64>>,
    /// Calls that wait for an origin that answers nobody.
    held_up: Mutex<usize>,
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
            returning: Semaphore::new((seats.available_permits() / 2).max(1)),
            seats,
            aside: Arc::new(Semaphore::new(STANDING_ASIDE)),
            given: Mutex::default(),
            held_up: Mutex::default(),
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
        let origin = self.store.origin(wanted);
        let mut given_before = self.given_by(origin.as_ref());
        let (mut spent, mut held_up) = (Duration::ZERO, None);
        let mut asked = Asked { answer: self.store.fetch(wanted).await, time: Duration::ZERO };
        loop {
            let error = match asked.answer {
                Ok(fetched) => {
                    self.note_given(origin);
                    return Ok(fetched);
                }
                Err(error) => error,
            };
            let given = self.given_by(origin.as_ref());
            let is_the_calls_own = !may_be_the_origin(&error) || given > given_before;
            given_before = given;
            if is_the_calls_own {
                spent += asked.time;
            }
            if error.disposition() == Disposition::DeadLetter || (is_the_calls_own && spent >= self.grace) {
                return Err(error);
            }
            let wait = waits.next().unwrap_or(LONGEST_WAIT);
            let wait = if is_the_calls_own { wait.min(self.grace.saturating_sub(spent)) } else { wait };
            if is_the_calls_own {
                held_up = None;
            } else {
                held_up.get_or_insert_with(|| HeldUp::by_the_store(self));
            }
            info!(
                reason = error.reason().name(),
                error = &error as &dyn std::error::Error,
                ?wait,
                held_up = held_up.is_some(),
                "recording waited for"
            );
            asked = self.ask_again(wanted, wait, seat).await;
        }
    }

    /// Waits, without a seat where there is room to, and asks once more.
    async fn ask_again(&self, wanted: &RecordingRef, wait: Duration, seat: &mut Seat) -> Asked {
        let place = Arc::clone(&self.aside).try_acquire_owned().ok();
        if place.is_some() {
            *seat = None;
        }
        let began = Instant::now();
        tokio::time::sleep(wait).await;
        let waited = began.elapsed();
        let _turn = self.sit_down(seat).await;
        // Until it has a seat, it is still among those aside: else there would be more of them than there is room.
        drop(place);
        self.metrics.retried(Stage::Fetch);
        let share = match self.store.reserve(wanted).await {
            Ok(share) => share,
            Err(error) => return Asked { answer: Err(error), time: waited },
        };
        let began = Instant::now();
        let answer = self.store.ask(wanted, share).await;
        Asked { answer, time: waited + began.elapsed() }
    }

    /// Takes a seat again, if it was given up, and a turn among those who come back: until it is known whether there is
    /// a recording.
    async fn sit_down(&self, seat: &mut Seat) -> Option<SemaphorePermit<'_>> {
        if seat.is_some() {
            return None;
        }
        // Nobody closes these semaphores.
        let turn = self.returning.acquire().await.ok();
        *seat = Arc::clone(&self.seats).acquire_owned().await.ok();
        turn
    }

    fn given_by(&self, origin: Option<&Origin>) -> u64 {
        origin.and_then(|origin| self.given().get(origin).copied()).unwrap_or(0)
    }

    fn note_given(&self, origin: Option<Origin>) {
        if let Some(origin) = origin {
            *self.given().entry(origin).or_default() += 1;
        }
    }

    fn given(&self) -> MutexGuard<'_, BTreeMap<Origin, u64>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The metric is set while the count is locked: it must not lag behind it.
    fn count_held_up(&self, count: impl FnOnce(usize) -> usize) {
        let mut held_up = self.held_up.lock().unwrap_or_else(PoisonError::into_inner);
        *held_up = count(*held_up);
        self.metrics.blocked(Cause::Store, *held_up > 0);
    }
}

/// What came of waiting and asking.
struct Asked {
    answer: Result<Fetched, StoreError>,
    /// How long that took, without the waits for a seat and for the byte budget: these are the worker's own matter.
    time: Duration,
}

/// A call that waits for an origin that answers nobody, until this is dropped: its wait may be broken off by a stop.
struct HeldUp<'a>(&'a Fetching);

impl<'a> HeldUp<'a> {
    fn by_the_store(fetching: &'a Fetching) -> Self {
        fetching.count_held_up(|calls| calls + 1);
        Self(fetching)
    }
}

impl Drop for HeldUp<'_> {
    fn drop(&mut self) {
        self.0.count_held_up(|calls| calls.saturating_sub(1));
    }
}

/// A failure that a host, a bucket or a folder may have as a whole, unless it gives others their recordings.
fn may_be_the_origin(error: &StoreError) -> bool {
    match error {
        StoreError::Status { status } => *status >= 500 || *status == 429,
        StoreError::FolderGone(_)
        | StoreError::Unreachable(_)
        | StoreError::TooSlow(_)
        | StoreError::Copy(_)
        // Credentials that have expired are refused for every recording of a bucket.
        | StoreError::Denied { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
