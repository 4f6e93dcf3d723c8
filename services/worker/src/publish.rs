//! Writes endings to Kafka, and knows when they are durable.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use callqa_proto::Message;
use rdkafka::ClientConfig;
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::future_producer::DeliveryFuture;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::util::Timeout;
use tracing::{error, info, warn};

use crate::broker::{client_options, log_client};
use crate::config::Kafka;
use crate::health::Health;
use crate::oauth;
use crate::telemetry::{Cause, Metrics, PublishFailure};

/// How long the broker may take to acknowledge a row before the row is sent anew.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(15);
/// A row waits so long for others to share its request; a call takes seconds.
const LINGER: Duration = Duration::from_millis(5);
/// The first wait before a row is sent anew; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest of these waits: a broker that is back is noticed within it.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Why an ending can't be written, however often it is tried.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// A row that the broker will never take.
    #[error(
        "a row of {bytes} bytes is more than {topic} takes; raise max.message.bytes there and message.max.bytes in kafka.client"
    )]
    TooLarge {
        /// How long it is.
        bytes: usize,
        /// Which topic.
        topic: String,
    },
    /// The producer could not be made.
    #[error("the Kafka producer can't be made: {0}")]
    Producer(#[source] KafkaError),
}

type RowProducer = FutureProducer<Log>;

/// Writes endings.
pub struct Publisher {
    kafka: Kafka,
    /// The producer, and the how-manieth it is.
    producer: Mutex<(u64, RowProducer)>,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
}

impl Publisher {
    /// Makes a producer.
    ///
    /// # Errors
    /// Options that librdkafka refuses.
    pub fn new(kafka: &Kafka, metrics: Arc<Metrics>, health: Arc<Health>) -> Result<Self, PublishError> {
        let producer = Mutex::new((0, producer(kafka)?));
        Ok(Self { kafka: kafka.clone(), producer, metrics, health })
    }

    /// Writes an ending's rows; returns once every one of them is acknowledged. The last goes only when
    /// all others are: with it the call has ended.
    ///
    /// A broker that does not answer is tried for as long as it takes.
    ///
    /// # Errors
    /// A row that the broker will never take. Nothing has ended then.
    pub async fn publish(&self, messages: &[Message]) -> Result<(), PublishError> {
        let Some((ending, rows)) = messages.split_last() else { return Ok(()) };
        let mut round: Vec<&Message> = rows.iter().collect();
        self.deliver_all(&mut round).await?;
        self.deliver_all(&mut vec![ending]).await
    }

    /// Sends rows, and those that were not acknowledged again and again.
    async fn deliver_all(&self, rows: &mut Vec<&Message>) -> Result<(), PublishError> {
        let waits = ExponentialBuilder::default().with_min_delay(FIRST_WAIT).with_max_delay(LONGEST_WAIT);
        let mut waits = waits.without_max_times().build();
        loop {
            self.deliver_once(rows).await?;
            self.health.published(rows.is_empty());
            self.metrics.blocked(Cause::Results, !rows.is_empty());
            if rows.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(waits.next().unwrap_or(LONGEST_WAIT)).await;
        }
    }

    /// Sends rows at once, waits for every report, and keeps those that were not delivered.
    async fn deliver_once(&self, rows: &mut Vec<&Message>) -> Result<(), PublishError> {
        let (number, producer) = self.producer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let reports: Vec<_> = rows.iter().map(|message| self.send(&producer, message)).collect();
        let mut undelivered = Vec::new();
        let (mut too_large, mut lost_its_place) = (None, producer.client().fatal_error().is_some());
        for (report, message) in reports.into_iter().zip(rows.drain(..)) {
            let delivered = match report {
                Ok(report) => match report.await {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err((error, _))) => Err(error),
                    Err(_) => Err(KafkaError::Canceled),
                },
                Err(error) => Err(error),
            };
            match delivered.map_err(|error| self.note(&error, message)) {
                Ok(()) => {}
                Err(PublishFailure::TooLarge) => too_large = Some(message),
                Err(failure) => {
                    lost_its_place |= failure == PublishFailure::Fatal;
                    undelivered.push(message);
                }
            }
        }
        *rows = undelivered;
        if lost_its_place {
            self.replace_producer(number);
        }
        too_large.map_or(Ok(()), |message| {
            let topic = self.kafka.topics.name(message.topic).to_owned();
            Err(PublishError::TooLarge { bytes: message.payload.len(), topic })
        })
    }
}

