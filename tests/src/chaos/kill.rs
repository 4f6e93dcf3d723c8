//! SIGKILL at random moments, under load.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{Balance, Dice, Endings, GROUP, INPUT, balance, until_committed};
use crate::calls::{Line, Recordings, event};
use crate::topic::committed;
use crate::{Broker, Launch, callqa, publish_all, wait_for};

/// How large.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How often a worker is killed.
    pub kills: usize,
    /// What it works on.
    pub load: Load,
    /// A worker lives for a random time up to this, once it works.
    pub longest_life: Duration,
    /// Within this a started worker is at work.
    pub patience: Duration,
}

/// What the workers work on.
#[derive(Debug, Clone)]
pub enum Load {
    /// So many calls of a quarter of a second for scripted models.
    Scripted(usize),
    /// These recordings, for the released worker with whisper.
    Whisper(Vec<PathBuf>),
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    kills: usize,
    balance: Balance,
    /// The sum, over all kills, of calls that had ended and were not committed.
    pub repeats_allowed: usize,
    took: Duration,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Balance { calls, repeats, dead_lettered } = self.balance;
        write!(
            f,
            "{} kills, {calls} calls: {calls} distinct endings ({dead_lettered} dead-lettered), {repeats} repeats (at \
             most {} allowed), {} s",
            self.kills,
            self.repeats_allowed,
            self.took.as_secs()
        )
    }
}

/// Kills a worker again and again while it works, each time at a random moment; the next one goes on.
///
/// # Panics
/// Where a call is lost, ends in two ways, or is repeated more often than the kills can explain.
#[must_use]
pub fn run(plan: &Plan) -> Figures {
    let (started, broker, mut dice) = (Instant::now(), Broker::start(), Dice::seeded());
    let recordings = Recordings::write();
    let journal = tempfile::tempdir().expect("a folder");
    let (launch, published) = match &plan.load {
        Load::Scripted(calls) => scripted(&broker, &recordings, *calls),
        Load::Whisper(files) => whisper(&broker, files),
    };
    let launch =
        launch.set("kafka.instance_id", "chaos-0").set("journal.folder", &journal.path().to_string_lossy());

    let (mut endings, mut allowed) = (Endings::of(broker.address()), 0);
    for kill in 1..=plan.kills {
        let worker = launch.start();
        let begun = || worker.metric("callqa_stage_seconds_count{stage=\"wait\"}") > 0.0;
        let working = wait_for(plan.patience, || begun().then_some(()));
        assert!(
            working.is_some(),
            "kill {kill}: no work is left to be killed in; its log:\n{}",
            worker.log()
        );
        let _ = wait_for(dice.time(plan.longest_life), || None::<()>);
        worker.kill();
        allowed += endings.ended_above(&committed(broker.address(), GROUP, INPUT));
        eprintln!("kill {kill}: {} of {} calls have ended", endings.calls(), published.len());
    }

    let worker = launch.start();
    until_committed(broker.address(), published.len(), || worker.log());
    assert_eq!(worker.stop(), Some(0));
    let audit = callqa(broker.address(), &["audit"]);
    assert_eq!(audit.code, Some(0), "{}{}", audit.stdout, audit.stderr);
    let balance = balance(broker.address(), &published);
    assert!(balance.repeats <= allowed, "{} repeats, and the kills explain {allowed}", balance.repeats);
    Figures { kills: plan.kills, balance, repeats_allowed: allowed, took: started.elapsed() }
}

fn scripted(broker: &Broker, recordings: &Recordings, calls: usize) -> (Launch, BTreeSet<String>) {
    let calls: Vec<_> =
        (0..calls).map(|n| recordings.call(&format!("call-{n:05}"), Line::TakesAWhile)).collect();
    let published = calls.iter().map(|(key, _)| key.clone()).collect();
    publish_all(broker.address(), INPUT, calls);
    let launch = Launch::scripted(broker.address(), recordings.root());
    (launch.set("analysts.count", "2"), published)
}

fn whisper(broker: &Broker, files: &[PathBuf]) -> (Launch, BTreeSet<String>) {
    let root = files.first().and_then(|file| file.parent()).expect("a recording in a folder");
    let calls: Vec<_> = files
        .iter()
        .enumerate()
        .map(|(n, file)| event(&format!("call-{n:05}"), &format!("file://{}", file.display())))
        .collect();
    let published = calls.iter().map(|(key, _)| key.clone()).collect();
    publish_all(broker.address(), INPUT, calls);
    (Launch::released(broker.address(), root), published)
}
