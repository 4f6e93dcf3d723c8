//! Reads a topic without a consumer group: nothing is committed and no worker is disturbed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use callqa_worker::config::Kafka;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};

use super::{Listener, REACH, client, failed, topics};
use crate::CliError;

/// While a topic is read, its next message may take this long: a broker under load answers later than at first, and one
/// that restarts is away meanwhile.
const SILENCE: Duration = Duration::from_secs(60);
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
    kafka: Kafka,
    topic: String,
    next: Place,
    /// Since when errors alone have come.
    troubled: Option<Instant>,
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
        Ok(Self { consumer, kafka: kafka.clone(), topic: topic.to_owned(), next: place, troubled: None })
    }

    /// Shows every message from here to the end that the topic has now, and gives that place.
    ///
    /// # Errors
    /// Where the broker refuses or falls silent before that end, or `visit` fails.
    pub fn read_to_end(
        mut self,
        mut visit: impl FnMut(&BorrowedMessage<'_>) -> Result<(), CliError>,
    ) -> Result<Place, CliError> {
        let mut high = Place::new();
        for &partition in self.next.keys() {
            high.insert(partition, watermarks(&self.consumer, &self.topic, partition)?.1);
        }
        let mut rest = Rest { open: self.next.keys().copied().collect(), high, heard: Instant::now() };
        let mut complete = None;
        while !rest.open.is_empty() {
            match self.consumer.poll(LOOK) {
                Some(Ok(message)) => {
                    rest.message(message.partition(), message.offset(), Instant::now());
                    visit(&message)?;
                    self.next.insert(message.partition(), message.offset() + 1);
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => rest.end(partition, Instant::now()),
                Some(Err(source)) if is_lasting(&source) => return Err(self.refused(source)),
                Some(Err(_)) | None => {}
            }
            if rest.heard.elapsed() > SILENCE {
                return Err(self.silent(SILENCE));
            }
            if rest.open.iter().all(|partition| self.next.get(partition) >= rest.high.get(partition)) {
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
    /// Where the broker refuses, or has been away for longer than [`SILENCE`]; whether it is away takes a further
    /// [`REACH`] to find out.
    pub fn wait(&mut self, longest: Duration) -> Result<Option<BorrowedMessage<'_>>, CliError> {
        match self.consumer.poll(longest) {
            Some(Ok(message)) => {
                self.troubled = None;
                return Ok(Some(message));
            }
            Some(Err(KafkaError::PartitionEOF(_))) => self.troubled = None,
            Some(Err(source)) if is_lasting(&source) => return Err(self.refused(source)),
            Some(Err(_)) => {
                self.troubled.get_or_insert_with(Instant::now);
            }
            None => {}
        }
        // A broker that is back says so by its next message, and that may be hours away.
        if self.troubled.is_some_and(|since| since.elapsed() > SILENCE) {
            topics(&self.kafka)?;
            self.troubled = None;
        }
        Ok(None)
    }

    /// The first message from here on; `None` where the end comes first. For a reader of one partition.
    ///
    /// # Errors
    /// Where the broker refuses, or neither came for so long.
    pub fn first(&self, longest: Duration) -> Result<Option<BorrowedMessage<'_>>, CliError> {
        let until = Instant::now() + longest;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            match self.consumer.poll(left) {
                Some(Ok(message)) => return Ok(Some(message)),
                Some(Err(KafkaError::PartitionEOF(_))) => return Ok(None),
                Some(Err(source)) if is_lasting(&source) => return Err(self.refused(source)),
                Some(Err(_)) | None => {}
            }
        }
        Err(self.silent(longest))
    }

    fn refused(&self, source: KafkaError) -> CliError {
        failed(format!("reading {}", self.topic))(source)
    }

    /// Why nothing came: no broker is there, or one is and sends nothing.
    fn silent(&self, waited: Duration) -> CliError {
        let what = format!("nothing more came of {} within {} s", self.topic, waited.as_secs());
        topics(&self.kafka).err().unwrap_or(CliError::TimedOut(what))
    }
}

/// What of a topic is still to be read, and when something of it came last. What was added since the beginning is no
/// sign that the rest will come.
struct Rest {
    /// The end of each partition, as it was at the beginning.
    high: Place,
    /// The partitions that have not come to their end.
    open: BTreeSet<i32>,
    heard: Instant,
}

impl Rest {
    fn message(&mut self, partition: i32, offset: i64, now: Instant) {
        if self.high.get(&partition).is_some_and(|high| offset < *high) {
            self.heard = now;
        }
    }

    fn end(&mut self, partition: i32, now: Instant) {
        if self.open.remove(&partition) {
            self.heard = now;
        }
    }
}

/// Whether waiting does not mend it. A broker that went away is found again by librdkafka itself, which tells of the
/// loss all the same.
fn is_lasting(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    let is_fatal = matches!(error, KafkaError::MessageConsumptionFatal(_));
    let code = error.rdkafka_error_code();
    let is_refused = matches!(
        code,
        Some(
            Code::TopicAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::ClusterAuthorizationFailed
                | Code::Authentication
                | Code::SaslAuthenticationFailed
                | Code::UnsupportedSASLMechanism
                | Code::IllegalSASLState
                | Code::SSL
        )
    );
    let is_missing = matches!(
        code,
        Some(
            Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition | Code::InvalidTopic
        )
    );
    // librdkafka goes on behind these: passed over, they would look as if they had never been there.
    let is_unreadable = matches!(
        code,
        Some(
            Code::BadMessage
                | Code::BadCompression
                | Code::NotImplemented
                | Code::InvalidMessage
                | Code::MessageSizeTooLarge
                | Code::UnsupportedCompressionType
        )
    );
    is_fatal || code == Some(Code::Fatal) || is_refused || is_missing || is_unreadable
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

#[cfg(test)]
mod tests {
    use callqa_worker::config::Config;

    use super::*;

    /// Nothing listens on port 1 of this machine: a refused connection, at once.
    fn without_broker() -> TopicReader {
        let mut kafka = Config::load(None, []).expect("defaults").kafka;
        kafka.brokers = "127.0.0.1:1".to_owned();
        TopicReader::open(&kafka, "qa.results.v1", Place::from([(0, 0)])).expect("a reader")
    }

    #[test]
    fn a_broker_that_is_away_is_waited_for() {
        let mut reader = without_broker();
        let deadline = Instant::now() + Duration::from_secs(60);
        while reader.troubled.is_none() {
            assert!(Instant::now() < deadline, "no error came");
            assert!(reader.wait(LOOK).expect("no error of ours").is_none());
        }
    }

    #[test]
    fn a_broker_that_stays_away_is_not_waited_for_without_end() {
        let mut reader = without_broker();
        reader.troubled = Instant::now().checked_sub(SILENCE + LOOK);
        assert!(matches!(reader.wait(LOOK), Err(CliError::Unreachable { .. })));
    }

    /// Only a broker can say that a message is gone.
    #[test]
    fn silence_is_not_the_end_of_a_topic() {
        assert!(matches!(without_broker().first(LOOK), Err(CliError::Unreachable { .. })));
    }

    #[test]
    fn what_waiting_does_not_mend_ends_the_reading() {
        use RDKafkaErrorCode as Code;
        let lasting = |code| is_lasting(&KafkaError::MessageConsumption(code));
        for code in [
            Code::Fatal,
            Code::TopicAuthorizationFailed,
            Code::UnknownTopicOrPartition,
            Code::Authentication,
            Code::SSL,
            Code::BadMessage,
        ] {
            assert!(lasting(code), "{code:?}");
        }
        for code in [
            Code::BrokerTransportFailure,
            Code::AllBrokersDown,
            Code::Resolve,
            Code::OperationTimedOut,
            Code::NotLeaderForPartition,
        ] {
            assert!(!lasting(code), "{code:?}");
        }
        assert!(is_lasting(&KafkaError::MessageConsumptionFatal(Code::BrokerTransportFailure)));
    }

    #[test]
    fn a_partition_that_grows_does_not_lengthen_the_wait_for_another() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut rest =
            Rest { high: Place::from([(0, 5), (1, 5)]), open: BTreeSet::from([0, 1]), heard: start };
        rest.message(0, 4, at(1));
        assert_eq!(rest.heard, at(1));
        rest.end(0, at(2));
        assert_eq!(rest.heard, at(2));
        rest.message(0, 5, at(3));
        rest.end(0, at(4));
        assert_eq!(rest.heard, at(2));
    }
}
