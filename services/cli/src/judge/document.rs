//! Files of dialogues: JSON Lines, one object, or an array of objects.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::dialogue::Refusal;
use crate::{CliError, lines};

/// A file may hold this many mebibytes: ten thousand calls of five minutes. All of it is in memory at once.
const LARGEST_MIB: u64 = 64;
/// What some editors put before a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Characters of an id that a message shows.
const SHOWN_ID: usize = 60;

/// One dialogue of a file, or what should have been one.
#[derive(Debug, PartialEq)]
pub struct Document {
    /// Where it stands.
    pub at: At,
    /// The JSON, or why it is none.
    pub value: Result<Value, Refusal>,
}

/// Where in a file a dialogue stands, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// On this line.
    Line(usize),
    /// In the array, at this place.
    Element(usize),
}

impl At {
    /// The number of its line, or of its place in the array.
    pub fn number(self) -> usize {
        match self {
            Self::Line(number) | Self::Element(number) => number,
        }
    }

    /// `calls.jsonl:3 (id "a")`.
    pub fn of(self, file: &str, id: &Value) -> String {
        let place = match self {
            Self::Line(number) => format!("{file}:{number}"),
            Self::Element(number) => format!("{file}: dialogue {number}"),
        };
        if id.is_null() {
            return place;
        }
        let shown: String = id.to_string().chars().take(SHOWN_ID).collect();
        format!("{place} (id {shown})")
    }
}

/// The bytes of a file, or of standard input where it is named `-`.
///
/// # Errors
/// Where it can't be read, or is too long.
pub fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let unreadable = |source| CliError::unreadable(&PathBuf::from(lines::name(path)), source);
    let limit = LARGEST_MIB << 20;
    let mut bytes = Vec::new();
    let source = lines::open(path).map_err(unreadable)?;
    source.take(limit + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        return Err(CliError::FileTooLong { path: path.to_owned(), limit_mib: LARGEST_MIB });
    }
    Ok(bytes)
}

/// The dialogues of a file.
pub fn all(bytes: &[u8]) -> Box<dyn Iterator<Item = Document> + '_> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    match serde_json::from_slice(bytes) {
        Ok(Value::Array(values)) => {
            let elements = (1..).zip(values);
            Box::new(elements.map(|(at, value)| Document { at: At::Element(at), value: Ok(value) }))
        }
        Ok(value) => Box::new(std::iter::once(Document { at: At::Element(1), value: Ok(value) })),
        Err(error) if is_one_value(bytes) => {
            let at = At::Line(error.line());
            Box::new(std::iter::once(Document { at, value: Err(error.into()) }))
        }
        Err(_) => {
            let lines = (1..).zip(bytes.split(|&byte| byte == b'\n'));
            let written = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
            Box::new(written.map(|(at, line)| Document {
                at: At::Line(at),
                value: serde_json::from_slice(line).map_err(Refusal::from),
            }))
        }
    }
}

/// Whether the file was meant to be one value over several lines: a mistake in it is one mistake, not one a line.
fn is_one_value(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    let first = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    first.starts_with(b"[") || first.trim_ascii_end() == b"{"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where each dialogue stands, and whether it is JSON.
    #[track_caller]
    fn check(bytes: &[u8], expect: &[&str]) {
        let found: Vec<String> = all(bytes)
            .map(|document| {
                document.at.of("f", &Value::Null) + if document.value.is_ok() { "" } else { " refused" }
            })
            .collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn three_forms() {
        check(b"{\"id\":1}\n\n{\"id\":2}\r\n", &["f:1", "f:3"]);
        check(b"{\n\"id\":1\n}\n", &["f: dialogue 1"]);
        check(b"\xef\xbb\xbf[{\"id\":1},\n{\"id\":2}]", &["f: dialogue 1", "f: dialogue 2"]);
        check(b"", &[]);
        check(b"[]", &[]);
    }

    #[test]
    fn a_broken_line_leaves_the_others() {
        check(b"{\"id\":\n{\"id\":2}\n\xff", &["f:1 refused", "f:2", "f:3 refused"]);
    }

    #[test]
    fn a_broken_file_is_one_mistake() {
        check(b"{\n\"id\":1,\n}\n", &["f:3 refused"]);
        check(b"[{\"id\":1},\n{\"id\" 2}]", &["f:2 refused"]);
    }

    #[test]
    fn an_id_is_shown_on_one_line() {
        let id = Value::from("a\nb".to_owned() + &"c".repeat(100));
        let shown = At::Line(1).of("f", &id);
        assert!(shown.starts_with("f:1 (id \"a\\nbcc") && shown.len() < 80, "{shown}");
    }
}
