//! Canaries: numbers, names and phrases go through the worker in calls, places, broken events and panics. The
//! numbers may come out nowhere; names and phrases only in observations and evidence.
#![allow(missing_docs, clippy::expect_used, clippy::panic)]

#[allow(dead_code)]
#[path = "../pipeline/cluster.rs"]
mod cluster;
mod inputs;
mod words;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use callqa_proto::Topic;
use callqa_worker::analysts::log_panics_without_words;
use callqa_worker::app::Worker;
use callqa_worker::config::LogFormat;
use callqa_worker::telemetry::lines;
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use cluster::{Cluster, Row, wait_until};
use inputs::{NAMES, NUMBERS, PHRASES};

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("not poisoned")).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a worker left behind.
struct Traces {
    log: String,
    metrics: String,
    rows: Vec<(Topic, Row)>,
    calls: usize,
}

/// The port of a store that has no recording.
fn empty_store() -> u16 {
    let store = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = store.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for mut asked in store.incoming().flatten() {
            let _ = asked.read(&mut [0; 4096]);
            let _ =
                asked.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    port
}

/// Runs a worker over all inputs, with every log line there is.
fn traces() -> Traces {
    let log = Log::default();
    let writer = log.clone();
    lines(LogFormat::Json, EnvFilter::new("trace"), move || writer.clone(), false).init();
    log_panics_without_words();
    // The worker's hook says nothing; whoever runs this test wants to know.
    let wordless = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        wordless(panic);
        eprintln!("{panic}");
    }));

    let cluster = Cluster::start();
    let spool = tempfile::tempdir().expect("a folder");
    let store = empty_store();
    let inputs = inputs::all(spool.path(), store);
    let hosts = format!("localhost:{store}, 127.0.0.1:{store}");
    let endpoint = format!("http://127.0.0.1:{store}");
    inputs.iter().for_each(|message| cluster.publish(message));
    let roots = format!("[{:?}]", spool.path().display().to_string());
    let config = cluster.config(&[
        ("store.file_roots", &roots),
        ("store.hosts", &hosts),
        // Nothing is waited for: each place is told to have no recording, and its call is dead-lettered.
        ("store.recording_grace", "0s"),
        ("store.plain_http", "true"),
        ("store.private_networks", "127.0.0.0/8, ::1/128"),
        ("store.s3.endpoint", &endpoint),
        ("store.s3.buckets", "recordings"),
        ("store.s3.access_key_id", inputs::SECRETS[0]),
        ("store.s3.secret_access_key", inputs::SECRETS[1]),
        ("store.s3.session_token", inputs::SECRETS[2]),
        ("kafka.client.sasl_password", inputs::SECRETS[3]),
    ]);
    tracing::info!(target: "callqa_worker", settings = ?config, "settings");

    let (stop, stopped) = oneshot::channel::<()>();
    let (started, parts) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let worker = Worker::start(config, words::equipment()).await.expect("started");
            started.send(Arc::clone(worker.metrics())).expect("awaited");
            worker.run(async { drop(stopped.await) }).await.expect("a clean end");
        });
    });
    let metrics = parts.recv().expect("the worker starts");
    wait_until("every call is committed", || cluster.committed() == inputs.len() as i64);
    stop.send(()).expect("running");
    thread.join().expect("no panic outside of an analyst");

    let mut rows = Vec::new();
    for topic in Topic::ALL.into_iter().filter(|topic| *topic != Topic::Recorded) {
        let count = cluster.length(topic.default_name(), cluster::PARTITIONS) as usize;
        rows.extend(cluster.rows(topic, count).into_iter().map(|row| (topic, row)));
    }
    Traces { log: log.text(), metrics: metrics.text().expect("metrics"), rows, calls: inputs.len() }
}

/// The fields in which words of a call may stand, outside of observations: the evidence of findings (`text` is that of
/// the first) and of the reasons for a review.
const EVIDENCE: [(Topic, &str); 3] =
    [(Topic::Findings, "text"), (Topic::Findings, "evidence_text"), (Topic::ReviewTasks, "reason_text")];

/// A row without the fields that may hold words.
fn without_evidence(topic: Topic, row: &Row) -> String {
    if topic == Topic::Observations {
        return String::new();
    }
    let mut json = row.json.clone();
    if let Some(fields) = json.as_object_mut() {
        fields.retain(|name, _| !EVIDENCE.contains(&(topic, name.as_str())));
    }
    format!("{} {:?} {json}", row.key, row.headers)
}

#[test]
fn nothing_leaks() {
    let traces = traces();
    let endings = traces.rows.iter().filter(|(topic, _)| *topic == Topic::Results).count();
    assert_eq!(endings, traces.calls, "one ending a message");
    let observations: String = traces
        .rows
        .iter()
        .filter(|(topic, _)| *topic == Topic::Observations)
        .map(|(_, row)| row.json.to_string())
        .collect();
    // The canaries did go through: what may be published is.
    for word in NAMES.iter().chain(PHRASES) {
        assert!(observations.contains(word), "{word} was never heard");
    }
    assert!(
        traces.log.contains("\"level\":\"TRACE\"")
            || traces.log.contains("\"level\":\"DEBUG\"")
            || traces.log.len() > 1_000
    );
    assert!(traces.log.contains("***"), "the settings were logged");
    assert!(traces.log.contains("\"panic\""), "a model panicked");

    let mut leaks = Vec::new();
    for canary in NUMBERS.iter().chain(&inputs::SECRETS) {
        for (topic, row) in &traces.rows {
            let whole = format!("{} {:?} {}", row.key, row.headers, String::from_utf8_lossy(&row.payload));
            if whole.contains(canary) {
                leaks.push(format!("{canary} on {topic:?}: {whole}"));
            }
        }
    }
    for canary in NAMES.iter().chain(PHRASES) {
        for (topic, row) in &traces.rows {
            let rest = without_evidence(*topic, row);
            if rest.contains(canary) {
                leaks.push(format!("{canary} on {topic:?}: {rest}"));
            }
        }
    }
    for canary in NUMBERS.iter().chain(&inputs::SECRETS).chain(NAMES).chain(PHRASES) {
        for (place, text) in [("log", &traces.log), ("metrics", &traces.metrics)] {
            let lines = text.lines().filter(|line| line.contains(canary));
            leaks.extend(lines.map(|line| format!("{canary} in {place}: {line}")));
        }
    }
    assert!(leaks.is_empty(), "{} leaks\n{}", leaks.len(), leaks.join("\n"));
    println!(
        "{} calls, {} rows and {} bytes of log at `trace` scanned for {} canaries: none where it must not be",
        traces.calls,
        traces.rows.len(),
        traces.log.len(),
        NUMBERS.len() + NAMES.len() + PHRASES.len() + inputs::SECRETS.len()
    );
}
