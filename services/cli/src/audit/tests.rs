//! Calls and endings against each other.

use super::*;

fn balance(received: &[&str], endings: &[(&str, Kind)]) -> Balance {
    let mut balance = Balance::default();
    for id in received {
        balance.received((*id).to_owned(), format!("call {id}"));
    }
    for (id, kind) in endings {
        let (reason, what) = ("not_audio".to_owned(), format!("ending {id}"));
        balance.ended((*id).to_owned(), End { kind: *kind, reason, what, source: None });
    }
    balance
}

#[test]
fn every_call_with_one_ending_balances() {
    let even = balance(
        &["a", "b", "c", "a"],
        &[("a", Kind::Assessed), ("a", Kind::Assessed), ("b", Kind::Excluded), ("c", Kind::DeadLettered)],
    );
    assert!(even.is_even());
    let report = even.report();
    assert!(report.contains("it balances: received 3 = 1 + 1 + 1"), "{report}");
    assert!(report.contains("(1 events came more than once"), "{report}");
    assert!(
        report.contains("dead-lettered                   1\n  not_audio                     1\n"),
        "{report}"
    );
}

#[test]
fn a_call_without_an_ending_and_an_ending_without_a_call_are_listed() {
    let report = balance(&["a", "b"], &[("a", Kind::Assessed), ("z", Kind::Excluded)]).report();
    assert!(report.contains("calls without an ending:\n  call b\n"), "{report}");
    assert!(report.contains("endings without a call:\n  ending z\n"), "{report}");
    assert!(report.contains("it does not balance"), "{report}");
}

#[test]
fn an_assessment_beats_a_dead_letter_whichever_came_first() {
    for order in [[Kind::Assessed, Kind::DeadLettered], [Kind::DeadLettered, Kind::Assessed]] {
        let balance = balance(&["a"], &order.map(|kind| ("a", kind)));
        assert_eq!((balance.count(Kind::Assessed), balance.count(Kind::DeadLettered)), (1, 0));
    }
}

fn row(id: &str, ending: &str) -> Row {
    let (row_id, ending_id) = (format!("row of {id}"), id.to_owned());
    let (ending, reason) = (ending.to_owned(), String::new());
    Row { row_id, ending_id, ending, reason, name: None, source: None }
}

/// An ending whose event stood at this offset, on a topic of which the first ten events are gone.
#[track_caller]
fn check_source(topic: &str, partition: i32, offset: i64, older: bool) {
    let mut balance = balance(&["a"], &[("a", Kind::Assessed)]);
    balance.oldest = [("calls".to_owned(), Place::from([(0, 10)]))].into();
    let source = Some(Source { topic: topic.to_owned(), partition, offset });
    take(Some(Row { source, ..row("z", "assessed") }), b"", &mut balance);
    assert_eq!(balance.is_even(), older);
    let report = balance.report();
    assert_eq!(report.contains("older than the topic            1\n"), older, "{report}");
    assert_eq!(report.contains("it balances: received 1 = 1 + 0 + 0"), older, "{report}");
}

#[test]
fn endings_of_events_that_are_gone_count_apart() {
    check_source("calls", 0, 9, true);
    check_source("calls", 0, 10, false);
    check_source("calls", 1, 9, false);
    check_source("other", 0, 9, false);
}

#[test]
fn an_event_that_came_again_is_received_though_its_first_is_gone() {
    let mut balance = balance(&["a"], &[]);
    balance.oldest = [("calls".to_owned(), Place::from([(0, 10)]))].into();
    let source = Some(Source { topic: "calls".to_owned(), partition: 0, offset: 9 });
    take(Some(Row { source, ..row("a", "assessed") }), b"", &mut balance);
    assert!(balance.report().contains("it balances: received 1 = 1 + 0 + 0"));
}

#[test]
fn a_repeat_that_differs_never_balances() {
    let mut balance = balance(&["a"], &[]);
    take(Some(row("a", "assessed")), b"one", &mut balance);
    take(Some(row("a", "assessed")), b"one", &mut balance);
    assert!(balance.is_even());
    take(Some(row("a", "assessed")), b"other", &mut balance);
    assert!(!balance.is_even());
    let report = balance.report();
    assert!(
        report.contains("repeats that differ from the first:\n  (unreadable event), ending a\n"),
        "{report}"
    );
}

/// Rows with these endings and other bytes each came under one id.
#[track_caller]
fn check_endings(endings: &[&str], even: bool) {
    let mut balance = balance(&["a"], &[]);
    for (at, ending) in endings.iter().enumerate() {
        take(Some(row("a", ending)), at.to_string().as_bytes(), &mut balance);
    }
    assert_eq!(balance.is_even(), even, "{endings:?}");
}

#[test]
fn a_dead_lettered_call_may_end_otherwise_when_sent_again() {
    check_endings(&["dead_lettered", "assessed"], true);
    check_endings(&["assessed", "dead_lettered"], true);
    check_endings(&["dead_lettered", "dead_lettered", "excluded"], true);
    check_endings(&["dead_lettered", "assessed", "assessed"], false);
    check_endings(&["excluded", "assessed"], false);
}

#[test]
fn a_dead_letter_alone_is_no_ending() {
    let mut balance = balance(&["a"], &[]);
    take_letter(Some(row("a", "dead_lettered")), b"letter", &mut balance);
    let report = balance.report();
    assert!(report.contains("calls without an ending:\n  call a\n"), "{report}");
    assert!(report.contains("dead letters without an ending:\n  (unreadable event), ending a"), "{report}");
    assert!(report.contains("it does not balance: received 1, endings 0 + 0 + 0"), "{report}");

    take(Some(row("a", "dead_lettered")), b"row", &mut balance);
    assert!(balance.report().contains("it balances: received 1 = 0 + 0 + 1"));
}

#[test]
fn a_dead_letter_may_outlive_event_and_ending() {
    let mut balance = balance(&[], &[]);
    balance.oldest = [("calls".to_owned(), Place::from([(0, 10)]))].into();
    for (offset, even) in [(9, true), (10, false)] {
        let source = Some(Source { topic: "calls".to_owned(), partition: 0, offset });
        take_letter(Some(Row { source, ..row("a", "dead_lettered") }), b"", &mut balance);
        assert_eq!(balance.is_even(), even, "{offset}");
    }
}

#[test]
fn rows_that_cannot_be_read_never_balance() {
    let mut balance = balance(&["a"], &[("a", Kind::Assessed)]);
    take(None, b"", &mut balance);
    take(Some(row("b", "resurrected")), b"", &mut balance);
    assert_eq!(balance.unreadable, 2);
    assert!(!balance.is_even());
}
