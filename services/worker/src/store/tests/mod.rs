//! Recordings from a web server of our own, and what must hold for every recording.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

mod objects;
mod paths;
mod tls;
mod trap;
mod urls;

const LIMIT: ByteSize = ByteSize(1000);

/// Answers every path with a status and so many bytes: `/200/100`. `/200/100/cut` promises ten more than
/// come, and `/200/100/unsaid` does not say how many come.
async fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    address
}

async fn answer(mut stream: TcpStream) {
    let mut request = vec![0; 4096];
    let count = stream.read(&mut request).await.expect("a request");
    let request = String::from_utf8_lossy(&request[..count]).into_owned();
    let path = request.split(' ').nth(1).expect("a path").to_owned();
    let mut parts = path.trim_start_matches('/').split('/');
    let status = parts.next().expect("a status");
    let bytes: usize = parts.next().expect("a length").parse().expect("a number");
    let length = match parts.next() {
        None => format!("content-length: {bytes}\r\n"),
        Some("cut") => format!("content-length: {}\r\n", bytes + 10),
        Some(_) => String::new(),
    };
    let head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\nlocation: /200/1\r\n{length}\r\n");
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(&vec![7; bytes]).await;
}

fn config(private_networks: &[&str]) -> config::Store {
    config::Store {
        file_roots: Vec::new(),
        hosts: Vec::new(),
        plain_http: true,
        private_networks: private_networks.iter().map(|text| text.parse().expect("a network")).collect(),
        ca_file: None,
        objects: config::ObjectStore {
            endpoint: None,
            region: "us-east-1".to_owned(),
            buckets: Vec::new(),
            access_key_id: None,
            secret_access_key: None,
            session_token: None,
        },
        spool: std::env::temp_dir(),
        bytes_in_flight: ByteSize(4096),
        fetch_timeout: Duration::from_secs(10),
        patience: Duration::ZERO,
    }
}

/// The same with this place's port allowed on our test hosts: the test server's is another each time.
fn allowing(config: &config::Store, wanted: &RecordingRef) -> config::Store {
    let mut config = config.clone();
    let Source::Uri(uri) = &wanted.source else { return config };
    let port = url::Url::parse(uri.expose()).ok().and_then(|url| url.port());
    let hosts = ["127.0.0.1", "localhost", "media.example"].map(|host| match port {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    });
    config.hosts.extend(hosts.iter().map(|host| host.parse::<HostPattern>().expect("a pattern")));
    config
}

fn wanted(uri: impl Into<String>) -> RecordingRef {
    RecordingRef {
        source: Source::Uri(RecordingUri::new(uri)),
        sha256: None,
        size_bytes: None,
        content_type: None,
    }
}

fn open(config: &config::Store) -> Store {
    Store::open(config, LIMIT, Arc::new(Metrics::new().expect("metrics"))).expect("open")
}

async fn fetch(config: &config::Store, wanted: &RecordingRef) -> Result<u64, String> {
    let store = open(&allowing(config, wanted));
    let fetched = store.fetch(wanted).await;
    fetched.map(|fetched| fetched.recording.bytes()).map_err(|error| format!("{error:?}"))
}

#[track_caller]
fn check(outcome: Result<u64, String>, expect: Result<u64, &str>) {
    let kind = outcome.map_err(|error| error.split(['(', ' ']).next().unwrap_or_default().to_owned());
    assert_eq!(kind, expect.map_err(str::to_owned));
}

#[tokio::test]
async fn what_a_server_may_answer() {
    let at = format!("http://{}", server().await);
    let config = config(&["127.0.0.0/8"]);
    for (path, expect) in [
        ("/200/100", Ok(100)),
        ("/200/100/unsaid", Ok(100)),
        ("/200/1000", Ok(1000)),
        ("/200/1001", Err("TooLarge")),
        ("/200/100000/unsaid", Err("TooLarge")),
        ("/200/100/cut", Err("Unreachable")),
        ("/302/0", Err("Redirected")),
        ("/403/0", Err("NotPermitted")),
        ("/404/0", Err("Missing")),
        ("/206/100", Err("Status")),
        ("/503/0", Err("Status")),
    ] {
        check(fetch(&config, &wanted(format!("{at}{path}"))).await, expect);
    }
}

#[tokio::test]
async fn a_private_address_is_refused_written_out_or_resolved() {
    let port = server().await.port();
    check(
        fetch(&config(&[]), &wanted(format!("http://127.0.0.1:{port}/200/1"))).await,
        Err("AddressForbidden"),
    );
    check(
        fetch(&config(&[]), &wanted(format!("http://localhost:{port}/200/1"))).await,
        Err("AddressForbidden"),
    );
    let inside = config(&["127.0.0.0/8", "::1/128"]);
    check(fetch(&inside, &wanted(format!("http://localhost:{port}/200/1"))).await, Ok(1));
}

