//! A Kafka cluster inside the test: librdkafka's own mock, which speaks the real protocol.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use callqa_proto::{Message, Topic};
use callqa_worker::config::Config;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Header, Headers, Message as _, OwnedHeaders};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

/// Longer than anything here takes, on a busy machine too.
pub const PATIENCE: Duration = Duration::from_secs(60);
pub const PARTITIONS: i32 = 3;
const GROUP: &str = "callqa-test";

pub struct Cluster {
    pub mock: MockCluster<'static, DefaultProducerContext>,
    producer: BaseProducer,
}

/// A row as it stands on a topic.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub key: String,
    pub headers: BTreeMap<String, String>,
    pub payload: Vec<u8>,
    pub json: serde_json::Value,
}

impl Row {
    /// A text field of it; empty where it is null.
    pub fn field(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap_or_default()
    }

    fn of(message: &BorrowedMessage<'_>) -> Self {
        let payload = message.payload().expect("a payload").to_vec();
        let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.expect("bytes").to_vec()).expect("text");
        let headers = message.headers().expect("headers");
        Self {
            key: text(message.key()),
            headers: headers.iter().map(|header| (header.key.to_owned(), text(header.value))).collect(),
            json: serde_json::from_slice(&payload).expect("JSON"),
            payload,
        }
    }
}

impl Cluster {
    pub fn start() -> Self {
        let mock = MockCluster::new(1).expect("a cluster");
        for topic in Topic::ALL {
            mock.create_topic(topic.default_name(), PARTITIONS, 1).expect("a topic");
        }
        mock.create_topic("qa.calls.backfill.v1", 1, 1).expect("a topic");
        let producer = ClientConfig::new().set("bootstrap.servers", mock.bootstrap_servers()).create();
        Self { mock, producer: producer.expect("a producer") }
    }

    /// The worker's settings for this cluster: one analyst, no retries, and these on top.
    pub fn config(&self, settings: &[(&str, &str)]) -> Config {
        let mut environment = BTreeMap::from([
            ("CALLQA_KAFKA__BROKERS".to_owned(), self.mock.bootstrap_servers()),
            ("CALLQA_KAFKA__GROUP".to_owned(), GROUP.to_owned()),
            ("CALLQA_KAFKA__SESSION_TIMEOUT".to_owned(), "6s".to_owned()),
            ("CALLQA_HTTP__LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("CALLQA_ANALYSTS__COUNT".to_owned(), "1".to_owned()),
            ("CALLQA_ANALYSTS__ATTEMPTS".to_owned(), "1".to_owned()),
            ("CALLQA_STORE__PATIENCE".to_owned(), "0s".to_owned()),
            ("CALLQA_STORE__RECORDING_GRACE".to_owned(), "0s".to_owned()),
        ]);
        for (key, value) in settings {
            let name = format!("CALLQA_{}", key.to_uppercase().replace('.', "__"));
            environment.insert(name, (*value).to_owned());
        }
        Config::load(None, environment).expect("valid settings")
    }

    pub fn publish(&self, message: &Message) {
        self.publish_soon(message);
        self.published();
    }

    /// Waits until the broker has everything.
    pub fn published(&self) {
        self.producer.flush(PATIENCE).expect("delivered");
    }

    pub fn publish_soon(&self, message: &Message) {
        let headers = message.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value) })
        });
        let record = BaseRecord::to(message.topic.default_name())
            .key(&message.key)
            .payload(&message.payload)
            .headers(headers);
        self.producer.send(record).map_err(|(error, _)| error).expect("queued");
    }

    /// Reads a topic from its beginning until it has so many rows.
    pub fn rows(&self, topic: Topic, count: usize) -> Vec<Row> {
        let consumer: BaseConsumer = self.reader("rows");
        let mut all = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            let place = all.add_partition_offset(topic.default_name(), partition, Offset::Beginning);
            place.expect("a partition");
        }
        consumer.assign(&all).expect("assigned");
        let (mut rows, started) = (Vec::new(), Instant::now());
        while rows.len() < count {
            assert!(started.elapsed() < PATIENCE, "{count} rows on {topic:?}, so far {}", rows.len());
            if let Some(message) = consumer.poll(Duration::from_millis(100)) {
                rows.push(Row::of(&message.expect("a message")));
            }
        }
        rows
    }

    /// How many messages a topic holds.
    pub fn length(&self, topic: &str, partitions: i32) -> i64 {
        let consumer: BaseConsumer = self.reader("length");
        let ends = (0..partitions).map(|partition| {
            let (low, high) = consumer.fetch_watermarks(topic, partition, PATIENCE).expect("watermarks");
            high - low
        });
        ends.sum()
    }

    /// How many calls the worker's group has put behind it.
    pub fn committed(&self) -> i64 {
        let consumer: BaseConsumer = self.reader(GROUP);
        let mut all = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            all.add_partition(Topic::Recorded.default_name(), partition);
        }
        let committed = consumer.committed_offsets(all, PATIENCE).expect("offsets");
        let offset = |offset| if let Offset::Offset(offset) = offset { offset } else { 0 };
        committed.elements().iter().map(|element| offset(element.offset())).sum()
    }

    fn reader(&self, group: &str) -> BaseConsumer {
        let mut options = ClientConfig::new();
        options.set("bootstrap.servers", self.mock.bootstrap_servers()).set("group.id", group);
        options
            .set("fetch.wait.max.ms", "20")
            .set("enable.auto.commit", "false")
            .create()
            .expect("a consumer")
    }
}

/// Waits for something that is to come; says what did not.
#[track_caller]
pub fn wait_until(what: &str, mut has_come: impl FnMut() -> bool) {
    let started = Instant::now();
    while !has_come() {
        assert!(started.elapsed() < PATIENCE, "waited for: {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
