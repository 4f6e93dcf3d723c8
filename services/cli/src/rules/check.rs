//! `callqa rules check`: every mistake of a rulebook at once.

use std::path::PathBuf;

use crate::{CliError, Done, terminal};

/// Checks rulebooks and lists all their mistakes; exit code 1 if there are any
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Rulebooks in TOML
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Args {
    /// Checks rulebooks.
    ///
    /// # Errors
    /// Output that can't be written.
    pub fn run(&self) -> Result<Done, CliError> {
        let mut done = Done::Well;
        for file in &self.files {
            match super::read(Some(file)) {
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