#[tokio::test]
async fn places_that_are_not_allowed() {
    let config = config(&["127.0.0.0/8"]);
    for (uri, expect) in [
        ("no place", "NotAUri"),
        ("/srv/call.wav", "NotAUri"),
        ("s3://bucket/call.wav", "BucketForbidden"),
        ("data:audio/wav;base64,AAAA", "SchemeForbidden"),
        ("http://elsewhere.example/call.wav", "HostForbidden"),
        ("http://user:secret@127.0.0.1/call.wav", "HostForbidden"),
        ("file:///etc/hostname", "OutsideRoots"),
    ] {
        check(fetch(&config, &wanted(uri)).await, Err(expect));
    }
    let tls_only = config::Store { plain_http: false, ..config };
    check(fetch(&tls_only, &wanted("http://127.0.0.1/call.wav")).await, Err("SchemeForbidden"));
}

#[tokio::test]
async fn a_recording_must_be_the_one_that_the_event_describes() {
    let uri = format!("http://{}/200/100", server().await);
    let sha256 = Recording::of(vec![7; 100]).sha256().to_owned();
    let config = config(&["127.0.0.0/8"]);
    let described = |sha256: Option<&str>, size_bytes| RecordingRef {
        sha256: sha256.map(str::to_owned),
        size_bytes,
        ..wanted(&uri)
    };
    check(fetch(&config, &described(Some(&sha256), Some(100))).await, Ok(100));
    check(fetch(&config, &described(Some(&sha256.to_uppercase()), None)).await, Ok(100));
    check(fetch(&config, &described(Some(&"0".repeat(64)), None)).await, Err("WrongHash"));
    check(fetch(&config, &described(None, Some(99))).await, Err("WrongSize"));
    check(fetch(&config, &described(None, Some(101))).await, Err("WrongSize"));
    check(fetch(&config, &described(None, Some(1001))).await, Err("TooLarge"));
}

#[tokio::test]
async fn an_inline_recording_is_held_to_the_same() {
    let inline = |bytes: usize| RecordingRef { source: Source::Inline(vec![7; bytes]), ..wanted("") };
    check(fetch(&config(&[]), &inline(100)).await, Ok(100));
    check(fetch(&config(&[]), &inline(1001)).await, Err("TooLarge"));
    let other = RecordingRef { sha256: Some("0".repeat(64)), ..inline(100) };
    check(fetch(&config(&[]), &other).await, Err("WrongHash"));
}

/// The host of an event may carry a password in its path or query: no error repeats any of it.
#[tokio::test]
async fn no_error_repeats_the_uri() {
    let config = config(&["127.0.0.0/8"]);
    for uri in ["http://127.0.0.1:9/SECRET?sig=SECRET", "http://SECRET.example/", "file:///SECRET", "SECRET"]
    {
        let wanted = wanted(uri);
        let error = open(&allowing(&config, &wanted)).fetch(&wanted).await.expect_err("no such place");
        assert!(!format!("{error} {error:?}").to_uppercase().contains("SECRET"), "{error:?}");
    }
}

#[tokio::test]
async fn the_byte_budget_is_shared_and_given_back() {
    let store = open(&config(&[]));
    let inline = RecordingRef { source: Source::Inline(vec![7; 1000]), ..wanted("") };
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(store.fetch(&inline).await.expect("fits"));
    }
    assert_eq!(store.budget.available_permits(), 0);
    let fifth = store.fetch(&inline);
    tokio::pin!(fifth);
    assert!(tokio::time::timeout(Duration::ZERO, &mut fifth).await.is_err());
    held.pop();
    assert!(fifth.await.is_ok());
}

#[tokio::test]
async fn a_recording_that_comes_late_is_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = config(&[]);
    config.file_roots = vec![folder.path().to_owned()];
    config.patience = Duration::from_secs(30);
    let store = open(&config);
    let path = folder.path().join("late.wav");
    let late = wanted(format!("file://{}", path.display()));
    let fetch = store.fetch(&late);
    tokio::pin!(fetch);
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut fetch).await.is_err());
    std::fs::write(&path, [7; 10]).expect("written");
    assert_eq!(fetch.await.expect("there now").recording.bytes(), 10);
}

/// Without time for a second attempt after the first, which takes all of `fetch_timeout`.
#[tokio::test]
async fn a_host_that_is_slow_costs_no_more_than_the_patience() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let came = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&came);
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    });
    let slow = wanted(format!("http://{address}/slow.wav"));
    let config = config::Store {
        fetch_timeout: Duration::from_millis(300),
        patience: Duration::from_millis(700),
        ..config(&["127.0.0.0/8"])
    };
    check(fetch(&config, &slow).await, Err("TooSlow"));
    assert_eq!(came.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn who_gives_a_recording_is_known_by_its_place() {
    let store = open(&config(&[]));
    let origin = |uri: &str| store.origin(&wanted(uri));
    assert_eq!(origin("https://media.example/a.wav?sig=x"), origin("https://MEDIA.example:443/b.wav"));
    assert_ne!(origin("https://media.example/a.wav"), origin("https://media.example:8443/a.wav"));
    assert_ne!(origin("https://media.example/a.wav"), origin("https://other.example/a.wav"));
    assert_eq!(origin("s3://recordings/a.wav"), origin("s3://recordings/b/c.wav"));
    assert_ne!(origin("s3://recordings/a.wav"), origin("s3://old.recordings/a.wav"));
    assert_eq!(origin("no place"), None);
}
