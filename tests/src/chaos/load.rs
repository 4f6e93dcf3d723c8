//! Calls that keep workers busy.

use std::collections::BTreeSet;

use super::INPUT;
use crate::calls::{Line, Recordings};
use crate::publish_all;

/// Calls of a quarter of a second for scripted models, published as they are needed.
#[derive(Debug)]
pub struct Load {
    brokers: String,
    recordings: Recordings,
    published: BTreeSet<String>,
}

impl Load {
    /// None yet.
    #[must_use]
    pub fn on(brokers: &str) -> Self {
        Self { brokers: brokers.to_owned(), recordings: Recordings::write(), published: BTreeSet::new() }
    }

    /// The recordings of all these calls.
    #[must_use]
    pub fn recordings(&self) -> &Recordings {
        &self.recordings
    }

    /// Publishes so many more calls.
    pub fn more(&mut self, calls: usize) {
        self.more_of(Line::TakesAWhile, calls);
    }

    /// The same with another line.
    pub fn more_of(&mut self, line: Line, calls: usize) {
        let first = self.published.len();
        let numbers = first..first + calls;
        let calls: Vec<_> = numbers.map(|n| self.recordings.call(&format!("call-{n:05}"), line)).collect();
        self.published.extend(calls.iter().map(|(key, _)| key.clone()));
        publish_all(&self.brokers, INPUT, calls);
    }

    /// The keys of all calls so far.
    #[must_use]
    pub fn published(&self) -> &BTreeSet<String> {
        &self.published
    }

    /// How many these are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.published.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.published.is_empty()
    }
}
