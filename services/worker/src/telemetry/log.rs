//! How log lines look, and what never becomes one.

use std::io::IsTerminal;

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;
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
    lines(format, filter, std::io::stderr, std::io::stderr().is_terminal()).try_init()
}

/// Writes the events that a filter lets through, one a line.
pub fn lines<W>(
    format: LogFormat,
    filter: EnvFilter,
    writer: W,
    colours: bool,
) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(colours);
    let layer = match format {
        LogFormat::Json => layer.json().flatten_event(true).with_span_list(false).boxed(),
        LogFormat::Text => layer.boxed(),
    };
    Registry::default().with(layer.with_filter(filter.and(filter_fn(may_be_logged))))
}

/// Whatever `RUST_LOG` asks for: below `info`, other people's code writes out addresses, headers and payloads,
/// which may hold signatures and what customers said.
fn may_be_logged(event: &Metadata<'_>) -> bool {
    event.target().starts_with("callqa") || *event.level() <= Level::INFO
}
