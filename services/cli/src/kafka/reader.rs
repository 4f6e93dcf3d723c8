//! Reads a topic from a known place up to its present end, without a consumer group: nothing is committed and
//! no worker is disturbed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use callqa_worker::config::Kafka;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};

use super::{Listener, REACH, client, failed, topics};
use crate::CliError;

/// While a topic is read, its next message may take this long: a broker under load answers later than at first.
const SILENCE: Duration = Duration::from_secs(30);
/// How long one look at the queue waits.
const LOOK: Duration = Duration::from_millis(200);

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the oldest message that is still there.
    Oldest,
    /// After the newest of now.
    End,
}

/// A place in a topic: the next offset of each partition.
pub type Place = BTreeMap<i32, i64>;

/// Reads one topic.
pub struct TopicReader {
    consumer: BaseConsumer<Listener>,
    topic: String,
    next: Place,
}

impl TopicReader {
    /// Opens a topic.
    ///
    /// # Errors
    /// Where no broker answers, or it has no such topic.
    pub fn open(kafka: &Kafka, topic: &str, start: Start) -> Result<Self, CliError> {
        let partitions = topics(kafka)?.into_iter().find(|(name, _)| name == topic).map(|(_, ids)| ids);
        let missing = || CliError::NoTopic { brokers: kafka.brokers.clone(), topic: topic.to_owned() };
        let partitions = partitions.filter(|ids| !ids.is_empty()).ok_or_else(missing)?;
        let consumer = consumer(kafka)?;
        let mut next = Place::new();
        for partition in partitions {
            let (low, high) = watermarks(&consumer, topic, partition)?;
            next.insert(partition, if start == Start::Oldest { low } else { high });
        }
        Self { consumer, topic: topic.to_owned(), next }.assigned()
    }

    /// Opens a topic at a place that another reader was at.
    ///
    /// # Errors
    /// Where the client can't be set up.
    pub fn open_at(kafka: &Kafka, topic: &str, place: &Place) -> Result<Self, CliError> {
        Self { consumer: consumer(kafka)?, topic: topic.to_owned(), next: place.clone() }.assigned()
    }

    /// Where this reader is now.
    pub fn place(&self) -> &Place {
        &self.next
    }

    fn assigned(self) -> Result<Self, CliError> {
        let mut list = TopicPartitionList::new();
        for (&partition, &offset) in &self.next {
            list.add_partition_offset(&self.topic, partition, Offset::Offset(offset))
                .map_err(failed(format!("reading {}", self.topic)))?;
        }
        self.consumer.assign(&list).map_err(failed(format!("reading {}", self.topic)))?;
        Ok(self)
    }

    /// Shows every message up to the end that the topic has now.
    ///
    /// # Errors
    /// Where the broker falls silent before that end, or `visit` fails.
    pub fn catch_up(
        &mut self,
        mut visit: impl FnMut(&BorrowedMessage<'_>) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let mut behind = Place::new();
        for (&partition, &next) in &self.next {
            let (_, high) = watermarks(&self.consumer, &self.topic, partition)?;
            if next < high {
                behind.insert(partition, high);
            }
        }
        let mut heard = Instant::now();
        while !behind.is_empty() {
            match self.consumer.poll(LOOK) {
                Some(Ok(message)) => {
                    heard = Instant::now();
                    let (partition, offset) = (message.partition(), message.offset());
                    visit(&message)?;
                    self.next.insert(partition, offset + 1);
                    if behind.get(&partition).is_some_and(|&high| offset + 1 >= high) {
                        behind.remove(&partition);
                    }
                }
                // Nothing more is there, though the end was not met: the last offsets hold no messages
                // (compacted, or marks of transactions).
                Some(Err(KafkaError::PartitionEOF(partition))) => drop(behind.remove(&partition)),
                Some(Err(source)) => return Err(failed(format!("reading {}", self.topic))(source)),
                None if heard.elapsed() > SILENCE => {
                    let what = format!("nothing more came of {} within {} s", self.topic, SILENCE.as_secs());
                    return Err(CliError::TimedOut(what));
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Waits for one message, at most this long; `None` where none came.
    ///
    /// # Errors
    /// Where the broker refuses.
    pub fn wait(&mut self, longest: Duration) -> Result<Option<BorrowedMessage<'_>>, CliError> {
        match self.consumer.poll(longest) {
            Some(Ok(message)) => {
                self.next.insert(message.partition(), message.offset() + 1);
                Ok(Some(message))
            }
            None | Some(Err(KafkaError::PartitionEOF(_))) => Ok(None),
            Some(Err(source)) => Err(failed(format!("reading {}", self.topic))(source)),
        }
    }
}

fn consumer(kafka: &Kafka) -> Result<BaseConsumer<Listener>, CliError> {
    client(kafka)
        // Assigned by hand, so the group is never joined; librdkafka wants a name all the same.
        .set("group.id", "callqa-reader")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("enable.partition.eof", "true")
        .set("auto.offset.reset", "earliest")
        .set("isolation.level", "read_committed")
        // Somebody waits for each message.
        .set("fetch.wait.max.ms", "100")
        .create_with_context(Listener::default())
        .map_err(failed("setting up the Kafka client"))
}

fn watermarks(
    consumer: &BaseConsumer<Listener>,
    topic: &str,
    partition: i32,
) -> Result<(i64, i64), CliError> {
    consumer
        .fetch_watermarks(topic, partition, REACH)
        .map_err(failed(format!("asking for the end of {topic}, partition {partition}")))
}
