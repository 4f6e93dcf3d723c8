//! Reads a topic without a consumer group: nothing is committed and no worker is disturbed.

use std::collections::{BTreeMap, BTreeSet};
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
/// Once all that was there at the beginning has been read, the word that this is the end may take this long: on a
/// topic that grows all the time it never comes.
const GROWTH: Duration = Duration::from_secs(5);
/// How long one look at the queue waits.
const LOOK: Duration = Duration::from_millis(200);

/// A place in a topic: the next offset of each partition.
pub type Place = BTreeMap<i32, i64>;

/// Reads one topic.
pub struct TopicReader {
    consumer: BaseConsumer<Listener>,
    topic: String,
    next: Place,
}

impl TopicReader {
    /// The place of the oldest message that is still there.
    ///
    /// # Errors
    /// Where no broker answers, or it has no such topic.
    pub fn oldest(kafka: &Kafka, topic: &str) -> Result<Place, CliError> {
        let partitions = topics(kafka)?.into_iter().find(|(name, _)| name == topic).map(|(_, ids)| ids);
        let missing = || CliError::NoTopic { brokers: kafka.brokers.clone(), topic: topic.to_owned() };
        let partitions = partitions.filter(|ids| !ids.is_empty()).ok_or_else(missing)?;
        let consumer = consumer(kafka)?;
        let low = |partition| Ok((partition, watermarks(&consumer, topic, partition)?.0));
        partitions.into_iter().map(low).collect()
    }

    /// The place after the newest message of now.
    ///
    /// # Errors
    /// Where no broker answers, or it has no such topic.
    pub fn end(kafka: &Kafka, topic: &str) -> Result<Place, CliError> {
        let mut place = Self::oldest(kafka, topic)?;
        let consumer = consumer(kafka)?;
        for (&partition, next) in &mut place {
            *next = watermarks(&consumer, topic, partition)?.1;
        }
        // The watermark alone is not enough: the development broker gives that of its last batch's first message.
        Self::open(kafka, topic, place)?.read_to_end(|_| Ok(()))
    }

    /// Opens a topic at a place.
    ///
    /// # Errors
    /// Where the client can't be set up.
    pub fn open(kafka: &Kafka, topic: &str, place: Place) -> Result<Self, CliError> {
        let consumer = consumer(kafka)?;
        let mut list = TopicPartitionList::new();
        for (&partition, &offset) in &place {
            list.add_partition_offset(topic, partition, Offset::Offset(offset))
                .map_err(failed(format!("reading {topic}")))?;
        }
        consumer.assign(&list).map_err(failed(format!("reading {topic}")))?;
        Ok(Self { consumer, topic: topic.to_owned(), next: place })
    }

    /// Shows every message from here to the end that the topic has now, and gives that place.
    ///
    /// # Errors
    /// Where the broker falls silent before that end, or `visit` fails.
    pub fn read_to_end(
        mut self,
        mut visit: impl FnMut(&BorrowedMessage<'_>) -> Result<(), CliError>,
    ) -> Result<Place, CliError> {
        let mut high = Place::new();
        for &partition in self.next.keys() {
            high.insert(partition, watermarks(&self.consumer, &self.topic, partition)?.1);
        }
        let mut open: BTreeSet<i32> = self.next.keys().copied().collect();
        let (mut heard, mut complete) = (Instant::now(), None);
        while !open.is_empty() {
            match self.consumer.poll(LOOK) {
                Some(Ok(message)) => {
                    heard = Instant::now();
                    visit(&message)?;
                    self.next.insert(message.partition(), message.offset() + 1);
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    heard = Instant::now();
                    open.remove(&partition);
                }
                Some(Err(source)) => return Err(failed(format!("reading {}", self.topic))(source)),
                None if heard.elapsed() > SILENCE => {
                    let what = format!("nothing more came of {} within {} s", self.topic, SILENCE.as_secs());
                    return Err(CliError::TimedOut(what));
                }
                None => {}
            }
            if open.iter().all(|partition| self.next.get(partition) >= high.get(partition)) {
                let since = complete.get_or_insert_with(Instant::now);
                if since.elapsed() > GROWTH {
                    break;
                }
            }
        }
        Ok(self.next)
    }

    /// Waits for one message, at most this long; `None` where none came.
    ///
    /// # Errors
    /// Where the broker refuses.
    pub fn wait(&mut self, longest: Duration) -> Result<Option<BorrowedMessage<'_>>, CliError> {
        match self.consumer.poll(longest) {
            Some(Ok(message)) => Ok(Some(message)),
            None | Some(Err(KafkaError::PartitionEOF(_))) => Ok(None),
            Some(Err(source)) => Err(failed(format!("reading {}", self.topic))(source)),
        }
    }
}

fn consumer(kafka: &Kafka) -> Result<BaseConsumer<Listener>, CliError> {
    let consumer: BaseConsumer<Listener> = client(kafka)
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
        .map_err(failed("setting up the Kafka client"))?;
    // A token for OAUTHBEARER is asked for in a poll.
    drop(consumer.poll(Duration::ZERO));
    Ok(consumer)
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
