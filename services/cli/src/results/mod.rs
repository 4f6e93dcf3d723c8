//! `callqa results`: what the workers said of the calls, from the results topics.

mod endings;
mod summary;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

pub use endings::{Endings, Taken, call_line};
pub use watch::{Goal, Watch};

use crate::kafka::Connection;
use crate::{CliError, Done};

/// Shows how calls ended
///
/// Without --follow or --expect: all that is on the topics now. Of several revisions of a call the highest counts. Exit
/// code 1 where a row can't be read.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    connection: Connection,
    /// Go on with new calls, one line each, until interrupted; a call that ends otherwise later is shown again
    #[arg(long, conflicts_with_all = ["expect", "summary"])]
    follow: bool,
    /// Wait until so many calls have ended, those on the topics now included; show progress, then the table
    #[arg(long, visible_alias = "until", value_name = "N")]
    expect: Option<usize>,
    #[command(flatten)]
    outlet: Outlet,
}

/// In which form results are shown, and how long to wait for them.
#[derive(Debug, Clone, clap::Args)]
pub struct Outlet {
    /// Print the rows of the results topic as JSON Lines instead of a table
    #[arg(long)]
    pub json: bool,
    /// Also write every row to this file as JSON Lines: {"topic": …, "row": …}, a call's ending, its verdicts and
    /// findings with evidence, and what is known of calls that were not assessed
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// Write transcripts with every probability to that file too, for `callqa rules explain`, `rules backtest` and
    /// `export`: the rows of the observations topic, which is read to its end for them
    #[arg(long, requires = "summary")]
    pub observations: bool,
    /// While waiting for calls: give up once none has ended for this long
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = duration)]
    pub timeout: Duration,
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed: jiff::SignedDuration =
        text.parse().map_err(|_| "is no duration; write 90s, 15m or 1h30m".to_owned())?;
    Duration::try_from(parsed).map_err(|_| "must not be negative".to_owned())
}

impl Args {
    /// Shows results.
    ///
    /// # Errors
    /// A broker that is not there, topics that are missing, calls that don't end in time.
    pub fn run(&self) -> Result<Done, CliError> {
        let kafka = self.connection.settings()?;
        let goal = match (self.follow, self.expect) {
            (true, _) => Goal::Never,
            (false, Some(count)) => Goal::Count(count),
            (false, None) => Goal::PresentEnd,
        };
        Watch::from_the_oldest(&kafka, &self.outlet)?.until(&goal, &self.outlet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_duration(text: &str, seconds: Option<u64>) {
        assert_eq!(duration(text).ok(), seconds.map(Duration::from_secs));
    }

    #[test]
    fn durations_are_written_as_people_write_them() {
        check_duration("90s", Some(90));
        check_duration("1h30m", Some(5400));
        check_duration("-5m", None);
        check_duration("soon", None);
    }
}
