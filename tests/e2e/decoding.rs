//! Decoding in a child process: the same bytes, and a recording that asks for too much memory costs itself alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::time::Duration;

use callqa_tests::calls::{Line, Recordings};
use callqa_tests::{Broker, Launch, publish_all, read_all, wait_for};

const PATIENCE: Duration = Duration::from_secs(60);
const CALLS: &str = "qa.calls.recorded.v1";
const WRITTEN: [&str; 4] = ["qa.results.v1", "qa.findings.v1", "qa.observations.v1", "qa.review.tasks.v1"];
const ASSESSED: &str = "callqa_calls_total{ending=\"assessed\",reason=\"\"}";

const EXCLUDED: &str = "callqa_calls_total{ending=\"excluded\",reason=\"too_short\"}";
const REFUSED: &str = "callqa_calls_total{ending=\"dead_lettered\",reason=\"decode_work_exceeded\"}";
/// Two seconds of stereo.
const FLAC: &[u8] = include_bytes!("../../services/audio/tests/fixtures/stereo_8k.flac");
/// `fLaC` and its first block of metadata, which tells of the stream.
const FLAC_HEADER: usize = 42;
/// The longest block of metadata that FLAC has, and how many of these: 192 MiB, all of which a reader keeps.
const PICTURE: usize = (1 << 24) - 1;
const PICTURES: usize = 12;

fn apart(launch: Launch) -> Launch {
    launch.set("decoding.child_process", "true")
}

fn assess_one(launch: &Launch) {
    let worker = launch.start();
    let ended = wait_for(PATIENCE, || (worker.metric(ASSESSED) >= 1.0).then_some(()));
    assert!(ended.is_some(), "a call is assessed; the log:\n{}", worker.log());
    assert_eq!(worker.stop(), Some(0));
}

#[test]
fn a_call_has_the_same_rows_wherever_it_is_decoded() {
    let (broker, recordings) = (Broker::start(), Recordings::write());
    publish_all(broker.address(), CALLS, [recordings.call("one", Line::Says)]);
    let launch = Launch::scripted(broker.address(), recordings.root());
    assess_one(&launch);
    let here = WRITTEN.map(|topic| read_all(broker.address(), topic));
    assert_eq!(here[0].len(), 1, "one ending");
    // Another group begins at the beginning.
    assess_one(&apart(launch).set("kafka.group", "callqa-apart"));
    for (topic, here) in WRITTEN.iter().zip(here) {
        let both = read_all(broker.address(), topic);
        let again: Vec<_> = both.iter().filter(|row| here.contains(row)).collect();
        assert_eq!((both.len(), again.len()), (2 * here.len(), 2 * here.len()), "{topic}");
    }
}

#[test]
fn a_recording_that_wants_too_much_memory_costs_itself_alone() {
    let (broker, recordings) = (Broker::start(), Recordings::write());
    std::fs::write(recordings.root().join("hungry.flac"), hungry()).unwrap();
    let hungry = recordings.call_of_file("hungry", "hungry.flac");
    publish_all(broker.address(), CALLS, [hungry, recordings.call("modest", Line::Says)]);
    let journal = tempfile::tempdir().unwrap();
    let launch = apart(Launch::scripted(broker.address(), recordings.root()))
        .set("decoding.memory", "96 MiB")
        .set("journal.folder", &journal.path().to_string_lossy());
    let worker = launch.start();
    let both = wait_for(PATIENCE, || {
        (worker.metric(REFUSED) >= 1.0 && worker.metric(ASSESSED) >= 1.0).then_some(())
    });
    assert!(both.is_some(), "one is refused, the other is assessed; the log:\n{}", worker.log());
    assert_eq!(worker.stop(), Some(0));
    let worker = launch.start();
    assert!(worker.metric("callqa_suspect_calls") < 1.0, "nothing was held against a call");
    assert_eq!(worker.stop(), Some(0));

    // Nothing but its hunger is wrong with it.
    let here =
        Launch::scripted(broker.address(), recordings.root()).set("kafka.group", "callqa-here").start();
    let excluded = wait_for(PATIENCE, || (here.metric(EXCLUDED) >= 1.0).then_some(()));
    assert!(excluded.is_some(), "it is a call of two seconds; the log:\n{}", here.log());
    assert_eq!(here.stop(), Some(0));
}

/// A sound recording with pictures of nothing.
fn hungry() -> Vec<u8> {
    let (header, audio) = FLAC.split_at(FLAC_HEADER);
    let mut flac = header.to_vec();
    for _ in 0..PICTURES {
        let fields: [u32; 2] = [3, 9];
        // Kind 6 is a picture; its own length is that of the block without what stands before it.
        flac.extend(((6 << 24) | PICTURE as u32).to_be_bytes());
        flac.extend(fields.map(u32::to_be_bytes).concat());
        flac.extend(b"image/png");
        let bytes = PICTURE - 41;
        flac.extend([0, 1, 1, 24, 0, bytes as u32].map(u32::to_be_bytes).concat());
        flac.resize(flac.len() + bytes, 0);
    }
    flac.extend(audio);
    flac
}
