//! Follows the results topic up to a goal, and gathers the evidence that belongs to it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use callqa_proto::wire::{DeadLetterRow, FindingRow, ObservationsRow, ResultRow};
use callqa_worker::config::Kafka;
use rdkafka::Message;
use serde::de::DeserializeOwned;

use super::summary::{Counted, Summary};
use super::{Endings, Outlet, Taken};
use crate::kafka::{Place, TopicReader};
use crate::progress::{Progress, Unwatched, one_line};
use crate::{CliError, Done, render, terminal};

/// How long one look for a new ending waits.
const LOOK: Duration = Duration::from_millis(500);

/// When there is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// With what is on the topics now.
    PresentEnd,
    /// Once so many calls have ended.
    Count(usize),
    /// Once these calls have ended, by the ids of their endings; others are passed over.
    Calls(BTreeSet<String>),
    /// Never: each call is shown when it ends.
    Never,
}

impl Goal {
    fn is_reached(&self, endings: &Endings) -> bool {
        match self {
            Self::PresentEnd => true,
            Self::Count(count) => endings.rows().len() >= *count,
            Self::Calls(ids) => ids.iter().all(|id| endings.contains(id)),
            Self::Never => false,
        }
    }

    fn total(&self) -> Option<usize> {
        match self {
            Self::Count(count) => Some(*count),
            Self::Calls(ids) => Some(ids.len()),
            Self::PresentEnd | Self::Never => None,
        }
    }

    fn wants(&self, row: &ResultRow) -> bool {
        match self {
            Self::Calls(ids) => ids.contains(&row.ending_id),
            Self::PresentEnd | Self::Count(_) | Self::Never => true,
        }
    }
}

/// The places in the topics that tell how calls ended.
pub struct Watch {
    kafka: Kafka,
    results: Place,
    findings: Place,
    dead_letters: Place,
    /// Where these rows are wanted.
    observations: Option<Place>,
    unreadable: usize,
}

impl Watch {
    /// Everything from the oldest row on.
    ///
    /// # Errors
    /// A broker that is not there, topics that are missing.
    pub fn from_the_oldest(kafka: &Kafka, outlet: &Outlet) -> Result<Self, CliError> {
        Self::from(kafka, outlet, TopicReader::oldest)
    }

    /// Only what comes from now on.
    ///
    /// # Errors
    /// A broker that is not there, topics that are missing.
    pub fn from_now_on(kafka: &Kafka, outlet: &Outlet) -> Result<Self, CliError> {
        Self::from(kafka, outlet, TopicReader::end)
    }

    fn from(
        kafka: &Kafka,
        outlet: &Outlet,
        place: impl Fn(&Kafka, &str) -> Result<Place, CliError>,
    ) -> Result<Self, CliError> {
        let observations = outlet.observations.then(|| place(kafka, &kafka.topics.observations));
        Ok(Self {
            observations: observations.transpose()?,
            results: place(kafka, &kafka.topics.results)?,
            findings: place(kafka, &kafka.topics.findings)?,
            dead_letters: place(kafka, &kafka.topics.dead_letters)?,
            kafka: kafka.clone(),
            unreadable: 0,
        })
    }

    /// Follows until these calls have ended.
    ///
    /// # Errors
    /// See [`Self::until`].
    pub fn until_ended(self, ending_ids: &[String], outlet: &Outlet) -> Result<Done, CliError> {
        self.until(&Goal::Calls(ending_ids.iter().cloned().collect()), outlet)
    }

    /// Follows until the goal is reached, with progress on standard error; then prints what came, and writes the
    /// summary. Rows that can't be read make the sum a failure, and so does a call that was waited for by its id and
    /// could not be assessed.
    ///
    /// # Errors
    /// Where no call ended for as long as the outlet allows; what came until then is printed all the same.
    pub fn until(mut self, goal: &Goal, outlet: &Outlet) -> Result<Done, CliError> {
        // Begun first: nobody should wait for calls and then hear that their file can't be written.
        let mut summary = outlet.summary.as_deref().map(Summary::create).transpose()?;
        let mut endings = Endings::new();
        let waited = self.follow(goal, outlet, &mut endings);
        self.gather(&mut endings, summary.as_mut())?;
        if *goal != Goal::Never {
            print(&endings, outlet)?;
        }
        if let Some(mut summary) = summary {
            summary.add_endings(&self.kafka.topics, &endings)?;
            self.add_observations(&endings, &mut summary)?;
            summary.finish()?;
        }
        if self.unreadable > 0 {
            terminal::complain(&format!("{} rows of another version were passed over", self.unreadable));
        }
        waited.map(|()| sum(goal, &endings, self.unreadable))
    }

