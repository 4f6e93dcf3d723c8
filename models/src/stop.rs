//! The only clock that the models know.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Asks a running call to stop: by hand, or because its deadline has passed.
///
/// A stopped call ends in an error and is tried again; it never gives a shorter result.
#[derive(Debug, Clone, Default)]
pub struct StopSignal {
    stopped: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl StopSignal {
    /// A signal without a deadline.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A signal that also stops once `deadline` has passed.
    #[must_use]
    pub fn at(deadline: Instant) -> Self {
        Self { stopped: Arc::default(), deadline: Some(deadline) }
    }

    /// Stops whoever holds a clone of this signal.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether the call must end now.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
            || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}
