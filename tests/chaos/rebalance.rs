use callqa_tests::chaos::rebalance::{come_and_go, rolling_restart};

/// Seats of the first worker, which has one analyst: what it has in hand when the second joins for the first time is
/// done again by that one. The restarts themselves leave nothing.
const IN_HAND_AT_THE_JOIN: usize = 2;

#[test]
fn a_third_worker_comes_and_goes_and_no_call_is_lost() {
    eprintln!("{}", come_and_go(2));
}

#[test]
fn static_members_are_restarted_and_nobody_else_is_disturbed() {
    let (disturbed, balance) = rolling_restart();
    eprintln!(
        "{} calls, {} repeats, the other worker lost partitions {disturbed} times",
        balance.calls, balance.repeats
    );
    assert_eq!(disturbed, 0);
    assert!(balance.repeats <= IN_HAND_AT_THE_JOIN, "a clean stop leaves nothing to do again");
}
