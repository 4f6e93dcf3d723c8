//! Our membership in the consumer group: which partitions are ours, and what of them is committed.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::statistics::Statistics;
use rdkafka::{Offset, TopicPartitionList};
use tracing::{info, warn};

use crate::broker::log_client;
use crate::health::Health;
use crate::journal::Journal;
use crate::ledger::{Ledger, Partition};
use crate::oauth;
use crate::telemetry::Metrics;

/// What others know of the membership.
pub struct Shared {
    /// Which calls are in hand.
    pub journal: Arc<Journal>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Whether we are of use.
    pub health: Arc<Health>,
}

/// What the consumer's callbacks need. They run inside `poll`, on the poll thread, like everything
/// else that touches the ledger: the lock is there for the compiler, nobody ever waits for it.
pub struct Membership {
    ledger: Mutex<Ledger>,
    assignment_changed: AtomicBool,
    journal: Arc<Journal>,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
}

impl Membership {
    /// Not a member yet.
    pub fn new(shared: Shared) -> Self {
        let Shared { journal, metrics, health } = shared;
        let assignment_changed = AtomicBool::new(false);
        Self { ledger: Mutex::default(), assignment_changed, journal, metrics, health }
    }

    /// The calls in flight. Never held while the consumer is asked for something.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether partitions came since this was last asked.
    pub fn assignment_changed(&self) -> bool {
        self.assignment_changed.swap(false, Ordering::Relaxed)
    }

    /// Commits what may be committed of all partitions that `which` chooses.
    pub fn commit(
        &self,
        consumer: &BaseConsumer<Self>,
        mode: CommitMode,
        which: impl Fn(&Partition) -> bool,
    ) {
        let mut offsets = TopicPartitionList::new();
        for (partition, offset) in self.ledger().to_commit().filter(|(partition, _)| which(partition)) {
            if let Err(error) =
                offsets.add_partition_offset(&partition.topic, partition.number, Offset::Offset(offset))
            {
                warn!(error = &error as &dyn std::error::Error, "offset can't be committed");
            }
        }
        if offsets.count() == 0 {
            return;
        }
        match consumer.commit(&offsets, mode) {
            Ok(()) => {
                self.metrics.committed(true);
                let mut ledger = self.ledger();
                for element in offsets.elements() {
                    let partition = Partition::new(element.topic(), element.partition());
                    let offset = element.offset().to_raw();
                    ledger.committed(&partition, offset);
                    if let (CommitMode::Sync, Some(offset)) = (mode, offset) {
                        self.journal.committed(&partition, offset);
                    }
                }
            }
            Err(error) => {
                self.metrics.committed(false);
                warn!(error = &error as &dyn std::error::Error, "offsets not committed; tried again");
            }
        }
    }

    /// The client tells of no asynchronous commit how it went; its statistics do. What they do not
    /// confirm is committed again.
    fn confirm_commits(&self, statistics: &Statistics) {
        let mut ledger = self.ledger();
        for topic in statistics.topics.values() {
            for partition in topic.partitions.values() {
                let held = Some(partition.committed_offset).filter(|offset| *offset >= 0);
                let partition = Partition::new(&topic.topic, partition.partition);
                ledger.committed(&partition, held);
                // Only what Kafka surely holds is forgotten here.
                if let Some(held) = held {
                    self.journal.committed(&partition, held);
                }
            }
        }
    }

    /// Calls in our partitions that are not committed. The statistics have every partition of a topic, and one that
    /// was given away keeps its last lag; librdkafka's own mark, `desired`, a late answer to a commit sets again.
    fn behind(&self, statistics: &Statistics) -> i64 {
        let ledger = self.ledger();
        let mut behind = 0;
        for topic in statistics.topics.values() {
            for partition in topic.partitions.values() {
                if ledger.is_ours(&Partition::new(&topic.topic, partition.partition)) {
                    behind += partition.consumer_lag.max(0);
                }
            }
        }
        behind
    }

    /// Tells metrics how much is in flight.
    pub fn measure(&self) {
        let ledger = self.ledger();
        let age = ledger.oldest().map(|taken| Instant::now().saturating_duration_since(taken));
        self.metrics.assigned(ledger.partitions());
        self.metrics.in_flight(ledger.unsettled(), age.unwrap_or_default());
    }
}

fn partitions(list: &TopicPartitionList) -> Vec<Partition> {
    list.elements().iter().map(|element| Partition::new(element.topic(), element.partition())).collect()
}

impl ClientContext for Membership {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, option: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        oauth::token(option)
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log_client("consumer", level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.metrics.kafka_error();
        warn!(client = "consumer", error = &error as &dyn std::error::Error, reason, "kafka client error");
    }

    fn stats(&self, statistics: Statistics) {
        self.metrics.lag(self.behind(&statistics));
        let idle = statistics.brokers.values().filter_map(|broker| u64::try_from(broker.rxidle).ok()).min();
        idle.into_iter().for_each(|idle| self.health.broker_heard(Duration::from_micros(idle)));
        self.confirm_commits(&statistics);
    }
}

impl ConsumerContext for Membership {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Revoke(revoked) = rebalance else { return };
        let revoked = partitions(revoked);
        if consumer.assignment_lost() {
            // They belong to others already, and a commit would be refused.
            self.health.joined(false);
        } else {
            self.commit(consumer, CommitMode::Sync, |partition| revoked.contains(partition));
        }
        let mut ledger = self.ledger();
        for partition in &revoked {
            ledger.revoked(partition);
            self.journal.revoked(partition);
        }
        info!(partitions = revoked.len(), "partitions revoked");
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(assigned) => {
                let assigned = partitions(assigned);
                info!(partitions = assigned.len(), "partitions assigned");
                let mut ledger = self.ledger();
                assigned.into_iter().for_each(|partition| ledger.assigned(partition));
                self.assignment_changed.store(true, Ordering::Relaxed);
                self.health.joined(true);
            }
            Rebalance::Revoke(_) => {}
            Rebalance::Error(error) => {
                self.metrics.kafka_error();
                warn!(error = error as &dyn std::error::Error, "rebalance failed");
            }
        }
    }
}
