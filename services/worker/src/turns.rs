//! Who is judged beside whom: as many calls as there are analysts, or one suspect alone.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::MOST_ANALYSTS;
use crate::journal::Standing;

/// Turns at the analysts, first come, first served. A suspect waits until every analyst is idle, and everybody
/// who comes later waits for it.
#[derive(Debug)]
pub struct Turns {
    analysts: Arc<Semaphore>,
    count: u32,
}

impl Turns {
    /// Turns at so many analysts.
    #[must_use]
    pub fn new(analysts: usize) -> Self {
        let count = analysts.clamp(1, MOST_ANALYSTS);
        Self { analysts: Arc::new(Semaphore::new(count)), count: u32::try_from(count).unwrap_or(1) }
    }

    /// Waits for a call's turn; `None` can't be, since nobody closes the semaphore.
    pub async fn of(&self, standing: Standing) -> Option<OwnedSemaphorePermit> {
        let share = match standing {
            Standing::Ordinary => 1,
            Standing::Suspect | Standing::Condemned => self.count,
        };
        Arc::clone(&self.analysts).acquire_many_owned(share).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    async fn waits(turns: &Turns, standing: Standing) -> bool {
        timeout(Duration::from_millis(1), turns.of(standing)).await.is_err()
    }

    #[tokio::test]
    async fn a_suspect_is_alone() {
        let turns = Turns::new(2);
        let first = turns.of(Standing::Ordinary).await;
        let second = turns.of(Standing::Ordinary).await;
        assert!(waits(&turns, Standing::Ordinary).await, "two analysts, two calls");
        drop(second);
        assert!(waits(&turns, Standing::Suspect).await, "somebody is there");
        drop(first);
        let alone = turns.of(Standing::Suspect).await;
        assert!(waits(&turns, Standing::Ordinary).await, "it must be alone");
        drop(alone);
        assert!(!waits(&turns, Standing::Ordinary).await);
    }
}
