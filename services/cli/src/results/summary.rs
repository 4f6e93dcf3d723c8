//! The file that gets every row of some calls, as JSON Lines.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufWriter, Write};
use std::path::Path;

use callqa_proto::wire::ResultRow;
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

    /// Writes how these calls ended, call by call; their findings are written as they come.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn add_endings(&mut self, topics: &Topics, endings: &Endings) -> Result<(), CliError> {
        for row in endings.rows() {
            self.add(&topics.results, row)?;
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

/// Tells which rows belong to results that count, and each of them once: Kafka delivers a row at least once.
pub struct Counted {
    /// By result id, a mark of each row that came. Eight bytes a row, where the row itself has a kilobyte; two of one
    /// result would have to share one of 2⁶⁴ marks to be taken for the same.
    marks: HashMap<String, Vec<u64>>,
}

impl Counted {
    /// Of these results no row has come yet.
    pub fn of(results: &[ResultRow]) -> Self {
        Self { marks: results.iter().map(|row| (row.result_id.clone(), Vec::new())).collect() }
    }

    /// Whether a row counts and has not come before.
    pub fn takes(&mut self, result_id: &str, row_id: &str) -> bool {
        let Some(marks) = self.marks.get_mut(result_id) else { return false };
        let mut hasher = DefaultHasher::new();
        row_id.hash(&mut hasher);
        let mark = hasher.finish();
        let is_new = !marks.contains(&mark);
        if is_new {
            marks.push(mark);
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_a_result_that_counts_is_taken_once() {
        let results = ["r", "s"].map(|id| ResultRow { result_id: id.into(), ..ResultRow::default() });
        let mut counted = Counted::of(&results);
        let rows = [("r", "1"), ("r", "2"), ("r", "1"), ("s", "1"), ("superseded", "1"), ("r", "2")];
        let taken = rows.map(|(result, row)| counted.takes(result, row));
        assert_eq!(taken, [true, true, false, true, false, false]);
    }
}
