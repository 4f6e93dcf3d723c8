//! Trouble on purpose, and the promise held against it: every call has exactly one distinct ending.
//!
//! Each form of trouble is a function with a size: the tests call it small, `tests/chaos/long` large.

pub mod determinism;
mod dice;
pub mod kill;
mod load;
mod network;
pub mod outage;
mod proxy;
pub mod rebalance;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::topic::{Place, Record, committed, read_on};
use crate::wait_for;

pub use dice::Dice;
pub use load::Load;
pub use network::Network;
pub use proxy::Proxy;

/// Where calls are published.
pub const INPUT: &str = "qa.calls.recorded.v1";
/// Where they end.
pub const RESULTS: &str = "qa.results.v1";
/// The workers' group.
pub const GROUP: &str = "callqa";
/// What else is written of a call.
const OTHER_ROWS: [&str; 4] =
    ["qa.findings.v1", "qa.observations.v1", "qa.review.tasks.v1", "qa.calls.dlq.v1"];

/// The endings on the results topic, as they come.
#[derive(Debug)]
pub struct Endings {
    brokers: String,
    place: Place,
    rows: Vec<Record>,
}

impl Endings {
    /// Follows the results topic of a broker.
    #[must_use]
    pub fn of(brokers: &str) -> Self {
        Self { brokers: brokers.to_owned(), place: Place::new(), rows: Vec::new() }
    }

    /// All rows up to now.
    pub fn look(&mut self) -> &[Record] {
        self.rows.extend(read_on(&self.brokers, RESULTS, &mut self.place));
        &self.rows
    }

    /// How many calls had ended at the last look.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.rows.iter().map(|row| row.key.as_str()).collect::<BTreeSet<_>>().len()
    }

    /// Calls that have ended, and that Kafka has not forgotten: what a worker that dies now leaves to be done
    /// again, and so the most repeats that its death can cost.
    ///
    /// # Panics
    /// Where a row does not say where its call stood.
    pub fn ended_above(&mut self, committed: &Place) -> usize {
        let forgotten = |partition: i64| committed.get(&(partition as i32)).copied().unwrap_or_default();
        self.ended_at().iter().filter(|(partition, at)| *at >= forgotten(*partition)).count()
    }

    /// In each of these partitions, the first call that has not ended: what is before it, Kafka may forget.
    ///
    /// # Panics
    /// Where a row does not say where its call stood.
    pub fn first_open<'a>(&mut self, partitions: impl IntoIterator<Item = &'a i32>) -> Place {
        let ended = self.ended_at();
        let first =
            |partition: i32| (0..).find(|at| !ended.contains(&(i64::from(partition), *at))).expect("one");
        partitions.into_iter().map(|partition| (*partition, first(*partition))).collect()
    }

    /// Partition and offset of every call that has ended.
    fn ended_at(&mut self) -> BTreeSet<(i64, i64)> {
        let place = |row: &Record| {
            let number = |name| row.header(name).expect("a source").parse::<i64>().expect("a number");
            (number("callqa_source_partition"), number("callqa_source_offset"))
        };
        self.look().iter().map(place).collect()
    }
}

/// A backlog is done within this, and so long for each of its calls.
const DONE_WITHIN: Duration = Duration::from_secs(240);
const DONE_WITHIN_A_CALL: Duration = Duration::from_millis(500);

/// Waits until Kafka may forget so many calls of the input topic.
///
/// # Panics
/// Where that does not come; `log` is shown.
pub fn until_committed(brokers: &str, calls: usize, log: impl FnOnce() -> String) {
    let behind = || committed(brokers, GROUP, INPUT).values().sum::<i64>();
    let patience = DONE_WITHIN + DONE_WITHIN_A_CALL * u32::try_from(calls).expect("few calls");
    let done = wait_for(patience, || (behind() == calls as i64).then_some(()));
    assert!(done.is_some(), "{} of {calls} calls are committed; the log:\n{}", behind(), log());
}

/// What stands on the topics in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Calls with an ending.
    pub calls: usize,
    /// Endings beyond one a call.
    pub repeats: usize,
    /// Calls that were dead-lettered.
    pub dead_lettered: usize,
}

/// Holds the topics against the promise: every call of `published` has exactly one distinct ending, and no two
/// rows of one id differ by a byte, on any topic.
///
/// # Panics
/// Where it is broken; the first call for which it is gets named.
#[must_use]
pub fn balance(brokers: &str, published: &BTreeSet<String>) -> Balance {
    let rows = read_on(brokers, RESULTS, &mut Place::new());
    let mut endings: BTreeMap<&str, BTreeSet<&[u8]>> = BTreeMap::new();
    for row in &rows {
        endings.entry(&row.key).or_default().insert(&row.payload);
    }
    for key in published {
        let distinct = endings.get(key.as_str()).map_or(0, BTreeSet::len);
        assert_eq!(distinct, 1, "{key} has {distinct} distinct endings");
    }
    assert_eq!(endings.len(), published.len(), "an ending without a call");
    for topic in OTHER_ROWS {
        let mut by_id: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for row in read_on(brokers, topic, &mut Place::new()) {
            let id = row.header("ce_id").expect("an id").to_owned();
            let first = by_id.entry(id).or_insert_with(|| row.payload.clone());
            assert_eq!(*first, row.payload, "{topic}: a row of {} differs from its first", row.key);
        }
    }
    let dead = |payloads: &BTreeSet<&[u8]>| {
        payloads.iter().any(|payload| String::from_utf8_lossy(payload).contains("\"dead_lettered\""))
    };
    Balance {
        calls: endings.len(),
        repeats: rows.len() - endings.len(),
        dead_lettered: endings.values().filter(|payloads| dead(payloads)).count(),
    }
}
