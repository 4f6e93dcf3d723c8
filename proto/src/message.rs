//! What goes to Kafka, ready for any client.

use crate::header::{
    ATTEMPT, CALL_RECORDED, EventHeaders, JSON, SOURCE_OFFSET, SOURCE_PARTITION, SOURCE_TOPIC, SPEC_VERSION,
};
use crate::wire::CallRecorded;
use callqa_domain::identity;

/// `ce_source` of everything that a worker publishes. Not the worker's host: a repeat by another worker
/// must be the same message.
const WORKER: &str = "/callqa/worker";

/// The topics that callqa writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Events, for whoever publishes recordings.
    Recorded,
    /// Verdicts, labels and acoustic events.
    Findings,
    /// Transcripts with every probability and span.
    Observations,
    /// Flagged calls.
    ReviewTasks,
    /// What to know of calls that were not assessed.
    DeadLetters,
    /// Endings.
    Results,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 6] = [
        Self::Recorded,
        Self::Findings,
        Self::Observations,
        Self::ReviewTasks,
        Self::DeadLetters,
        Self::Results,
    ];

    /// Its name, unless the configuration has another.
    #[must_use]
    pub fn default_name(self) -> &'static str {
        match self {
            Self::Recorded => "qa.calls.recorded.v1",
            Self::Findings => "qa.findings.v1",
            Self::Observations => "qa.observations.v1",
            Self::ReviewTasks => "qa.review.tasks.v1",
            Self::DeadLetters => "qa.calls.dlq.v1",
            Self::Results => "qa.results.v1",
        }
    }

    /// `ce_type` of its messages.
    #[must_use]
    pub fn ce_type(self) -> &'static str {
        match self {
            Self::Recorded => CALL_RECORDED,
            Self::Findings => "org.callqa.finding.v1",
            Self::Observations => "org.callqa.observations.v1",
            Self::ReviewTasks => "org.callqa.review.task.v1",
            Self::DeadLetters => "org.callqa.dead_letter.v1",
            Self::Results => "org.callqa.result.v1",
        }
    }

    /// What a row's id is made with; never changes.
    pub(crate) fn row_kind(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Findings => "finding",
            Self::Observations => "observations",
            Self::ReviewTasks => "review_task",
            Self::DeadLetters => "dead_letter",
            Self::Results => "result",
        }
    }
}

/// A message for Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// To which topic.
    pub topic: Topic,
    /// `tenant/call_id`; the event's place where these are not known.
    pub key: String,
    /// Names and values, in a fixed order.
    pub headers: Vec<(&'static str, String)>,
    /// The bytes.
    pub payload: Vec<u8>,
}

/// The delivery of an event that led to an ending.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The input topic.
    pub topic: &'a str,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// The event's headers.
    pub headers: &'a EventHeaders,
    /// The try on which it ended, from 1.
    pub attempt: u32,
}

impl Delivery<'_> {
    pub(crate) fn position(&self) -> String {
        format!("{}/{}/{}", self.topic, self.partition, self.offset)
    }

    pub(crate) fn outgoing(
        &self,
        topic: Topic,
        row_id: &str,
        subject: &str,
        time: Option<&str>,
    ) -> Vec<(&'static str, String)> {
        let mut headers = cloud_event(topic, row_id, WORKER, subject, time);
        headers.extend([
            (SOURCE_TOPIC, self.topic.to_owned()),
            (SOURCE_PARTITION, self.partition.to_string()),
            (SOURCE_OFFSET, self.offset.to_string()),
            (ATTEMPT, self.attempt.to_string()),
        ]);
        headers.extend(self.headers.traceparent.clone().map(|parent| ("traceparent", parent)));
        headers
    }
}

fn cloud_event(
    topic: Topic,
    id: &str,
    source: &str,
    subject: &str,
    time: Option<&str>,
) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("ce_specversion", SPEC_VERSION.to_owned()),
        ("ce_type", topic.ce_type().to_owned()),
        ("ce_source", source.to_owned()),
        ("ce_id", id.to_owned()),
        ("ce_subject", subject.to_owned()),
    ];
    headers.extend(time.map(|time| ("ce_time", time.to_owned())));
    headers.push(("content-type", JSON.to_owned()));
    headers
}

impl CallRecorded {
    /// This event as a message in JSON, for whoever publishes recordings. `source` is the publisher's own
    /// name, a URI reference such as `/callqa/cli`. The same event gives the same message.
    ///
    /// # Errors
    /// Where an enum field holds a number that its `.proto` file does not have.
    pub fn message(&self, source: &str) -> Result<Message, serde_json::Error> {
        let payload = serde_json::to_vec(self)?;
        let key = crate::event::key(&self.tenant, &self.call_id);
        let id = identity::content_digest(&payload);
        let headers = cloud_event(Topic::Recorded, &id, source, &key, self.started_at.as_deref());
        Ok(Message { topic: Topic::Recorded, key, headers, payload })
    }
}
