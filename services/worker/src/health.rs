//! Whether the worker lives, and whether it is of use at the moment.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A poll thread that has not turned for so long is stuck: a turn takes a tenth of a second, and the
/// longest thing in it, a synchronous commit to a broker that is gone, up to a minute.
const POLL_STUCK: Duration = Duration::from_secs(120);

/// A broker that we have not heard for so long does not answer: a member of the group hears it at every heartbeat,
/// three seconds apart, and statistics tell of it within two.
const BROKER_SILENT: Duration = Duration::from_secs(7);

/// What `/live` and `/ready` tell.
#[derive(Debug)]
pub struct Health {
    started: Instant,
    last_turn_ms: AtomicU64,
    broker_heard_ms: AtomicU64,
    joined: AtomicBool,
    publish_fails: AtomicBool,
    stopping: AtomicBool,
    analyst_stuck: AtomicBool,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            last_turn_ms: AtomicU64::new(0),
            broker_heard_ms: AtomicU64::new(0),
            joined: AtomicBool::new(false),
            publish_fails: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            analyst_stuck: AtomicBool::new(false),
        }
    }
}

impl Health {
    /// The poll thread turned.
    pub fn turned(&self) {
        self.last_turn_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    /// A broker answered something, so long ago.
    pub fn broker_heard(&self, ago: Duration) {
        let ago = ago.as_millis().try_into().unwrap_or(u64::MAX);
        self.broker_heard_ms.fetch_max(self.now_ms().saturating_sub(ago), Ordering::Relaxed);
    }

    /// We are a member of the group, or no longer.
    pub fn joined(&self, joined: bool) {
        if joined {
            self.broker_heard(Duration::ZERO);
        }
        self.joined.store(joined, Ordering::Relaxed);
    }

    /// The last row was delivered, or was not.
    pub fn published(&self, delivered: bool) {
        self.publish_fails.store(!delivered, Ordering::Relaxed);
    }

    /// No more calls are taken.
    pub fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// An analyst does not hear its stop signal any more, or does again.
    pub fn analyst_stuck(&self, stuck: bool) {
        self.analyst_stuck.store(stuck, Ordering::Relaxed);
    }

    /// Why the process should be started anew; `None` while it lives.
    #[must_use]
    pub fn dead(&self) -> Option<&'static str> {
        if self.analyst_stuck.load(Ordering::Relaxed) {
            return Some("an analyst does not stop at its deadline");
        }
        (self.since(&self.last_turn_ms) > POLL_STUCK).then_some("the poll thread is stuck")
    }

    /// Why no call gets its ending at the moment; `None` where all is well.
    #[must_use]
    pub fn not_ready(&self) -> Option<&'static str> {
        if self.stopping.load(Ordering::Relaxed) {
            Some("stopping")
        } else if !self.joined.load(Ordering::Relaxed) {
            Some("not a member of the consumer group yet")
        } else if self.since(&self.broker_heard_ms) > BROKER_SILENT {
            Some("no Kafka broker answers; it is tried again")
        } else if self.publish_fails.load(Ordering::Relaxed) {
            Some("results can't be published; they are tried again")
        } else {
            None
        }
    }

    fn since(&self, moment_ms: &AtomicU64) -> Duration {
        Duration::from_millis(self.now_ms().saturating_sub(moment_ms.load(Ordering::Relaxed)))
    }

    fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis().try_into().unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_is_joined_publishing_and_not_stopping() {
        let health = Health::default();
        assert_eq!(health.not_ready(), Some("not a member of the consumer group yet"));
        health.joined(true);
        assert_eq!(health.not_ready(), None);
        health.published(false);
        assert!(health.not_ready().is_some());
        health.published(true);
        assert_eq!(health.not_ready(), None);
        health.stopping();
        assert_eq!((health.not_ready(), health.dead()), (Some("stopping"), None));
    }
}
