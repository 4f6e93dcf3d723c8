//! The threads on which analysts work: one call each at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use callqa_domain::DeadLetterReason;
use callqa_models::{ModelError, StopSignal};
use callqa_proto::Event;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tracing::{Span, error, info};

use crate::analyst::{Analyst, AssessError, Judged, Submission, recording_reason};
use crate::disposition::Disposition;
use crate::journal::{self, Journal, JournalBlocked};
use crate::store::Fetched;
use crate::telemetry::{Metrics, Stage};

/// An analyst that goes on for so long after its deadline does not hear the stop signal.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// Makes an analyst with models of its own.
pub type AnalystMaker = Arc<dyn Fn() -> Result<Analyst, ModelError> + Send + Sync>;

/// A call for an analyst.
pub struct Work {
    /// How the journal names it.
    pub name: journal::Name,
    /// Its share of the analysts: one of them, or all where it is a suspect and must be alone.
    pub turn: OwnedSemaphorePermit,
    /// What the event says.
    pub event: Arc<Event>,
    /// The recording, with its share of the byte budget.
    pub recording: Arc<Fetched>,
    /// Whether the work is still wanted when its turn comes.
    pub is_wanted: Box<dyn Fn() -> bool + Send>,
    /// Where the log lines belong.
    pub span: Span,
    /// When it was queued.
    pub queued_at: Instant,
    /// Where the judgement goes.
    pub reply: oneshot::Sender<Result<Judged, WorkError>>,
}

/// Why a call was not judged.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The analyst says why.
    #[error(transparent)]
    Assess(#[from] AssessError),
    /// The program failed on this call.
    #[error("the analyst failed on this call in a way that it should not have")]
    Panicked,
    /// The analyst's thread ended, and this call with it.
    #[error("the analyst was lost with this call in hand")]
    Unanswered,
    /// The call is no longer ours, or the worker is stopping.
    #[error("the call is left to another worker")]
    NotWanted,
    /// It can't be noted that the call is begun, so it was not.
    #[error(transparent)]
    Blocked(#[from] JournalBlocked),
}

impl WorkError {
    /// What becomes of the call.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Assess(error) => error.disposition(),
            // It may have been the memory.
            Self::Panicked | Self::Unanswered | Self::NotWanted | Self::Blocked(_) => Disposition::Retry,
        }
    }

    /// The published reason.
    #[must_use]
    pub fn reason(&self) -> DeadLetterReason {
        match self {
            Self::Assess(AssessError::Audio(error)) => recording_reason(error),
            Self::Assess(AssessError::Refused { reason, .. }) => *reason,
            Self::Assess(AssessError::Decoder(fault)) => fault.reason(),
            Self::Assess(AssessError::WrongChannelLayout { .. }) => DeadLetterReason::WrongChannelLayout,
            Self::Assess(AssessError::Model(_)) => DeadLetterReason::ModelFailed,
            Self::Assess(AssessError::Stopped) => DeadLetterReason::DeadlineExceeded,
            Self::Panicked | Self::Unanswered | Self::NotWanted | Self::Blocked(_) => {
                DeadLetterReason::Internal
            }
        }
    }
}

/// What an analyst has in hand: how to stop it, and until when it should be done.
type InHand = Arc<Mutex<Option<(StopSignal, Instant)>>>;

/// The analysts of a worker.
pub struct Analysts {
    work: mpsc::Sender<Work>,
    threads: Vec<JoinHandle<()>>,
    in_hand: Vec<InHand>,
}

impl Analysts {
    /// Makes `count` analysts and puts each on a thread of its own; `queue` calls may wait for them.
    ///
    /// # Errors
    /// Models that can't be opened, or no thread.
    pub fn start(
        count: usize,
        queue: usize,
        deadline: Duration,
        maker: &AnalystMaker,
        journal: &Arc<Journal>,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, AnalystsError> {
        let (work, calls) = mpsc::channel(queue);
        let calls = Arc::new(Mutex::new(calls));
        let mut analysts = Self { work, threads: Vec::new(), in_hand: Vec::new() };
        for number in 0..count {
            let in_hand = InHand::default();
            let desk = Desk {
                analyst: Some(maker().map_err(AnalystsError::Models)?),
                maker: Arc::clone(maker),
                calls: Arc::clone(&calls),
                in_hand: Arc::clone(&in_hand),
                deadline,
                journal: Arc::clone(journal),
                metrics: Arc::clone(metrics),
            };
            let thread = std::thread::Builder::new().name(format!("analyst-{number}"));
            analysts.threads.push(thread.spawn(move || desk.run()).map_err(AnalystsError::Thread)?);
            analysts.in_hand.push(in_hand);
        }
        Ok(analysts)
    }

    /// Where work goes; a clone keeps the analysts waiting for more.
    #[must_use]
    pub fn queue(&self) -> mpsc::Sender<Work> {
        self.work.clone()
    }

    /// Waits until no analyst is left: each has ended with a panic that it could not survive.
    pub async fn gone(&self) {
        self.work.closed().await;
    }

    /// An analyst does not hear its stop signal any more.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        let late = Instant::now();
        self.in_hand.iter().any(|in_hand| {
            let in_hand = in_hand.lock().unwrap_or_else(PoisonError::into_inner);
            in_hand.as_ref().is_some_and(|(_, deadline)| late > *deadline + STUCK_AFTER)
        })
    }

