//! Puts the worker together, runs it, and takes it apart in order.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc as std_mpsc};
use std::time::Duration;

use callqa_domain::{ModelId, Provenance, Rulebook, RulebookErrors};
use callqa_models::{Kit, ModelError, Models, ModelsConfig};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{error, info, warn};

use crate::analyst::{Analyst, Settings};
use crate::analysts::{Analysts, AnalystsError};
use crate::broker::{BrokerError, check_topics};
use crate::config::Config;
use crate::fetching::{Fetching, STANDING_ASIDE};
use crate::health::Health;
use crate::intake::{Channels, Intake, IntakeError, Shared, TICKETS_PER_ANALYST};
use crate::journal::{Journal, JournalOpenError};
use crate::journey::Road;
use crate::publish::{PublishError, Publisher};
use crate::stopping::Stopping;
use crate::store::{Store, StoreOpenError};
use crate::task::TaskLost;
use crate::telemetry::{Metrics, ServeError, serve};
use crate::ticket::Ticket;
use crate::turns::Turns;

/// How often it is looked whether an analyst is stuck.
const WATCH_EVERY: Duration = Duration::from_secs(10);

/// Why the worker does not start, or does not go on.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The rulebook can't be read.
    #[error("rulebook.file: {}: {source}", path.display())]
    RulebookUnreadable {
        /// Where it should be.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The rulebook has mistakes.
    #[error("rulebook.file: {}: {source}", path.display())]
    Rulebook {
        /// Where it is.
        path: PathBuf,
        /// All of them.
        source: RulebookErrors,
    },
    /// Models that are missing or wrong.
    #[error(transparent)]
    Models(#[from] ModelError),
    /// No analysts.
    #[error(transparent)]
    Analysts(#[from] AnalystsError),
    /// The broker is away, or lacks topics.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// A folder is missing.
    #[error(transparent)]
    Store(#[from] StoreOpenError),
    /// The journal's folder is missing, or in use.
    #[error(transparent)]
    Journal(#[from] JournalOpenError),
    /// No consumer, or one that failed for good.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// No producer.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The pages can't be served.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// Metrics that exclude each other.
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The system gives no thread.
    #[error("no thread for polling: {0}")]
    Thread(std::io::Error),
    /// SIGTERM and SIGINT can't be listened for.
    #[error("signals can't be received: {0}")]
    Signals(std::io::Error),
    /// A mistake in this program.
    #[error("the worker failed in a way that it should not have: {0}")]
    Bug(#[from] TaskLost),
    /// Nobody is left to judge.
    #[error("no analyst is left: each ended in a way that it should not have; the log says where")]
    AnalystsGone,
    /// The poll thread ended without a word.
    #[error("the poll thread failed in a way that it should not have")]
    IntakeGone,
}

/// Makes one analyst's models.
pub type KitMaker = Box<dyn Fn() -> Result<Kit, ModelError> + Send + Sync>;

/// What analysts work with.
pub struct Equipment {
    /// Makes models for one more analyst.
    pub kits: KitMaker,
    /// Which files these are.
    pub models: Arc<[ModelId]>,
    /// What calls are judged by.
    pub rulebook: Arc<Rulebook>,
}

impl Equipment {
    /// Opens and verifies the models and the rulebook that the configuration names.
    ///
    /// # Errors
    /// What is missing, or is not what it should be.
    pub fn open(config: &Config) -> Result<Self, AppError> {
        let rulebook = rulebook(&config.rulebook)?;
        let models = Models::open(&ModelsConfig {
            manifest: config.models.manifest.clone(),
            dir: config.models.dir.clone(),
            heads: config.models.heads.clone(),
            whisper: config.models.whisper.clone(),
            device: config.models.device,
        })?;
        let ids = models.ids().into();
        Ok(Self { kits: Box::new(move || models.kit()), models: ids, rulebook: Arc::new(rulebook) })
    }
}

/// Reads the rulebook that `rulebook.file` names.
///
/// # Errors
/// A file that can't be read, or all mistakes of the rulebook.
pub fn rulebook(path: &Path) -> Result<Rulebook, AppError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| AppError::RulebookUnreadable { path: path.to_owned(), source })?;
    Rulebook::parse(&text).map_err(|source| AppError::Rulebook { path: path.to_owned(), source })
}

/// A worker that is running.
pub struct Worker {
    http: SocketAddr,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    road: Arc<Road>,
    analysts: Analysts,
    tickets: mpsc::Receiver<Ticket>,
    stopping: Stopping,
    intake_ended: oneshot::Receiver<Result<(), IntakeError>>,
    drain_timeout: Duration,
}

impl Worker {
    /// Starts everything; the first call may already be on its way when this returns.
    ///
    /// # Errors
    /// The first thing that is not as it should be.
    pub async fn start(config: Config, equipment: Equipment) -> Result<Self, AppError> {
        let metrics = Arc::new(Metrics::new()?);
        let health = Arc::new(Health::default());
        let http = serve(config.http_listen, Arc::clone(&metrics), Arc::clone(&health)).await?;
        let crashes = u32::try_from(config.analysts.crashes).unwrap_or(u32::MAX);
        let journal = Arc::new(Journal::open(config.journal.as_deref(), crashes, Arc::clone(&metrics))?);
        let kafka = config.kafka.clone();
        tokio::task::spawn_blocking(move || check_topics(&kafka)).await.map_err(TaskLost::from)??;
        let store = Store::open(&config.store, config.limits.recording_bytes, Arc::clone(&metrics))?;
        let publisher = Publisher::new(&config.kafka, Arc::clone(&metrics), Arc::clone(&health))?;

        let seats = config.analysts.count * TICKETS_PER_ANALYST;
        let (rulebook, provenance) = (Arc::clone(&equipment.rulebook), provenance(&config, &equipment));
        let maker = analyst_maker(&config, equipment);
        let (count, deadline) = (config.analysts.count, config.analysts.deadline);
        let analysts = Analysts::start(count, seats, deadline, &maker, &journal, &metrics)?;

        let stopping = Stopping::default();
        let (ticket_sender, tickets) = mpsc::channel(seats);
        // All seats' calls may settle, as many new ones, and those that stood aside, between two looks of the
        // poll thread.
        let (settled, settled_here) = std_mpsc::sync_channel(2 * seats + STANDING_ASIDE);
        let free_seats = Arc::new(Semaphore::new(seats));
        let channels = Channels {
            tickets: ticket_sender,
            settled: settled_here,
            seats: Arc::clone(&free_seats),
            stopping: stopping.clone(),
        };
        let shared = Shared {
            journal: Arc::clone(&journal),
            metrics: Arc::clone(&metrics),
            health: Arc::clone(&health),
        };
        let intake = Intake::join(&config.kafka, channels, shared)?;
        let (ended, intake_ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("poll".to_owned());
        thread.spawn(move || ended.send(intake.run())).map_err(AppError::Thread)?;

        let attempts = u32::try_from(config.analysts.attempts).unwrap_or(u32::MAX);
        let road = Road {
            fetching: Fetching::new(store, config.recording_grace, free_seats, Arc::clone(&metrics)),
            work: analysts.queue(),
            turns: Turns::new(count),
            journal,
            publisher,
            rulebook,
            provenance,
            attempts,
            settled,
            stopping: stopping.clone(),
            metrics: Arc::clone(&metrics),
        };
        info!(%http, analysts = count, group = config.kafka.group, "worker started");
        let (road, drain_timeout) = (Arc::new(road), config.drain_timeout);
        Ok(Self { http, health, metrics, road, analysts, tickets, stopping, intake_ended, drain_timeout })
    }

    /// Where `/metrics`, `/live` and `/ready` are served.
    #[must_use]
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// What is counted.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// What `/live` and `/ready` tell.
    #[must_use]
    pub fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// Works until `stop` comes, or until it can't go on; then finishes the calls in hand for as long as
    /// the drain timeout allows, commits, and leaves the group.
    ///
    /// # Errors
    /// Why it could not go on.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), AppError> {
        let mut journeys = JoinSet::new();
        let outcome = self.work_until(stop, &mut journeys).await;
        self.stopping.begin();
        self.health.stopping();
        info!(calls = journeys.len(), "stopping: no more calls are taken");
        let drained = timeout(self.drain_timeout, finish(&mut journeys)).await;
        if drained.is_err() {
            warn!(calls = journeys.len(), "drain timeout: these calls begin anew elsewhere");
            self.road.journal.drained();
        }
        journeys.shutdown().await;

        self.road.publisher.close();
        // The last sender of settled calls: without it the poll thread commits and leaves.
        drop(self.road);
        drop(self.tickets);
        let outcome = match outcome {
            Err(AppError::Intake(_) | AppError::IntakeGone) => outcome,
            _ => outcome.and(self.intake_ended.await.unwrap_or(Ok(())).map_err(AppError::from)),
        };
        if tokio::task::spawn_blocking(|| self.analysts.stop()).await.is_err() {
            error!("analysts could not be stopped");
        }
        info!("stopped");
        outcome
    }

    async fn work_until(
        &mut self,
        stop: impl Future<Output = ()>,
        journeys: &mut JoinSet<()>,
    ) -> Result<(), AppError> {
        tokio::pin!(stop);
        let mut watch = interval(WATCH_EVERY);
        watch.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut stop => return Ok(()),
                ended = &mut self.intake_ended => {
                    return Err(match ended {
                        Ok(Err(error)) => error.into(),
                        Ok(Ok(())) | Err(_) => AppError::IntakeGone,
                    });
                }
                Some(ticket) = self.tickets.recv() => {
                    journeys.spawn(Arc::clone(&self.road).travel(ticket));
                }
                // A call that is lost here would hold back all later ones for ever.
                Some(bug) = next_lost(journeys) => return Err(bug.into()),
                () = self.analysts.gone() => return Err(AppError::AnalystsGone),
                _ = watch.tick() => self.health.analyst_stuck(self.analysts.is_stuck()),
            }
        }
    }
}

async fn finish(journeys: &mut JoinSet<()>) {
    while let Some(bug) = next_lost(journeys).await {
        error!(error = &bug as &dyn std::error::Error, "a call failed in a way that it should not have");
    }
}

/// Lets go of every journey that ends as it should, until one does not; `None` once there is none on its way.
async fn next_lost(journeys: &mut JoinSet<()>) -> Option<TaskLost> {
    while let Some(finished) = journeys.join_next().await {
        if let Err(bug) = finished {
            return Some(bug.into());
        }
    }
    None
}

/// Version of this program, as results tell it.
pub const BUILD: &str = env!("CARGO_PKG_VERSION");

fn analyst_maker(config: &Config, equipment: Equipment) -> crate::analysts::AnalystMaker {
    let settings = Settings {
        limits: config.limits.for_audio(),
        config_digest: config.limits.digest(),
        build: BUILD.to_owned(),
    };
    let decoding = config.decoding.for_analysts();
    Arc::new(move || {
        let (models, rulebook) = (Arc::clone(&equipment.models), Arc::clone(&equipment.rulebook));
        Ok(Analyst::new((equipment.kits)()?, models, rulebook, settings.clone()).decoding(decoding.clone()))
    })
}

fn provenance(config: &Config, equipment: &Equipment) -> Provenance {
    let rulebook = &equipment.rulebook;
    Provenance {
        event_digest: String::new(),
        recording_sha256: String::new(),
        models: equipment.models.to_vec(),
        rulebook: rulebook.id().to_owned(),
        rulebook_version: rulebook.version().to_owned(),
        rulebook_digest: rulebook.digest().to_owned(),
        config_digest: config.limits.digest(),
        build: BUILD.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn fails() {
        panic!("while hearing 6222021234567890123");
    }

    #[tokio::test]
    async fn a_lost_journey_is_noticed_behind_finished_ones() {
        let mut journeys = JoinSet::new();
        for _ in 0..3 {
            journeys.spawn(async {});
        }
        journeys.spawn(fails());
        let bug = next_lost(&mut journeys).await.expect("lost");
        assert_eq!(
            AppError::from(bug).to_string(),
            "the worker failed in a way that it should not have: a task panicked; its place is in the log"
        );
        assert_eq!(next_lost(&mut journeys).await, None);
        assert!(journeys.is_empty());
    }
}
