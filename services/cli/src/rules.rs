//! `callqa rules`: the rulebooks themselves.

use std::fs;
use std::path::{Path, PathBuf};

use callqa_domain::Rulebook;

use crate::{CliError, Done, terminal};

/// The rulebook that is used where none is named.
const BASELINE: &str = include_str!("../../../deploy/rulebooks/service-baseline.toml");

/// Rulebooks
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Checks rulebooks and lists all their mistakes; exit code 1 if there are any
    Check {
        /// Rulebooks in TOML
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

impl Args {
    /// Checks rulebooks.
    ///
    /// # Errors
    /// Where a file can't be read.
    pub fn run(&self) -> Result<Done, CliError> {
        let Command::Check { files } = &self.command;
        let mut done = Done::Well;
        for file in files {
            match read(Some(file)) {
                Ok(rulebook) => {
                    let (id, version, rules) = (rulebook.id(), rulebook.version(), rulebook.rules().len());
                    terminal::print(&format!(
                        "{}: {id} {version}, {rules} rules, no mistakes\n",
                        file.display()
                    ))?;
                }
                Err(error) => {
                    terminal::complain(&error.to_string());
                    done = Done::WithFailures;
                }
            }
        }
        Ok(done)
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

#[cfg(test)]
mod tests {
    #[test]
    fn the_default_rulebook_has_no_mistakes() {
        assert!(super::read(None).is_ok());
    }
}
