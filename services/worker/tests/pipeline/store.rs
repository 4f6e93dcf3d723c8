//! Recordings that come late, stores that answer nobody.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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

    serve(TcpListener::bind(address).expect("the same port"), |_| 200);
    let rows = cluster.rows(Topic::Results, 6);
    wait_until("committed", || cluster.committed() == 6);
    wait_until("nothing waits", || !blocked());
    worker.stop();
    assert!(rows.iter().all(|row| row.field("ending") == "assessed"));
}

/// Two bad objects, as many as there are seats, on a host that gives all others: these go on, and the two are dead
/// letters once the host has given others their recordings for as long as the grace.
#[test]
fn bad_objects_of_a_host_cost_their_own_calls_alone() {
    let cluster = Cluster::start();
    let store = TcpListener::bind("127.0.0.1:0").expect("a port");
    let host = store.local_addr().expect("bound").to_string();
    serve(store, |path| if path.starts_with("/bad") { 500 } else { 200 });
    for name in ["bad-0", "bad-1"] {
        cluster.publish(&message(&by_uri(name, &format!("http://{host}/{name}.wav"))));
    }
    let worker = Running::start(cluster.config(&[
        ("store.hosts", &host),
        ("store.plain_http", "true"),
        ("store.private_networks", "127.0.0.0/8"),
        ("store.recording_grace", "1500ms"),
    ]));
    wait_until("the store is taken for dead", || worker.metric("callqa_blocked{cause=\"store\"}") > 0.0);
    let dead = "callqa_calls_total{ending=\"dead_lettered\",reason=\"recording_unreachable\"}";
    let assessed = "callqa_calls_total{ending=\"assessed\",reason=\"\"}";
    let mut good: u32 = 0;
    wait_until("the bad ones are given up", || {
        if worker.metric(assessed) >= f64::from(good) {
            let name = format!("good-{good}");
            cluster.publish(&message(&by_uri(&name, &format!("http://{host}/{name}.wav"))));
            good += 1;
        }
        worker.metric(dead) >= 2.0
    });
    let rows = cluster.rows(Topic::Results, good as usize + 2);
    wait_until("nothing waits", || worker.metric("callqa_blocked{cause=\"store\"}") < 1.0);
    worker.stop();
    assert!(good > 1, "the host gave others their recordings meanwhile");
    for row in &rows {
        let expect = if row.field("call_id").starts_with("bad") { "dead_lettered" } else { "assessed" };
        assert_eq!(row.field("ending"), expect, "{row:?}");
    }
}

/// Credentials that have expired are no call's fault: without any grace, all wait until they are renewed.
#[test]
fn a_login_that_is_refused_costs_no_call_its_grace() {
    let cluster = Cluster::start();
    let store = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", store.local_addr().expect("bound"));
    let is_renewed = Arc::new(AtomicBool::new(false));
    let renewed = Arc::clone(&is_renewed);
    serve(store, move |_| if renewed.load(Ordering::SeqCst) { 200 } else { 403 });
    for n in 0..4 {
        cluster.publish(&message(&by_uri(&format!("call-{n}"), &format!("s3://recordings/{n}.wav"))));
    }
    let worker = Running::start(cluster.config(&[
        ("store.s3.endpoint", &endpoint),
        ("store.s3.buckets", "recordings"),
        ("store.s3.access_key_id", "AKIATEST"),
        ("store.s3.secret_access_key", "expired"),
        ("store.plain_http", "true"),
        ("store.private_networks", "127.0.0.0/8"),
    ]));
    // More than there are seats: who waits stands aside.
    wait_until("all four wait", || worker.metric("callqa_calls_in_flight") >= 4.0);
    wait_until("for the store", || worker.metric("callqa_blocked{cause=\"store\"}") > 0.0);
    assert_eq!(cluster.length(Topic::Results.default_name(), 3), 0, "no call has paid for it");
    is_renewed.store(true, Ordering::SeqCst);
    let rows = cluster.rows(Topic::Results, 4);
    worker.stop();
    assert!(rows.iter().all(|row| row.field("ending") == "assessed"));
}

/// Answers each path with this status, and with a recording where that is 200.
fn serve(store: TcpListener, status: impl Fn(&str) -> u16 + Send + 'static) {
    std::thread::spawn(move || store.incoming().flatten().for_each(|stream| answer(stream, &status)));
}

fn answer(mut stream: TcpStream, status: impl Fn(&str) -> u16) {
    let mut request = [0; 4096];
    let count = stream.read(&mut request).unwrap_or(0);
    let request = String::from_utf8_lossy(&request[..count]);
    let status = status(request.split(' ').nth(1).unwrap_or_default());
    let body = if status == 200 { wav(GREETS) } else { Vec::new() };
    let head = format!(
        "HTTP/1.1 {status} x\r\nconnection: close\r\nlast-modified: Mon, 05 Jan 2026 09:30:00 GMT\r\n\
         etag: \"x\"\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
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
