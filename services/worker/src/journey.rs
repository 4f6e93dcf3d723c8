//! One call, straight through: fetch, judge, publish, settle.

use std::error::Error;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use callqa_domain::{DeadLetterReason, Provenance, Rulebook};
use callqa_proto::{Closed, ClosedKind, Delivery, Ending, Event, Message, Subject};
use tokio::sync::{mpsc, oneshot};
use tracing::{Instrument, Span, error, info, info_span, warn};

use crate::analyst::Judged;
use crate::analysts::{Work, WorkError};
use crate::disposition::Disposition;
use crate::fetching::{Fetching, Seat};
use crate::journal::{self, Journal, Standing};
use crate::ledger::Position;
use crate::publish::{PublishError, Publisher};
use crate::stopping::Stopping;
use crate::store::Fetched;
use crate::telemetry::{Ended, Metrics, Stage};
use crate::ticket::{Ticket, Undecodable};
use crate::turns::Turns;

/// The first wait before a call is judged again; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest of these waits, however many attempts are allowed: a stop waits for it, and must not wait for long.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How soon it is tried again to write the journal: a disk with room again is noticed within it.
const JOURNAL_WAIT: Duration = Duration::from_secs(1);
/// The same at every repeat, so it does not say how often.
const CRASHED: &str = "the worker's process ended again and again while it judged this call: look at the recording, at                        the memory that the worker may use, and at its last log lines";

