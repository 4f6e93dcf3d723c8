//! Stored rows of observations, and the calls that they make up.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use callqa_proto::wire::ObservationsRow;
use callqa_proto::{ReassemblyError, SCHEMA_VERSION};
use serde_json::Value;

use crate::lines::LONGEST_LINE;

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// In which file.
    pub file: String,
    /// On which line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Why a row, or a call of rows, is not judged. Holds nothing of what was said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowRefusal {
    /// A line that was not kept.
    #[error("the line is longer than {LONGEST_LINE} bytes: no row of qa.observations.v1 is")]
    TooLong,
    /// Bytes that are no JSON.
    #[error("this is not JSON (column {column}); write each row on one line, as it was published")]
    NotJson {
        /// Byte of the line at which reading ended, from 1.
        column: usize,
    },
    /// JSON of another shape.
    #[error("a field holds another kind of value than qa.observations.v1 has (column {column})")]
    OtherShape {
        /// Byte of the line at which reading ended, from 1.
        column: usize,
    },
    /// A row of another topic.
    #[error("this is no row of qa.observations.v1; take the rows of that topic alone")]
    OtherTopic,
    /// A row that a later version wrote.
    #[error("the row has version {found} of its shape, and this callqa reads {SCHEMA_VERSION}")]
    Version {
        /// Which.
        found: u32,
    },
    /// Rows that do not make a call.
    #[error("the rows of this call do not fit together: {0}")]
    NotACall(String),
    /// A call of which rows are not there.
    #[error("of this call {found} of {parts} parts are here; add the file that holds the others")]
    Incomplete {
        /// How many are here.
        found: usize,
        /// How many there must be.
        parts: u32,
    },
}

impl From<ReassemblyError> for RowRefusal {
    fn from(error: ReassemblyError) -> Self {
        Self::NotACall(match error {
            ReassemblyError::Parts { .. } | ReassemblyError::Lists(..) | ReassemblyError::Time(_) => {
                error.to_string()
            }
            // What stands in the place of a code may be anything.
            ReassemblyError::Code { field, .. } => format!("{field} holds a code that is not known here"),
        })
    }
}

/// Said of a summary without any row that is read here.
pub const ONLY_OTHER_TOPICS: &str = "the files have rows of other topics alone; \
    `callqa results --summary FILE --observations` writes those of qa.observations.v1 too";

/// Reads one row, alone or on a line of a summary; `None` for a summary's row of another topic.
///
/// # Errors
/// Where it is none, or none that this version knows.
pub fn row(line: &[u8]) -> Result<Option<ObservationsRow>, RowRefusal> {
    let row: ObservationsRow = serde_json::from_slice(line.trim_ascii_end()).map_err(|error| {
        let column = error.column();
        if error.is_data() { RowRefusal::OtherShape { column } } else { RowRefusal::NotJson { column } }
    })?;
    // A summary's line has no field of a row, so that it reads as an empty one.
    if row.parts > 0 {
        return checked(row).map(Some);
    }
    let value = serde_json::from_slice(line).map_err(|_| RowRefusal::OtherTopic)?;
    unwrapped(value).map(row_of).transpose()
}

/// The row on a line of a summary, `{"topic": …, "row": …}`, where it is one of observations, whatever the topic is
/// called; `None` for other rows. Any other document is handed back as it is.
pub fn unwrapped(mut value: Value) -> Option<Value> {
    if !value.get("topic").is_some_and(Value::is_string) {
        return Some(value);
    }
    match value.get_mut("row").map(Value::take) {
        Some(row) if row.is_object() => row.get("parts").is_some().then_some(row),
        _ => Some(value),
    }
}

/// Reads a row that is JSON already.
///
/// # Errors
/// Where it is none, or none that this version knows.
pub fn row_of(value: Value) -> Result<ObservationsRow, RowRefusal> {
    checked(serde_json::from_value(value).map_err(|_| RowRefusal::OtherTopic)?)
}

fn checked(row: ObservationsRow) -> Result<ObservationsRow, RowRefusal> {
    // Rows may lack fields that came later, so that rows of other topics read as empty ones.
    if row.parts == 0 || row.part >= row.parts || row.result_id.is_empty() {
        return Err(RowRefusal::OtherTopic);
    }
    if row.schema_version != SCHEMA_VERSION {
        return Err(RowRefusal::Version { found: row.schema_version });
    }
    Ok(row)
}

/// Rows that wait for the other parts of their call.
#[derive(Debug, Default)]
pub struct Shelf {
    /// By result: where its first row stands, and the rows by part.
    waiting: BTreeMap<String, (Place, BTreeMap<u32, ObservationsRow>)>,
    /// Results that are complete: Kafka delivers a row at least once, and may deliver it again.
    complete: HashSet<String>,
}

impl Shelf {
    /// Takes a row; gives all rows of its result with the last that was missing.
    pub fn put(&mut self, place: &Place, row: ObservationsRow) -> Option<Vec<ObservationsRow>> {
        if self.complete.contains(&row.result_id) {
            return None;
        }
        let (id, parts) = (row.result_id.clone(), row.parts);
        let (_, rows) = self.waiting.entry(id.clone()).or_insert_with(|| (place.clone(), BTreeMap::new()));
        rows.entry(row.part).or_insert(row);
        if rows.len() < parts as usize {
            return None;
        }
        let (_, rows) = self.waiting.remove(&id)?;
        self.complete.insert(id);
        Some(rows.into_values().collect())
    }

    /// Results of which rows are missing, with the place of the first that is there.
    pub fn incomplete(&self) -> Vec<(Place, RowRefusal)> {
        let refusal = |rows: &BTreeMap<u32, ObservationsRow>| RowRefusal::Incomplete {
            found: rows.len(),
            parts: rows.values().next().map_or(0, |row| row.parts),
        };
        self.waiting.values().map(|(place, rows)| (place.clone(), refusal(rows))).collect()
    }
}
