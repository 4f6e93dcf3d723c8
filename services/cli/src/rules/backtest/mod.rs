//! `callqa rules backtest`: what a new rulebook would have said of calls that were inspected already.

mod change;
mod report;
mod stored;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use callqa_domain::Rulebook;
use callqa_proto::reassemble;

use crate::lines::{self, Lines};
use crate::{CliError, Done, dialogue, rules, terminal};
use change::Change;
pub use stored::{ONLY_OTHER_TOPICS, Place, RowRefusal, Shelf, row_of, unwrapped};

/// Judges stored calls by two rulebooks and tells what differs
///
/// Reads rows of the topic qa.observations.v1 as JSON Lines, as they were published: the parts of a call may stand
/// anywhere in the files, rows may come more than once, and of several revisions of a call the highest counts, of
/// several results of one revision the last. The file that `callqa results --summary FILE --observations` writes is read
/// too; its rows of other topics are passed over. No recording is heard again and no model is opened, so that changed
/// labels or thresholds of a model do not show.
///
/// Prints by rule how many verdicts changed and from what to what, calls that would newly be flagged or no longer, and
/// the mean score (0-100; a provisional 0 counts as 0) before and after: of all calls, by agent (the first of the
/// call), and by team (the event's label `team`, or else its queue). With --json: one JSON object a call of which a
/// verdict, the score or the flag changed, with the span (milliseconds) to listen to.
///
/// A row that can't be read is told with file and line, never with its text; the rest goes on, and the exit code is 1.
/// Differences are no failure.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Rulebook in TOML that was in force
    #[arg(long, value_name = "OLD")]
    from: PathBuf,
    /// Rulebook in TOML that shall be
    #[arg(long, value_name = "NEW")]
    to: PathBuf,
    /// Print changed calls as JSON Lines instead of tables
    #[arg(long)]
    json: bool,
    /// Rows of observations in JSON Lines; - is standard input
    #[arg(required = true, value_name = "OBSERVATIONS")]
    files: Vec<PathBuf>,
}

impl Args {
    /// Judges every stored call twice.
    ///
    /// # Errors
    /// Mistakes in a rulebook; output that can't be written.
    pub fn run(&self) -> Result<Done, CliError> {
        let (from, to) = (rules::read(Some(&self.from))?, rules::read(Some(&self.to))?);
        let mut backtest = Backtest::between(&from, &to);
        for path in &self.files {
            backtest.read_file(path);
        }
        backtest.tell_incomplete();
        if self.json {
            for change in backtest.changes().filter(|change| change.is_one()) {
                terminal::print(&dialogue::json_line(change)?)?;
            }
        } else {
            terminal::print(&report::text(&backtest))?;
        }
        Ok(if backtest.unread == 0 { Done::Well } else { Done::WithFailures })
    }
}

/// Calls that were judged by both rulebooks.
struct Backtest<'a> {
    from: &'a Rulebook,
    to: &'a Rulebook,
    shelf: Shelf,
    /// By tenant and call id.
    calls: BTreeMap<(String, String), Change<'a>>,
    /// Results that another result of the same call takes the place of.
    superseded: usize,
    /// Rows and calls that could not be read.
    unread: usize,
    /// Rows of a summary that are no observations.
    passed_over: usize,
}

impl<'a> Backtest<'a> {
    fn between(from: &'a Rulebook, to: &'a Rulebook) -> Self {
        Self {
            from,
            to,
            shelf: Shelf::default(),
            calls: BTreeMap::new(),
            superseded: 0,
            unread: 0,
            passed_over: 0,
        }
    }

    /// The calls, in the order of tenant and call id.
    fn changes(&self) -> impl Iterator<Item = &Change<'a>> {
        self.calls.values()
    }

    fn read_file(&mut self, path: &Path) {
        let file = lines::name(path);
        let source = match lines::open(path) {
            Ok(source) => source,
            Err(source) => return self.complain(&CliError::unreadable(Path::new(&file), source).to_string()),
        };
        for line in Lines::of(source) {
            let line = match line {
                Ok(line) => line,
                Err(source) => {
                    return self.complain(&CliError::unreadable(Path::new(&file), source).to_string());
                }
            };
            if line.bytes.as_ref().is_some_and(|bytes| bytes.trim_ascii().is_empty()) {
                continue;
            }
            let place = Place { file: file.clone(), line: line.number };
            if let Err(refusal) = self.read_row(&place, line.bytes.as_deref()) {
                self.complain(&format!("{place}: {refusal}"));
            }
        }
    }

    fn read_row(&mut self, place: &Place, bytes: Option<&[u8]>) -> Result<(), RowRefusal> {
        let Some(row) = stored::row(bytes.ok_or(RowRefusal::TooLong)?)? else {
            self.passed_over += 1;
            return Ok(());
        };
        let Some(rows) = self.shelf.put(place, row) else { return Ok(()) };
        let (call, observations) = reassemble(rows)?;
        let change = Change::of(call, &observations, self.from, self.to);
        let key = (change.tenant.clone(), change.call_id.clone());
        let known = self.calls.get(&key).map(|known| known.revision);
        self.superseded += usize::from(known.is_some());
        if known.is_none_or(|known| known <= change.revision) {
            self.calls.insert(key, change);
        }
        Ok(())
    }

    /// Calls of which parts are missing, and files that have no observations at all.
    fn tell_incomplete(&mut self) {
        for (place, refusal) in self.shelf.incomplete() {
            self.complain(&format!("{place}: {refusal}"));
        }
        if self.calls.is_empty() && self.unread == 0 && self.passed_over > 0 {
            self.complain(ONLY_OTHER_TOPICS);
        }
    }

    fn complain(&mut self, message: &str) {
        terminal::complain(message);
        self.unread += 1;
    }
}

#[cfg(test)]
mod tests;
