//! `callqa rules explain`: why each verdict of a call.

mod document;
mod text;

use std::path::PathBuf;

use callqa_domain::{Explanation, Ruling, explain, judge};

use crate::filed::{Files, note_rulebook};
use crate::models::Whereabouts;
use crate::words::Tongue;
use crate::{CliError, Done, dialogue, terminal};

/// Tells why a rulebook says what it says of a call: what matched, what did not, and how near it was
///
/// Reads assessments as `callqa assess --json` prints them, rows of qa.observations.v1 as JSON Lines, alone or in the
/// file that `callqa results --summary FILE --observations` writes, and dialogues as `callqa judge` reads them. Of
/// several revisions of a call the highest counts, of several results of one revision the last. The rulebook given here
/// judges again; that needs neither the recording nor, where the labels are on file, a model.
///
/// For each rule: the verdict with its reason; the sentence that the agent is told; and step by step what was looked at:
/// preconditions, what made the obligation fall due, what was demanded or forbidden. A step shows what was found, with
/// time, words, probability and threshold, and below it what came nearest: a label and by how much its probability is
/// below the threshold, a match outside of its window and by how many turns and seconds, words that were not heard well
/// enough. With --json: one JSON object a call (times in milliseconds, probabilities 0-1).
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Calls on file, in JSON Lines, or in JSON of at most 64 MiB a file; all of them are in memory at once, unless one
    /// is named with --call; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only this call of the files
    #[arg(long, value_name = "ID")]
    call: Option<String>,
    /// Only this rule; may be given several times
    #[arg(long = "rule", value_name = "ID")]
    rules: Vec<String>,
    /// Only rules that are violated or unknown
    #[arg(long)]
    doubtful: bool,
    /// Rulebook in TOML [default: rulebook.file of --config, or the service baseline, which is built in]
    #[arg(long, value_name = "FILE")]
    rulebook: Option<PathBuf>,
    /// Language of what is told [default: the call's]
    #[arg(long, value_enum)]
    lang: Option<Tongue>,
    /// Print JSON Lines instead
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    models: Whereabouts,
}

impl Args {
    /// Explains every call, or the one that is named.
    ///
    /// # Errors
    /// Mistakes in the rulebook, a rule or call that is not there, models that can't be opened, output that can't be
    /// written.
    pub fn run(&self) -> Result<Done, CliError> {
        let rulebook = self.models.rulebook(self.rulebook.as_deref())?;
        if let Some(missing) = self.rules.iter().find(|id| rulebook.rule(id).is_none()) {
            return Err(CliError::NoRule { rule: missing.clone(), rulebook: rulebook.id().to_owned() });
        }
        let mut files = Files::of(&self.models);
        let calls = files.wanted(&self.files, self.call.as_deref())?;
        note_rulebook(&calls, &rulebook);
        for filed in &calls {
            let judgement = judge(&filed.call, &filed.observations, &rulebook);
            let mut explained = explain(&filed.call, &filed.observations, &rulebook);
            explained.retain(|explanation| self.is_wanted(explanation));
            let tongue = self.lang.unwrap_or_else(|| Tongue::of(filed.observations.language()));
            if self.json {
                let document = document::of(filed, &judgement, &rulebook, &explained, tongue);
                terminal::print(&dialogue::json_line(&document)?)?;
            } else {
                terminal::print(&text::of(filed, &judgement, &rulebook, &explained, tongue))?;
            }
        }
        Ok(if files.unread == 0 { Done::Well } else { Done::WithFailures })
    }

    fn is_wanted(&self, Explanation { rule, verdict, .. }: &Explanation<'_>) -> bool {
        let named = self.rules.is_empty() || self.rules.contains(&rule.id);
        named && (!self.doubtful || matches!(verdict.ruling, Ruling::Violated | Ruling::Unknown))
    }
}

#[cfg(test)]
mod tests;
