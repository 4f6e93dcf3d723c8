//! `callqa rules test`: what a rulebook must say of short written dialogues.

mod cases;
mod expected;
mod script;
mod sheet;

use std::path::{Path, PathBuf};

use callqa_domain::{Evidence, Label, OutcomeEstimate, Rulebook, Ruling, Threshold, Verdict};

use super::counted;
use crate::judge::document;
use crate::judge::reading::Reading;
use crate::{CliError, Done, lines, terminal};
use cases::Case;
use expected::Expectation;

pub use sheet::Mistake;

/// From 0.6 on a label holds and from 0.4 on it is in doubt: anywhere between the scores 0, 0.5 and 1 that a case
/// can give.
const GIVEN: Threshold = Threshold { holds: 0.6, doubt: 0.4 };
/// Places of a verdict's evidence that a line shows: what is wrong shows in the first ones.
const SHOWN_EVIDENCE: usize = 3;

/// Tests a rulebook with dialogues whose verdicts are known; exit code 1 where one is not as expected
///
/// A test file is TOML with any number of cases:
///
///     [[case]]
///     name = "an agent who never greets"
///     ended_by = "agent"
///     dialogue = '''
///     agent: 请讲 #neutral
///     customer @1.5-4.0: 我的宽带坏了 #states_issue
///     agent: 再见 #closing #courteous?
///     '''
///     [case.expect]
///     script.greeting = "violated"
///     script.closing = "met"
///
/// One line is one utterance: agent or customer, a colon, the words, and the labels that the classifiers would give;
/// #label holds, #label? is in doubt. Times are seconds from the start of the call and may be left out: a line then
/// follows the one above it at an ordinary pace. A line with a time and no words is speech that nobody understood.
/// Optional in a case: lang ("zh" or "en"), channels (1: both on one track), ended_by ("agent", "customer", "line",
/// "unknown"), auto_announced (true or false), direction ("inbound", "outbound", "unknown"), tenant, queue, labels (a table
/// of texts: labels.campaign = "spring"), started_at and answered_at (RFC 3339, with an offset), and outcome ("resolved",
/// "partially_resolved", "unresolved"), which is what the outcome model would say; it counts where the dialogue has a word to that effect.
/// Only the rules that are named are checked: "met", "violated", "not_applicable" or "unknown". Rules with the same answer
/// may stand in a list, met = ["script.greeting", "script.closing"]. What stands in a table [usual] at the top of the file
/// holds for every case that says nothing else of that rule, and what stands in a table [event] (lang, queue, direction,
/// started_at and so on) for every case that says nothing else of it.
///
/// No model is opened. A file with mistakes is not run; all its mistakes are listed with their lines.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Test files in TOML, UTF-8; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Rulebook in TOML [default: the service baseline, which is built in]
    #[arg(long, value_name = "FILE")]
    rulebook: Option<PathBuf>,
}

impl Args {
    /// Runs every case of every file that has no mistakes.
    ///
    /// # Errors
    /// Mistakes in the rulebook; output that can't be written.
    pub fn run(&self) -> Result<Done, CliError> {
        let rulebook = super::read(self.rulebook.as_deref())?;
        let mut tally = Tally::default();
        for path in &self.files {
            match read_cases(path, &rulebook) {
                Ok(cases) => terminal::print(&tally.run(&lines::name(path), &cases, &rulebook)?)?,
                Err(error) => {
                    terminal::complain(&error.to_string());
                    tally.unread_files += 1;
                }
            }
        }
        terminal::print(&tally.summary())?;
        Ok(if tally.is_good() { Done::Well } else { Done::WithFailures })
    }
}

fn read_cases(path: &Path, rulebook: &Rulebook) -> Result<Vec<Case>, CliError> {
    let file = lines::name(path);
    let bytes = document::read(path)?;
    let text = String::from_utf8(bytes).map_err(|_| CliError::NotUtf8 { file: file.clone() })?;
    cases::read(&text, rulebook).map_err(|mistakes| CliError::Cases { file, mistakes })
}

/// What came of the cases so far.
#[derive(Debug, Default)]
struct Tally {
    cases: usize,
    expectations: usize,
    failed: usize,
    unread_files: usize,
}

