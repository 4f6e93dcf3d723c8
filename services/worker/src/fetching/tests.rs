//! Calls at a host of our own: how long they wait, and what they leave to others.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use callqa_proto::{RecordingUri, Source};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::*;
use crate::config::{self, ByteSize};

/// Longer than anything here takes, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer: status, how long it takes, and how many bytes there are.
type Answer = (u16, Duration, usize);

/// A host, and what it was asked.
#[derive(Default)]
struct Host {
    /// How often it was asked for each path.
    asked: Mutex<BTreeMap<String, usize>>,
    /// Requests for paths that were asked for before: those in hand, and the most there ever were.
    repeats: AtomicUsize,
    most_repeats: AtomicUsize,
}

impl Host {
    /// Answers by the path and how often that was asked for before.
    async fn open(answer: fn(&str, usize) -> Answer) -> (SocketAddr, Arc<Self>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let host = Arc::new(Self::default());
        let opened = Arc::clone(&host);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let host = Arc::clone(&host);
                tokio::spawn(async move { host.serve(stream, answer).await });
            }
        });
        (address, opened)
    }

    async fn serve(&self, mut stream: TcpStream, answer: fn(&str, usize) -> Answer) {
        let mut request = vec![0; 4096];
        let count = stream.read(&mut request).await.expect("a request");
        let request = String::from_utf8_lossy(&request[..count]).into_owned();
        let path = request.split(' ').nth(1).expect("a path");
        let before = {
            let mut asked = self.asked.lock().expect("not poisoned");
            let asked = asked.entry(path.to_owned()).or_default();
            *asked += 1;
            *asked - 1
        };
        if before > 0 {
            let now = self.repeats.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_repeats.fetch_max(now, Ordering::SeqCst);
        }
        let (status, takes, bytes) = answer(path, before);
        sleep(takes).await;
        // Before the answer: whoever has it may have the next asked at once.
        if before > 0 {
            self.repeats.fetch_sub(1, Ordering::SeqCst);
        }
        let head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {bytes}\r\n\r\n");
        let _ = stream.write_all(head.as_bytes()).await;
        let _ = stream.write_all(&vec![7; bytes]).await;
    }

    fn asked(&self, path: &str) -> usize {
        self.asked.lock().expect("not poisoned").get(path).copied().unwrap_or(0)
    }
}

fn fetching(hosts: &[SocketAddr], grace: Duration, seats: &Arc<Semaphore>) -> Arc<Fetching> {
    let hosts = hosts.iter().map(|host| host.to_string().parse().expect("a pattern")).collect();
    fetching_from(config::Store { hosts, ..nowhere() }, grace, seats)
}

fn fetching_from(config: config::Store, grace: Duration, seats: &Arc<Semaphore>) -> Arc<Fetching> {
    let metrics = Arc::new(Metrics::new().expect("metrics"));
    let store = Store::open(&config, ByteSize(1000), Arc::clone(&metrics)).expect("open");
    Arc::new(Fetching::new(store, grace, Arc::clone(seats), metrics))
}

fn nowhere() -> config::Store {
    config::Store {
        file_roots: Vec::new(),
        hosts: Vec::new(),
        plain_http: true,
        private_networks: vec!["127.0.0.0/8".parse().expect("a network")],
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
        bytes_in_flight: ByteSize::mebibytes(1),
        fetch_timeout: PATIENCE,
        patience: Duration::ZERO,
    }
}

fn wanted(host: SocketAddr, path: &str) -> RecordingRef {
    wanted_at(format!("http://{host}{path}"))
}

fn wanted_at(uri: String) -> RecordingRef {
    RecordingRef {
        source: Source::Uri(RecordingUri::new(uri)),
        sha256: None,
        size_bytes: None,
        content_type: None,
    }
}

/// A call: it has a seat before it fetches, and gives it back in the end.
async fn call(fetching: Arc<Fetching>, wanted: RecordingRef) -> Result<u64, StoreError> {
    let mut seat = Arc::clone(&fetching.seats).acquire_owned().await.ok();
    fetching.fetch(&wanted, &mut seat).await.map(|fetched| fetched.recording.bytes())
}

/// Two seconds of grace: the first answer, a second's wait and another second's answer use them up.
#[tokio::test]
async fn the_time_that_an_answer_takes_counts_against_the_grace() {
    let (address, host) = Host::open(|_, _| (404, Duration::from_secs(1), 0)).await;
    let fetching = fetching(&[address], Duration::from_secs(2), &Arc::new(Semaphore::new(2)));
    let error = call(fetching, wanted(address, "/never.wav")).await.expect_err("nothing there");
    assert!(matches!(error, StoreError::Missing), "{error:?}");
    assert_eq!(host.asked("/never.wav"), 2);
}

