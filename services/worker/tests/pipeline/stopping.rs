//! Stops, restarts and rebalances: calls may be judged again, and none is lost.

use std::collections::{BTreeMap, BTreeSet};

use callqa_proto::Topic;
use callqa_worker::app::Worker;

use crate::Running;
use crate::calls::{HANGS, equipment, inline, message, ordinary, wav};
use crate::cluster::{Cluster, Row, wait_until};

const CALLS: usize = 30;

fn publish_all(cluster: &Cluster) {
    (0..CALLS).for_each(|i| cluster.publish(&message(&ordinary(&format!("call-{i}")))));
}

/// Each call has an ending, and the endings of a call are one and the same.
#[track_caller]
fn check_endings(rows: &[Row]) {
    let mut endings: BTreeMap<&str, BTreeSet<&[u8]>> = BTreeMap::new();
    for row in rows {
        endings.entry(row.field("call_id")).or_default().insert(&row.payload);
    }
    assert_eq!(endings.len(), CALLS);
    assert!(endings.values().all(|payloads| payloads.len() == 1));
}

#[test]
fn a_stop_commits_what_has_ended_and_the_next_worker_does_the_rest() {
    let cluster = Cluster::start();
    publish_all(&cluster);
    let worker = Running::start(cluster.config(&[]));
    cluster.rows(Topic::Results, 5);
    worker.stop();
    let ended = cluster.length(Topic::Results.default_name(), 3);
    assert_eq!(cluster.committed(), ended, "a drained worker leaves nothing to do again");
    assert!(ended < CALLS as i64, "it stopped before the end");

    let next = Running::start(cluster.config(&[]));
    let rows = cluster.rows(Topic::Results, CALLS);
    wait_until("committed", || cluster.committed() == CALLS as i64);
    next.stop();
    assert_eq!(cluster.length(Topic::Results.default_name(), 3), CALLS as i64, "nothing was judged twice");
    check_endings(&rows);
}

#[test]
fn a_call_that_outlasts_the_drain_is_left_to_the_next_worker() {
    let cluster = Cluster::start();
    cluster.publish(&message(&inline("slow", wav(HANGS))));
    let worker = Running::start(cluster.config(&[("stop.drain_timeout", "200ms")]));
    wait_until("the call is begun", || worker.metric("callqa_stage_seconds_count{stage=\"queue\"}") > 0.0);
    worker.stop();
    assert_eq!((cluster.committed(), cluster.length(Topic::Results.default_name(), 3)), (0, 0));
}

/// Each call takes a while, so that the second worker's partitions come to it from under the first's calls.
#[test]
fn a_second_worker_takes_its_share_and_then_all() {
    let cluster = Cluster::start();
    (0..CALLS).for_each(|i| cluster.publish(&message(&inline(&format!("call-{i}"), wav(HANGS)))));
    let slow = [("analysts.deadline", "300ms")];
    let first = Running::start(cluster.config(&slow));
    wait_until("the first works", || cluster.committed() > 0);
    let second = Running::start(cluster.config(&slow));
    let ended = |worker: &Running| {
        worker.metric("callqa_calls_total{ending=\"dead_lettered\",reason=\"deadline_exceeded\"}")
    };
    wait_until("both work", || ended(&second) > 0.0 || cluster.committed() == CALLS as i64);
    assert!(ended(&second) > 0.0, "the second has its share");
    first.stop();
    wait_until("committed", || cluster.committed() == CALLS as i64);
    second.stop();
    let length = cluster.length(Topic::Results.default_name(), 3);
    check_endings(&cluster.rows(Topic::Results, length as usize));
}

#[test]
fn a_topic_that_is_missing_is_named_in_one_sentence() {
    let cluster = Cluster::start();
    let config = cluster.config(&[("kafka.topics.findings", "nowhere.v1")]);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let error = runtime.block_on(Worker::start(config, equipment())).err().expect("refused");
    let brokers = cluster.mock.bootstrap_servers();
    assert_eq!(
        error.to_string(),
        format!(
            "the broker at {brokers} lacks these topics: nowhere.v1; create them, as deploy/quickstart does, or \
             change kafka.topics"
        )
    );
}
