//! The Kafka client, for people at a terminal: quiet, patient for a named time, and clear when it fails.

mod reader;
mod sender;
mod source;

use std::error::Error;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use callqa_worker::broker::LIVELINESS;
use callqa_worker::config::{Config, Kafka, environment};
use callqa_worker::oauth;
use callqa_worker::refusal::explain;
use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::{ClientConfig, ClientContext};

pub use reader::{Place, TopicReader};
pub use sender::Sender;
pub use source::Source;

use crate::CliError;

/// How long a broker may take to answer: longer than any that works, shorter than a person's patience.
pub const REACH: Duration = Duration::from_secs(10);

/// How long the client may take to tell why there was no answer, and one look for it.
const LAST_WORDS: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(50);

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
        let mut kafka = Config::load(self.config.as_deref(), environment())?.kafka;
        if let Some(brokers) = &self.brokers {
            kafka.brokers.clone_from(brokers);
        }
        Ok(kafka)
    }
}

/// Options for a client; TLS and SASL come from the configuration.
pub fn client(kafka: &Kafka) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("client.id", "callqa");
    for (option, value) in LIVELINESS {
        client.set(option, value);
    }
    for (option, value) in &kafka.client {
        client.set(option, value.expose());
    }
    client.set("bootstrap.servers", &kafka.brokers);
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
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, option: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        oauth::token(option)
    }

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
        // Never joined; the client wants a name where it is polled.
        .set("group.id", "callqa-reader")
        .create_with_context(Listener::default())
        .map_err(failed("setting up the Kafka client"))?;
    // A token for OAUTHBEARER is asked for in a poll.
    drop(consumer.poll(Duration::ZERO));
    let metadata = consumer.fetch_metadata(None, REACH).map_err(|_| CliError::Unreachable {
        brokers: kafka.brokers.clone(),
        reason: said_last(&consumer).map(|said| explain(kafka, &said)),
    })?;
    let partitions = |topic: &rdkafka::metadata::MetadataTopic| {
        topic.partitions().iter().map(rdkafka::metadata::MetadataPartition::id).collect()
    };
    Ok(metadata.topics().iter().map(|topic| (topic.name().to_owned(), partitions(topic))).collect())
}

/// What the client said last. Errors come with a poll, not with the question that failed.
fn said_last(consumer: &BaseConsumer<Listener>) -> Option<String> {
    let until = Instant::now() + LAST_WORDS;
    loop {
        drop(consumer.poll(LOOK));
        let last = consumer.context().last_error();
        let is_summary = last.as_ref().is_none_or(|said| said.ends_with("brokers are down"));
        if !is_summary || Instant::now() > until {
            return last;
        }
    }
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
