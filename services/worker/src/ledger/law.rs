//! The ledger against a Kafka of one page: rebalances come at any time, calls come again and settle in any order,
//! and no call is forgotten before it has its ending.

use std::time::Instant;

use proptest::prelude::*;

use super::*;

/// So many calls stand in each partition.
const CALLS: i64 = 12;
const PARTITIONS: i32 = 2;

#[derive(Debug, Clone)]
enum Step {
    Assign(i32),
    Revoke(i32),
    Take(i32),
    /// The consumer's place is lost: calls from an earlier one on come again.
    GoBack(i32, i64),
    /// The ending of some call is published: one of this assignment, or of one that is over.
    Settle(usize),
    Commit,
}

fn step() -> impl Strategy<Value = Step> {
    let partition = 0..PARTITIONS;
    prop_oneof![
        1 => partition.clone().prop_map(Step::Assign),
        1 => partition.clone().prop_map(Step::Revoke),
        1 => (partition.clone(), 0..CALLS).prop_map(|(number, to)| Step::GoBack(number, to)),
        6 => partition.prop_map(Step::Take),
        6 => (0..64usize).prop_map(Step::Settle),
        2 => Just(Step::Commit),
    ]
}

/// What Kafka and the results topic hold.
#[derive(Default)]
struct World {
    ledger: Ledger,
    committed: [i64; PARTITIONS as usize],
    /// The next offset that a poll brings; none while the partition is not ours.
    cursor: [Option<i64>; PARTITIONS as usize],
    taken: Vec<Position>,
    ended: [[bool; CALLS as usize]; PARTITIONS as usize],
}

impl World {
    fn partition(number: i32) -> Partition {
        Partition::new("calls", number)
    }

    fn play(&mut self, step: &Step) {
        match step {
            Step::Assign(number) => {
                self.ledger.assigned(Self::partition(*number));
                self.cursor[*number as usize] = Some(self.committed[*number as usize]);
            }
            Step::Revoke(number) => {
                self.ledger.revoked(&Self::partition(*number));
                self.cursor[*number as usize] = None;
            }
            Step::Take(number) => {
                if let Some(at) = &mut self.cursor[*number as usize]
                    && *at < CALLS
                {
                    let taken = self.ledger.taken(&Self::partition(*number), *at, Instant::now());
                    *at += 1;
                    if let Some((position, _)) = taken {
                        assert!(!self.taken.contains(&position), "taken twice: {position:?}");
                        self.taken.push(position);
                    }
                }
            }
            Step::GoBack(number, to) => {
                if let Some(at) = &mut self.cursor[*number as usize] {
                    *at = (*at).min(*to);
                }
            }
            Step::Settle(which) if !self.taken.is_empty() => {
                let position = self.taken.swap_remove(which % self.taken.len());
                self.ended[position.partition.number as usize][position.offset as usize] = true;
                self.ledger.settle(&position);
            }
            Step::Settle(_) => {}
            Step::Commit => {
                let commits: Vec<_> =
                    self.ledger.to_commit().map(|(p, offset)| (p.clone(), offset)).collect();
                for (partition, offset) in commits {
                    self.committed[partition.number as usize] = offset;
                    self.ledger.committed(&partition, Some(offset));
                }
            }
        }
    }

    fn forgets_a_call(&self) -> bool {
        let forgotten =
            |number: usize| (0..self.committed[number]).any(|at| !self.ended[number][at as usize]);
        (0..PARTITIONS as usize).any(forgotten)
    }
}

/// A hundred thousand orders take some seconds.
const ORDERS: u32 = 100_000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ORDERS))]

    #[test]
    fn no_call_is_forgotten_before_its_ending(steps in proptest::collection::vec(step(), 1..200)) {
        let mut world = World::default();
        for step in &steps {
            world.play(step);
            prop_assert!(!world.forgets_a_call());
        }
        // Whoever gets the partitions next judges what is left, and then nothing is left.
        for number in 0..PARTITIONS {
            world.play(&Step::Assign(number));
            (0..CALLS).for_each(|_| world.play(&Step::Take(number)));
        }
        for _ in 0..world.taken.len() {
            world.play(&Step::Settle(0));
        }
        world.play(&Step::Commit);
        prop_assert_eq!(world.ledger.unsettled(), 0);
        prop_assert!(!world.forgets_a_call() && world.committed == [CALLS; PARTITIONS as usize]);
    }
}
