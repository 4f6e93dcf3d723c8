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

/// How long the broker may take to acknowledge an event.
const DELIVERY: Duration = Duration::from_secs(60);
/// So many KiB of events wait to be sent: the time for an event runs while it waits behind others, and a slow line must
/// be through with them.
const QUEUED_KIB: u32 = 16 * 1024;
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
            .set("queue.buffering.max.kbytes", QUEUED_KIB.to_string())
            .create_with_context(Receipts::default())
            .map_err(failed("setting up the Kafka client"))?;
        Ok(Self { producer, topic: topic.to_owned(), brokers: kafka.brokers.clone(), sent: 0 })
    }

    /// Sends an event of ours.
    ///
    /// # Errors
    /// A broker that does not take it, or did not take an earlier one.
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
    /// A broker that does not take them, or did not take earlier ones.
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
            // An event that was given up makes room: without a look the rest would follow it, minute by minute.
            if let (_, Some(source)) = self.producer.context().so_far() {
                return Err(self.refused(source));
            }
            match self.producer.send(record) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    if Instant::now() > deadline {
                        return Err(self.unacknowledged());
                    }
                    record = back;
                    self.producer.poll(LOOK);
                }
                Err((source, _)) => return Err(self.refused(source)),
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
        let mut patience = Patience { delivered: 0, since: Instant::now() };
        loop {
            match self.producer.context().so_far() {
                (_, Some(source)) => return Err(self.refused(source)),
                (delivered, None) if delivered == self.sent => return Ok(()),
                (delivered, None) if patience.ends(delivered, Instant::now()) => {
                    return Err(self.unacknowledged());
                }
                _ => self.producer.poll(LOOK),
            }
        }
    }

    fn refused(&self, source: KafkaError) -> CliError {
        failed(format!("publishing to {}", self.topic))(source)
    }

    fn unacknowledged(&self) -> CliError {
        let (delivered, _) = self.producer.context().so_far();
        CliError::TimedOut(format!(
            "the broker at {} acknowledged {delivered} of {} events, and none for {} s; publish again, repeats do no harm",
            self.brokers,
            self.sent,
            DELIVERY.as_secs()
        ))
    }
}

/// Waits for delivery reports, for [`DELIVERY`] from the last that came.
struct Patience {
    delivered: usize,
    since: Instant,
}

impl Patience {
    fn ends(&mut self, delivered: usize, now: Instant) -> bool {
        if delivered > self.delivered {
            *self = Self { delivered, since: now };
        }
        now.saturating_duration_since(self.since) > DELIVERY
    }
}

#[cfg(test)]
mod tests {
    use callqa_worker::config::Config;

    use super::*;

    /// Nothing listens on port 1 of this machine, so that all that is sent stays queued.
    fn without_broker() -> Sender {
        let mut kafka = Config::load(None, []).expect("defaults").kafka;
        kafka.brokers = "127.0.0.1:1".to_owned();
        Sender::new(&kafka, "qa.calls.recorded.v1").expect("a sender")
    }

    #[test]
    fn no_more_is_queued_than_a_slow_line_sends_in_time() {
        let (sender, payload) = (without_broker(), vec![0_u8; 900_000]);
        let taken = (0..40)
            .take_while(|_| {
                sender.producer.send(BaseRecord::<[u8], [u8]>::to(&sender.topic).payload(&payload)).is_ok()
            })
            .count();
        assert_eq!(taken, 18, "of 900 kB each in 16 MiB");
    }

    #[test]
    fn nothing_is_sent_after_an_event_that_was_given_up() {
        let mut sender = without_broker();
        sender.send_as_it_is(None, b"first", OwnedHeaders::new()).expect("there is room");
        let given_up = KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut);
        sender.producer.context().delivered.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(given_up);
        assert!(sender.send_as_it_is(None, b"second", OwnedHeaders::new()).is_err());
        assert_eq!(sender.sent, 1);
    }

    #[test]
    fn patience_begins_anew_with_each_delivery_report() {
        let start = Instant::now();
        let mut patience = Patience { delivered: 0, since: start };
        let late = DELIVERY + Duration::from_secs(1);
        assert!(!patience.ends(0, start + DELIVERY));
        assert!(!patience.ends(1, start + late));
        assert!(!patience.ends(1, start + DELIVERY * 2));
        assert!(patience.ends(1, start + late * 2));
    }
}