    fn follow(&mut self, goal: &Goal, outlet: &Outlet, endings: &mut Endings) -> Result<(), CliError> {
        if matches!(goal, Goal::PresentEnd | Goal::Count(_)) {
            self.read_to_the_end(endings)?;
        }
        if *goal == Goal::PresentEnd {
            return Ok(());
        }
        // Rows that are shown as they come need no second line each.
        let unwatched = if *goal == Goal::Never { Unwatched::Silence } else { Unwatched::Lines };
        let total = goal.total().map(|total| total.max(endings.rows().len()));
        let mut progress = Progress::new(total, unwatched);
        endings.lines().iter().for_each(|line| progress.ended(line));
        let waited = self.wait_for(goal, outlet, endings, &mut progress);
        progress.finish();
        waited
    }

    fn open_results(&self) -> Result<TopicReader, CliError> {
        TopicReader::open(&self.kafka, &self.kafka.topics.results, self.results.clone())
    }

    fn read_to_the_end(&mut self, endings: &mut Endings) -> Result<(), CliError> {
        let (reader, unreadable) = (self.open_results()?, &mut self.unreadable);
        self.results = reader.read_to_end(|message| {
            if let Some(row) = row(message.payload(), unreadable) {
                endings.result(row);
            }
            Ok(())
        })?;
        Ok(())
    }

    fn wait_for(
        &mut self,
        goal: &Goal,
        outlet: &Outlet,
        endings: &mut Endings,
        progress: &mut Progress,
    ) -> Result<(), CliError> {
        let mut results = self.open_results()?;
        let mut last_ending = Instant::now();
        while !goal.is_reached(endings) {
            let message = results.wait(LOOK)?;
            let read = message.and_then(|message| row::<ResultRow>(message.payload(), &mut self.unreadable));
            if let Some(row) = read.filter(|row| goal.wants(row)) {
                let (ending_id, flagged) = (row.ending_id.clone(), row.flagged);
                let taken = endings.result(row);
                if *goal == Goal::Never && taken != Taken::Again {
                    if flagged {
                        self.gather(endings, None)?;
                    }
                    progress.aside(|| show(endings, &ending_id, outlet))?;
                }
                if taken == Taken::New {
                    last_ending = Instant::now();
                    if let Some(line) = endings.line(&ending_id) {
                        progress.ended(&line);
                    }
                }
            } else if *goal != Goal::Never && last_ending.elapsed() > outlet.timeout {
                return Err(CliError::TimedOut(in_vain(goal, endings, outlet.timeout)));
            }
        }
        Ok(())
    }

    /// Findings and dead letters are acknowledged before the ending is, so whatever belongs to an ending that was
    /// read is there by now. A call has about a hundred findings, so each goes to the summary as it comes, and those
    /// alone are kept that are shown.
    fn gather(&mut self, endings: &mut Endings, summary: Option<&mut Summary>) -> Result<(), CliError> {
        let mut summary = summary.map(|summary| (summary, Counted::of(endings.rows())));
        let unreadable = &mut self.unreadable;
        let open = |topic: &str, place: &Place| TopicReader::open(&self.kafka, topic, place.clone());
        if summary.is_some() || endings.wants_findings() {
            let topic = &self.kafka.topics.findings;
            self.findings = open(topic, &self.findings)?.read_to_end(|message| {
                let Some(row) = row::<FindingRow>(message.payload(), unreadable) else { return Ok(()) };
                if let Some((summary, counted)) = &mut summary
                    && counted.takes(&row.result_id, &row.row_id)
                {
                    summary.add(topic, &row)?;
                }
                endings.finding(row);
                Ok(())
            })?;
        }
        let letters = open(&self.kafka.topics.dead_letters, &self.dead_letters)?;
        self.dead_letters = letters.read_to_end(|message| {
            row::<DeadLetterRow>(message.payload(), unreadable)
                .into_iter()
                .for_each(|row| endings.dead_letter(row));
            Ok(())
        })?;
        Ok(())
    }

