//! What a CSV file says of the recordings of a folder: the columns of [`COLUMNS`], in any order; any other
//! column becomes a label of the call, unless it bears the name of another field of the event, or nearly that of a
//! column which the file does not have.

mod columns;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use callqa_proto::header::EventHeaders;
use callqa_proto::wire::{CallRecorded, Leg, Recording};
use callqa_proto::{DecodeError, decode};

use columns::{COLUMNS, DIRECTIONS, ENDED_BY, LAYOUTS, PURPOSES};

/// A file of this name in the folder of the recordings is used without being asked for.
pub const CALLS_CSV: &str = "calls.csv";
/// More mistakes than this don't fit a screen; the same few usually repeat on every line.
const MISTAKES_SHOWN: usize = 40;
/// Stands where the recording will: the other fields can be checked before any file is read.
const PLACEHOLDER: &str = "file:///recording";

/// One row: a recording's file name and what is known of the call.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Line of the CSV file, from 1.
    pub line: u64,
    /// The file, as the row names it: relative to the folder.
    pub file: String,
    /// The event, still without tenant and recording.
    pub event: CallRecorded,
}

/// The rows of a CSV file, by file name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sheet {
    /// Where the column `file` stands, from 1.
    file_column: usize,
    /// In the order of the file; no file twice, no call id twice.
    pub rows: Vec<Row>,
}

impl Sheet {
    /// The row of this file.
    pub fn row(&self, file: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.file == file)
    }
}

/// Where in the CSV something is wrong, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Line, from 1; 0 for the file as a whole.
    pub line: u64,
    /// Column: its number from 1 and its name.
    pub column: Option<(usize, String)>,
    /// What is wrong and what would be right.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}", self.line)?;
        }
        if let Some((number, name)) = &self.column {
            write!(f, ", column {number} ({name})")?;
        }
        if self.line > 0 {
            f.write_str(": ")?;
        }
        f.write_str(&self.what)
    }
}

/// Everything that is wrong with a CSV file.
#[derive(Debug, thiserror::Error)]
#[error("{}", letter(path, mistakes))]
pub struct SheetError {
    /// The file.
    pub path: PathBuf,
    /// In the order of the file.
    pub mistakes: Vec<Mistake>,
}

fn letter(path: &Path, mistakes: &[Mistake]) -> String {
    let plural = if mistakes.len() == 1 { "" } else { "s" };
    let mut letter = format!("{}: {} mistake{plural}", path.display(), mistakes.len());
    for mistake in mistakes.iter().take(MISTAKES_SHOWN) {
        letter.push_str(&format!("\n  {mistake}"));
    }
    if mistakes.len() > MISTAKES_SHOWN {
        letter.push_str(&format!("\n  and {} more", mistakes.len() - MISTAKES_SHOWN));
    }
    letter
}

