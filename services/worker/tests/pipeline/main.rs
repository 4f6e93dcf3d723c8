//! The whole worker in one process: a mock cluster, scripted models, everything between them real.
#![allow(missing_docs, clippy::expect_used, clippy::panic)]

mod analysts;
mod calls;
mod cluster;
mod endings;
mod faults;
mod stopping;
mod store;

use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use callqa_worker::app::{AppError, Equipment, Worker};
use callqa_worker::config::Config;
use callqa_worker::health::Health;
use callqa_worker::telemetry::Metrics;
use tokio::sync::oneshot;

/// A worker on a thread of its own.
pub struct Running {
    pub metrics: Arc<Metrics>,
    pub health: Arc<Health>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<(), AppError>>,
}

impl Running {
    pub fn start(config: Config) -> Self {
        Self::start_with(config, calls::equipment())
    }

    pub fn start_with(config: Config, equipment: Equipment) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let (started, parts) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async {
                let worker = Worker::start(config, equipment).await?;
                started.send((Arc::clone(worker.metrics()), Arc::clone(worker.health()))).expect("awaited");
                worker.run(async { drop(stopped.await) }).await
            })
        });
        let (metrics, health) = parts.recv().expect("the worker starts");
        Self { metrics, health, stop, thread }
    }

    /// The value of a metric; 0 where it has none yet.
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.metrics.text().expect("metrics");
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().expect("a number"))
    }

    /// Waits until it ends by itself; why.
    pub fn failed(self) -> AppError {
        cluster::wait_until("it ends", || self.thread.is_finished());
        let error = self.thread.join().expect("no panic").expect_err("it can't go on");
        // Until here: a sender that is gone is a stop too.
        drop(self.stop);
        error
    }

    pub fn stop(self) {
        self.stop.send(()).expect("running");
        self.thread.join().expect("no panic").expect("a clean end");
    }
}
