//! The commands that read and write topics, against a broker inside this process (librdkafka's own, without the
//! Admin API). The same commands meet a real broker and a worker in the end-to-end tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod summary;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use callqa_domain::identity;
use callqa_proto::header::{SOURCE_OFFSET, SOURCE_PARTITION, SOURCE_TOPIC};
use callqa_proto::wire::{DeadLetterRow, FindingRow, ResultRow};
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};
use serde::Serialize;
use serde_json::{Value, json};

const TOPICS: [&str; 7] = [
    "qa.calls.recorded.v1",
    "qa.calls.backfill.v1",
    "qa.results.v1",
    "qa.findings.v1",
    "qa.observations.v1",
    "qa.review.tasks.v1",
    "qa.calls.dlq.v1",
];

struct Kafka {
    cluster: MockCluster<'static, DefaultProducerContext>,
    producer: BaseProducer,
}

impl Kafka {
    fn start() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        for topic in TOPICS {
            cluster.create_topic(topic, 2, 1).unwrap();
        }
        let producer =
            ClientConfig::new().set("bootstrap.servers", cluster.bootstrap_servers()).create().unwrap();
        Self { cluster, producer }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callqa"));
        command.args(args).env("CALLQA_BROKERS", self.cluster.bootstrap_servers());
        command
    }

    fn callqa(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    #[track_caller]
    fn check(&self, args: &[&str], code: i32, parts: &[&str]) {
        let output = self.callqa(args);
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{said}");
        for part in parts {
            assert!(said.contains(part), "{part:?} is not in\n{said}");
        }
    }

    fn put(&self, topic: &str, key: &str, row: &impl Serialize) {
        let payload = serde_json::to_vec(row).unwrap();
        self.producer.send(BaseRecord::to(topic).key(key).payload(&payload)).unwrap();
        self.producer.flush(Duration::from_secs(10)).unwrap();
    }

    /// An event, as long as it may be, in partition 0.
    fn put_event(&self, topic: &str, event: &[u8]) {
        let mut options = ClientConfig::new();
        options
            .set("bootstrap.servers", self.cluster.bootstrap_servers())
            .set("message.max.bytes", "2000000");
        let producer: BaseProducer = options.create().unwrap();
        producer.send(BaseRecord::<(), [u8]>::to(topic).partition(0).payload(event)).unwrap();
        producer.flush(Duration::from_secs(10)).unwrap();
    }

    /// The letter about an event of partition 0, `at` milliseconds after 1970.
    fn put_letter(&self, call_id: &str, (topic, offset): (&str, &str), event: &[u8], at: i64) {
        let letter = DeadLetterRow { event_digest: identity::content_digest(event), ..dead(call_id).1 };
        let payload = serde_json::to_vec(&letter).unwrap();
        let source = [(SOURCE_TOPIC, topic), (SOURCE_PARTITION, "0"), (SOURCE_OFFSET, offset)];
        let headers = source.into_iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value) })
        });
        let record = BaseRecord::to("qa.calls.dlq.v1").key(call_id).payload(&payload);
        self.producer.send(record.headers(headers).timestamp(at)).unwrap();
        self.producer.flush(Duration::from_secs(10)).unwrap();
    }
}

fn recordings() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.wav"), "first").unwrap();
    fs::write(folder.path().join("b.wav"), "second").unwrap();
    fs::write(folder.path().join("calls.csv"), "file,queue\na.wav,billing\n").unwrap();
    folder
}

fn ending(call_id: &str) -> ResultRow {
    ResultRow {
        ending_id: identity::ending_id("default", call_id, 0),
        result_id: format!("result of {call_id}"),
        tenant: Some("default".into()),
        call_id: Some(call_id.into()),
        revision: Some(0),
        ..ResultRow::default()
    }
}

fn flagged(call_id: &str) -> (ResultRow, FindingRow) {
    let result = ResultRow {
        ending: "assessed".into(),
        score: Some(62),
        outcome: Some("unresolved".into()),
        flagged: true,
        flag_reasons: vec!["conduct.rude".into()],
        duration_ms: Some(61_000),
        language: Some("zh".into()),
        ..ending(call_id)
    };
    let finding = FindingRow {
        result_id: result.result_id.clone(),
        row_id: "row".into(),
        kind: "verdict".into(),
        name: "conduct.rude".into(),
        speaker: Some("agent".into()),
        start_ms: Some(72_000),
        end_ms: Some(75_000),
        text: Some("你自己看着办".into()),
        ..FindingRow::default()
    };
    (result, finding)
}

