//! What was said, as JSON objects tell it: their fields, and why one is not taken.
//!
//! No message holds a value of an object: it may be a customer's words.

use std::borrow::Cow;
use std::fmt;

use callqa_domain::Channel;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::CliError;
use crate::lines::LONGEST_LINE;

/// Where in a line's or a dialogue's object something stands. Counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the object itself.
    Object,
    /// In what was said before an utterance.
    Context(usize),
    /// In this turn of a dialogue.
    Turn(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object => Ok(()),
            Self::Context(number) => write!(f, "context {number}: "),
            Self::Turn(number) => write!(f, "turn {number}: "),
        }
    }
}

/// Why a line or a dialogue is not taken, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A line that was not kept.
    #[error("the line is longer than {LONGEST_LINE} bytes; shorten it")]
    LineTooLong,
    /// Bytes that are no JSON.
    #[error("this is not JSON (column {column}); correct it, and write it in UTF-8")]
    NotJson {
        /// Byte of the line at which reading ended, from 1.
        column: usize,
    },
    /// JSON of another kind.
    #[error("{place}this is not a JSON object; write {{\"…\": …}}")]
    NoObject {
        /// Where.
        place: Place,
    },
    /// A field that has to be there.
    #[error("{place}`{field}` is missing; it must be {expected}")]
    Missing {
        /// Where.
        place: Place,
        /// Its name.
        field: &'static str,
        /// What it must be.
        expected: Cow<'static, str>,
    },
    /// A field that holds something else.
    #[error("{place}`{field}` must be {expected}")]
    Wrong {
        /// Where.
        place: Place,
        /// Its name.
        field: &'static str,
        /// What it must be.
        expected: Cow<'static, str>,
    },
    /// Times in the wrong order.
    #[error(
        "{place}it ends at {end_ms} ms and starts at {start_ms} ms; correct `start_ms` and `end_ms`, or leave both out"
    )]
    EndsBeforeStart {
        /// Where.
        place: Place,
        /// When it starts.
        start_ms: u64,
        /// When it ends.
        end_ms: u64,
    },
    /// A dialogue that is too long to be one call.
    #[error("the dialogue has {turns} turns, more than the {most} of a call; cut it into several")]
    TooManyTurns {
        /// How many it has.
        turns: usize,
        /// How many are allowed.
        most: usize,
    },
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::NotJson { column: error.column() }
    }
}

/// The fields of a JSON object. One that is `null` counts as absent.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    /// Where the object stands.
    pub place: Place,
}

impl<'a> Fields<'a> {
    /// The fields of a value that stands there.
    ///
    /// # Errors
    /// Where it is no object.
    pub fn of(value: &'a Value, place: Place) -> Result<Self, Refusal> {
        value.as_object().map(|object| Self { object, place }).ok_or(Refusal::NoObject { place })
    }

    /// A field that may be absent.
    ///
    /// # Errors
    /// Where `read` can't make anything of it.
    pub fn optional<T>(
        &self,
        field: &'static str,
        expected: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let Some(value) = self.given(field) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| self.wrong(field, expected))
    }

    /// A field that must be there.
    ///
    /// # Errors
    /// Where it is not, or where `read` can't make anything of it.
    pub fn required<T>(
        &self,
        field: &'static str,
        expected: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<T, Refusal> {
        let missing = Refusal::Missing { place: self.place, field, expected: expected.into() };
        self.optional(field, expected, read)?.ok_or(missing)
    }

    /// The line's or the dialogue's own name.
    ///
    /// # Errors
    /// Where it has none.
    pub fn id(&self) -> Result<&'a Value, Refusal> {
        self.required("id", "a string or a number", |value| is_id(value).then_some(value))
    }

    /// Who spoke.
    ///
    /// # Errors
    /// Where the field is absent or names nobody.
    pub fn speaker(&self) -> Result<Channel, Refusal> {
        self.required("speaker", "\"agent\" or \"customer\"", |value| match value.as_str()? {
            "agent" => Some(Channel::Agent),
            "customer" => Some(Channel::Customer),
            _ => None,
        })
    }

    /// What was said; it may be empty.
    ///
    /// # Errors
    /// Where the field is absent or no string.
    pub fn text(&self) -> Result<&'a str, Refusal> {
        self.required("text", "a string", Value::as_str)
    }

    /// A field, unless it is `null`.
    pub fn given(&self, field: &str) -> Option<&'a Value> {
        self.object.get(field).filter(|value| !value.is_null())
    }

    /// Says that a field holds something else.
    pub fn wrong(&self, field: &'static str, expected: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal::Wrong { place: self.place, field, expected: expected.into() }
    }
}

/// The id of something that may be refused for another reason; `null` where it has none.
pub fn id_of(value: &Value) -> Value {
    value.get("id").filter(|id| is_id(id)).cloned().unwrap_or_default()
}

fn is_id(value: &Value) -> bool {
    value.is_string() || value.is_number()
}

/// The output line in the place of something that is refused.
///
/// # Errors
/// Where it can't be written as JSON.
pub fn refused(id: &Value, refusal: &Refusal) -> Result<String, CliError> {
    #[derive(Serialize)]
    struct Refused<'a> {
        id: &'a Value,
        error: String,
    }
    json_line(&Refused { id, error: refusal.to_string() })
}

/// A value on a line of its own.
///
/// # Errors
/// Where it can't be written as JSON.
pub fn json_line(value: &impl Serialize) -> Result<String, CliError> {
    serde_json::to_string(value).map(|json| json + "\n").map_err(|source| CliError::Json { source })
}