impl Tally {
    /// Judges cases; gives a line for each expectation that failed.
    fn run(&mut self, file: &str, cases: &[Case], rulebook: &Rulebook) -> Result<String, CliError> {
        let mut failures = String::new();
        for case in cases {
            self.cases += 1;
            let verdicts = judged(case, rulebook)?;
            for expectation in &case.expected {
                self.expectations += 1;
                let verdict = verdicts.iter().find(|verdict| verdict.rule == expectation.rule);
                let Some(verdict) = verdict.filter(|verdict| verdict.ruling != expectation.ruling) else {
                    continue;
                };
                self.failed += 1;
                failures.push_str(&failure(file, case, expectation, verdict));
            }
        }
        Ok(failures)
    }

    /// The share of expectations that came true, rounded down: only all of them are 1.
    #[allow(clippy::cast_precision_loss)] // counts of a file
    fn agreement(&self) -> f64 {
        let kept = self.expectations.saturating_sub(self.failed) as f64 / self.expectations.max(1) as f64;
        (kept * 1_000.0).floor() / 1_000.0
    }

    fn is_good(&self) -> bool {
        self.failed == 0 && self.unread_files == 0
    }

    fn summary(&self) -> String {
        let came = match self.failed {
            0 if self.expectations == 0 => String::new(),
            0 => ": all as expected".to_owned(),
            failed => format!(": {failed} not as expected, agreement {:.3}", self.agreement()),
        };
        let unread = match self.unread_files {
            0 => String::new(),
            files => format!("; {} not run because of mistakes", counted(files, "file")),
        };
        let (cases, expectations) = (counted(self.cases, "case"), counted(self.expectations, "expectation"));
        format!("{cases}, {expectations}{came}{unread}\n")
    }
}

/// What the rulebook says of a case.
fn judged(case: &Case, rulebook: &Rulebook) -> Result<Vec<Verdict>, CliError> {
    let mut observations = Reading::of(&case.dialogue, None, None)?.observations;
    observations.thresholds = Label::ALL.iter().map(|&label| (label, GIVEN)).collect();
    observations.outcome = case.outcome.map(estimate);
    Ok(callqa_domain::judge(&case.dialogue.call, &observations, rulebook).verdicts)
}

/// What a model says that is as sure as models are.
fn estimate(outcome: cases::Told) -> OutcomeEstimate {
    let share = |kind| if outcome == kind { 0.9 } else { 0.05 };
    OutcomeEstimate {
        resolved: share(cases::Told::Resolved),
        partially_resolved: share(cases::Told::PartiallyResolved),
        unresolved: share(cases::Told::Unresolved),
    }
}

/// `cases.toml:12: no greeting: script.greeting expected met, judged violated; agent 0.0-3.4 s`.
fn failure(file: &str, case: &Case, expectation: &Expectation, verdict: &Verdict) -> String {
    let Expectation { line, rule, ruling } = expectation;
    let (expected, judged) = (ruling.name(), verdict.ruling.name());
    let reason = verdict.reason.map_or_else(String::new, |reason| format!(" ({})", reason.name()));
    let places: Vec<String> = verdict.evidence.iter().take(SHOWN_EVIDENCE).map(played).collect();
    let evidence = if places.is_empty() { String::new() } else { format!("; {}", places.join(", ")) };
    format!("{file}:{line}: {}: {rule} expected {expected}, judged {judged}{reason}{evidence}\n", case.name)
}

/// Where to look: who, when, and the words where there are any.
#[allow(clippy::cast_precision_loss)] // milliseconds of one call
fn played(evidence: &Evidence) -> String {
    let who = evidence.channel.map_or("call", callqa_domain::Channel::name);
    let seconds = |ms: u64| ms as f64 / 1_000.0;
    let (start, end) = (seconds(evidence.span.start_ms), seconds(evidence.span.end_ms));
    let words = evidence.quote.as_ref().map_or_else(String::new, |quote| format!(" {:?}", quote.text));
    format!("{who} {start:.1}-{end:.1} s{words}")
}

/// The ruling with this name.
fn ruling_named(name: &str) -> Option<Ruling> {
    RULINGS.into_iter().find(|ruling| ruling.name() == name)
}

/// Every ruling.
const RULINGS: [Ruling; 4] = [Ruling::Met, Ruling::Violated, Ruling::NotApplicable, Ruling::Unknown];

#[cfg(test)]
mod tests;
