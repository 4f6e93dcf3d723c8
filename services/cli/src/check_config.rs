//! `callqa check-config`: what a worker would say at its start, all of it at once.

use std::path::PathBuf;

use callqa_worker::config::environment;
use callqa_worker::opening;

use crate::{CliError, Done, terminal};

/// Checks a worker's configuration, the environment laid over it, and what it names; lists all mistakes
///
/// Besides the settings: the rulebook is read as the worker reads it, and the models' manifest and folders, the folders
/// of recordings, spool and journal, and the certificates of the store must be there. Relative paths start in this
/// folder; run it where the worker runs. `callqa-worker --check-config` looks at the settings alone, `callqa
/// verify-models` at every byte of the models. No broker is asked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration in TOML
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Args {
    /// Checks a configuration.
    ///
    /// # Errors
    /// All its mistakes.
    pub fn run(&self) -> Result<Done, CliError> {
        opening::check(&self.file, environment())?;
        terminal::print(&format!("{}: no mistakes\n", self.file.display())).map(|()| Done::Well)
    }
}
