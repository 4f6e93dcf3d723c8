//! `callqa assess`: recordings on disk, judged here and now, without Kafka.

mod crew;
mod document;
mod failure;

use std::path::PathBuf;
use std::sync::Arc;

use callqa_domain::Rulebook;
use callqa_models::Models;
use callqa_proto::header::EventHeaders;
use callqa_proto::wire::{FindingRow, ResultRow};
use callqa_proto::{Delivery, Ending, Topic};
use callqa_worker::analyst::{Judged, Settings};
use callqa_worker::app::BUILD;

use crate::models::Choice;
use crate::progress::{Progress, Unwatched};
use crate::recording::{CallFile, Description};
use crate::render::{self, CallLine, Ended};
use crate::results::call_line;
use crate::{CliError, Done, terminal};
use crew::{Bench, Heard, Outcome};

/// Judges recordings, without Kafka
///
/// Prints a table with, for each flag, one line of evidence. With --json: one JSON object a call, its assessment;
/// one recording gives one object, a folder gives JSON Lines in the order of the file names.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A recording (WAV, MP3, FLAC, Ogg Vorbis, Opus), or a folder of them
    path: PathBuf,
    /// Print assessments as JSON: transcript, verdicts with evidence, outcome, flags, score, provenance
    #[arg(long)]
    json: bool,
    /// Rulebook in TOML [default: rulebook.file of --config, or the service baseline, which is built in]
    #[arg(long, value_name = "FILE")]
    rulebook: Option<PathBuf>,
    #[command(flatten)]
    models: Choice,
    /// How many calls are judged at the same time [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    analysts: Option<u16>,
    #[command(flatten)]
    description: Description,
}

impl Args {
    /// Judges the recordings. A call that can't be judged is told on standard error, and the others go on.
    ///
    /// # Errors
    /// What keeps every call from being judged: no recordings, mistakes in CSV, rulebook or configuration, models
    /// that can't be opened.
    pub fn run(&self) -> Result<Done, CliError> {
        let config = self.models.config()?;
        let rulebook = Arc::new(self.models.rulebook(self.rulebook.as_deref())?);
        let calls = self.description.calls(&self.path)?;
        let models = Models::open(&self.models.place(&config))?;
        let analysts = self.analysts.map_or(config.analysts.count, usize::from).min(calls.len());
        let limits = &config.limits;
        let bench = Bench {
            models: &models,
            rulebook: Arc::clone(&rulebook),
            settings: Settings {
                limits: limits.for_audio(),
                config_digest: limits.digest(),
                build: BUILD.to_owned(),
            },
        };
        let mut report = Report { json: self.json, rulebook: &rulebook, lines: Vec::new(), failed: 0 };
        let mut progress = Progress::new(Some(calls.len()), Unwatched::Silence);
        crew::assess(&bench, &calls, analysts, |index, heard| {
            let line = report.line(&calls[index], &heard)?;
            progress.aside(|| report.take(&calls[index], &heard))?;
            progress.ended(&line);
            report.lines.push(line);
            Ok(())
        })?;
        progress.finish();
        if !self.json {
            terminal::print(&render::calls(&report.lines))?;
        }
        Ok(if report.failed == 0 { Done::Well } else { Done::WithFailures })
    }
}

/// What is said of the calls, in the order of the files.
struct Report<'a> {
    json: bool,
    rulebook: &'a Rulebook,
    lines: Vec<CallLine>,
    failed: usize,
}

impl Report<'_> {
    fn take(&mut self, call: &CallFile, heard: &Heard) -> Result<(), CliError> {
        match heard {
            Err(failure) => {
                self.failed += 1;
                terminal::complain(&failure.sentence(&call.path));
                Ok(())
            }
            Ok(outcome) if self.json => terminal::print(&document::json_line(&call.path, outcome)?),
            Ok(_) => Ok(()),
        }
    }

    fn line(&self, call: &CallFile, heard: &Heard) -> Result<CallLine, CliError> {
        let unassessed = |ended| CallLine {
            call: call.call_id().to_owned(),
            duration_ms: None,
            language: None,
            ended,
            flags: Vec::new(),
        };
        match heard {
            // Its sentence stands on standard error already.
            Err(failure) => {
                let reason = failure.reason().name().to_owned();
                Ok(unassessed(Ended::DeadLettered { reason, detail: String::new() }))
            }
            Ok(Outcome { judged: Judged::Excluded(reason), .. }) => {
                Ok(unassessed(Ended::Excluded(reason.name().to_owned())))
            }
            Ok(Outcome { judged: Judged::Assessed(assessment), .. }) => {
                // The same rows that a worker publishes, so that both tables say the same.
                let headers = EventHeaders::default();
                let delivery = Delivery { topic: "", partition: 0, offset: 0, headers: &headers, attempt: 1 };
                let ending = Ending::Assessed { assessment, rulebook: self.rulebook };
                let messages = ending.messages(&delivery).map_err(|source| CliError::Json { source })?;
                let (mut result, mut findings) = (ResultRow::default(), Vec::<FindingRow>::new());
                for message in messages {
                    let unwritable = |source| CliError::Json { source };
                    match message.topic {
                        Topic::Results => {
                            result = serde_json::from_slice(&message.payload).map_err(unwritable)?
                        }
                        Topic::Findings => {
                            findings.push(serde_json::from_slice(&message.payload).map_err(unwritable)?);
                        }
                        Topic::Recorded | Topic::Observations | Topic::ReviewTasks | Topic::DeadLetters => {}
                    }
                }
                Ok(call_line(&result, &findings, None))
            }
        }
    }
}
