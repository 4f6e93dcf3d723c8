//! Brokers that refuse, brokers that are away, models that hang.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use callqa_proto::Topic;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use crate::Running;
use crate::calls::{HANGS, inline, message, ordinary, wav};
use crate::cluster::{Cluster, wait_until};

#[test]
fn a_call_whose_rows_are_refused_is_not_committed_until_they_are_taken() {
    let cluster = Cluster::start();
    cluster.publish(&message(&ordinary("good")));
    let refusals = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED; 30];
    cluster.mock.request_errors(RDKafkaApiKey::Produce, &refusals);
    let worker = Running::start(cluster.config(&[]));
    wait_until("a row is refused", || worker.metric("callqa_publish_errors_total{kind=\"refused\"}") > 0.0);
    wait_until("unready", || worker.health.not_ready().is_some_and(|why| why.contains("published")));
    assert_eq!(cluster.committed(), 0);

    cluster.mock.clear_request_errors(RDKafkaApiKey::Produce);
    cluster.rows(Topic::Results, 1);
    wait_until("committed", || cluster.committed() == 1);
    assert_eq!(worker.health.not_ready(), None);
    worker.stop();
}

/// Nothing reports an asynchronous commit that failed, and no further call comes to repeat it.
#[test]
fn a_commit_that_failed_is_repeated() {
    let cluster = Cluster::start();
    let worker = Running::start(cluster.config(&[]));
    wait_until("ready", || worker.health.not_ready().is_none());
    let refusals = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED; 2];
    cluster.mock.request_errors(RDKafkaApiKey::OffsetCommit, &refusals);
    cluster.publish(&message(&ordinary("good")));
    cluster.rows(Topic::Results, 1);
    wait_until("committed", || cluster.committed() == 1);
    worker.stop();
}

/// Not even a broker that takes too little may hold a call up: its ending is a dead letter then.
#[test]
fn an_ending_that_no_broker_takes_becomes_a_dead_letter() {
    let cluster = Cluster::start();
    cluster.publish(&message(&ordinary("good")));
    // Enough for an ending, too little for a transcript.
    let worker = Running::start(cluster.config(&[("kafka.client.message_max_bytes", "2600")]));
    let ending = cluster.rows(Topic::Results, 1).remove(0);
    let letter = cluster.rows(Topic::DeadLetters, 1).remove(0);
    wait_until("committed", || cluster.committed() == 1);
    worker.stop();
    assert_eq!((ending.field("ending"), ending.field("reason")), ("dead_lettered", "internal"));
    assert!(letter.field("detail").contains("is more than qa.observations.v1 takes"), "{letter:?}");
}

/// Every question takes a fifth of a second longer, and some of every kind are answered by an error.
#[test]
fn injected_errors_and_delays_cost_time_and_no_call() {
    use RDKafkaRespErr as Error;
    let cluster = Cluster::start();
    let worker = Running::start(cluster.config(&[("analysts.count", "4")]));
    wait_until("ready", || worker.health.not_ready().is_none());
    cluster.mock.broker_round_trip_time(1, Duration::from_millis(200)).expect("slower");
    let passing = [
        Error::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        Error::RD_KAFKA_RESP_ERR_NO_ERROR,
        Error::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        Error::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        Error::RD_KAFKA_RESP_ERR_NO_ERROR,
    ];
    cluster.mock.request_errors(RDKafkaApiKey::Produce, &passing);
    cluster.mock.request_errors(RDKafkaApiKey::Fetch, &passing[..3]);
    let of_groups =
        [Error::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, Error::RD_KAFKA_RESP_ERR_NOT_COORDINATOR];
    cluster.mock.request_errors(RDKafkaApiKey::OffsetCommit, &of_groups);
    cluster.mock.request_errors(RDKafkaApiKey::Heartbeat, &of_groups);
    (0..20).for_each(|i| cluster.publish(&message(&ordinary(&format!("call-{i}")))));
    wait_until("committed", || cluster.committed() == 20);
    worker.stop();
    let length = cluster.length(Topic::Results.default_name(), 3);
    let rows = cluster.rows(Topic::Results, length as usize);
    let mut endings: BTreeMap<&str, BTreeSet<&[u8]>> = BTreeMap::new();
    for row in &rows {
        endings.entry(row.field("call_id")).or_default().insert(&row.payload);
    }
    assert_eq!(endings.len(), 20);
    assert!(endings.values().all(|distinct| distinct.len() == 1));
}

#[test]
fn a_broker_that_goes_away_costs_time_and_no_call() {
    let cluster = Cluster::start();
    let worker = Running::start(cluster.config(&[]));
    wait_until("ready", || worker.health.not_ready().is_none());
    (0..6).for_each(|i| cluster.publish(&message(&ordinary(&format!("call-{i}")))));
    cluster.rows(Topic::Results, 1);
    cluster.mock.broker_down(-1).expect("down");
    wait_until("the outage is noticed", || worker.metric("callqa_kafka_errors_total") > 0.0);
    cluster.mock.broker_up(-1).expect("up");
    let rows = cluster.rows(Topic::Results, 6);
    wait_until("committed", || cluster.committed() == 6);
    worker.stop();
    let mut calls: Vec<&str> = rows.iter().map(|row| row.field("call_id")).collect();
    calls.sort_unstable();
    calls.dedup();
    assert_eq!(calls.len(), 6);
}

/// One analyst, whose every call outlasts `max_poll_interval`: polling goes on beside it, so the group
/// keeps its member and nothing is delivered twice.
#[test]
fn a_slow_analyst_does_not_cost_the_membership() {
    let cluster = Cluster::start();
    (0..4).for_each(|i| cluster.publish(&message(&inline(&format!("slow-{i}"), wav(HANGS)))));
    // The mock lets a new group wait for three seconds, without a poll's counting.
    let worker = Running::start(cluster.config(&[
        ("kafka.session_timeout", "6s"),
        ("kafka.max_poll_interval", "6s"),
        ("analysts.deadline", "6500ms"),
    ]));
    let rows = cluster.rows(Topic::Results, 4);
    wait_until("committed", || cluster.committed() == 4);
    let taken = worker.metric("callqa_stage_seconds_count{stage=\"wait\"}");
    worker.stop();
    assert!(rows.iter().all(|row| row.field("reason") == "deadline_exceeded"));
    assert_eq!(cluster.length(Topic::Results.default_name(), 3), 4);
    assert!((taken - 4.0).abs() < f64::EPSILON, "each was taken once");
}