impl Publisher {
    fn send(&self, producer: &RowProducer, message: &Message) -> Result<DeliveryFuture, KafkaError> {
        let headers = OwnedHeaders::new_with_capacity(message.headers.len());
        let headers = message
            .headers
            .iter()
            .fold(headers, |headers, (key, value)| headers.insert(Header { key, value: Some(value) }));
        let record = FutureRecord::to(self.kafka.topics.name(message.topic))
            .key(&message.key)
            .payload(&message.payload)
            .headers(headers);
        producer.send_result(record).map_err(|(error, _)| error)
    }

    fn note(&self, error: &KafkaError, message: &Message) -> PublishFailure {
        let failure = match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::MessageSizeTooLarge) => PublishFailure::TooLarge,
            Some(
                RDKafkaErrorCode::Fatal
                | RDKafkaErrorCode::PurgeQueue
                | RDKafkaErrorCode::PurgeInflight
                | RDKafkaErrorCode::ProducerFenced
                | RDKafkaErrorCode::InvalidProducerEpoch
                | RDKafkaErrorCode::UnknownProducerId
                | RDKafkaErrorCode::OutOfOrderSequenceNumber,
            ) => PublishFailure::Fatal,
            Some(RDKafkaErrorCode::MessageTimedOut | RDKafkaErrorCode::QueueFull) => PublishFailure::TimedOut,
            _ => PublishFailure::Refused,
        };
        self.metrics.publish_failed(failure);
        let topic = self.kafka.topics.name(message.topic);
        warn!(topic, bytes = message.payload.len(), error = error as &dyn Error, "row not delivered");
        failure
    }

    /// An idempotent producer that has lost its place, by its own account or by the broker's (after an outage in
    /// which rows timed out), stays broken. What it did not deliver is sent by the next one; consumers know a
    /// repeat by its id. Of all calls that notice it, the first replaces it.
    fn replace_producer(&self, number: u64) {
        let mut current = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0 != number {
            return;
        }
        warn!("the producer lost its place; another takes over");
        match producer(&self.kafka) {
            Ok(another) => *current = (number + 1, another),
            Err(error) => error!(error = &error as &dyn Error, "no other producer; tried again"),
        }
    }

    /// Lets librdkafka finish what it has in hand, before the process ends.
    pub fn close(&self) {
        let (_, producer) = self.producer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Err(error) = producer.flush(Timeout::After(LINGER)) {
            info!(error = &error as &dyn Error, "rows of unfinished calls are left behind");
        }
    }
}

fn producer(kafka: &Kafka) -> Result<RowProducer, PublishError> {
    options(kafka).create_with_context(Log).map_err(PublishError::Producer)
}

fn options(kafka: &Kafka) -> ClientConfig {
    let defaults = [("compression.type", "zstd".to_owned()), ("linger.ms", LINGER.as_millis().to_string())];
    let mut options = client_options(kafka, &defaults);
    options
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("delivery.timeout.ms", DELIVERY_TIMEOUT.as_millis().to_string());
    options
}

/// Hands the producer's own log lines on.
struct Log;

impl ClientContext for Log {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, option: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        oauth::token(option)
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log_client("producer", level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        warn!(client = "producer", error = &error as &dyn Error, reason, "kafka client error");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    /// With these options in kafka.client, the producer is made with that one.
    #[track_caller]
    fn check(set: &[(&str, &str)], option: &str, expect: &str) {
        let environment = set.iter().map(|(name, value)| {
            (format!("CALLQA_KAFKA__CLIENT__{}", name.to_uppercase().replace('.', "_")), (*value).to_owned())
        });
        let kafka = Config::load(None, environment).expect("valid").kafka;
        assert_eq!(options(&kafka).get(option), Some(expect));
        assert!(producer(&kafka).is_ok(), "librdkafka takes it");
    }

    #[test]
    fn what_kafka_client_says_wins_over_our_defaults() {
        for (option, ours, theirs) in [
            ("client.id", "callqa-worker", "quality-7"),
            ("compression.type", "zstd", "lz4"),
            ("linger.ms", "5", "50"),
            ("socket.timeout.ms", "10000", "20000"),
        ] {
            check(&[], option, ours);
            check(&[(option, theirs)], option, theirs);
        }
    }

    #[test]
    fn what_promises_rest_on_stays() {
        check(&[], "acks", "all");
        check(&[], "enable.idempotence", "true");
        check(&[], "delivery.timeout.ms", "15000");
    }
}
