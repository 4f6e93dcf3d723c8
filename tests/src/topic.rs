//! What stands on a topic.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Headers, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use serde_json::Value;

/// How long a broker may take to answer one question.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Between two looks at something that is awaited.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its key.
    pub key: String,
    /// Its bytes.
    pub payload: Vec<u8>,
    /// The same as JSON, null where it is none.
    pub json: Value,
    /// Its headers.
    pub headers: Vec<(String, String)>,
}

impl Record {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Puts one message on a topic and waits until the broker has it.
///
/// # Panics
/// Where it does not get there.
pub fn publish(brokers: &str, topic: &str, key: &str, payload: &[u8], headers: &[(&str, &str)]) {
    let producer: BaseProducer = config(brokers).create().expect("a producer");
    let headers = headers
        .iter()
        .fold(OwnedHeaders::new(), |all, (key, value)| all.insert(Header { key, value: Some(*value) }));
    let record = BaseRecord::to(topic).key(key).payload(payload).headers(headers);
    producer.send(record).map_err(|(error, _)| error).expect("queued");
    producer.flush(ANSWER_WITHIN).expect("delivered");
}

/// Puts many messages, key and payload, on a topic and waits until the broker has them.
///
/// # Panics
/// Where they do not get there.
pub fn publish_all(brokers: &str, topic: &str, messages: impl IntoIterator<Item = (String, Vec<u8>)>) {
    let producer: BaseProducer = config(brokers).create().expect("a producer");
    for (key, payload) in messages {
        let record = BaseRecord::to(topic).key(&key).payload(&payload);
        producer.send(record).map_err(|(error, _)| error).expect("queued");
        producer.poll(Duration::ZERO);
    }
    producer.flush(ANSWER_WITHIN).expect("delivered");
}

/// Everything on a topic, partition by partition, from the beginning to where a fetch finds no more.
///
/// The end is what the fetch says: the development broker's own idea of its latest offset counts the last
/// batch as one record.
///
/// # Panics
/// Where the broker does not answer.
#[must_use]
pub fn read_all(brokers: &str, topic: &str) -> Vec<Record> {
    let consumer: BaseConsumer = config(brokers)
        .set("group.id", "callqa-tests")
        .set("enable.partition.eof", "true")
        // Somebody waits for each end.
        .set("fetch.wait.max.ms", "50")
        .create()
        .expect("a consumer");
    let metadata = consumer.fetch_metadata(Some(topic), ANSWER_WITHIN).expect("metadata");
    let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
    let mut records = Vec::new();
    for partition in partitions.map(rdkafka::metadata::MetadataPartition::id) {
        let mut from = TopicPartitionList::new();
        from.add_partition_offset(topic, partition, Offset::Beginning).expect("an offset");
        consumer.assign(&from).expect("assigned");
        let until = Instant::now() + ANSWER_WITHIN;
        loop {
            assert!(Instant::now() < until, "{topic}/{partition} is readable to its end");
            match consumer.poll(LOOK_EVERY) {
                Some(Ok(message)) => records.push(record(&message)),
                Some(Err(KafkaError::PartitionEOF(at))) if at == partition => break,
                Some(Err(error)) => panic!("{topic}/{partition}: {error}"),
                None => {}
            }
        }
    }
    records
}

/// A place in a topic: the next offset of each partition.
pub type Place = BTreeMap<i32, i64>;

/// What came since the last look, in no particular order; `place` is moved to where a fetch finds no more.
///
/// # Panics
/// Where the broker does not answer.
#[must_use]
pub fn read_on(brokers: &str, topic: &str, place: &mut Place) -> Vec<Record> {
    let consumer: BaseConsumer = config(brokers)
        .set("group.id", "callqa-tests")
        .set("enable.partition.eof", "true")
        .set("fetch.wait.max.ms", "50")
        .create()
        .expect("a consumer");
    if place.is_empty() {
        let metadata = consumer.fetch_metadata(Some(topic), ANSWER_WITHIN).expect("metadata");
        let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
        place.extend(partitions.map(|partition| (partition.id(), 0)));
    }
    let mut from = TopicPartitionList::new();
    for (&partition, &offset) in &*place {
        from.add_partition_offset(topic, partition, Offset::Offset(offset)).expect("an offset");
    }
    consumer.assign(&from).expect("assigned");
    let mut open: BTreeSet<i32> = place.keys().copied().collect();
    let (mut records, mut heard) = (Vec::new(), Instant::now());
    while !open.is_empty() {
        assert!(heard.elapsed() < ANSWER_WITHIN, "{topic} is readable to its end");
        match consumer.poll(LOOK_EVERY) {
            Some(Ok(message)) => {
                heard = Instant::now();
                place.insert(message.partition(), message.offset() + 1);
                records.push(record(&message));
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                open.remove(&partition);
            }
            Some(Err(error)) => panic!("{topic}: {error}"),
            None => {}
        }
    }
    records
}

/// What a group has put behind it: the committed offset of each partition, 0 where there is none.
///
/// # Panics
/// Where the broker does not answer.
#[must_use]
pub fn committed(brokers: &str, group: &str, topic: &str) -> Place {
    let consumer: BaseConsumer = config(brokers).set("group.id", group).create().expect("a consumer");
    let metadata = consumer.fetch_metadata(Some(topic), ANSWER_WITHIN).expect("metadata");
    let mut all = TopicPartitionList::new();
    for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
        all.add_partition(topic, partition.id());
    }
    let offsets = consumer.committed_offsets(all, ANSWER_WITHIN).expect("offsets");
    let known = |offset| if let Offset::Offset(offset) = offset { offset } else { 0 };
    offsets.elements().iter().map(|element| (element.partition(), known(element.offset()))).collect()
}

fn record(message: &impl Message) -> Record {
    let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    let payload = message.payload().unwrap_or_default().to_vec();
    let headers = message
        .headers()
        .map(|headers| headers.iter().map(|header| (header.key.to_owned(), text(header.value))).collect());
    Record {
        key: text(message.key()),
        json: serde_json::from_slice(&payload).unwrap_or(Value::Null),
        payload,
        headers: headers.unwrap_or_default(),
    }
}

/// Looks again and again until there is something, or the time is over.
pub fn wait_for<T>(at_most: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let until = Instant::now() + at_most;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= until {
            return None;
        }
        std::thread::park_timeout(LOOK_EVERY);
    }
}

fn config(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("enable.auto.commit", "false");
    config
}
