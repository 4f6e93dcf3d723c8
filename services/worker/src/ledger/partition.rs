//! Which offsets of one partition may be committed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// What a call that comes is to its partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It comes for the first time.
    New,
    /// It came before, and Kafka has not forgotten it: it is in flight, or has its ending and waits for earlier calls.
    Repeat,
    /// The partition went back behind what may be committed: its offsets were reset, or the topic was made anew.
    /// What is known of it says nothing any more.
    WentBack,
}

/// Tracks the calls of one partition that are in flight.
///
/// A committed offset tells Kafka that *every* earlier call has reached a durable end, so the
/// ledger only ever moves past an unbroken run of settled calls. A later call that finishes first
/// waits behind the earlier one.
#[derive(Debug, Default)]
pub struct PartitionLedger {
    /// The first offset that is not settled yet: what Kafka should hold. Unknown until a call comes.
    next: Option<i64>,
    /// The highest offset that came so far.
    highest: Option<i64>,
    /// Settled offsets at or above `next`, waiting for the gap below them to close.
    settled: BTreeSet<i64>,
    /// Offsets handed out and not settled, with the time at which they came.
    in_flight: BTreeMap<i64, Instant>,
}

impl PartitionLedger {
    /// Records that the call at `offset` was taken from the topic, where it comes for the first time; nothing else.
    #[must_use]
    pub fn taken(&mut self, offset: i64, at: Instant) -> Arrival {
        if self.next.is_some_and(|next| offset < next) {
            return Arrival::WentBack;
        }
        if self.highest.is_some_and(|highest| offset <= highest) {
            return Arrival::Repeat;
        }
        self.next.get_or_insert(offset);
        self.highest = Some(offset);
        self.in_flight.insert(offset, at);
        Arrival::New
    }

    /// Records that the call at `offset` has its ending, durably. A second settlement changes nothing.
    ///
    /// Offsets that Kafka never delivered (control records, compacted records) leave no gap: the
    /// ledger skips to the lowest offset in flight.
    pub fn settle(&mut self, offset: i64) {
        if self.in_flight.remove(&offset).is_none() {
            return;
        }
        self.settled.insert(offset);
        let barrier = self.in_flight.keys().next().copied().unwrap_or(i64::MAX);
        while let Some(&lowest) = self.settled.first()
            && lowest < barrier
        {
            self.settled.pop_first();
            self.next = Some(lowest + 1);
        }
    }

    /// The offset that Kafka should hold, once any call has come.
    #[must_use]
    pub fn next(&self) -> Option<i64> {
        self.next
    }

    /// Calls without an ending so far.
    #[must_use]
    pub fn unsettled(&self) -> usize {
        self.in_flight.len()
    }

    /// When the oldest call without an ending came.
    #[must_use]
    pub fn oldest(&self) -> Option<Instant> {
        self.in_flight.values().min().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ledger(offsets: &[i64]) -> PartitionLedger {
        let mut ledger = PartitionLedger::default();
        for &offset in offsets {
            assert_eq!(ledger.taken(offset, Instant::now()), Arrival::New);
        }
        ledger
    }

    #[track_caller]
    fn check(taken: &[i64], settled: &[i64], next: Option<i64>) {
        let mut ledger = ledger(taken);
        settled.iter().for_each(|&offset| ledger.settle(offset));
        assert_eq!(ledger.next(), next);
    }

    #[test]
    fn nothing_came() {
        check(&[], &[], None);
    }

    #[test]
    fn nothing_is_settled() {
        check(&[7, 8], &[], Some(7));
    }

    #[test]
    fn a_later_call_never_commits_past_an_earlier_one() {
        check(&[7, 8, 9], &[8, 9], Some(7));
        check(&[7, 8, 9], &[8, 9, 7], Some(10));
    }

    #[test]
    fn offsets_that_never_came_leave_no_gap() {
        check(&[7, 9, 20], &[7], Some(8));
        check(&[7, 9, 20], &[7, 20, 9], Some(21));
    }

    #[test]
    fn a_second_settlement_changes_nothing() {
        check(&[7, 8], &[7, 7, 7], Some(8));
    }

    #[test]
    fn a_settlement_of_a_call_that_never_came_changes_nothing() {
        check(&[7, 8], &[6, 9, 8], Some(7));
    }

    #[test]
    fn what_comes_again_changes_nothing() {
        let mut ledger = ledger(&[7, 8, 9]);
        ledger.settle(8);
        for (offset, arrival) in [
            (3, Arrival::WentBack),
            (6, Arrival::WentBack),
            (7, Arrival::Repeat),
            (8, Arrival::Repeat),
            (9, Arrival::Repeat),
        ] {
            assert_eq!(ledger.taken(offset, Instant::now()), arrival, "{offset}");
            assert_eq!((ledger.unsettled(), ledger.next()), (2, Some(7)));
        }
        ledger.settle(7);
        assert_eq!(ledger.taken(8, Instant::now()), Arrival::WentBack, "Kafka may have forgotten it");
    }

    #[derive(Debug, Clone)]
    enum Step {
        Take(i64),
        Settle(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (1i64..4).prop_map(Step::Take),
            any::<prop::sample::Index>().prop_map(|i| Step::Settle(i.index(64)))
        ];
        proptest::collection::vec(step, 1..120)
    }

    proptest! {
        /// In whatever order calls come and settle: Kafka is never told to forget an unsettled call,
        /// what it is told only grows, and once all have settled nothing is left to do again.
        #[test]
        fn what_is_committed_is_an_unbroken_run(steps in steps()) {
            let mut ledger = PartitionLedger::default();
            let (mut at, mut unsettled, mut told) = (100, Vec::new(), None);
            for step in steps {
                match step {
                    Step::Take(gap) => {
                        at += gap;
                        prop_assert_eq!(ledger.taken(at, Instant::now()), Arrival::New);
                        unsettled.push(at);
                    }
                    Step::Settle(_) if unsettled.is_empty() => {}
                    Step::Settle(which) => ledger.settle(unsettled.swap_remove(which % unsettled.len())),
                }
                prop_assert!(ledger.next() >= told);
                told = ledger.next();
                prop_assert!(unsettled.iter().all(|&offset| Some(offset) >= told));
                prop_assert_eq!(ledger.unsettled(), unsettled.len());
            }
            unsettled.drain(..).for_each(|offset| ledger.settle(offset));
            prop_assert_eq!(ledger.next(), told.map(|_| at + 1));
            prop_assert!(ledger.settled.is_empty() && ledger.oldest().is_none());
        }
    }
}