/// Reads a CSV file's bytes; `path` is for the message only.
///
/// # Errors
/// Every mistake at once, with line and column.
pub fn read(path: &Path, bytes: &[u8]) -> Result<Sheet, SheetError> {
    let mut reader = Reader { columns: Vec::new(), line: 1, mistakes: Vec::new() };
    let sheet = reader.sheet(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    if reader.mistakes.is_empty() {
        return Ok(sheet);
    }
    Err(SheetError { path: path.to_owned(), mistakes: reader.mistakes })
}

/// Every row must name a file that is there.
///
/// # Errors
/// All rows that don't.
pub fn check_files(path: &Path, sheet: &Sheet, folder: &Path) -> Result<(), SheetError> {
    let missing = sheet.rows.iter().filter(|row| !folder.join(&row.file).is_file());
    let what = format!("no such file in {}", folder.display());
    let mistakes: Vec<Mistake> = missing
        .map(|row| Mistake {
            line: row.line,
            column: Some((sheet.file_column, "file".into())),
            what: what.clone(),
        })
        .collect();
    if mistakes.is_empty() { Ok(()) } else { Err(SheetError { path: path.to_owned(), mistakes }) }
}

struct Reader {
    columns: Vec<String>,
    line: u64,
    mistakes: Vec<Mistake>,
}

impl Reader {
    fn sheet(&mut self, bytes: &[u8]) -> Sheet {
        let mut csv = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
        let mut records = csv.byte_records();
        let mut sheet = Sheet::default();
        match records.next() {
            Some(Ok(header)) => {
                self.line = line(bytes, &header);
                self.header(header);
            }
            Some(Err(error)) => self.add(None, format!("is no CSV: {error}")),
            None => {
                self.add(None, format!("is empty; its first line names the columns: {}", COLUMNS.join(",")))
            }
        }
        if !self.mistakes.is_empty() {
            return sheet;
        }
        sheet.file_column = self.columns.iter().position(|column| column == "file").map_or(0, |i| i + 1);
        for record in records {
            match record {
                Ok(record) => {
                    self.line = line(bytes, &record);
                    sheet.rows.extend(self.row(record));
                }
                Err(error) => self.add(None, format!("is no CSV: {error}")),
            }
        }
        self.check_twice(&sheet);
        self.mistakes.sort_by_key(|mistake| mistake.line);
        sheet
    }

    fn add(&mut self, column: Option<&str>, what: impl Into<String>) {
        let number = column.and_then(|name| self.columns.iter().position(|known| known == name));
        let column = column.zip(number).map(|(name, number)| (number + 1, name.to_owned()));
        self.mistakes.push(Mistake { line: self.line, column, what: what.into() });
    }

    /// An unclosed quote makes one cell of all the lines that follow it, so a cell has one line only. Must come
    /// before the cells are trimmed: the line break may be at their edge.
    fn has_line_break(&mut self, record: &csv::ByteRecord) -> bool {
        let broken = |cell: &[u8]| cell.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
        let Some(index) = record.iter().position(broken) else { return false };
        let name = self.columns.get(index).map_or("no name", String::as_str).to_owned();
        let what = "has a line break; close the quote (\") that opens the cell, or write it on one line";
        self.mistakes.push(Mistake {
            line: self.line,
            column: Some((index + 1, name)),
            what: what.to_owned(),
        });
        true
    }

    fn header(&mut self, mut record: csv::ByteRecord) {
        if self.has_line_break(&record) {
            return;
        }
        record.trim();
        self.columns = record.iter().map(|cell| columns::name(&String::from_utf8_lossy(cell))).collect();
        if !self.columns.iter().any(|column| column == "file") {
            self.add(
                None,
                format!("there is no column `file`; the first line names the columns: {}", COLUMNS.join(",")),
            );
        }
        let mut seen = BTreeSet::new();
        for column in self.columns.clone() {
            if column.is_empty() {
                self.add(None, "a column has no name");
            } else if !seen.insert(column.clone()) {
                self.add(Some(&column), "two columns have this name");
            } else if let Some(instead) = columns::instead(&column) {
                let what = format!("is a field of the event that no column can give; {instead}");
                self.add(Some(&column), what);
            } else if let Some(known) = self.missing(columns::nearly(&column)) {
                let what = format!(
                    "is nearly `{known}`; name it so, or, where it is a label, add an empty column `{known}` too"
                );
                self.add(Some(&column), what);
            }
        }
    }

    /// A known column, where the file does not have it.
    fn missing(&self, known: Option<&'static str>) -> Option<&'static str> {
        known.filter(|known| !self.columns.iter().any(|column| column == known))
    }

    fn row(&mut self, mut record: csv::ByteRecord) -> Option<Row> {
        if self.has_line_break(&record) {
            return None;
        }
        record.trim();
        if record.iter().all(<[u8]>::is_empty) {
            return None;
        }
        if record.len() != self.columns.len() {
            let what = format!(
                "has {} cells, and the first line names {} columns",
                record.len(),
                self.columns.len()
            );
            self.add(None, what);
            return None;
        }
        let mut cells = BTreeMap::new();
        for (column, cell) in self.columns.clone().into_iter().zip(&record) {
            match std::str::from_utf8(cell) {
                Ok(text) if !text.is_empty() => drop(cells.insert(column, text.to_owned())),
                Ok(_) => {}
                Err(_) => self.add(Some(&column), "is not UTF-8; save the sheet as \"CSV UTF-8\""),
            }
        }
        let before = self.mistakes.len();
        let row = self.call(cells);
        if self.mistakes.len() == before { row } else { None }
    }

    fn call(&mut self, mut cells: BTreeMap<String, String>) -> Option<Row> {
        let Some(file) = cells.remove("file") else {
            self.add(Some("file"), "is empty; it names a recording in the folder");
            return None;
        };
        if Path::new(&file).components().count() != 1 {
            self.add(
                Some("file"),
                "names a file in another folder; the recordings lie beside the CSV's own folder",
            );
        }
        let filled: BTreeSet<String> = cells.keys().cloned().collect();
        let language = cells.remove("language");
        let mut language_of =
            |column: &str| cells.remove(column).or_else(|| language.clone()).filter(|tag| tag != "auto");
        let (agent_language, customer_language) =
            (language_of("agent_language"), language_of("customer_language"));
        let event = CallRecorded {
            call_id: cells.remove("call_id").or_else(|| stem(&file)).unwrap_or_default(),
            purpose: self.code("purpose", cells.remove("purpose"), PURPOSES),
            interaction_id: cells.remove("interaction_id"),
            queue: cells.remove("queue"),
            legs: cells
                .remove("agent_id")
                .map(|agent_id| Leg { agent_id, ..Leg::default() })
                .into_iter()
                .collect(),
            customer_id: cells.remove("customer_id"),
            direction: self.code("direction", cells.remove("direction"), DIRECTIONS),
            started_at: cells.remove("started_at"),
            answered_at: cells.remove("answered_at"),
            ended_by: self.code("ended_by", cells.remove("ended_by"), ENDED_BY),
            auto_announced: self.truth("auto_announced", cells.remove("auto_announced")),
            agent_language,
            customer_language,
            channel_layout: self.code("layout", cells.remove("layout"), LAYOUTS),
            opted_out: self.truth("opted_out", cells.remove("opted_out")),
            answered_by_machine: self.truth("answered_by_machine", cells.remove("answered_by_machine")),
            labels: cells,
            ..CallRecorded::default()
        };
        self.check_event(&event, &filled);
        Some(Row { line: self.line, file, event })
    }

    fn code<E: Copy + Into<i32>>(&mut self, column: &str, name: Option<String>, known: &[(&str, E)]) -> i32 {
        let Some(name) = name else { return 0 };
        let found = known.iter().find(|(code, _)| code.eq_ignore_ascii_case(&name));
        if found.is_none() {
            let codes: Vec<&str> = known.iter().map(|(code, _)| *code).collect();
            self.add(Some(column), format!("is none of {}, or leave it empty", codes.join(", ")));
        }
        found.map_or(0, |&(_, number)| number.into())
    }

    fn truth(&mut self, column: &str, cell: Option<String>) -> Option<bool> {
        let cell = cell?;
        match cell.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true),
            "false" | "no" | "0" => Some(false),
            _ => {
                self.add(Some(column), "is neither true nor false; leave it empty where it is not known");
                None
            }
        }
    }

    /// Everything else is checked by the reader of events itself, so that what is published here is never
    /// refused there.
    fn check_event(&mut self, event: &CallRecorded, filled: &BTreeSet<String>) {
        let recording = Recording { uri: Some(PLACEHOLDER.to_owned()), ..Recording::default() };
        let event = CallRecorded { tenant: "any".to_owned(), recording: Some(recording), ..event.clone() };
        let Ok(bytes) = serde_json::to_vec(&event) else { return };
        let Err(DecodeError::Invalid { mistakes, .. }) = decode(&EventHeaders::default(), &bytes) else {
            return;
        };
        let mut named = BTreeSet::new();
        for mistake in mistakes {
            let column = match mistake.field.as_str() {
                "agent_language" | "customer_language" if !filled.contains(&mistake.field) => "language",
                field if field.starts_with("legs") => "agent_id",
                field => field,
            };
            if named.insert(column.to_owned()) {
                let known = COLUMNS.contains(&column);
                let what = if known { mistake.problem.to_string() } else { mistake.to_string() };
                self.add(known.then_some(column), what);
            }
        }
    }

    fn check_twice(&mut self, sheet: &Sheet) {
        for (column, name) in [("file", file_of as fn(&Row) -> &str), ("call_id", call_of)] {
            let mut first: BTreeMap<&str, u64> = BTreeMap::new();
            for row in &sheet.rows {
                self.line = row.line;
                if let Some(before) = first.get(name(row)) {
                    let what = format!("line {before} has the same {}", column.replace('_', " "));
                    self.add(
                        Some(if self.columns.iter().any(|c| c == column) { column } else { "file" }),
                        what,
                    );
                } else {
                    first.insert(name(row), row.line);
                }
            }
        }
    }
}

/// The line on which a record begins, from 1. Its position is where the record before it ended: before the line
/// feed of a CRLF, and before empty lines.
fn line(bytes: &[u8], record: &csv::ByteRecord) -> u64 {
    let Some(position) = record.position() else { return 1 };
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let between = bytes.iter().skip(start).take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + between.filter(|byte| **byte == b'\n').count() as u64
}

fn file_of(row: &Row) -> &str {
    &row.file
}

fn call_of(row: &Row) -> &str {
    &row.event.call_id
}

/// A file's name without its ending: the call's id where nobody gave another.
pub fn stem(file: &str) -> Option<String> {
    Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests;
