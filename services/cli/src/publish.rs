//! `callqa publish`: recordings of a folder become events on the input topic.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use callqa_domain::identity;
use callqa_proto::{INLINE_BYTES, Message};
use callqa_worker::config::Kafka;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};

use crate::kafka::{self, Connection, Listener};
use crate::recording::{CallFile, Description};
use crate::results::{Outlet, Watch};
use crate::{CliError, Done, terminal};

/// How long the broker may take to acknowledge everything once the last event was sent.
const DELIVERY: Duration = Duration::from_secs(60);
/// How long one look for delivery reports waits.
const LOOK: Duration = Duration::from_millis(100);

/// Publishes the recordings of a folder
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A folder of recordings (WAV, MP3, FLAC, Ogg Vorbis, Opus), or one recording
    path: PathBuf,
    #[command(flatten)]
    description: Description,
    #[command(flatten)]
    connection: Connection,
    /// The input topic [default: the first of kafka.topics.calls, qa.calls.recorded.v1]
    #[arg(long)]
    topic: Option<String>,
    /// Put the recordings into the events (at most 700 KiB each)
    #[arg(long, conflicts_with = "by_uri")]
    inline: bool,
    /// Put file: URIs with digest and length into the events; the workers must be allowed to read the folder
    /// (store.file_roots). This is the default
    #[arg(long)]
    by_uri: bool,
    /// Stay until every one of these calls has ended; show progress, then a table of them
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    outlet: Outlet,
}

impl Args {
    /// Publishes, and waits where asked to.
    ///
    /// # Errors
    /// Mistakes in the folder or its CSV before anything is sent; a broker that is not there or does not
    /// acknowledge.
    pub fn run(&self) -> Result<Done, CliError> {
        let kafka = self.connection.settings()?;
        let calls = self.description.calls(&self.path)?;
        let first = || kafka.topics.calls.first().cloned().unwrap_or_default();
        let topic = self.topic.clone().unwrap_or_else(first);
        kafka::expect_topic(&kafka, &topic)?;
        // Opened first: an ending may come before the last event is sent.
        let watch = if self.wait { Some(Watch::from_now_on(&kafka)?) } else { None };

        let mut ending_ids = Vec::new();
        let mut sender = Sender::new(&kafka, &topic)?;
        for call in &calls {
            let event = self.event(call)?;
            ending_ids.push(identity::ending_id(&event.tenant, &event.call_id, event.revision));
            let message = event.message(crate::SOURCE).map_err(|source| CliError::Json { source })?;
            sender.send(&message)?;
        }
        sender.finish()?;
        let how = if self.inline { "inside their events" } else { "by file: URI" };
        let plural = if calls.len() == 1 { "" } else { "s" };
        let sum = format!("published {} recording{plural} to {topic}, {how}", calls.len());
        match watch {
            None => terminal::print(&format!("{sum}\n")).map(|()| Done::Well),
            Some(watch) => {
                terminal::note(&sum);
                watch.until_ended(&ending_ids, &self.outlet)
            }
        }
    }

    fn event(&self, call: &CallFile) -> Result<callqa_proto::wire::CallRecorded, CliError> {
        let unreadable = |source| CliError::unreadable(&call.path, source);
        let content = call.content().map_err(unreadable)?;
        if !self.inline {
            return call.by_uri(&content).map_err(unreadable);
        }
        if content.bytes > INLINE_BYTES as u64 {
            let (path, bytes) = (call.path.clone(), content.bytes);
            return Err(CliError::TooLargeInline { path, bytes, limit: INLINE_BYTES });
        }
        let bytes = std::fs::read(&call.path).map_err(unreadable)?;
        Ok(call.inline(&content, bytes))
    }
}

/// Sends events and counts what the broker acknowledged.
struct Sender {
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
    fn new(kafka: &Kafka, topic: &str) -> Result<Self, CliError> {
        let producer = kafka::client(kafka)
            .set("acks", "all")
            .set("enable.idempotence", "true")
            // As Java's producers do it, so that a call lies in the same partition whoever published it.
            .set("partitioner", "murmur2_random")
            .set("delivery.timeout.ms", DELIVERY.as_millis().to_string())
            .create_with_context(Receipts::default())
            .map_err(kafka::failed("setting up the Kafka client"))?;
        Ok(Self { producer, topic: topic.to_owned(), brokers: kafka.brokers.clone(), sent: 0 })
    }

    fn send(&mut self, message: &Message) -> Result<(), CliError> {
        let mut headers = OwnedHeaders::new_with_capacity(message.headers.len());
        for (key, value) in &message.headers {
            headers = headers.insert(Header { key, value: Some(value) });
        }
        let mut record =
            BaseRecord::to(&self.topic).key(&message.key).payload(&message.payload).headers(headers);
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
                    return Err(kafka::failed(format!("publishing to {}", self.topic))(source));
                }
            }
        }
        self.sent += 1;
        self.producer.poll(Duration::ZERO);
        Ok(())
    }

    /// An event is published once its delivery report has come, not before.
    fn finish(self) -> Result<(), CliError> {
        let deadline = Instant::now() + DELIVERY;
        loop {
            match self.producer.context().so_far() {
                (_, Some(source)) => {
                    return Err(kafka::failed(format!("publishing to {}", self.topic))(source));
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
