//! `callqa-worker` with models that follow a script: everything else is the real program. The chaos tests kill it
//! by the hundred, which whisper would make a matter of days. An example, so that no release has it.
//!
//! A call made of a tone is heard as one of these lines; `tests/src/calls.rs` makes such calls.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use callqa_domain::{Label, Rulebook};
use callqa_models::scripted::{self, Keywords, Line, Script};
use callqa_worker::analysts::log_panics_without_words;
use callqa_worker::app::{Equipment, Worker};
use callqa_worker::config::{Config, environment};
use callqa_worker::{decoding, stopping, telemetry::init_logs};

/// An ordinary call, so that there is a load of them.
const A_WHILE: Duration = Duration::from_millis(250);
/// Several times `kafka.max_poll_interval` in the test that needs it.
const LONG: Duration = Duration::from_secs(60);

fn script() -> Script {
    let words = || "您好 我的卡号是 6222021234567890123".to_owned();
    Script::default()
        .and(Line::Says(words()))
        .and(Line::Takes(A_WHILE, words()))
        .and(Line::Takes(LONG, words()))
        .and(Line::Aborts)
        .and(Line::Panics)
        .and(Line::Hangs)
}

fn main() -> ExitCode {
    if let Some(done) = decoding::run_if_asked() {
        return done;
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scripted_worker: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::var_os("CALLQA_CONFIG").map(PathBuf::from);
    let config = Config::load(file.as_deref(), environment())?;
    init_logs(config.log_format)?;
    log_panics_without_words();
    let script = Arc::new(script());
    let equipment = Equipment {
        rulebook: Arc::new(Rulebook::parse(&std::fs::read_to_string(&config.rulebook)?)?),
        kits: Box::new(move || Ok(scripted::kit(&script, Keywords::of(&[("您好", Label::Greeting)])))),
        models: scripted::ids().into(),
    };
    tokio::runtime::Runtime::new()?.block_on(async {
        let told_to_stop = stopping::told_by_signal()?;
        Ok(Worker::start(config, equipment).await?.run(told_to_stop).await?)
    })
}
