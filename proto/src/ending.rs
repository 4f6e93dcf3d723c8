//! The three endings of a call, and the messages that make one durable.

use callqa_domain::{Assessment, Call, DeadLetterReason, ExclusionReason, Provenance, Rulebook, identity};

use crate::CallName;
use crate::header::EventHeaders;
use crate::message::{Delivery, Message, Topic};
use crate::rows::{self, Ids};

/// How a call ended.
#[derive(Debug, Clone)]
pub enum Ending<'a> {
    /// It was judged.
    Assessed {
        /// The result.
        assessment: &'a Assessment,
        /// The rulebook that it was judged by, for the rules' classes and owners.
        rulebook: &'a Rulebook,
    },
    /// It was not.
    Closed(Closed<'a>),
}

/// The ending of a call that was not judged.
#[derive(Debug, Clone)]
pub struct Closed<'a> {
    /// Which call.
    pub subject: Subject<'a>,
    /// Why.
    pub kind: ClosedKind,
    /// As for an assessment; `recording_sha256` is empty where the recording was not read.
    pub provenance: &'a Provenance,
}

/// As much as is known of the call that ended.
#[derive(Debug, Clone)]
pub enum Subject<'a> {
    /// All that the event says.
    Call(&'a Call),
    /// The event was wrong, but says which call it is about ([`crate::DecodeError::call`]).
    Named(CallName),
    /// The event could not be read: only its place is known.
    Undecodable,
}

impl Subject<'_> {
    /// The call's name, where it is known.
    #[must_use]
    pub fn name(&self) -> Option<CallName> {
        match self {
            Self::Call(call) => Some(CallName::of(call)),
            Self::Named(name) => Some(name.clone()),
            Self::Undecodable => None,
        }
    }
}

/// Why a call was not judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClosedKind {
    /// Nothing went wrong: it is not to be judged.
    Excluded(ExclusionReason),
    /// It can't be judged as it came.
    DeadLettered {
        /// As a code.
        reason: DeadLetterReason,
        /// In a sentence that says what can be done. The same at every repeat (no times, no tries), and
        /// without any value of the event or word of the call.
        detail: String,
    },
}

impl ClosedKind {
    /// `excluded` or `dead_lettered`.
    #[must_use]
    pub fn ending(&self) -> &'static str {
        match self {
            Self::Excluded(_) => "excluded",
            Self::DeadLettered { .. } => "dead_lettered",
        }
    }

    /// The published reason.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Excluded(reason) => reason.name(),
            Self::DeadLettered { reason, .. } => reason.name(),
        }
    }

    pub(crate) fn detail(&self) -> String {
        match self {
            Self::Excluded(reason) => match reason {
                ExclusionReason::TestCall => "the event says that this is a test call",
                ExclusionReason::Voicemail => "a machine answered the call",
                ExclusionReason::OptOut => "the customer did not agree to quality inspection",
                ExclusionReason::TooShort => "the call is shorter than the least that is worth a verdict",
                ExclusionReason::NoSpeech => "nobody spoke in this call",
            }
            .to_owned(),
            Self::DeadLettered { detail, .. } => detail.clone(),
        }
    }
}

impl Ending<'_> {
    /// The messages of this ending, in the order in which they must be acknowledged: the row on the results
    /// topic is last, and with it the call has ended.
    ///
    /// # Errors
    /// Where a row can't be written as JSON; no row that is made here is known to do that.
    pub fn messages(&self, delivery: &Delivery<'_>) -> Result<Vec<Message>, serde_json::Error> {
        match self {
            Self::Assessed { assessment, rulebook } => assessed(assessment, rulebook, delivery),
            Self::Closed(closed) => self::closed(closed, delivery),
        }
    }
}

fn assessed(
    assessment: &Assessment,
    rulebook: &Rulebook,
    delivery: &Delivery<'_>,
) -> Result<Vec<Message>, serde_json::Error> {
    let mut out = Envelope::new(delivery, Some(CallName::of(&assessment.call)), Some(&assessment.call));
    for row in rows::findings(assessment, rulebook) {
        out.add(Topic::Findings, &row.row_id, &row)?;
    }
    for row in rows::observations(assessment)? {
        out.add(Topic::Observations, &row.row_id, &row)?;
    }
    if let Some(row) = rows::review_task(assessment) {
        out.add(Topic::ReviewTasks, &row.row_id, &row)?;
    }
    let row = rows::assessed(assessment);
    out.add(Topic::Results, &row.row_id, &row)?;
    Ok(out.messages)
}

fn closed(closed: &Closed<'_>, delivery: &Delivery<'_>) -> Result<Vec<Message>, serde_json::Error> {
    let name = closed.subject.name();
    let ending_id = name.as_ref().map_or_else(
        || identity::undecodable_id(delivery.topic, delivery.partition, delivery.offset),
        CallName::ending_id,
    );
    let ids = Ids::new(ending_id, closed.provenance);
    let call = match closed.subject {
        Subject::Call(call) => Some(call),
        Subject::Named(_) | Subject::Undecodable => None,
    };
    let mut out = Envelope::new(delivery, name, call);
    let row = rows::dead_letter(closed, &ids);
    out.add(Topic::DeadLetters, &row.row_id, &row)?;
    let row = rows::closed(closed, &ids);
    out.add(Topic::Results, &row.row_id, &row)?;
    Ok(out.messages)
}

/// Puts rows of one ending into messages: one key, and headers that differ only in type and id.
struct Envelope<'a> {
    delivery: &'a Delivery<'a>,
    key: String,
    time: Option<String>,
    messages: Vec<Message>,
}

impl<'a> Envelope<'a> {
    fn new(delivery: &'a Delivery<'a>, name: Option<CallName>, call: Option<&Call>) -> Self {
        let key = name.map_or_else(|| delivery.position(), |name| name.key());
        // Only the event's own times are used: a repeat must be the same message.
        let EventHeaders { time, .. } = delivery.headers;
        let started = call.and_then(|call| call.started_at).map(|moment| moment.to_string());
        Self { delivery, key, time: time.clone().or(started), messages: Vec::new() }
    }

    fn add(
        &mut self,
        topic: Topic,
        row_id: &str,
        row: &impl serde::Serialize,
    ) -> Result<(), serde_json::Error> {
        let payload = serde_json::to_vec(row)?;
        let headers = self.delivery.outgoing(topic, row_id, &self.key, self.time.as_deref());
        self.messages.push(Message { topic, key: self.key.clone(), headers, payload });
        Ok(())
    }
}
