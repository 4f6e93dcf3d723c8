//! `callqa check-config`: what a worker would say of its settings at its start.

use std::path::PathBuf;

use callqa_worker::config::Config;

use crate::{CliError, Done, terminal};

/// Checks a worker's configuration, the environment laid over it, and lists all mistakes
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
        Config::load(Some(&self.file), std::env::vars())?;
        terminal::print(&format!("{}: no mistakes\n", self.file.display())).map(|()| Done::Well)
    }
}
