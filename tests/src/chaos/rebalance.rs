//! Workers that come and go under load.

use std::fmt;
use std::time::{Duration, Instant};

use super::{Balance, Endings, GROUP, INPUT, Load, balance, until_committed};
use crate::calls::Line;
use crate::{Broker, Launch, Worker, callqa, committed, wait_for};

/// A worker that comes has its share, or one that goes has left it to others, within this.
const SHARE_WITHIN: Duration = Duration::from_secs(60);
/// Calls for each change: more than the workers judge meanwhile.
const CALLS_A_CHANGE: usize = 60;
/// Partitions of both input topics.
const PARTITIONS: f64 = 12.0;

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    changes: usize,
    /// What stands on the topics.
    pub balance: Balance,
    took: Duration,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Balance { calls, repeats, .. } = self.balance;
        let seconds = self.took.as_secs();
        write!(
            f,
            "{} changes, {calls} calls: {calls} distinct endings, {repeats} repeats, {seconds} s",
            self.changes
        )
    }
}

fn partitions(workers: &[&Worker]) -> f64 {
    workers.iter().map(|worker| worker.metric("callqa_partitions_assigned")).sum()
}

/// Two workers are always there; a third comes and goes, so many times in all.
///
/// # Panics
/// Where a call is lost or ends in two ways.
#[must_use]
pub fn come_and_go(changes: usize) -> Figures {
    let (started, broker) = (Instant::now(), Broker::start());
    let mut load = Load::on(broker.address());
    let launch = Launch::scripted(broker.address(), load.recordings().root()).set("analysts.count", "1");
    load.more(CALLS_A_CHANGE);
    let (first, second) = (launch.spawn(), launch.start());
    let mut third = None;
    for change in 1..=changes {
        load.more(CALLS_A_CHANGE);
        match third.take() {
            None => {
                let worker = launch.start();
                let share = wait_for(SHARE_WITHIN, || (partitions(&[&worker]) > 0.0).then_some(()));
                assert!(share.is_some(), "change {change}: a third worker has a share\n{}", worker.log());
                third = Some(worker);
            }
            Some(worker) => {
                assert_eq!(worker.stop(), Some(0), "change {change}");
                let all = || (partitions(&[&first, &second]) >= PARTITIONS).then_some(());
                assert!(wait_for(SHARE_WITHIN, all).is_some(), "change {change}: two have everything");
            }
        }
        eprintln!("change {change}: {} workers", 2 + usize::from(third.is_some()));
    }
    until_committed(broker.address(), load.len(), || first.log());
    for worker in [Some(first), Some(second), third].into_iter().flatten() {
        assert_eq!(worker.stop(), Some(0));
    }
    let audit = callqa(broker.address(), &["audit"]);
    assert_eq!(audit.code, Some(0), "{}{}", audit.stdout, audit.stderr);
    Figures { changes, balance: balance(broker.address(), load.published()), took: started.elapsed() }
}

/// Two static members are restarted, one after the other, under load. How often the other one lost partitions
/// over it.
///
/// # Panics
/// Where a call is lost or ends in two ways.
#[must_use]
pub fn rolling_restart() -> (usize, Balance) {
    let broker = Broker::start();
    let mut load = Load::on(broker.address());
    // Longer than a restart takes.
    let launch = Launch::scripted(broker.address(), load.recordings().root())
        .set("kafka.session_timeout", "30s")
        .set("analysts.count", "1");
    let launches = ["static-a", "static-b"].map(|name| launch.clone().set("kafka.instance_id", name));
    load.more(CALLS_A_CHANGE);
    let first = launches[0].spawn();
    let mut workers = [first, launches[1].start()];
    let all = |workers: &[Worker; 2]| {
        let share = partitions(&[&workers[0]]);
        (share > 0.0 && share < PARTITIONS && partitions(&[&workers[0], &workers[1]]) >= PARTITIONS)
            .then_some(())
    };
    assert!(wait_for(SHARE_WITHIN, || all(&workers)).is_some(), "both have a share\n{}", workers[0].log());
    let revoked = |worker: &Worker| worker.log().matches("partitions revoked").count();
    let mut disturbed = 0;
    for at in [0, 1] {
        load.more(CALLS_A_CHANGE);
        let before = revoked(&workers[1 - at]);
        let [a, b] = workers;
        let (old, other) = if at == 0 { (a, b) } else { (b, a) };
        assert_eq!(old.stop(), Some(0));
        let new = launches[at].start();
        workers = if at == 0 { [new, other] } else { [other, new] };
        assert!(wait_for(SHARE_WITHIN, || all(&workers)).is_some(), "both have a share again");
        disturbed += revoked(&workers[1 - at]) - before;
    }
    until_committed(broker.address(), load.len(), || workers[0].log());
    for worker in workers {
        assert_eq!(worker.stop(), Some(0));
    }
    (disturbed, balance(broker.address(), load.published()))
}

/// A call of a minute against ten seconds of `kafka.max_poll_interval`, beside short ones. How often partitions were
/// taken from the worker, and what stands on the topics.
///
/// # Panics
/// Where a call is lost or ends in two ways.
#[must_use]
pub fn longer_than_the_poll_interval() -> (usize, Balance) {
    let broker = Broker::start();
    let mut load = Load::on(broker.address());
    load.more_of(Line::TakesLong, 2);
    load.more(CALLS_A_CHANGE);
    let worker = Launch::scripted(broker.address(), load.recordings().root())
        .set("analysts.count", "1")
        .set("kafka.max_poll_interval", "10s")
        .start();
    let mut endings = Endings::of(broker.address());
    let done = wait_for(Duration::from_secs(200), || {
        let _ = endings.look();
        (endings.calls() == load.len()).then_some(())
    });
    assert!(done.is_some(), "every call ends; the log:\n{}", worker.log());
    until_committed(broker.address(), load.len(), || worker.log());
    let revoked = worker.log().matches("partitions revoked").count();
    assert_eq!(committed(broker.address(), GROUP, INPUT).values().sum::<i64>(), load.len() as i64);
    assert_eq!(worker.stop(), Some(0));
    (revoked, balance(broker.address(), load.published()))
}
