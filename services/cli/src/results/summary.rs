//! The file that gets every row of some calls, as JSON Lines.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use callqa_worker::config::Topics;
use serde::Serialize;

use super::Endings;
use crate::CliError;

/// A summary that is being written.
pub struct Summary {
    path: String,
    file: BufWriter<File>,
}

#[derive(Serialize)]
struct Line<'a, R> {
    topic: &'a str,
    row: &'a R,
}

impl Summary {
    /// Begins a file, in the place of one of this name.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn create(path: &Path) -> Result<Self, CliError> {
        let path_shown = path.display().to_string();
        match File::create(path) {
            Ok(file) => Ok(Self { path: path_shown, file: BufWriter::new(file) }),
            Err(source) => Err(CliError::Unwritable { path: path_shown, source }),
        }
    }

    /// Writes how these calls ended, call by call.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn add_endings(&mut self, topics: &Topics, endings: &Endings) -> Result<(), CliError> {
        for row in endings.rows() {
            self.add(&topics.results, row)?;
            for finding in endings.findings(row) {
                self.add(&topics.findings, finding)?;
            }
            if let Some(dead_letter) = endings.dead_letter_of(row) {
                self.add(&topics.dead_letters, dead_letter)?;
            }
        }
        Ok(())
    }

    /// Writes one row.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn add<R: Serialize>(&mut self, topic: &str, row: &R) -> Result<(), CliError> {
        let written =
            serde_json::to_writer(&mut self.file, &Line { topic, row }).map_err(std::io::Error::from);
        let written = written.and_then(|()| self.file.write_all(b"\n"));
        self.checked(written)
    }

    /// Writes what is still on its way to the file.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn finish(mut self) -> Result<(), CliError> {
        let written = self.file.flush();
        self.checked(written)
    }

    fn checked(&self, written: std::io::Result<()>) -> Result<(), CliError> {
        written.map_err(|source| CliError::Unwritable { path: self.path.clone(), source })
    }
}
