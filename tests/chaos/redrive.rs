//! Dead letters that are sent again.

use std::time::Duration;

use callqa_tests::calls::{Line, Recordings};
use callqa_tests::chaos::{INPUT, RESULTS};
use callqa_tests::{Broker, Launch, callqa, publish_all, read_all, wait_for};

const PATIENCE: Duration = Duration::from_secs(60);

#[track_caller]
fn check(broker: &Broker, arguments: &[&str], parts: &[&str]) {
    let done = callqa(broker.address(), arguments);
    assert_eq!(done.code, Some(0), "{arguments:?}: {}{}", done.stdout, done.stderr);
    for part in parts {
        assert!(done.stdout.contains(part), "{part:?} is not in\n{}", done.stdout);
    }
}

#[test]
fn calls_whose_recordings_were_missing_are_sent_again_by_reason_and_end_well() {
    let (broker, recordings) = (Broker::start(), Recordings::write());
    let late = ["late-a", "late-b", "late-c"].map(|call_id| recordings.call_of_file(call_id, "late.wav"));
    let text = recordings.call_of_file("text", "text.wav");
    std::fs::write(recordings.root().join("text.wav"), "this is no audio ".repeat(99)).unwrap();
    publish_all(broker.address(), INPUT, late.into_iter().chain([text]));
    let worker = Launch::scripted(broker.address(), recordings.root())
        .set("store.patience", "0s")
        .set("store.recording_grace", "0s")
        .start();
    let ended =
        |count| wait_for(PATIENCE, || (read_all(broker.address(), RESULTS).len() == count).then_some(()));
    assert!(ended(4).is_some(), "four endings; the log:\n{}", worker.log());
    check(
        &broker,
        &["audit"],
        &[
            "dead-lettered                   4\n  recording_missing             3\n  not_audio                     1\n",
        ],
    );
    check(
        &broker,
        &["redrive"],
        &["not_audio                           1\n", "recording_missing                   3\n"],
    );

    std::fs::copy(
        recordings.root().join(format!("line-{}.wav", Line::Says as u32)),
        recordings.root().join("late.wav"),
    )
    .unwrap();
    let by_reason = ["redrive", "--reason", "recording_missing"];
    check(&broker, &[&by_reason[..], &["--dry-run"]].concat(), &["3 calls would be sent again\n"]);
    check(
        &broker,
        &[&by_reason[..], &["--limit", "2"]].concat(),
        &["2 calls sent again\n", "1 left: beyond the limit of 2 (--limit)\n"],
    );
    assert!(ended(6).is_some(), "two more endings; the log:\n{}", worker.log());
    check(&broker, &by_reason, &["1 call sent again\n"]);
    assert!(ended(7).is_some(), "one more ending; the log:\n{}", worker.log());
    check(&broker, &by_reason, &["0 calls sent again\n"]);
    check(
        &broker,
        &["audit"],
        &["assessed                        3\n", "it balances: received 4 = 3 + 0 + 1"],
    );

    check(&broker, &["redrive", "--reason", "not_audio"], &["1 call sent again\n"]);
    assert!(ended(8).is_some(), "the same ending again; the log:\n{}", worker.log());
    check(
        &broker,
        &["redrive", "--reason", "not_audio", "--most", "1"],
        &["1 left: sent again 1 times already"],
    );
    assert_eq!(worker.stop(), Some(0));
    let mut redriven: Vec<String> = read_all(broker.address(), INPUT)
        .iter()
        .filter_map(|event| event.header("callqa_redriven").map(str::to_owned))
        .collect();
    redriven.sort();
    assert_eq!(redriven, ["1", "1", "1", "1"]);
    check(&broker, &["audit"], &["it balances: received 4 = 3 + 0 + 1"]);
}
