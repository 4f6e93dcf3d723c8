//! Which calls a rulebook speaks of, and when.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;

use crate::{Direction, Language};

/// The calls that a rulebook judges. A part that is left out admits every call; of a list, any entry will do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Tenants.
    #[serde(default)]
    pub tenants: Option<Vec<String>>,
    /// Queues.
    #[serde(default)]
    pub queues: Option<Vec<String>>,
    /// Languages that were spoken.
    #[serde(default)]
    pub languages: Option<Vec<Language>>,
    /// Who called whom.
    #[serde(default)]
    pub directions: Option<Vec<Direction>>,
    /// Labels of the event, such as a campaign's name, and the values that satisfy.
    #[serde(default)]
    pub labels: BTreeMap<String, Vec<String>>,
}

/// The days on which calls were made that a rulebook judges, by the clock of their events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validity {
    /// The first day.
    #[serde(default)]
    pub from: Option<Date>,
    /// The last day.
    #[serde(default)]
    pub until: Option<Date>,
}

impl Scope {
    /// Mistakes, each under its key.
    pub(super) fn mistakes(&self) -> Vec<String> {
        let lists = [
            ("tenants", self.tenants.as_ref().map(Vec::len)),
            ("queues", self.queues.as_ref().map(Vec::len)),
            ("languages", self.languages.as_ref().map(Vec::len)),
            ("directions", self.directions.as_ref().map(Vec::len)),
        ];
        let lists = lists.into_iter().map(|(key, length)| (key.to_owned(), length));
        let labels = self.labels.iter().map(|(name, values)| (format!("labels.{name}"), Some(values.len())));
        let mut found: Vec<String> = lists
            .chain(labels)
            .filter(|(_, length)| *length == Some(0))
            .map(|(key, _)| {
                format!("scope.{key}: the list is empty and admits no call: fill it or leave it out")
            })
            .collect();
        if self.directions.iter().flatten().any(|direction| *direction == Direction::Unknown) {
            found.push("scope.directions: `unknown` is no direction: give `inbound`, `outbound`".to_owned());
        }
        found
    }
}

impl Validity {
    /// A mistake, if there is one.
    pub(super) fn mistake(&self) -> Option<String> {
        let (from, until) = (self.from?, self.until?);
        (until < from)
            .then(|| format!("validity: until {until} is before from {from}: no call is ever judged"))
    }
}
