//! Takes calls from Kafka: the one thread that touches the consumer.

mod membership;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use callqa_domain::identity::content_digest;
use callqa_proto::decode;
use callqa_proto::header::EventHeaders;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaErrorCode;
use tokio::sync::{Semaphore, mpsc};
use tracing::{error, info, warn};

use crate::config;
use crate::health::Health;
use crate::ledger::{Partition, Position};
use crate::stopping::Stopping;
use crate::ticket::{Ticket, Undecodable};
use membership::Membership;
pub use membership::Shared;

/// Two calls per analyst: one in hand, one ready. More only makes a rebalance throw more away.
pub const TICKETS_PER_ANALYST: usize = 2;
/// How long a turn waits for a message, and so how late a settled call is noticed at most.
const POLL: Duration = Duration::from_millis(50);
/// What a crash can cost: calls that settled in the last second are judged again.
const COMMIT_EVERY: Duration = Duration::from_secs(1);
/// How often the lag is measured, and how late it is noticed that no broker answers.
const STATISTICS_EVERY: Duration = Duration::from_secs(2);
/// Messages fetched ahead: events are small, and what is paused is fetched anew.
const FETCHED_AHEAD: usize = 32;
/// Kilobytes fetched ahead, for events with inline recordings.
const FETCHED_AHEAD_KB: usize = 16 << 10;

/// Why no calls can be taken any more.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The consumer could not be made.
    #[error("the Kafka consumer can't be made: {0}")]
    Consumer(#[source] KafkaError),
    /// The client is beyond repair: another worker has our `kafka.instance_id`, for example.
    #[error("the Kafka consumer failed for good: {reason} ({code})")]
    Fatal {
        /// What librdkafka calls it.
        code: RDKafkaErrorCode,
        /// What it says.
        reason: String,
    },
}

/// What the poll thread shares with the rest.
pub struct Channels {
    /// Calls, towards the work. As many fit as there are seats, so that handing over never waits.
    pub tickets: mpsc::Sender<Ticket>,
    /// Calls with their ending, back. Closed when the last call of a stopping worker is done.
    pub settled: Receiver<Position>,
    /// Places for calls in flight.
    pub seats: Arc<Semaphore>,
    /// No more calls.
    pub stopping: Stopping,
}

/// Takes calls from Kafka.
pub struct Intake {
    consumer: BaseConsumer<Membership>,
    tickets: Option<mpsc::Sender<Ticket>>,
    settled: Receiver<Position>,
    seats: Arc<Semaphore>,
    stopping: Stopping,
    health: Arc<Health>,
    /// Taken while no seat was free: at most one of each partition, and one more.
    standing: VecDeque<Ticket>,
    /// Paused by us; which of them are ours still, librdkafka knows.
    paused: BTreeSet<Partition>,
    /// Partitions came: librdkafka may hold some of them for paused since they were ours before.
    must_resume: bool,
    last_commit: Instant,
}

impl Intake {
    /// Joins the group. Call [`Self::run`] on the thread that is to own the consumer.
    ///
    /// # Errors
    /// Options that librdkafka refuses.
    pub fn join(kafka: &config::Kafka, channels: Channels, shared: Shared) -> Result<Self, IntakeError> {
        let health = Arc::clone(&shared.health);
        let membership = Membership::new(shared);
        let consumer: BaseConsumer<Membership> =
            options(kafka).create_with_context(membership).map_err(IntakeError::Consumer)?;
        let topics: Vec<&str> = kafka.topics.calls.iter().map(String::as_str).collect();
        consumer.subscribe(&topics).map_err(IntakeError::Consumer)?;
        Ok(Self {
            consumer,
            tickets: Some(channels.tickets),
            settled: channels.settled,
            seats: channels.seats,
            stopping: channels.stopping,
            health,
            standing: VecDeque::new(),
            paused: BTreeSet::new(),
            must_resume: false,
            last_commit: Instant::now(),
        })
    }

    /// Polls until it is told to stop and every call in flight is done, commits, and leaves the group.
    ///
    /// # Errors
    /// A client that is beyond repair.
    pub fn run(mut self) -> Result<(), IntakeError> {
        while self.settle() {
            self.health.turned();
            if self.stopping.has_begun() {
                self.tickets = None;
                self.standing.clear();
            }
            self.seat_those_standing();
            self.pause_or_resume();
            self.poll()?;
            if self.last_commit.elapsed() >= COMMIT_EVERY {
                self.last_commit = Instant::now();
                self.consumer.context().commit(&self.consumer, CommitMode::Async, |_| true);
                self.consumer.context().measure();
            }
        }
        self.consumer.context().commit(&self.consumer, CommitMode::Sync, |_| true);
        self.health.joined(false);
        info!("offsets committed, leaving the group");
        Ok(())
    }