    /// These rows are by far the longest, so each is written as it comes, and none is kept. Like findings they are
    /// there before their ending is.
    fn add_observations(&mut self, endings: &Endings, summary: &mut Summary) -> Result<(), CliError> {
        let Some(place) = self.observations.clone() else { return Ok(()) };
        let (topic, unreadable) = (&self.kafka.topics.observations, &mut self.unreadable);
        let mut counted = Counted::of(endings.rows());
        TopicReader::open(&self.kafka, topic, place)?.read_to_end(|message| {
            match row::<ObservationsRow>(message.payload(), unreadable) {
                Some(row) if counted.takes(&row.result_id, &row.row_id) => summary.add(topic, &row),
                _ => Ok(()),
            }
        })?;
        Ok(())
    }
}

fn sum(goal: &Goal, endings: &Endings, unreadable: usize) -> Done {
    let failed = |row: &ResultRow| matches!(goal, Goal::Calls(_)) && row.ending == "dead_lettered";
    let all_well = unreadable == 0 && !endings.rows().iter().any(failed);
    if all_well { Done::Well } else { Done::WithFailures }
}

fn row<R: DeserializeOwned>(payload: Option<&[u8]>, unreadable: &mut usize) -> Option<R> {
    let row = serde_json::from_slice(payload?).ok();
    *unreadable += usize::from(row.is_none());
    row
}

fn print(endings: &Endings, outlet: &Outlet) -> Result<(), CliError> {
    if outlet.json {
        return endings.rows().iter().try_for_each(print_json);
    }
    if endings.rows().is_empty() {
        terminal::note("no call has ended yet");
    }
    terminal::print(&render::calls(&endings.lines()))
}

fn show(endings: &Endings, ending_id: &str, outlet: &Outlet) -> Result<(), CliError> {
    if outlet.json {
        let row = endings.rows().iter().rev().find(|row| row.ending_id == ending_id);
        return row.map_or(Ok(()), print_json);
    }
    let line = endings.line(ending_id);
    line.map_or(Ok(()), |line| terminal::print(&format!("{}\n{}", one_line(&line), render::below(&line))))
}

fn print_json(row: &ResultRow) -> Result<(), CliError> {
    let json = serde_json::to_string(row).map_err(|source| CliError::Json { source })?;
    terminal::print(&format!("{json}\n"))
}

fn in_vain(goal: &Goal, endings: &Endings, timeout: Duration) -> String {
    let waited = jiff::SignedDuration::try_from(timeout).unwrap_or(jiff::SignedDuration::MAX);
    let ended = endings.rows().len();
    let missing = match goal {
        Goal::Calls(ids) => ids.iter().filter(|id| !endings.contains(id)).count(),
        Goal::Count(count) => count.saturating_sub(ended),
        Goal::PresentEnd | Goal::Never => 0,
    };
    format!(
        "no call has ended for {waited:#}: {ended} have, {missing} are missing; is a worker running, and may it \
         read the recordings? `callqa audit` lists the missing calls"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_sum(goal: &Goal, ending: &str, unreadable: usize, expect: Done) {
        let mut endings = Endings::new();
        endings.result(ResultRow { ending_id: "a".into(), ending: ending.into(), ..ResultRow::default() });
        assert_eq!(sum(goal, &endings, unreadable), expect);
    }

    #[test]
    fn rows_that_cannot_be_read_and_calls_of_ours_that_failed_are_failures() {
        let ours = Goal::Calls(BTreeSet::from(["a".to_owned()]));
        check_sum(&ours, "assessed", 0, Done::Well);
        check_sum(&ours, "dead_lettered", 0, Done::WithFailures);
        check_sum(&Goal::PresentEnd, "dead_lettered", 0, Done::Well);
        for goal in [&ours, &Goal::PresentEnd, &Goal::Count(1)] {
            check_sum(goal, "assessed", 1, Done::WithFailures);
        }
    }
}