fn dead(call_id: &str) -> (ResultRow, DeadLetterRow) {
    let reason = "not_audio".to_owned();
    let result =
        ResultRow { ending: "dead_lettered".into(), reason: Some(reason.clone()), ..ending(call_id) };
    let letter = DeadLetterRow {
        ending_id: result.ending_id.clone(),
        tenant: result.tenant.clone(),
        call_id: result.call_id.clone(),
        revision: result.revision,
        ending: result.ending.clone(),
        reason,
        detail: "recording is not audio".into(),
        ..DeadLetterRow::default()
    };
    (result, letter)
}

fn end_both(kafka: &Kafka) {
    let ((result, finding), (failure, letter)) = (flagged("a"), dead("b"));
    kafka.put("qa.findings.v1", "a", &finding);
    kafka.put("qa.results.v1", "a", &result);
    kafka.put("qa.results.v1", "a", &result);
    kafka.put("qa.calls.dlq.v1", "b", &letter);
    kafka.put("qa.results.v1", "b", &failure);
}

fn json_lines(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_is_published_is_audited_until_it_has_ended() {
    let (kafka, folder) = (Kafka::start(), recordings());
    let path = folder.path().to_str().unwrap();
    kafka.check(&["publish", path], 0, &["published 2 recordings to qa.calls.recorded.v1, by file: URI"]);
    kafka.check(&["audit"], 1, &["default/a revision 0  at qa.calls.recorded.v1/", "it does not balance"]);
    end_both(&kafka);
    kafka.check(&["audit"], 0, &["it balances: received 2 = 1 + 0 + 1"]);
    // The same files again are the same calls.
    kafka.check(&["publish", path, "--inline"], 0, &["inside their events"]);
    kafka.check(&["audit"], 0, &["it balances: received 2", "(2 events came more than once"]);
    kafka.put("qa.results.v1", "z", &flagged("z").0);
    kafka.check(&["audit"], 1, &["endings without a call:\n  default/z revision 0: assessed"]);
}

#[test]
fn an_event_that_cannot_be_read_needs_an_ending_too() {
    let kafka = Kafka::start();
    kafka.put("qa.calls.recorded.v1", "x", &"no event");
    kafka.check(&["audit"], 1, &["(unreadable event)  at qa.calls.recorded.v1/"]);
}

#[test]
fn results_are_a_table_with_evidence() {
    let kafka = Kafka::start();
    kafka.check(&["results"], 0, &["no call has ended yet"]);
    end_both(&kafka);
    let evidence = "a  1:12 agent \"你自己看着办\"  [conduct.rude]\n";
    let parts = ["unresolved", "62", "1:01", evidence, "failed: not audio", "b  recording is not audio\n"];
    kafka.check(&["results"], 0, &parts);
    kafka.check(
        &["results", "--expect", "2"],
        0,
        &[&parts[..], &["2/2 calls", "1 flagged · 1 failed"]].concat(),
    );
    // What is there already counts, though it is more.
    kafka.check(&["results", "--expect", "1"], 0, &[&parts[..], &["2/2 calls"]].concat());
    kafka.put("qa.results.v1", "a", &"no row");
    let passed_over = "1 rows of another version were passed over";
    kafka.check(&["results"], 1, &[&parts[..], &[passed_over]].concat());
}

#[test]
fn following_shows_what_replaces_an_ending() {
    let kafka = Kafka::start();
    for row in [dead("a").0, dead("a").0, flagged("a").0, flagged("a").0, dead("last").0] {
        kafka.put("qa.results.v1", "one partition", &row);
    }
    let mut follow = kafka.command(&["results", "--follow", "--json"]);
    let mut follow = follow.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut shown = Vec::new();
    for line in BufReader::new(follow.stdout.take().unwrap()).lines() {
        let row: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if row["call_id"] == "last" {
            break;
        }
        shown.push(row["ending"].clone());
    }
    follow.kill().unwrap();
    follow.wait().unwrap();
    assert_eq!(shown, ["dead_lettered", "assessed"]);
}

#[test]
fn results_are_rows_for_programs() {
    let kafka = Kafka::start();
    end_both(&kafka);
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("rows.jsonl");
    let output = kafka.callqa(&["results", "--json", "--summary", summary.to_str().unwrap()]);
    let rows: Vec<Value> =
        output.stdout.split(|&b| b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let mut calls: Vec<&str> = rows.iter().filter_map(|row| row["call_id"].as_str()).collect();
    calls.sort_unstable();
    assert_eq!(calls, ["a", "b"]);
    let mut topics: Vec<String> =
        json_lines(&summary).iter().map(|line| line["topic"].as_str().unwrap().to_owned()).collect();
    topics.sort();
    assert_eq!(topics, ["qa.calls.dlq.v1", "qa.findings.v1", "qa.results.v1", "qa.results.v1"]);
}

#[test]
fn what_does_not_come_is_not_waited_for_without_end() {
    let kafka = Kafka::start();
    end_both(&kafka);
    kafka.check(
        &["results", "--expect", "3", "--timeout", "1s"],
        1,
        &["2 have, 1 are missing", "unresolved"],
    );
}

#[test]
fn waiting_ends_with_the_last_of_the_published_calls() {
    let (kafka, folder) = (Kafka::start(), recordings());
    // Endings of other times and other calls are passed over.
    kafka.put("qa.results.v1", "a", &dead("a").0);
    let mut publish = kafka.command(&["publish", folder.path().to_str().unwrap(), "--wait"]);
    let publish = publish.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let both_are_there = || {
        let audit = kafka.callqa(&["audit"]);
        let lines = String::from_utf8_lossy(&audit.stdout).into_owned();
        lines.lines().any(|line| line.split_whitespace().eq(["received", "2"]))
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    while !both_are_there() {
        assert!(Instant::now() < deadline, "nothing was published");
    }
    end_both(&kafka);
    let output = publish.wait_with_output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "b failed\n{out}{err}");
    assert!(out.contains("conduct.rude") && out.contains("failed: not audio"), "{out}");
    assert!(err.contains("2/2 calls"), "{err}");
}

#[test]
fn a_recording_that_is_too_large_for_its_event_is_named() {
    let kafka = Kafka::start();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.wav"), "fits").unwrap();
    fs::write(folder.path().join("long.wav"), vec![0; 800_000]).unwrap();
    fs::write(folder.path().join("longer.wav"), vec![0; 900_000]).unwrap();
    let path = folder.path().to_str().unwrap();
    kafka.check(
        &["publish", path, "--inline"],
        1,
        &["long.wav: 800000 bytes, more than the 716800 that fit into an event (1 other recording too)"],
    );
    // Not even the one that fits was sent.
    kafka.check(&["audit"], 0, &["it balances: received 0 = 0 + 0 + 0"]);
}

#[test]
fn a_call_is_sent_again_whatever_becomes_of_the_others() {
    let (kafka, topic) = (Kafka::start(), "qa.calls.recorded.v1");
    let (event, too_long) = (b"an event", vec![b' '; 1_500_000]);
    kafka.put_event(topic, event);
    kafka.put_event(topic, &too_long);
    let redrive = ["redrive", "--reason", "not_audio"];
    kafka.put_letter("gone", ("qa.calls.gone.v1", "0"), event, 1);
    kafka.put_letter("a", (topic, "0"), event, 2);
    let gone = "1 left: whose event no longer stands on its topic, or whose topic is not there";
    kafka.check(&redrive, 1, &["1 call sent again", gone]);
    kafka.put_letter("long", (topic, "1"), &too_long, 3);
    kafka.check(&redrive, 1, &["1 call sent again", gone, "publishing to qa.calls.recorded.v1 failed"]);
}

#[test]
fn an_event_that_a_worker_would_refuse_is_not_sent() {
    let (kafka, folder) = (Kafka::start(), recordings());
    let path = folder.path().to_str().unwrap();
    let refused = "a.wav: the event has 1 mistake: tenant must not hold `/`";
    kafka.check(&["publish", path, "--tenant", "acme/eu", "--wait"], 1, &[refused]);
    kafka.check(&["audit"], 0, &["it balances: received 0 = 0 + 0 + 0"]);
}
