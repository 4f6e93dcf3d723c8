//! The Kafka client, for people at a terminal: quiet, patient for a named time, and clear when it fails.

mod reader;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use callqa_worker::config::{Config, Kafka};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::{ClientConfig, ClientContext};

pub use reader::{Place, TopicReader};

use crate::CliError;

/// How long a broker may take to answer: longer than any that works, shorter than a person's patience.
pub const REACH: Duration = Duration::from_secs(10);

/// Which broker, and how to speak to it.
#[derive(Debug, Clone, clap::Args)]
pub struct Connection {
    /// Kafka brokers, host:port, several with commas [default: kafka.brokers of --config, or 127.0.0.1:9092]
    #[arg(long, env = "CALLQA_BROKERS", value_name = "HOST:PORT")]
    brokers: Option<String>,
    /// The worker's configuration: its brokers, topics and client options (TLS, SASL) are used here too
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Connection {
    /// The settings: the command line's, over the configuration's, over the defaults.
    ///
    /// # Errors
    /// Mistakes in the configuration.
    pub fn settings(&self) -> Result<Kafka, CliError> {
        let mut kafka = Config::load(self.config.as_deref(), std::env::vars())?.kafka;
        if let Some(brokers) = &self.brokers {
            kafka.brokers.clone_from(brokers);
        }
        Ok(kafka)
    }
}

/// Options for a client; TLS and SASL come from the configuration.
pub fn client(kafka: &Kafka) -> ClientConfig {
    let mut client = ClientConfig::new();
    for (option, value) in &kafka.client {
        client.set(option, value.expose());
    }
    client.set("bootstrap.servers", &kafka.brokers).set("client.id", "callqa");
    // Its lines go to `Listener`, and nothing below a warning is worth a call.
    client.set_log_level(RDKafkaLogLevel::Warning);
    client
}

/// Takes what librdkafka would write across the terminal; the last error explains a failure.
#[derive(Debug, Default)]
pub struct Listener {
    last_error: Mutex<Option<String>>,
}

impl Listener {
    /// The last error of the connection, if any.
    pub fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Listener {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", %error, reason);
        // "All brokers are down" follows every other error and says less than that.
        let is_summary = error.rdkafka_error_code() == Some(rdkafka::types::RDKafkaErrorCode::AllBrokersDown);
        let mut last = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_summary || last.is_none() {
            *last = Some(reason.to_owned());
        }
    }
}

impl ConsumerContext for Listener {}

/// A failed step of the client.
pub fn failed(doing: impl Into<String>) -> impl FnOnce(KafkaError) -> CliError {
    let doing = doing.into();
    move |source| CliError::Kafka { doing, source }
}

/// Asks the broker for its topics: the first question to it, so that a wrong address is told at once.
///
/// # Errors
/// Where no broker answers within [`REACH`].
pub fn topics(kafka: &Kafka) -> Result<Vec<(String, Vec<i32>)>, CliError> {
    let consumer: BaseConsumer<Listener> = client(kafka)
        .create_with_context(Listener::default())
        .map_err(failed("setting up the Kafka client"))?;
    let metadata = consumer.fetch_metadata(None, REACH).map_err(|_| CliError::Unreachable {
        brokers: kafka.brokers.clone(),
        reason: consumer.context().last_error(),
    })?;
    let partitions = |topic: &rdkafka::metadata::MetadataTopic| {
        topic.partitions().iter().map(rdkafka::metadata::MetadataPartition::id).collect()
    };
    Ok(metadata.topics().iter().map(|topic| (topic.name().to_owned(), partitions(topic))).collect())
}

/// Checks that a topic is there, before anything else is done.
///
/// # Errors
/// Where no broker answers, or it has no such topic.
pub fn expect_topic(kafka: &Kafka, topic: &str) -> Result<(), CliError> {
    if topics(kafka)?.iter().any(|(name, _)| name == topic) {
        return Ok(());
    }
    Err(CliError::NoTopic { brokers: kafka.brokers.clone(), topic: topic.to_owned() })
}
