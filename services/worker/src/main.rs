//! `callqa-worker`: takes call events from Kafka, inspects the calls, publishes the endings.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use callqa_worker::analysts::log_panics_without_words;
use callqa_worker::app::{AppError, Equipment, Worker};
use callqa_worker::config::{Config, environment};
use callqa_worker::decoding;
use callqa_worker::{stopping, telemetry::init_logs};
use clap::Parser;

/// Exit code for a wrong command line or configuration; 1 is for everything that fails later.
const USAGE: u8 = 2;
/// How long a copy from a disk that does not answer may hold up the end of the process.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// Takes call events from Kafka, inspects the calls, and publishes the endings.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Settings in TOML (deploy/worker.toml documents them); CALLQA_SECTION__KEY in the environment wins
    #[arg(long, env = "CALLQA_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Say what is wrong with the settings, and end
    #[arg(long)]
    check_config: bool,
}

fn main() -> ExitCode {
    if let Some(done) = decoding::run_if_asked() {
        return done;
    }
    let arguments = Arguments::parse();
    let config = match Config::load(arguments.config.as_deref(), environment()) {
        Ok(config) => config,
        Err(error) => return refuse(&error, USAGE),
    };
    if arguments.check_config {
        return ExitCode::SUCCESS;
    }
    if let Err(error) = init_logs(config.log_format) {
        return refuse(&error, 1);
    }
    log_panics_without_words();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&error, 1),
    };
    let outcome = runtime.block_on(run(config));
    runtime.shutdown_timeout(LAST_WAIT);
    outcome.map_or_else(|error| refuse(&error, 1), |()| ExitCode::SUCCESS)
}

async fn run(config: Config) -> Result<(), AppError> {
    let told_to_stop = stopping::told_by_signal().map_err(AppError::Signals)?;
    let equipment = Equipment::open(&config)?;
    Worker::start(config, equipment).await?.run(told_to_stop).await
}

fn refuse(error: &dyn std::error::Error, code: u8) -> ExitCode {
    eprintln!("callqa-worker: {error}");
    ExitCode::from(code)
}