/// A host that keeps whoever asks again: one of two seats stays free for new calls.
#[tokio::test]
async fn calls_that_come_back_leave_seats_to_others() {
    let (address, host) =
        Host::open(|_, before| (503, Duration::from_millis(if before > 0 { 200 } else { 0 }), 0)).await;
    let fetching = fetching(&[address], Duration::ZERO, &Arc::new(Semaphore::new(2)));
    let mut calls = JoinSet::new();
    for n in 0..4 {
        calls.spawn(call(Arc::clone(&fetching), wanted(address, &format!("/{n}.wav"))));
    }
    let all_came_back = async {
        while (0..4).any(|n| host.asked(&format!("/{n}.wav")) < 3) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, all_came_back).await.expect("they ask again");
    assert_eq!(host.most_repeats.load(Ordering::SeqCst), 1);
    assert!(calls.try_join_next().is_none(), "the host answers nobody: no call has paid for it");
}

/// Two bad objects among good ones, more calls than seats: without any grace, since it is spent only while the host
/// gives others their recordings.
#[tokio::test]
async fn objects_that_are_bad_cost_their_own_calls_alone() {
    let (address, host) =
        Host::open(|path, _| (if path.starts_with("/bad") { 500 } else { 200 }, Duration::ZERO, 9)).await;
    let fetching = fetching(&[address], Duration::ZERO, &Arc::new(Semaphore::new(2)));
    let mut bad = JoinSet::new();
    for n in 0..2 {
        bad.spawn(call(Arc::clone(&fetching), wanted(address, &format!("/bad-{n}.wav"))));
    }
    let both_were_asked = async {
        while (0..2).any(|n| host.asked(&format!("/bad-{n}.wav")) < 1) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, both_were_asked).await.expect("asked");
    for n in 0..5 {
        let good = call(Arc::clone(&fetching), wanted(address, &format!("/good-{n}.wav")));
        assert_eq!(timeout(PATIENCE, good).await.expect("a seat").expect("given"), 9);
    }
    while let Some(ended) = timeout(PATIENCE, bad.join_next()).await.expect("an end") {
        let error = ended.expect("no panic").expect_err("bad");
        assert!(matches!(error, StoreError::Status { status: 500 }), "{error:?}");
    }
}

#[tokio::test]
async fn a_dead_host_costs_no_call_its_grace_while_another_lives() {
    let (dead, at_dead) =
        Host::open(|_, before| (if before < 2 { 503 } else { 200 }, Duration::ZERO, 9)).await;
    let (live, _) = Host::open(|_, _| (200, Duration::ZERO, 9)).await;
    let fetching = fetching(&[dead, live], Duration::ZERO, &Arc::new(Semaphore::new(2)));
    let mut waiting = JoinSet::new();
    for n in 0..4 {
        waiting.spawn(call(Arc::clone(&fetching), wanted(dead, &format!("/{n}.wav"))));
    }
    let both_are_asked = async {
        while (0..4).any(|n| at_dead.asked(&format!("/{n}.wav")) < 2) {
            let good = call(Arc::clone(&fetching), wanted(live, "/good.wav"));
            assert_eq!(good.await.expect("given"), 9);
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, both_are_asked)
        .await
        .expect("seats for the live host, and second questions to the dead one");
    // From the third time on it answers, and each call has its recording.
    while let Some(ended) = timeout(PATIENCE, waiting.join_next()).await.expect("an end") {
        assert_eq!(ended.expect("no panic").expect("it waited"), 9);
    }
}

#[tokio::test]
async fn a_folder_that_is_gone_costs_no_call_its_grace() {
    let folder = tempfile::tempdir().expect("a folder");
    let share = folder.path().join("share");
    std::fs::create_dir(&share).expect("made");
    let config = config::Store { file_roots: vec![share.clone()], ..nowhere() };
    let fetching = fetching_from(config, Duration::ZERO, &Arc::new(Semaphore::new(2)));
    std::fs::remove_dir(&share).expect("removed");

    let recording = wanted_at(format!("file://{}/call.wav", share.display()));
    let waiting = tokio::spawn(call(Arc::clone(&fetching), recording.clone()));
    let it_is_held_up = async {
        while *fetching.held_up.lock().expect("not poisoned") == 0 {
            assert!(!waiting.is_finished(), "it paid for the folder");
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, it_is_held_up).await.expect("asked");
    // Both at once: a folder without the recording would be the call's own matter.
    let mounted = folder.path().join("mounted");
    std::fs::create_dir(&mounted).expect("made");
    std::fs::write(mounted.join("call.wav"), [7; 9]).expect("written");
    std::fs::rename(&mounted, &share).expect("renamed");
    assert_eq!(timeout(PATIENCE, waiting).await.expect("an end").expect("no panic").expect("it waited"), 9);

    std::fs::remove_file(share.join("call.wav")).expect("removed");
    let error = call(fetching, recording).await.expect_err("the folder is there");
    assert!(matches!(error, StoreError::Missing), "{error:?}");
}
