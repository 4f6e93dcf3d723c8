//! A broker that is out of reach for a while.

use std::fmt;
use std::time::{Duration, Instant};

use super::{Balance, Endings, Load, Network, Proxy, balance, until_committed};
use crate::{Broker, Launch, Worker, callqa, wait_for};

/// `/ready` says no this soon.
const NOTICED_WITHIN: Duration = Duration::from_secs(10);
/// After the outage, the worker is ready and calls end again this soon.
const BACK_WITHIN: Duration = Duration::from_secs(15);
/// Calls for each outage: some end before it, the others after it.
const CALLS_EACH: usize = 40;
/// How much the worker's memory may have grown from the first outage to the last, in hundredths.
const GROWTH: u64 = 5;

/// Something that can stand between workers and the broker.
pub trait Reach {
    /// From now on nothing gets through.
    fn cut(&self);
    /// It does again.
    fn mend(&self);
}

impl Reach for Broker {
    fn cut(&self) {
        self.pause();
    }

    fn mend(&self) {
        self.go_on();
    }
}

impl Reach for Proxy {
    fn cut(&self) {
        self.hold();
    }

    fn mend(&self) {
        self.let_through();
    }
}

impl Reach for Network {
    fn cut(&self) {
        self.drop_everything();
    }

    fn mend(&self) {
        self.drop_nothing();
    }
}

/// What came of it; times are the worst of all outages.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    times: usize,
    lasted: Duration,
    noticed: Duration,
    back: Duration,
    memory_kib: (u64, u64),
    balance: Balance,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { times, lasted, noticed, back, memory_kib: (first, last), balance } = self;
        write!(
            f,
            "{times} outages of {} s, {} calls: {} distinct endings, {} repeats; /ready said no after at most {:.1} s, \
             calls ended again after at most {:.1} s, memory {} MiB after the first and {} MiB after the last",
            lasted.as_secs(),
            balance.calls,
            balance.calls,
            balance.repeats,
            noticed.as_secs_f32(),
            back.as_secs_f32(),
            first / 1024,
            last / 1024
        )
    }
}

/// Cuts a worker off from its broker under load, so many times for so long.
///
/// # Panics
/// Where a call is lost or ends in two ways, where the outage is not noticed or not got over in time, or where
/// memory grows.
#[must_use]
pub fn run(brokers: &str, reach: &dyn Reach, times: usize, lasts: Duration) -> Figures {
    let mut load = Load::on(brokers);
    let worker = Launch::scripted(brokers, load.recordings().root()).set("analysts.count", "1").start();
    let mut endings = Endings::of(brokers);
    let mut worst = (Duration::ZERO, Duration::ZERO);
    let mut memory = Vec::new();
    for outage in 1..=times {
        load.more(CALLS_EACH);
        until_more_end(&mut endings, &worker, Duration::from_secs(60));
        let cut = Instant::now();
        reach.cut();
        let noticed = wait_for(NOTICED_WITHIN, || (!worker.is_ready()).then(|| cut.elapsed()));
        let noticed = noticed.unwrap_or_else(|| panic!("outage {outage}: /ready says no\n{}", worker.log()));
        let _ = wait_for(lasts.saturating_sub(cut.elapsed()), || None::<()>);
        let mended = Instant::now();
        reach.mend();
        let ready = wait_for(BACK_WITHIN, || worker.is_ready().then_some(()));
        assert!(ready.is_some(), "outage {outage}: ready again\n{}", worker.log());
        until_more_end(&mut endings, &worker, BACK_WITHIN.saturating_sub(mended.elapsed()));
        let back = mended.elapsed();
        worst = (worst.0.max(noticed), worst.1.max(back));
        memory.push(worker.resident_kib());
        eprintln!(
            "outage {outage}: noticed after {noticed:.1?}, over after {back:.1?}, {} KiB",
            worker.resident_kib()
        );
    }
    until_committed(brokers, load.len(), || worker.log());
    memory.push(worker.resident_kib());
    assert_eq!(worker.stop(), Some(0));
    let audit = callqa(brokers, &["audit"]);
    assert_eq!(audit.code, Some(0), "{}{}", audit.stdout, audit.stderr);
    let balance = balance(brokers, load.published());
    let (first, last) = (memory[0], memory[memory.len() - 1]);
    assert!(last <= first + first * GROWTH / 100, "memory grew from {first} to {last} KiB");
    let (noticed, back) = worst;
    Figures { times, lasted: lasts, noticed, back, memory_kib: (first, last), balance }
}

fn until_more_end(endings: &mut Endings, worker: &Worker, within: Duration) {
    let _ = endings.look();
    let before = endings.calls();
    let more = wait_for(within, || {
        let _ = endings.look();
        (endings.calls() > before).then_some(())
    });
    assert!(more.is_some(), "calls end within {within:?}; the log:\n{}", worker.log());
}

/// Calls over a connection that is bad and not cut; how long they took.
///
/// # Panics
/// Where a call is lost or ends in two ways.
#[must_use]
pub fn over_a_bad_connection(brokers: &str, calls: usize) -> (Duration, Balance) {
    let mut load = Load::on(brokers);
    let worker = Launch::scripted(brokers, load.recordings().root()).set("analysts.count", "1").start();
    let started = Instant::now();
    load.more(calls);
    until_committed(brokers, load.len(), || worker.log());
    let took = started.elapsed();
    assert_eq!(worker.stop(), Some(0));
    (took, balance(brokers, load.published()))
}
