//! What consumer and producer need to know of the broker, and whether it has our topics.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::config::Kafka;
use crate::oauth;
use crate::refusal::explain;

/// How long a broker may take to say which topics it has.
const METADATA_TIMEOUT: Duration = Duration::from_secs(15);
/// How long the client may take to tell why there was no answer, and one look for it.
const COMPLAINTS: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(50);

/// How soon a broker that went silent is noticed, and how soon one that is back is found again, as librdkafka's
/// options, in milliseconds. Its own defaults are made for patience: a minute for a request, half a minute for a
/// connection, ten seconds between two attempts.
pub const LIVELINESS: [(&str, &str); 3] = [
    ("socket.timeout.ms", "10000"),
    ("socket.connection.setup.timeout.ms", "5000"),
    ("reconnect.backoff.max.ms", "2000"),
];

/// Why the broker is not as we need it.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// An option that librdkafka does not take.
    #[error("kafka.client: {0}")]
    Options(#[source] KafkaError),
    /// No answer.
    #[error("no Kafka broker answers at {brokers}: {why}")]
    Unreachable {
        /// Where it should be.
        brokers: String,
        /// What the client says, or better, what to do about it.
        why: String,
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

/// The options of a client: those that every one of ours has, and its own `defaults`. What kafka.client says wins over
/// both; what must not be said there is refused with the settings.
#[must_use]
pub fn client_options(kafka: &Kafka, defaults: &[(&str, String)]) -> ClientConfig {
    let mut options = ClientConfig::new();
    options.set("client.id", "callqa-worker");
    for (name, value) in LIVELINESS {
        options.set(name, value);
    }
    for (name, value) in defaults {
        options.set(*name, value);
    }
    for (name, value) in &kafka.client {
        options.set(name, value.expose());
    }
    options.set("bootstrap.servers", &kafka.brokers);
    options
}

/// The options of a client that reads.
#[must_use]
pub fn reader_options(kafka: &Kafka, defaults: &[(&str, String)]) -> ClientConfig {
    let mut options = client_options(kafka, defaults);
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

/// Keeps what the client complains of last.
#[derive(Default)]
struct Complaints(Mutex<Option<String>>);

impl ClientContext for Complaints {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, option: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        oauth::token(option)
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log_client("check", level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // "All brokers are down" follows every other error and says less than that.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
        }
    }
}
impl ConsumerContext for Complaints {}

impl Complaints {
    /// Complaints come with a poll, not with the question that failed.
    fn last(client: &BaseConsumer<Self>) -> Option<String> {
        let until = Instant::now() + COMPLAINTS;
        loop {
            drop(client.poll(LOOK));
            let last = client.context().0.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if last.is_some() || Instant::now() > until {
                return last;
            }
        }
    }
}

/// Asks the broker for all topics that we read and write.
///
/// # Errors
/// One sentence about what is missing.
pub fn check_topics(kafka: &Kafka) -> Result<(), BrokerError> {
    // A group is never joined; the client wants a name for it where it is polled.
    let client: BaseConsumer<Complaints> = reader_options(kafka, &[])
        .set("group.id", &kafka.group)
        .create_with_context(Complaints::default())
        .map_err(BrokerError::Options)?;
    // A token for OAUTHBEARER is asked for in a poll.
    drop(client.poll(Duration::ZERO));
    let wanted = kafka.topics.calls.iter().map(String::as_str);
    let mut missing = Vec::new();
    for topic in wanted.chain(kafka.topics.written().map(|(_, topic)| topic)) {
        let unreachable = |source: KafkaError| {
            let said = Complaints::last(&client).unwrap_or_else(|| source.to_string());
            BrokerError::Unreachable { brokers: kafka.brokers.clone(), why: explain(kafka, &said) }
        };
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
