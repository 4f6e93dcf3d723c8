//! Sends events, and knows when the broker has them.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use callqa_proto::Message;
use callqa_worker::config::Kafka;
use rdkafka::ClientContext;
use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};

use super::{Listener, client, failed};
use crate::CliError;

/// How long the broker may take to acknowledge everything once the last event was sent.
const DELIVERY: Duration = Duration::from_secs(60);
/// How long one look for delivery reports waits.
const LOOK: Duration = Duration::from_millis(100);

/// Sends events and counts what the broker acknowledged.
pub struct Sender {
    producer: BaseProducer<Receipts>,
    topic: String,
    brokers: String,
    sent: usize,
}

/// Delivery reports, as they come.
#[derive(Debug, Default)]
struct Receipts {
    listener: Listener,
    delivered: Mutex<(usize, Option<KafkaError>)>,
}

impl Receipts {
    fn so_far(&self) -> (usize, Option<KafkaError>) {
        self.delivered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Receipts {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, option: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.listener.generate_oauth_token(option)
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.listener.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.listener.error(error, reason);
    }
}

impl ProducerContext for Receipts {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let mut delivered = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(_) => delivered.0 += 1,
            Err((error, _)) => delivered.1 = Some(error.clone()),
        }
    }
}

impl Sender {
    /// Sends to this topic.
    ///
    /// # Errors
    /// Options that librdkafka refuses.
    pub fn new(kafka: &Kafka, topic: &str) -> Result<Self, CliError> {
        let producer = client(kafka)
            .set("acks", "all")
            .set("enable.idempotence", "true")
            // As Java's producers do it, so that a call lies in the same partition whoever published it.
            .set("partitioner", "murmur2_random")
            .set("delivery.timeout.ms", DELIVERY.as_millis().to_string())
            .create_with_context(Receipts::default())
            .map_err(failed("setting up the Kafka client"))?;
        Ok(Self { producer, topic: topic.to_owned(), brokers: kafka.brokers.clone(), sent: 0 })
    }

    /// Sends an event of ours.
    ///
    /// # Errors
    /// A broker that does not take it.
    pub fn send(&mut self, message: &Message) -> Result<(), CliError> {
        let mut headers = OwnedHeaders::new_with_capacity(message.headers.len());
        for (key, value) in &message.headers {
            headers = headers.insert(Header { key, value: Some(value) });
        }
        self.send_as_it_is(Some(message.key.as_bytes()), &message.payload, headers)
    }

    /// Sends any bytes.
    ///
    /// # Errors
    /// A broker that does not take them.
    pub fn send_as_it_is(
        &mut self,
        key: Option<&[u8]>,
        payload: &[u8],
        headers: OwnedHeaders,
    ) -> Result<(), CliError> {
        let mut record = BaseRecord::<[u8], [u8]>::to(&self.topic).payload(payload).headers(headers);
        record.key = key;
        let deadline = Instant::now() + DELIVERY;
        loop {
            match self.producer.send(record) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    if Instant::now() > deadline {
                        return Err(self.unacknowledged());
                    }
                    record = back;
                    self.producer.poll(LOOK);
                }
                Err((source, _)) => {
                    return Err(failed(format!("publishing to {}", self.topic))(source));
                }
            }
        }
        self.sent += 1;
        self.producer.poll(Duration::ZERO);
        Ok(())
    }

    /// An event is published once its delivery report has come, not before.
    ///
    /// # Errors
    /// A broker that did not take them all.
    pub fn finish(self) -> Result<(), CliError> {
        let deadline = Instant::now() + DELIVERY;
        loop {
            match self.producer.context().so_far() {
                (_, Some(source)) => {
                    return Err(failed(format!("publishing to {}", self.topic))(source));
                }
                (delivered, None) if delivered == self.sent => return Ok(()),
                _ if Instant::now() > deadline => return Err(self.unacknowledged()),
                _ => self.producer.poll(LOOK),
            }
        }
    }

    fn unacknowledged(&self) -> CliError {
        let (delivered, _) = self.producer.context().so_far();
        CliError::TimedOut(format!(
            "the broker at {} acknowledged {delivered} of {} events within {} s; publish again, repeats do no harm",
            self.brokers,
            self.sent,
            DELIVERY.as_secs()
        ))
    }
}
