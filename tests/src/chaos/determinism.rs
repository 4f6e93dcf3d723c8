//! The sample calls on two workers, with real whisper.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{INPUT, until_committed};
use crate::calls::event;
use crate::topic::{Place, read_on};
use crate::{Broker, Launch, publish_all, top};

/// Everything that is written of a call.
const TOPICS: [&str; 4] = ["qa.results.v1", "qa.findings.v1", "qa.observations.v1", "qa.review.tasks.v1"];
/// The smallest recordings that are taken where not all are.
const SOME: usize = 4;

/// How many of the sample calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// The shortest few.
    Some,
    /// All.
    All,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    calls: usize,
    rows: usize,
    took: Duration,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, rows, took } = self;
        write!(
            f,
            "{calls} calls on two workers in opposite order: {rows} rows, all the same, {} s",
            took.as_secs()
        )
    }
}

/// The recordings of the sample calls, the smallest first.
///
/// # Panics
/// Where they are not there.
#[must_use]
pub fn sample_recordings() -> Vec<PathBuf> {
    let folder = top().join("tests/calls").canonicalize().expect("sample calls");
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "opus")).collect();
    files.sort_by_key(|path| std::fs::metadata(path).map_or(0, |file| file.len()));
    files
}

/// Has the sample calls judged by one worker with two analysts, and, in the opposite order, by another with one; and
/// compares every row.
///
/// # Panics
/// Where a row is missing or differs.
#[must_use]
pub fn compare(size: Size) -> Figures {
    let started = Instant::now();
    let mut files = sample_recordings();
    if size == Size::Some {
        files.truncate(SOME);
    }
    let first = judged_by("2", &files);
    files.reverse();
    let second = judged_by("1", &files);
    for (id, payload) in &first {
        let same = second.get(id).is_some_and(|other| other == payload);
        assert!(same, "a row differs: {}", String::from_utf8_lossy(payload));
    }
    assert_eq!(first.len(), second.len(), "rows that only one worker wrote");
    Figures { calls: files.len(), rows: first.len(), took: started.elapsed() }
}

fn judged_by(analysts: &str, files: &[PathBuf]) -> BTreeMap<String, Vec<u8>> {
    let broker = Broker::start();
    let root = files.first().and_then(|file| file.parent()).expect("a recording in a folder");
    let worker = Launch::released(broker.address(), root).set("analysts.count", analysts).start();
    // One key, so that they come in this order.
    let calls = files.iter().map(|file| {
        let name = file.file_stem().expect("a name").to_string_lossy();
        ("one".to_owned(), event(&name, &format!("file://{}", file.display())).1)
    });
    publish_all(broker.address(), INPUT, calls);
    until_committed(broker.address(), files.len(), || worker.log());
    assert_eq!(worker.stop(), Some(0));
    let rows = TOPICS.iter().flat_map(|topic| read_on(broker.address(), topic, &mut Place::new()));
    rows.map(|row| (row.header("ce_id").expect("an id").to_owned(), row.payload)).collect()
}
