//! What Kafka may forget: the calls in flight, by partition.

mod partition;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use partition::{Arrival, PartitionLedger};

/// One partition of an input topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// The topic.
    pub topic: Arc<str>,
    /// Its number.
    pub number: i32,
}

impl Partition {
    /// Names a partition.
    #[must_use]
    pub fn new(topic: &str, number: i32) -> Self {
        Self { topic: topic.into(), number }
    }
}

/// Where a call stands in the input, and in which assignment of that partition it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The partition.
    pub partition: Partition,
    /// The offset.
    pub offset: i64,
    /// Grows with each assignment: what settles under an old one no longer counts.
    epoch: u64,
}

/// Says whether a partition is still ours; all calls of one assignment share it.
#[derive(Debug, Clone, Default)]
pub struct Lease(Arc<AtomicBool>);

impl Lease {
    /// Whether the partition was taken from us since the call came.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn end(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// One partition under one assignment.
#[derive(Debug)]
struct Assignment {
    epoch: u64,
    lease: Lease,
    calls: PartitionLedger,
    /// What Kafka holds, as far as we know.
    committed: Option<i64>,
}

/// The calls in flight of all partitions that are ours.
#[derive(Debug, Default)]
pub struct Ledger {
    assignments: BTreeMap<Partition, Assignment>,
    epochs: u64,
}

impl Ledger {
    /// The partition is ours from now on. What was in flight under an earlier assignment is void.
    pub fn assigned(&mut self, partition: Partition) {
        self.revoked(&partition);
        self.epochs += 1;
        let assignment = Assignment {
            epoch: self.epochs,
            lease: Lease::default(),
            calls: PartitionLedger::default(),
            committed: None,
        };
        self.assignments.insert(partition, assignment);
    }

    /// The partition is no longer ours.
    pub fn revoked(&mut self, partition: &Partition) {
        if let Some(assignment) = self.assignments.remove(partition) {
            assignment.lease.end();
        }
    }

    /// Records that the call at `offset` was taken; `None` where the partition is not ours, and where the call was
    /// taken before and is not forgotten.
    ///
    /// A partition that goes back behind what may be committed (its offsets were reset, the topic was made anew)
    /// begins afresh: to judge a call twice is harmless, to pass one over is not. One that goes back less far does
    /// not: from there on, the earlier calls that are still in flight would be passed over.
    pub fn taken(&mut self, partition: &Partition, offset: i64, at: Instant) -> Option<(Position, Lease)> {
        match self.assignments.get_mut(partition)?.calls.taken(offset, at) {
            Arrival::New => {}
            Arrival::Repeat => return None,
            Arrival::WentBack => {
                self.assigned(partition.clone());
                let _first = self.assignments.get_mut(partition)?.calls.taken(offset, at);
            }
        }
        let assignment = self.assignments.get(partition)?;
        let position = Position { partition: partition.clone(), offset, epoch: assignment.epoch };
        Some((position, assignment.lease.clone()))
    }

    /// Records that a call has its ending, durably. One from an earlier assignment changes nothing.
    pub fn settle(&mut self, position: &Position) {
        if let Some(assignment) = self.assignments.get_mut(&position.partition)
            && assignment.epoch == position.epoch
        {
            assignment.calls.settle(position.offset);
        }
    }

    /// The offsets that Kafka does not hold yet.
    pub fn to_commit(&self) -> impl Iterator<Item = (&Partition, i64)> {
        self.assignments.iter().filter_map(|(partition, assignment)| {
            let next = assignment.calls.next()?;
            (assignment.committed != Some(next)).then_some((partition, next))
        })
    }

    /// Kafka holds this offset now, or none.
    pub fn committed(&mut self, partition: &Partition, offset: Option<i64>) {
        if let Some(assignment) = self.assignments.get_mut(partition) {
            assignment.committed = offset;
        }
    }

    /// The partitions of ours that have brought a call.
    pub fn begun(&self) -> impl Iterator<Item = &Partition> {
        let begun = self.assignments.iter().filter(|(_, assignment)| assignment.calls.next().is_some());
        begun.map(|(partition, _)| partition)
    }

    /// Whether a partition is ours.
    pub fn is_ours(&self, partition: &Partition) -> bool {
        self.assignments.contains_key(partition)
    }

    /// How many partitions are ours.
    #[must_use]
    pub fn partitions(&self) -> usize {
        self.assignments.len()
    }

    /// Calls without an ending so far.
    #[must_use]
    pub fn unsettled(&self) -> usize {
        self.assignments.values().map(|assignment| assignment.calls.unsettled()).sum()
    }