/// What calls meet on their way.
pub struct Road {
    /// Where recordings come from.
    pub fetching: Fetching,
    /// Where analysts take their work from.
    pub work: mpsc::Sender<Work>,
    /// Who is judged beside whom.
    pub turns: Turns,
    /// Which calls are in hand.
    pub journal: Arc<Journal>,
    /// Where endings go.
    pub publisher: Publisher,
    /// What calls are judged by.
    pub rulebook: Arc<Rulebook>,
    /// What a result's provenance says, but for event and recording.
    pub provenance: Provenance,
    /// How often a call is tried.
    pub attempts: u32,
    /// Back to the poll thread.
    pub settled: SyncSender<Position>,
    /// No call is begun any more.
    pub stopping: Stopping,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// How a call is to end, once this is published.
struct Arrived {
    ended: Ended,
    messages: Vec<Message>,
    /// Of an assessed call: how long it is, and whether it is flagged.
    assessed: Option<(Duration, bool)>,
}

/// Why a call has no ending here.
#[derive(Debug, thiserror::Error)]
enum Left {
    /// Another worker has it, or will have it.
    #[error("the call is left to another worker")]
    ToOthers,
    /// A row that no JSON can hold.
    #[error(transparent)]
    Unwritable(#[from] serde_json::Error),
    /// Not even the dead letter is short enough for the broker.
    #[error(transparent)]
    Unpublishable(#[from] PublishError),
}

impl Road {
    /// Takes a call to its ending. Whatever goes wrong with it ends in a dead letter, and the next call
    /// goes on; a call that is not ours any more is left alone.
    pub async fn travel(self: Arc<Self>, mut ticket: Ticket) {
        let span = span_of(&ticket);
        let mut seat = ticket.seat.take();
        let travelled = async {
            self.metrics.spent(Stage::Wait, ticket.taken_at.elapsed());
            match self.to_its_ending(&ticket, &mut seat).await {
                Ok(ended) => self.settle(&ticket, ended),
                Err(Left::ToOthers) => info!("call left to another worker"),
                Err(error) => {
                    error!(error = &error as &dyn Error, "call without an ending; it stays uncommitted")
                }
            }
        };
        travelled.instrument(span).await;
    }

    fn settle(&self, ticket: &Ticket, ended: Ended) {
        self.metrics.ended(ended);
        let (ending, reason) = ended.names();
        info!(ending, reason, seconds = ticket.taken_at.elapsed().as_secs_f32(), "call ended");
        // As many positions fit as there are calls in flight; the poll thread outlives every call.
        if let Err(error) = self.settled.try_send(ticket.position.clone()) {
            error!(error = &error as &dyn Error, "a settled call was not noted; it will be judged again");
        }
    }

    async fn to_its_ending(&self, ticket: &Ticket, seat: &mut Seat) -> Result<Ended, Left> {
        let arrived = match &ticket.event {
            Ok(event) => self.judge(event, ticket, seat).await?,
            Err(undecodable) => self.refuse(undecodable, ticket)?,
        };
        let begun = Instant::now();
        let published = self.publisher.publish(&arrived.messages).await;
        let ended = match published {
            Ok(()) => {
                if let Some((audio, is_flagged)) = arrived.assessed {
                    self.metrics.assessed(audio, is_flagged);
                }
                arrived.ended
            }
            Err(error) => self.bury(&error, ticket).await?,
        };
        self.metrics.spent(Stage::Publish, begun.elapsed());
        Ok(ended)
    }

    /// An ending that the broker does not take becomes a dead letter, which is short.
    async fn bury(&self, error: &PublishError, ticket: &Ticket) -> Result<Ended, Left> {
        error!(error = error as &dyn Error, "ending not publishable");
        let arrived = match &ticket.event {
            Ok(event) => {
                let kind = dead_letter(DeadLetterReason::Internal, error.to_string());
                self.close(Subject::Call(&event.call), kind, self.provenance_of(event, None), ticket, 1)?
            }
            Err(undecodable) => self.refuse(undecodable, ticket)?,
        };
        match self.publisher.publish(&arrived.messages).await {
            Ok(()) => Ok(arrived.ended),
            Err(error) => Err(error.into()),
        }
    }

    fn refuse(&self, undecodable: &Undecodable, ticket: &Ticket) -> Result<Arrived, Left> {
        let error = &undecodable.error;
        let subject = error.call().cloned().map_or(Subject::Undecodable, Subject::Named);
        let mut provenance = self.provenance.clone();
        provenance.event_digest.clone_from(&undecodable.digest);
        warn!(reason = error.reason().name(), error = error as &dyn Error, "event refused");
        self.close(subject, dead_letter(error.reason(), error.to_string()), provenance, ticket, 1)
    }

    async fn judge(&self, event: &Arc<Event>, ticket: &Ticket, seat: &mut Seat) -> Result<Arrived, Left> {
        if let Some(reason) = event.exclusion() {
            let provenance = self.provenance_of(event, None);
            return self.close(
                Subject::Call(&event.call),
                ClosedKind::Excluded(reason),
                provenance,
                ticket,
                1,
            );
        }
        self.still_wanted(ticket)?;
        let name = journal::Name::of(&ticket.position, &event.digest);
        if self.journal.standing(&name) == Standing::Condemned {
            error!("the process ended too often with this call in hand; it is not begun again");
            let kind = dead_letter(DeadLetterReason::CrashedWorker, CRASHED.to_owned());
            return self.close(Subject::Call(&event.call), kind, self.provenance_of(event, None), ticket, 1);
        }
        let begun = Instant::now();
        let fetched = tokio::select! {
            fetched = self.fetching.fetch(&event.recording, seat) => fetched,
            () = self.stopping.begun() => return Err(Left::ToOthers),
        };
        self.metrics.spent(Stage::Fetch, begun.elapsed());
        // It may have taken long, and a call that is another worker's by now must not get an ending from us too.
        self.still_wanted(ticket)?;
        match fetched {
            Ok(fetched) => {
                let arrived = self.assess(event, Arc::new(fetched), &name, ticket).await?;
                self.note_judged(&name).await;
                Ok(arrived)
            }
            Err(error) => {
                warn!(reason = error.reason().name(), error = &error as &dyn Error, "recording not fetched");
                let kind = dead_letter(error.reason(), error.to_string());
                self.close(Subject::Call(&event.call), kind, self.provenance_of(event, None), ticket, 1)
            }
        }
    }

    async fn assess(
        &self,
        event: &Arc<Event>,
        recording: Arc<Fetched>,
        name: &journal::Name,
        ticket: &Ticket,
    ) -> Result<Arrived, Left> {
        let provenance = self.provenance_of(event, Some(&recording));
        let mut attempt = 1;
        let kind = loop {
            self.still_wanted(ticket)?;
            match self.ask_an_analyst(event, &recording, name, ticket).await {
                Ok(Judged::Assessed(assessment)) => {
                    let ending = Ending::Assessed { assessment: &assessment, rulebook: &self.rulebook };
                    let messages = ending.messages(&delivery(ticket, attempt))?;
                    let audio = Duration::from_millis(assessment.observations.duration_ms);
                    let assessed = Some((audio, assessment.flag.is_some()));
                    return Ok(Arrived { ended: Ended::Assessed, messages, assessed });
                }
                Ok(Judged::Excluded(reason)) => break ClosedKind::Excluded(reason),
                Err(WorkError::NotWanted) => return Err(Left::ToOthers),
                Err(WorkError::Blocked(blocked)) => {
                    warn!(error = &blocked as &dyn Error, "call not begun; it waits");
                    tokio::time::sleep(JOURNAL_WAIT).await;
                }
                Err(error) => {
                    let reason = error.reason();
                    warn!(attempt, reason = reason.name(), error = &error as &dyn Error, "call not assessed");
                    if error.disposition() == Disposition::DeadLetter || attempt >= self.attempts {
                        break dead_letter(reason, error.to_string());
                    }
                    self.metrics.retried(Stage::Assess);
                    tokio::time::sleep(wait_after(attempt)).await;
                    attempt += 1;
                }
            }
        };
        self.close(Subject::Call(&event.call), kind, provenance, ticket, attempt)
    }

    async fn ask_an_analyst(
        &self,
        event: &Arc<Event>,
        recording: &Arc<Fetched>,
        name: &journal::Name,
        ticket: &Ticket,
    ) -> Result<Judged, WorkError> {
        let (reply, judged) = oneshot::channel();
        let (lease, stopping) = (ticket.lease.clone(), self.stopping.clone());
        let queued_at = Instant::now();
        let turn = self.turns.of(self.journal.standing(name)).await.ok_or(WorkError::NotWanted)?;
        let work = Work {
            name: name.clone(),
            turn,
            event: Arc::clone(event),
            recording: Arc::clone(recording),
            is_wanted: Box::new(move || !lease.is_over() && !stopping.has_begun()),
            span: Span::current(),
            queued_at,
            reply,
        };
        // Without a single analyst the worker ends, and whoever comes next judges the call.
        self.work.send(work).await.map_err(|_| WorkError::NotWanted)?;
        match judged.await {
            Ok(judged) => judged,
            Err(_) if self.work.is_closed() => Err(WorkError::NotWanted),
            Err(_) => Err(WorkError::Unanswered),
        }
    }

    /// A judgement is on record before it is published: from then on no crash may take it back.
    async fn note_judged(&self, name: &journal::Name) {
        while let Err(blocked) = self.journal.judged(name) {
            if self.stopping.has_begun() {
                return;
            }
            warn!(error = &blocked as &dyn Error, "ending not published; it waits");
            tokio::time::sleep(JOURNAL_WAIT).await;
        }
    }

    fn still_wanted(&self, ticket: &Ticket) -> Result<(), Left> {
        let is_over = ticket.lease.is_over() || self.stopping.has_begun();
        if is_over { Err(Left::ToOthers) } else { Ok(()) }
    }

    fn provenance_of(&self, event: &Event, recording: Option<&Fetched>) -> Provenance {
        Provenance {
            event_digest: event.digest.clone(),
            recording_sha256: recording.map_or_else(String::new, |it| it.recording.sha256().to_owned()),
            ..self.provenance.clone()
        }
    }

    fn close(
        &self,
        subject: Subject<'_>,
        kind: ClosedKind,
        provenance: Provenance,
        ticket: &Ticket,
        attempt: u32,
    ) -> Result<Arrived, Left> {
        let ended = match &kind {
            ClosedKind::Excluded(reason) => Ended::Excluded(*reason),
            ClosedKind::DeadLettered { reason, .. } => Ended::DeadLettered(*reason),
        };
        let closed = Closed { subject, kind, provenance: &provenance };
        let messages = Ending::Closed(closed).messages(&delivery(ticket, attempt))?;
        Ok(Arrived { ended, messages, assessed: None })
    }
}

/// The wait after an attempt, counted from 1.
fn wait_after(attempt: u32) -> Duration {
    FIRST_WAIT.saturating_mul(2u32.saturating_pow(attempt.saturating_sub(1))).min(LONGEST_WAIT)
}

fn dead_letter(reason: DeadLetterReason, detail: String) -> ClosedKind {
    ClosedKind::DeadLettered { reason, detail }
}

fn delivery(ticket: &Ticket, attempt: u32) -> Delivery<'_> {
    let position = &ticket.position;
    Delivery {
        topic: &position.partition.topic,
        partition: position.partition.number,
        offset: position.offset,
        headers: &ticket.headers,
        attempt,
    }
}

/// One span a call: every log line between its first and its last bears these fields.
fn span_of(ticket: &Ticket) -> Span {
    let position = &ticket.position;
    let name = match &ticket.event {
        Ok(event) => Some((event.call.tenant.as_str(), event.call.call_id.as_str())),
        Err(undecodable) => {
            undecodable.error.call().map(|name| (name.tenant.as_str(), name.call_id.as_str()))
        }
    };
    info_span!(
        "call",
        tenant = name.map(|(tenant, _)| tenant),
        call_id = name.map(|(_, call_id)| call_id),
        topic = &*position.partition.topic,
        partition = position.partition.number,
        offset = position.offset,
        traceparent = ticket.headers.traceparent.as_deref(),
    )
}

#[cfg(test)]
mod tests;
