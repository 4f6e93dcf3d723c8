//! Recordings that come late, stores that answer nobody.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use callqa_proto::Topic;
use callqa_proto::wire::{CallRecorded, Purpose};

use crate::Running;
use crate::calls::{GREETS, by_uri, message, ordinary, wav};
use crate::cluster::{Cluster, Row, wait_until};

/// Calls of the law's end-to-end form, and the one among them that can't be judged yet.
const CALLS: usize = 1_000;
const REFUSED: usize = 500;

fn file_uri(folder: &tempfile::TempDir, name: &str) -> String {
    format!("file://{}/{name}", folder.path().canonicalize().expect("a path").display())
}

fn roots(folder: &tempfile::TempDir) -> String {
    format!("[{:?}]", folder.path().canonicalize().expect("a path"))
}

fn ended<'a>(rows: &'a [Row], call_id: &str) -> Vec<&'a str> {
    rows.iter().filter(|row| row.field("call_id") == call_id).map(|row| row.field("ending")).collect()
}

/// Four calls wait for their recordings, more than there are seats: the fifth goes on all the same.
#[test]
fn calls_whose_recordings_come_late_stand_aside() {
    let (cluster, folder) = (Cluster::start(), tempfile::tempdir().expect("a folder"));
    for n in 0..4 {
        let name = format!("late-{n}");
        cluster.publish(&message(&by_uri(&name, &file_uri(&folder, "late.wav"))));
    }
    let settings = [("store.file_roots", roots(&folder)), ("store.recording_grace", "5m".to_owned())];
    let settings = settings.each_ref().map(|(key, value)| (*key, value.as_str()));
    let worker = Running::start(cluster.config(&settings));
    wait_until("all four stand aside", || worker.metric("callqa_calls_in_flight") >= 4.0);
    cluster.publish(&message(&ordinary("good")));
    assert_eq!(ended(&cluster.rows(Topic::Results, 1), "good"), ["assessed"]);
    assert!(worker.metric("callqa_blocked{cause=\"store\"}") < 1.0, "the store is well");

    std::fs::write(folder.path().join("late.wav"), wav(GREETS)).expect("written");
    let rows = cluster.rows(Topic::Results, 5);
    wait_until("committed", || cluster.committed() == 5);
    worker.stop();
    assert!(rows.iter().all(|row| row.field("ending") == "assessed"));
}

#[test]
fn a_recording_that_never_comes_costs_its_grace_and_then_its_call() {
    let (cluster, folder) = (Cluster::start(), tempfile::tempdir().expect("a folder"));
    cluster.publish(&message(&by_uri("never", &file_uri(&folder, "never.wav"))));
    let settings = [("store.file_roots", roots(&folder)), ("store.recording_grace", "1500ms".to_owned())];
    let settings = settings.each_ref().map(|(key, value)| (*key, value.as_str()));
    let worker = Running::start(cluster.config(&settings));
    let rows = cluster.rows(Topic::Results, 1);
    worker.stop();
    assert_eq!(rows[0].field("reason"), "recording_missing");
}

/// Without any grace: a store that answers nobody costs none.
#[test]
fn a_store_that_answers_nobody_costs_no_call_its_grace() {
    let cluster = Cluster::start();
    let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    for n in 0..6 {
        cluster.publish(&message(&by_uri(&format!("call-{n}"), &format!("http://{address}/{n}.wav"))));
    }
    let host = address.to_string();
    let worker = Running::start(cluster.config(&[
        ("store.hosts", &host),
        ("store.plain_http", "true"),
        ("store.private_networks", "127.0.0.0/8"),
    ]));
    let blocked = || worker.metric("callqa_blocked{cause=\"store\"}") > 0.0;
    wait_until("calls wait for the store", blocked);
    assert_eq!(cluster.length(Topic::Results.default_name(), 3), 0, "no call has paid for it");

    let store = TcpListener::bind(address).expect("the same port");
    std::thread::spawn(move || store.incoming().flatten().for_each(serve));
    let rows = cluster.rows(Topic::Results, 6);
    wait_until("committed", || cluster.committed() == 6);
    wait_until("nothing waits", || !blocked());
    worker.stop();
    assert!(rows.iter().all(|row| row.field("ending") == "assessed"));
}

fn serve(mut stream: TcpStream) {
    let _ = stream.read(&mut [0; 4096]);
    let body = wav(GREETS);
    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

/// The ledger's law, end to end: one call in the middle can't end yet, all others do; nothing from it on is
/// committed in its partition, and after a restart it is judged.
#[test]
fn one_call_refused_in_the_middle_of_a_thousand_is_redone_after_a_restart() {
    let (cluster, folder) = (Cluster::start(), tempfile::tempdir().expect("a folder"));
    for n in 0..CALLS {
        let id = format!("call-{n}");
        // By URI: the mock keeps no more than five megabytes a partition.
        let call = by_uri(&id, &file_uri(&folder, "late.wav"));
        let test = CallRecorded { purpose: Purpose::Test.into(), ..call.clone() };
        cluster.publish_soon(&message(if n == REFUSED { &call } else { &test }));
    }
    cluster.published();
    let settings = [("store.file_roots", roots(&folder)), ("store.recording_grace", "5m".to_owned())];
    let settings = settings.each_ref().map(|(key, value)| (*key, value.as_str()));
    // Many seats: these calls take no time, so that the hand-over from the poll thread is all that is waited for.
    let settings = [&settings[..], &[("analysts.count", "32"), ("stop.drain_timeout", "1s")]].concat();

    let first = Running::start(cluster.config(&settings));
    let excluded = "callqa_calls_total{ending=\"excluded\",reason=\"test_call\"}";
    wait_until("all others have ended", || first.metric(excluded) > (CALLS - 2) as f64);
    first.stop();
    let committed = cluster.committed();
    assert!(committed < CALLS as i64, "{committed} calls are committed, and one has no ending");

    std::fs::write(folder.path().join("late.wav"), wav(GREETS)).expect("written");
    let second = Running::start(cluster.config(&settings));
    wait_until("all are committed", || cluster.committed() == CALLS as i64);
    second.stop();
    let length = cluster.length(Topic::Results.default_name(), 3) as usize;
    let rows = cluster.rows(Topic::Results, length);
    assert_eq!(ended(&rows, &format!("call-{REFUSED}")), ["assessed"]);
    assert_eq!(
        (length - CALLS) as i64,
        CALLS as i64 - 1 - committed,
        "what was not committed was done again"
    );
    let mut endings = std::collections::BTreeMap::<&str, std::collections::BTreeSet<&[u8]>>::new();
    for row in &rows {
        endings.entry(row.field("call_id")).or_default().insert(&row.payload);
    }
    assert_eq!(endings.len(), CALLS);
    assert!(endings.values().all(|repeats| repeats.len() == 1), "every repeat is the same");
}