    /// Stops whoever still works, and waits for all: within a second or so, as models look at their
    /// stop signal. Other holders of [`Self::queue`] must be gone.
    pub fn stop(self) {
        drop(self.work);
        for in_hand in &self.in_hand {
            if let Some((stop, _)) = &*in_hand.lock().unwrap_or_else(PoisonError::into_inner) {
                stop.stop();
            }
        }
        for thread in self.threads {
            if thread.join().is_err() {
                error!("an analyst's thread had ended before");
            }
        }
    }
}

/// Why there are no analysts.
#[derive(Debug, thiserror::Error)]
pub enum AnalystsError {
    /// Models that can't be opened.
    #[error(transparent)]
    Models(ModelError),
    /// The system gives no thread.
    #[error("no thread for an analyst: {0}")]
    Thread(#[source] std::io::Error),
}

/// One analyst's place.
struct Desk {
    analyst: Option<Analyst>,
    maker: AnalystMaker,
    calls: Arc<Mutex<mpsc::Receiver<Work>>>,
    in_hand: InHand,
    deadline: Duration,
    journal: Arc<Journal>,
    metrics: Arc<Metrics>,
}

impl Desk {
    fn run(mut self) {
        loop {
            // Whoever is free waits here with the lock, the others for the lock: each call goes to one.
            let next = self.calls.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
            let Some(work) = next else { return };
            let _span = work.span.clone().entered();
            self.metrics.spent(Stage::Queue, work.queued_at.elapsed());
            let judged =
                if (work.is_wanted)() { self.judge_on_record(&work) } else { Err(WorkError::NotWanted) };
            drop(work.turn);
            // Nobody waits for the judgement where a drain ran out of time.
            let _ = work.reply.send(judged);
        }
    }

    /// Whatever ends the process from here on, the next one knows which call was in hand.
    fn judge_on_record(&mut self, work: &Work) -> Result<Judged, WorkError> {
        self.journal.begin(&work.name)?;
        // Models that panic are caught where they do; this is for whoever makes them, and for us.
        let judged = catch_unwind(AssertUnwindSafe(|| self.judge(work)));
        self.journal.left(&work.name);
        judged.unwrap_or_else(|_| {
            self.metrics.panicked();
            Err(WorkError::Panicked)
        })
    }

    fn judge(&mut self, work: &Work) -> Result<Judged, WorkError> {
        let mut analyst = match self.analyst.take() {
            Some(analyst) => analyst,
            None => {
                info!("an analyst is made anew");
                (self.maker)().map_err(AssessError::from)?
            }
        };
        let started = Instant::now();
        let stop = StopSignal::at(started + self.deadline);
        self.hold(Some((stop.clone(), started + self.deadline)));
        let submission = Submission {
            call: &work.event.call,
            event_digest: &work.event.digest,
            recording: &work.recording.recording,
            content_type: work.event.recording.content_type.as_deref(),
        };
        let judged = catch_unwind(AssertUnwindSafe(|| analyst.assess(&submission, &stop)));
        self.hold(None);
        self.metrics.spent(Stage::Assess, started.elapsed());
        match judged {
            Ok(judged) => {
                self.analyst = Some(analyst);
                Ok(judged?)
            }
            Err(_) => {
                // Whatever state its models were left in, nobody will hear of it: the next call gets new ones.
                self.metrics.panicked();
                drop(catch_unwind(AssertUnwindSafe(|| drop(analyst))));
                Err(WorkError::Panicked)
            }
        }
    }

    fn hold(&self, call: Option<(StopSignal, Instant)>) {
        *self.in_hand.lock().unwrap_or_else(PoisonError::into_inner) = call;
    }
}

/// Logs where a thread panicked, and nothing of its message: it may quote what a customer said.
pub fn log_panics_without_words() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
        error!(place, thread, "panic");
    }));
}
