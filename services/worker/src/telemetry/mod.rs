//! Logs, metrics, and the pages that an orchestrator asks for.

mod log;
mod metrics;
mod server;

pub use log::{init_logs, lines};
pub use metrics::{Cause, Ended, Metrics, PublishFailure, Stage};
pub use server::{ServeError, serve};
