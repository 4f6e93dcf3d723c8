//! `callqa judge`: the rulebook over written dialogues, without recordings.

pub mod document;
pub mod opened;
pub mod reading;
mod report;
pub mod transcript;
mod unread;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use callqa_domain::Rulebook;
use serde_json::Value;

use crate::models::Whereabouts;
use crate::{CliError, Done, dialogue, lines, terminal};
use opened::Opened;
use transcript::Dialogue;

/// Judges written dialogues, without recordings
///
/// Reads JSON Lines, one dialogue a line, or a file with one JSON object or an array of them: {"id", "lang": "zh" or
/// "en", "channels": 1 or 2, "ended_by": "agent", "customer", "line" or "unknown", "turns": [{"speaker": "agent" or
/// "customer", "text", "start_ms", "end_ms", "confidence", "labels"}]}. Needed are id, turns, and of each turn speaker
/// and text. Defaults: the language that most is written in; 2 channels (1 is a mono recording, whose roles nobody
/// knows); ended_by unknown; confidence 1 (0-1, how well it was heard). Times are milliseconds from the start of the
/// call, and turns may overlap; without start_ms a turn begins 200 ms after the one before it, without end_ms it
/// lasts 250 ms a Han character and 350 ms a word. labels ({"politeness": label or null, "resolution": [labels],
/// "script": [labels]}) take the place of the classifiers; only the outcome is estimated then. Also read, for rules and
/// for a rulebook's scope and validity: "tenant" (default "local"), "queue", "direction", "labels" of the call ({name:
/// string}), "auto_announced", "started_at", "answered_at" (RFC 3339, with an offset). A field that is not read is named
/// once a file on standard error.
///
/// Writes JSON Lines in the same order: {"id", "outcome", "outcome_probability" (0-1),
/// "outcome_probabilities" ({"resolved", "partially_resolved", "unresolved"}, calibrated), "rules", "reasons",
/// "flagged", "flag" ({"priority" (0-100), "reasons"} or null), "score" (0-100), "provisional", "rulebook" ({"id",
/// "version", "digest"}), "turns" (the redacted texts), "muted" (what has to be silenced before anybody may hear the
/// recording), "evidence"}. In a piece of evidence, utterance is the index of its turn, from 0.
///
/// A dialogue that can't be read gives {"id", "error"} in its place and a sentence on standard error; the rest goes
/// on, and the exit code is 1.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dialogues in JSON, UTF-8, at most 64 MiB a file; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Rulebook in TOML [default: rulebook.file of --config, or the service baseline, which is built in]
    #[arg(long, value_name = "FILE")]
    rulebook: Option<PathBuf>,
    #[command(flatten)]
    models: Whereabouts,
}

impl Args {
    /// Judges every dialogue. The outcome model is opened for the first of them, the classifiers for the first turn
    /// that has no labels.
    ///
    /// # Errors
    /// Mistakes in the rulebook; models that can't be opened or that fail; output that can't be written.
    pub fn run(&self) -> Result<Done, CliError> {
        let rulebook = self.models.rulebook(self.rulebook.as_deref())?;
        let mut bench = Bench { rulebook: &rulebook, opened: Opened::of(&self.models), done: Done::Well };
        for path in &self.files {
            bench.judge_file(path)?;
        }
        Ok(bench.done)
    }
}

struct Bench<'a> {
    rulebook: &'a Rulebook,
    opened: Opened<'a>,
    done: Done,
}

impl Bench<'_> {
    fn judge_file(&mut self, path: &Path) -> Result<(), CliError> {
        let bytes = match document::read(path) {
            Ok(bytes) => bytes,
            // The other files are judged all the same.
            Err(error) => {
                self.complain(&error.to_string());
                return Ok(());
            }
        };
        let mut noted = BTreeSet::new();
        for document in document::all(&bytes) {
            let (id, dialogue) = match &document.value {
                Ok(value) => (dialogue::id_of(value), Dialogue::read(value)),
                Err(refusal) => (Value::Null, Err(refusal.clone())),
            };
            for note in document.value.iter().flat_map(unread::fields) {
                if noted.insert(note.clone()) {
                    terminal::note(&format!("callqa: {}: {note}", document.at.of(&lines::name(path), &id)));
                }
            }
            let line = match dialogue {
                Ok(dialogue) => self.judge(&dialogue)?,
                Err(refusal) => {
                    self.complain(&format!("{}: {refusal}", document.at.of(&lines::name(path), &id)));
                    dialogue::refused(&id, &refusal)?
                }
            };
            terminal::print(&line)?;
        }
        Ok(())
    }

    fn judge(&mut self, dialogue: &Dialogue) -> Result<String, CliError> {
        let reading = self.opened.read(dialogue)?;
        let judgement = callqa_domain::judge(&dialogue.call, &reading.observations, self.rulebook);
        report::line(&dialogue.id, judgement, &reading, self.rulebook)
    }

    fn complain(&mut self, message: &str) {
        terminal::complain(message);
        self.done = Done::WithFailures;
    }
}

#[cfg(test)]
mod tests;
