//! Analysts that are lost: their models panic as they are made, or so that the thread ends.

use std::sync::atomic::{AtomicUsize, Ordering};

use callqa_domain::Language;
use callqa_models::{Kit, ModelError, StopSignal, Transcribed, Transcriber, Window};
use callqa_proto::Topic;
use callqa_worker::app::{AppError, Equipment};

use crate::Running;
use crate::calls::{PANICS, equipment, inline, message, ordinary, wav};
use crate::cluster::{Cluster, wait_until};

/// Models that can't be made the second time.
fn made_badly_once() -> Equipment {
    let Equipment { kits, models, rulebook } = equipment();
    let made = AtomicUsize::new(0);
    let kits = move || {
        assert_ne!(made.fetch_add(1, Ordering::Relaxed), 1, "the models are not to be made now");
        kits()
    };
    Equipment { kits: Box::new(kits), models, rulebook }
}

#[test]
fn models_that_panic_as_they_are_made_cost_a_call_and_not_the_analyst() {
    let cluster = Cluster::start();
    let worker = Running::start_with(cluster.config(&[]), made_badly_once());
    let calls = [inline("panics", wav(PANICS)), ordinary("no-models"), ordinary("good")];
    let mut endings = Vec::new();
    for (i, call) in calls.iter().enumerate() {
        cluster.publish(&message(call));
        wait_until("committed", || cluster.committed() == i as i64 + 1);
        let rows = cluster.rows(Topic::Results, i + 1);
        let row = rows.iter().find(|row| row.field("call_id") == call.call_id).expect("its ending");
        endings.push(format!("{} {}", row.field("ending"), row.field("reason")));
    }
    assert_eq!(endings, ["dead_lettered internal", "dead_lettered internal", "assessed "]);
    assert!((worker.metric("callqa_analyst_panics_total") - 2.0).abs() < f64::EPSILON);
    worker.stop();
}

/// What a panic says; whoever lets go of it has another panic, so many times.
struct Fuse(usize);

impl Drop for Fuse {
    fn drop(&mut self) {
        if let Some(left) = self.0.checked_sub(1) {
            std::panic::panic_any(Self(left));
        }
    }
}

/// Hears nothing. Two panics within each other are caught; the third ends the analyst's thread, as nothing that we know
/// of does.
struct Explosive;

impl Transcriber for Explosive {
    fn transcribe(
        &mut self,
        _windows: &[(&Window, Language)],
        _stop: &StopSignal,
    ) -> Result<Vec<Transcribed>, ModelError> {
        std::panic::panic_any(Fuse(2))
    }

    fn detect_language(&mut self, _window: &Window, _stop: &StopSignal) -> Result<Language, ModelError> {
        Ok(Language::Zh)
    }
}

fn explosive() -> Equipment {
    let Equipment { kits, models, rulebook } = equipment();
    let kits = move || kits().map(|kit| Kit { transcriber: Box::new(Explosive), ..kit });
    Equipment { kits: Box::new(kits), models, rulebook }
}

/// An analyst that is lost for good does not take the worker with it, and its call does not wait for ever; without any
/// analyst the worker ends, so that whoever runs it starts another, and leaves what it has not judged to that.
#[test]
fn a_worker_without_analysts_ends() {
    let cluster = Cluster::start();
    let worker = Running::start_with(cluster.config(&[("analysts.count", "2")]), explosive());
    cluster.publish(&message(&ordinary("first")));
    let ending = cluster.rows(Topic::Results, 1).remove(0);
    assert_eq!((ending.field("ending"), ending.field("reason")), ("dead_lettered", "internal"));
    cluster.publish(&message(&ordinary("second")));
    let error = worker.failed();
    assert!(matches!(error, AppError::AnalystsGone), "{error}");
    assert!(cluster.committed() >= 1, "what had its ending is committed");

    let next = Running::start(cluster.config(&[]));
    wait_until("both are committed", || cluster.committed() == 2);
    next.stop();
}
