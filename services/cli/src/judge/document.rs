//! Files of dialogues: JSON Lines, one object, or an array of objects.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::dialogue::Refusal;
use crate::lines::{Line, Lines};
use crate::{CliError, lines};

/// What is in memory at once may have this many mebibytes: ten thousand calls of five minutes.
const LARGEST_MIB: usize = 64;
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
    source.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > limit {
        return Err(CliError::FileTooLong { path: path.to_owned(), limit_mib: LARGEST_MIB });
    }
    Ok(bytes)
}

/// The documents of a file, or why there are no more.
pub type Documents = Box<dyn Iterator<Item = Result<Document, CliError>>>;

/// The documents of a file, one after the other. Of JSON Lines, which are known by a first line that is an object, one
/// line is in memory at a time, so that the file may be of any length; any other file is read whole.
///
/// # Errors
/// Where the file can't be read, or is too long; after an error there is nothing more to come.
pub fn stream(path: &Path) -> Result<Documents, CliError> {
    let file = path.to_owned();
    let unreadable = |path: &Path, source| CliError::unreadable(Path::new(&lines::name(path)), source);
    let too_long = |path: &Path| CliError::FileTooLong { path: path.to_owned(), limit_mib: LARGEST_MIB };
    let checked = move |line: io::Result<Line>| -> Result<(usize, Vec<u8>), CliError> {
        let line = line.map_err(|source| unreadable(&file, source))?;
        Ok((line.number, line.bytes.ok_or_else(|| too_long(&file))?))
    };
    let limit = LARGEST_MIB << 20;
    let source = lines::open(path).map_err(|source| unreadable(path, source))?;
    let mut rest = Lines::up_to(limit, source).map(checked);
    let Some(first) = rest.next().transpose()? else { return Ok(Box::new(std::iter::empty())) };

    if serde_json::from_slice::<Map<String, Value>>(&first.1).is_ok() {
        let lines = std::iter::once(Ok(first)).chain(rest);
        let written = lines.filter(|line| !line.as_ref().is_ok_and(|(_, line)| line.trim_ascii().is_empty()));
        return Ok(Box::new(written.map(|line| line.map(|(number, line)| on_line(number, &line)))));
    }
    let mut bytes = first.1;
    for line in rest {
        bytes.extend(line?.1);
        if bytes.len() > limit {
            return Err(too_long(path));
        }
    }
    let documents: Vec<Document> = all(&bytes).collect();
    Ok(Box::new(documents.into_iter().map(Ok)))
}

fn on_line(number: usize, line: &[u8]) -> Document {
    Document {
        at: At::Line(number),
        value: serde_json::from_slice(line.trim_ascii_end()).map_err(Refusal::from),
    }
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
            Box::new(written.map(|(at, line)| on_line(at, line)))
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

    /// Where each document of a file stands, and whether it is JSON.
    fn streamed(bytes: &[u8]) -> Result<Vec<String>, CliError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let place = |document: Document| {
            document.at.of("f", &Value::Null) + if document.value.is_ok() { "" } else { " refused" }
        };
        stream(file.path())?.map(|document| document.map(place)).collect()
    }

    #[test]
    fn a_stream_has_the_same_forms() {
        let check = |bytes: &[u8], expect: &[&str]| assert_eq!(streamed(bytes).unwrap(), expect);
        check(b"\xef\xbb\xbf{\"id\":1}\n\n{\"id\":\n{\"id\":2}\r\n", &["f:1", "f:3 refused", "f:4"]);
        check(b"{\"id\":1,\n\"turns\":[]}\n", &["f: dialogue 1"]);
        check(b"[{\"id\":1},\n{\"id\":2}]", &["f: dialogue 1", "f: dialogue 2"]);
        check(b"{\"id\":\n{\"id\":2}", &["f:1 refused", "f:2"]);
        check(b"{\n\"id\":1,\n}\n", &["f:3 refused"]);
        check(b"", &[]);
    }

    #[test]
    fn json_lines_may_be_longer_than_any_other_file() {
        let line = format!("{{\"id\":\"{}\"}}\n", "x".repeat(1 << 20));
        let lines = line.repeat(LARGEST_MIB + 1);
        assert_eq!(streamed(lines.as_bytes()).unwrap().len(), 65);
        let array = format!("[\n{}\n]", " ".repeat(LARGEST_MIB << 20));
        let error = streamed(array.as_bytes()).unwrap_err().to_string();
        assert!(error.ends_with(": the file is longer than 64 MiB; cut it into several"), "{error}");
    }

    #[test]
    fn an_id_is_shown_on_one_line() {
        let id = Value::from("a\nb".to_owned() + &"c".repeat(100));
        let shown = At::Line(1).of("f", &id);
        assert!(shown.starts_with("f:1 (id \"a\\nbcc") && shown.len() < 80, "{shown}");
    }
}
