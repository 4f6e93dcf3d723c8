//! Calls that end the process.

use std::time::Duration;

use callqa_tests::calls::{Line, Recordings};
use callqa_tests::chaos::{GROUP, INPUT, RESULTS};
use callqa_tests::{Broker, Launch, Record, committed, publish_all, read_all, wait_for};

/// A start, a crash and the membership's return take a few seconds.
const PATIENCE: Duration = Duration::from_secs(60);

fn reason(rows: &[Record], call_id: &str) -> String {
    let row = rows.iter().find(|row| row.json["call_id"] == call_id).expect("an ending");
    format!("{} {}", row.json["ending"].as_str().unwrap(), row.json["reason"].as_str().unwrap_or_default())
}

/// Two calls end the process, and two stand beside them. After three crashes each, both are dead letters; the
/// neighbours, which were in hand at some of these crashes, are assessed.
#[test]
fn a_call_that_ends_the_process_is_dead_lettered_and_its_neighbours_are_assessed() {
    let (broker, recordings) = (Broker::start(), Recordings::write());
    let journal = tempfile::tempdir().unwrap();
    let lines = [
        ("neighbour-a", Line::TakesAWhile),
        ("aborts-a", Line::Aborts),
        ("neighbour-b", Line::TakesAWhile),
        ("aborts-b", Line::Aborts),
    ];
    // One key: one partition, one order.
    let calls = lines.map(|(call_id, line)| ("one".to_owned(), recordings.call(call_id, line).1));
    publish_all(broker.address(), INPUT, calls);
    let launch = Launch::scripted(broker.address(), recordings.root())
        .set("analysts.count", "2")
        .set("kafka.instance_id", "crash-0")
        .set("journal.folder", &journal.path().to_string_lossy());

    let mut crashes = 0;
    let last = loop {
        let mut worker = launch.spawn();
        let what = wait_for(PATIENCE, || {
            let done = || committed(broker.address(), GROUP, INPUT).values().sum::<i64>() == 4;
            worker.ended().map(Some).or_else(|| done().then_some(None))
        });
        match what {
            Some(Some(status)) => {
                assert_eq!(status.code(), None, "it ends by a signal; its log:\n{}", worker.log());
                crashes += 1;
                assert!(crashes <= 6, "three crashes for each of two calls; the log:\n{}", worker.log());
            }
            Some(None) => break worker,
            None => panic!("crash {crashes}: neither an end nor another crash; the log:\n{}", worker.log()),
        }
    };
    let rows = read_all(broker.address(), RESULTS);
    for call_id in ["neighbour-a", "neighbour-b"] {
        assert_eq!(reason(&rows, call_id), "assessed ", "after {crashes} crashes");
    }
    for call_id in ["aborts-a", "aborts-b"] {
        assert_eq!(reason(&rows, call_id), "dead_lettered crashed_worker", "after {crashes} crashes");
    }
    eprintln!("{crashes} crashes");
    assert!((4..=6).contains(&crashes), "{crashes} crashes: at least two of each call alone");
    assert!(last.metric("callqa_suspect_calls") <= 4.0);
    assert_eq!(last.stop(), Some(0));
    let written = std::fs::read_to_string(journal.path().join("calls.journal")).unwrap();
    assert!(!written.contains("neighbour") && !written.contains("6222"), "no name in the journal: {written}");
}
