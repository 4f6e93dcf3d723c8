//! What stands on a topic.

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
