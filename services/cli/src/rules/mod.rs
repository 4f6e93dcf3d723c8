//! `callqa rules`: the rulebooks themselves.

mod backtest;
mod check;
mod explain;
mod test;

use std::fs;
use std::path::{Path, PathBuf};

use callqa_domain::Rulebook;

use crate::{CliError, Done};

pub use backtest::{ONLY_OTHER_TOPICS, Place, RowRefusal, Shelf, row_of, unwrapped};
pub use test::Mistake;

/// The rulebook that is used where none is named.
const BASELINE: &str = include_str!("../../../../deploy/rulebooks/service-baseline.toml");

/// Rulebooks
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(check::Args),
    Test(test::Args),
    Backtest(backtest::Args),
    Explain(explain::Args),
}

impl Args {
    /// Checks, tests, compares or explains rulebooks.
    ///
    /// # Errors
    /// A rulebook that can't be read or has mistakes, where the command needs it; output that can't be written.
    pub fn run(&self) -> Result<Done, CliError> {
        match &self.command {
            Command::Check(args) => args.run(),
            Command::Test(args) => args.run(),
            Command::Backtest(args) => args.run(),
            Command::Explain(args) => args.run(),
        }
    }
}

/// Reads a rulebook; the default pack where none is named.
///
/// # Errors
/// A file that can't be read, or all mistakes of the rulebook.
pub fn read(file: Option<&Path>) -> Result<Rulebook, CliError> {
    let Some(path) = file else {
        let path = PathBuf::from("the default rulebook");
        return Rulebook::parse(BASELINE).map_err(|mistakes| CliError::Rulebook { path, mistakes });
    };
    let text = fs::read_to_string(path).map_err(|source| CliError::unreadable(path, source))?;
    Rulebook::parse(&text).map_err(|mistakes| CliError::Rulebook { path: path.to_owned(), mistakes })
}

/// `1 call`, `2 calls`.
pub fn counted(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_default_rulebook_has_no_mistakes() {
        assert!(super::read(None).is_ok());
    }
}