    /// When the oldest call without an ending came.
    #[must_use]
    pub fn oldest(&self) -> Option<Instant> {
        self.assignments.values().filter_map(|assignment| assignment.calls.oldest()).min()
    }
}

#[cfg(test)]
mod law;

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(number: i32) -> Partition {
        Partition::new("calls", number)
    }

    fn take(ledger: &mut Ledger, number: i32, offset: i64) -> (Position, Lease) {
        ledger.taken(&partition(number), offset, Instant::now()).expect("ours")
    }

    fn to_commit(ledger: &Ledger) -> Vec<(i32, i64)> {
        ledger.to_commit().map(|(partition, offset)| (partition.number, offset)).collect()
    }

    #[test]
    fn each_partition_counts_for_itself() {
        let mut ledger = Ledger::default();
        ledger.assigned(partition(0));
        ledger.assigned(partition(1));
        let (first, _) = take(&mut ledger, 0, 5);
        take(&mut ledger, 1, 9);
        ledger.settle(&first);
        assert_eq!(to_commit(&ledger), [(0, 6), (1, 9)]);
        assert_eq!(ledger.unsettled(), 1);
    }

    #[test]
    fn a_partition_has_begun_once_it_brought_a_call() {
        let mut ledger = Ledger::default();
        (0..3).for_each(|number| ledger.assigned(partition(number)));
        let (position, _) = take(&mut ledger, 1, 5);
        take(&mut ledger, 2, 0);
        ledger.settle(&position);
        ledger.revoked(&partition(2));
        assert_eq!(ledger.begun().collect::<Vec<_>>(), [&partition(1)]);
        ledger.assigned(partition(1));
        assert_eq!(ledger.begun().count(), 0);
    }

    #[test]
    fn what_kafka_holds_is_not_committed_again() {
        let mut ledger = Ledger::default();
        ledger.assigned(partition(0));
        let (position, _) = take(&mut ledger, 0, 5);
        ledger.committed(&partition(0), Some(5));
        assert_eq!(to_commit(&ledger), []);
        ledger.settle(&position);
        assert_eq!(to_commit(&ledger), [(0, 6)]);
    }

    #[test]
    fn a_revoked_partition_is_forgotten_and_its_lease_ends() {
        let mut ledger = Ledger::default();
        ledger.assigned(partition(0));
        let (position, lease) = take(&mut ledger, 0, 5);
        assert!(!lease.is_over());
        ledger.revoked(&partition(0));
        assert!(lease.is_over());
        ledger.settle(&position);
        assert_eq!(to_commit(&ledger), []);
        assert!(ledger.taken(&partition(0), 6, Instant::now()).is_none());
    }

    #[test]
    fn a_settlement_from_an_earlier_assignment_changes_nothing() {
        let mut ledger = Ledger::default();
        ledger.assigned(partition(0));
        let (early, _) = take(&mut ledger, 0, 5);
        ledger.assigned(partition(0));
        take(&mut ledger, 0, 5);
        ledger.settle(&early);
        assert_eq!((to_commit(&ledger), ledger.unsettled()), (vec![(0, 5)], 1));
    }

    /// The broker lost its place and begins again at its first call, while that one is still in flight.
    #[test]
    fn a_call_that_comes_again_is_not_taken_twice() {
        let mut ledger = Ledger::default();
        ledger.assigned(partition(0));
        let (first, lease) = take(&mut ledger, 0, 5);
        let (second, _) = take(&mut ledger, 0, 6);
        for offset in [5, 6] {
            assert!(ledger.taken(&partition(0), offset, Instant::now()).is_none());
        }
        ledger.settle(&second);
        assert!(ledger.taken(&partition(0), 6, Instant::now()).is_none(), "its ending is published");
        assert!(!lease.is_over());
        assert_eq!((to_commit(&ledger), ledger.unsettled()), (vec![(0, 5)], 1));
        ledger.settle(&first);
        assert_eq!(to_commit(&ledger), [(0, 7)]);
    }

    #[test]
    fn a_partition_that_goes_backwards_begins_afresh() {
        let mut ledger = Ledger::default();
        ledger.assigned(partition(0));
        let (old, lease) = take(&mut ledger, 0, 5000);
        ledger.committed(&partition(0), Some(5000));
        let (new, _) = take(&mut ledger, 0, 3);
        assert!(lease.is_over());
        ledger.settle(&old);
        assert_eq!(to_commit(&ledger), [(0, 3)]);
        ledger.settle(&new);
        assert_eq!((to_commit(&ledger), ledger.oldest()), (vec![(0, 4)], None));
    }
}
