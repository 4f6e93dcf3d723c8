//! What consumer and producer need to know of the broker, and whether it has our topics.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;

use crate::config::Kafka;

/// How long a broker may take to say which topics it has.
const METADATA_TIMEOUT: Duration = Duration::from_secs(15);

/// Why the broker is not as we need it.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// An option that librdkafka does not take.
    #[error("kafka.client: {0}")]
    Options(#[source] KafkaError),
    /// No answer.
    #[error("no Kafka broker answers at {brokers}: {source}")]
    Unreachable {
        /// Where it should be.
        brokers: String,
        /// What the client says.
        source: KafkaError,
    },
    /// Topics that are not there.
    #[error("the broker at {brokers} lacks these topics: {}; create them, as deploy/quickstart does, or change kafka.topics", .topics.join(", "))]
    MissingTopics {
        /// Which broker.
        brokers: String,
        /// Which topics.
        topics: Vec<String>,
    },
}

/// The options that every client of ours has.
#[must_use]
pub fn client_options(kafka: &Kafka) -> ClientConfig {
    let mut options = ClientConfig::new();
    for (name, value) in &kafka.client {
        options.set(name, value.expose());
    }
    options.set("bootstrap.servers", &kafka.brokers).set("client.id", "callqa-worker");
    options
}

/// The options of a client that reads.
#[must_use]
pub fn reader_options(kafka: &Kafka) -> ClientConfig {
    let mut options = client_options(kafka);
    // A topic that is missing is an operator's slip: it must not come to be with one partition.
    options.set("allow.auto.create.topics", "false");
    options
}

/// Hands librdkafka's own log lines on.
pub fn log_client(client: &'static str, level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error => {
            tracing::error!(client, facility, message, "kafka client");
        }
        RDKafkaLogLevel::Warning => tracing::warn!(client, facility, message, "kafka client"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
            tracing::info!(client, facility, message, "kafka client")
        }
        RDKafkaLogLevel::Debug => tracing::debug!(client, facility, message, "kafka client"),
    }
}

struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log_client("check", level, facility, message);
    }
}
impl ConsumerContext for Quiet {}

/// Asks the broker for all topics that we read and write.
///
/// # Errors
/// One sentence about what is missing.
pub fn check_topics(kafka: &Kafka) -> Result<(), BrokerError> {
    let client: BaseConsumer<Quiet> =
        reader_options(kafka).create_with_context(Quiet).map_err(BrokerError::Options)?;
    let wanted = kafka.topics.calls.iter().map(String::as_str);
    let mut missing = Vec::new();
    for topic in wanted.chain(kafka.topics.written().map(|(_, topic)| topic)) {
        let unreachable = |source| BrokerError::Unreachable { brokers: kafka.brokers.clone(), source };
        let metadata = client.fetch_metadata(Some(topic), METADATA_TIMEOUT).map_err(unreachable)?;
        let is_there = metadata
            .topics()
            .iter()
            .any(|t| t.name() == topic && t.error().is_none() && !t.partitions().is_empty());
        if !is_there {
            missing.push(topic.to_owned());
        }
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(BrokerError::MissingTopics { brokers: kafka.brokers.clone(), topics: missing })
    }
}