    /// Notes the calls that have their ending; `false` once there can be no more.
    fn settle(&self) -> bool {
        loop {
            match self.settled.try_recv() {
                Ok(position) => self.consumer.context().ledger().settle(&position),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn seat_those_standing(&mut self) {
        self.standing.retain(|ticket| !ticket.lease.is_over());
        while !self.standing.is_empty() {
            let Ok(seat) = Arc::clone(&self.seats).try_acquire_owned() else { return };
            if let Some(ticket) = self.standing.pop_front() {
                self.hand_over(Ticket { seat: Some(seat), ..ticket });
            }
        }
    }

    /// Polls go on while every seat is taken, or the group would take us for dead after `kafka.max_poll_interval`; but
    /// partitions are paused.
    ///
    /// Each only once it has brought a call. Before, librdkafka may still be asking where to begin; resumed, it asks
    /// once more, and what came after the first answer comes again after the second. So besides those that have a
    /// seat, at most one call of each partition stands here, and one more.
    fn pause_or_resume(&mut self) {
        let has_room = self.standing.is_empty() && self.seats.available_permits() > 0;
        if self.tickets.is_none() || !has_room {
            self.pause();
            return;
        }
        self.must_resume |= self.consumer.context().assignment_changed();
        if self.must_resume || !self.paused.is_empty() {
            self.resume();
        }
    }

    fn pause(&mut self) {
        let ledger = self.consumer.context().ledger();
        let which: Vec<_> =
            ledger.begun().filter(|partition| !self.paused.contains(partition)).cloned().collect();
        drop(ledger);
        if which.is_empty() {
            return;
        }
        let mut list = TopicPartitionList::with_capacity(which.len());
        for partition in &which {
            list.add_partition(&partition.topic, partition.number);
        }
        match self.consumer.pause(&list) {
            Ok(()) => self.paused.extend(which),
            Err(error) => {
                warn!(error = &error as &dyn std::error::Error, "partitions not paused; tried again")
            }
        }
    }

    /// All, also those that were paused when they were taken from us and came back: librdkafka does not forget it.
    fn resume(&mut self) {
        match self.consumer.assignment().and_then(|ours| self.consumer.resume(&ours)) {
            Ok(()) => {
                self.paused.clear();
                self.must_resume = false;
            }
            Err(error) => {
                warn!(error = &error as &dyn std::error::Error, "partitions not resumed; tried again")
            }
        }
    }

    fn poll(&mut self) -> Result<(), IntakeError> {
        match self.consumer.poll(POLL) {
            None => Ok(()),
            Some(Ok(message)) => {
                // What brings a call is not paused, whatever became of our asking.
                self.paused.remove(&Partition::new(message.topic(), message.partition()));
                let ticket = take(&message, &mut self.consumer.context().ledger());
                self.standing.extend(ticket);
                drop(message);
                self.seat_those_standing();
                Ok(())
            }
            Some(Err(error)) => self.survive(error),
        }
    }

    fn hand_over(&self, ticket: Ticket) {
        if let Some(tickets) = &self.tickets
            && let Err(error) = tickets.try_send(ticket)
        {
            // As many tickets fit as there are seats, and each ticket has one.
            error!(%error, "a call was not handed over; it stays uncommitted");
        }
    }

    fn survive(&self, error: KafkaError) -> Result<(), IntakeError> {
        if let Some((code, reason)) = self.consumer.client().fatal_error() {
            return Err(IntakeError::Fatal { code, reason });
        }
        warn!(error = &error as &dyn std::error::Error, "poll failed; polling goes on");
        Ok(())
    }
}

/// Reads a message and enters it in the ledger; `None` where its partition is not ours any more, or it came before.
fn take(message: &BorrowedMessage<'_>, ledger: &mut crate::ledger::Ledger) -> Option<Ticket> {
    let taken_at = Instant::now();
    let partition = Partition::new(message.topic(), message.partition());
    let (position, lease) = ledger.taken(&partition, message.offset(), taken_at)?;
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    let headers = EventHeaders::read(headers.filter_map(|header| Some((header.key, header.value?))));
    let payload = message.payload().unwrap_or_default();
    let event = decode(&headers, payload)
        .map(Arc::new)
        .map_err(|error| Undecodable { error, digest: content_digest(payload) });
    Some(Ticket { position, lease, headers, event, taken_at, seat: None })
}

fn options(kafka: &config::Kafka) -> rdkafka::ClientConfig {
    let defaults = [
        ("queued.min.messages", FETCHED_AHEAD.to_string()),
        ("queued.max.messages.kbytes", FETCHED_AHEAD_KB.to_string()),
    ];
    let mut options = crate::broker::reader_options(kafka, &defaults);
    options
        .set("group.id", &kafka.group)
        .set("session.timeout.ms", kafka.session_timeout.as_millis().to_string())
        .set("max.poll.interval.ms", kafka.max_poll_interval.as_millis().to_string())
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("statistics.interval.ms", STATISTICS_EVERY.as_millis().to_string());
    if let Some(instance) = &kafka.instance_id {
        options.set("group.instance.id", instance);
    }
    options
}

#[cfg(test)]
mod tests;
