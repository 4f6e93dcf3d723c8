//! Calls that are not ours any more, and calls whose analyst is lost. The analysts are the tests themselves.

use std::path::Path;
use std::sync::mpsc as std_mpsc;

use callqa_domain::Call;
use callqa_proto::header::EventHeaders;
use callqa_proto::{RecordingRef, RecordingUri, Source};
use tokio::sync::Semaphore;

use super::*;
use crate::config::Config;
use crate::health::Health;
use crate::ledger::{Ledger, Partition};
use crate::store::Store;

/// A recording that is not there is waited for once.
const GRACE: Duration = Duration::from_millis(10);
/// One call in flight.
const SEATS: usize = 1;

/// A road to whoever takes the work; recordings may lie in `root`.
fn road(root: &Path, attempts: u32) -> (Road, mpsc::Receiver<Work>) {
    let metrics = Arc::new(Metrics::new().expect("metrics"));
    let mut config = Config::load(None, []).expect("defaults");
    config.store.file_roots = vec![root.to_owned()];
    config.store.patience = Duration::ZERO;
    let limit = config.limits.recording_bytes;
    let store = Store::open(&config.store, limit, Arc::clone(&metrics)).expect("a store");
    let rulebook = include_str!("../../../../deploy/rulebooks/service-baseline.toml");
    let (work, taken) = mpsc::channel(SEATS);
    let (settled, _) = std_mpsc::sync_channel(SEATS);
    let road = Road {
        fetching: Fetching::new(store, GRACE, Arc::new(Semaphore::new(SEATS)), Arc::clone(&metrics)),
        work,
        turns: Turns::new(SEATS),
        journal: Arc::new(Journal::open(None, 1, Arc::clone(&metrics)).expect("none is kept")),
        publisher: Publisher::new(&config.kafka, Arc::clone(&metrics), Arc::new(Health::default()))
            .expect("a producer"),
        rulebook: Arc::new(Rulebook::parse(rulebook).expect("a rulebook")),
        provenance: Provenance {
            event_digest: String::new(),
            recording_sha256: String::new(),
            models: Vec::new(),
            rulebook: String::new(),
            rulebook_version: String::new(),
            rulebook_digest: String::new(),
            config_digest: String::new(),
            build: String::new(),
        },
        attempts,
        settled,
        stopping: Stopping::default(),
        metrics,
    };
    (road, taken)
}

fn partition() -> Partition {
    Partition::new("calls", 0)
}

/// A call that was just taken from a partition of ours.
fn take(ledger: &mut Ledger, source: Source) -> (Arc<Event>, Ticket) {
    ledger.assigned(partition());
    let (position, lease) = ledger.taken(&partition(), 5, Instant::now()).expect("ours");
    let event = Arc::new(Event {
        call: Call::new("demo", "call-1"),
        recording: RecordingRef { source, sha256: None, size_bytes: None, content_type: None },
        digest: "d".repeat(64),
        opted_out: false,
        answered_by_machine: false,
    });
    let ticket = Ticket {
        position,
        lease,
        headers: EventHeaders::default(),
        event: Ok(Arc::clone(&event)),
        taken_at: Instant::now(),
        seat: None,
    };
    (event, ticket)
}

fn at_hand() -> Source {
    Source::Inline(b"no analyst looks at it".to_vec())
}

#[tokio::test]
async fn a_call_that_went_to_another_worker_while_it_was_fetched_gets_no_ending() {
    let folder = tempfile::tempdir().expect("a folder");
    let (road, _work) = road(folder.path(), 1);
    let uri = RecordingUri::new(format!("file://{}/none.wav", folder.path().display()));
    let mut ledger = Ledger::default();
    let (event, ticket) = take(&mut ledger, Source::Uri(uri));
    let mut seat = None;
    let judged = road.judge(&event, &ticket, &mut seat).await.expect("still ours");
    assert_eq!(judged.ended, Ended::DeadLettered(DeadLetterReason::RecordingMissing));

    let revoked = async { ledger.revoked(&partition()) };
    let (judged, ()) = tokio::join!(road.judge(&event, &ticket, &mut seat), revoked);
    assert!(matches!(judged, Err(Left::ToOthers)));
}

#[tokio::test]
async fn a_call_whose_analyst_is_lost_is_tried_again_and_then_dead_lettered() {
    let folder = tempfile::tempdir().expect("a folder");
    let (road, mut work) = road(folder.path(), 2);
    let (event, ticket) = take(&mut Ledger::default(), at_hand());
    let lost = async {
        for _ in 0..2 {
            drop(work.recv().await.expect("the call"));
        }
    };
    let mut seat = None;
    let (judged, ()) = tokio::join!(road.judge(&event, &ticket, &mut seat), lost);
    assert_eq!(judged.expect("an ending").ended, Ended::DeadLettered(DeadLetterReason::Internal));
    let metrics = road.metrics.text().expect("metrics");
    assert!(metrics.contains("callqa_retries_total{stage=\"assess\"} 1"), "{metrics}");
}

/// It is not the call's fault: the worker ends, and the next one judges it.
#[tokio::test]
async fn a_call_that_no_analyst_is_left_for_gets_no_ending() {
    let folder = tempfile::tempdir().expect("a folder");
    let (road, work) = road(folder.path(), 1);
    let (event, ticket) = take(&mut Ledger::default(), at_hand());
    let mut seat = None;
    // Once with the call in the queue, once without a queue.
    let last_one_ends = async { drop(work) };
    let (judged, ()) = tokio::join!(road.judge(&event, &ticket, &mut seat), last_one_ends);
    assert!(matches!(judged, Err(Left::ToOthers)));
    assert!(matches!(road.judge(&event, &ticket, &mut seat).await, Err(Left::ToOthers)));
}

#[test]
fn waits_double_up_to_the_longest() {
    for (attempt, seconds) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 10), (40, 10), (u32::MAX, 10)] {
        assert_eq!(wait_after(attempt), Duration::from_secs(seconds), "{attempt}");
    }
}
