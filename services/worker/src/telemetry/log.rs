//! How log lines look.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::LogFormat;

/// What is logged where `RUST_LOG` does not say: our own events, and the warnings of others.
const DEFAULT_FILTER: &str = "warn,callqa=info,callqa_worker=info,callqa_models=info,callqa_audio=info";

/// Sends events to stderr; `RUST_LOG` chooses which.
///
/// # Errors
/// Where logs are set up already.
pub fn init_logs(format: LogFormat) -> Result<(), TryInitError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).finish().try_init(),
        LogFormat::Text => lines.finish().try_init(),
    }
}
