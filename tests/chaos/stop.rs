//! Clean stops, full disks.

use std::process::Command;
use std::time::{Duration, Instant};

use callqa_tests::calls::Line;
use callqa_tests::chaos::{Endings, GROUP, INPUT, Load, balance, until_committed};
use callqa_tests::{Broker, Launch, committed, publish_all, wait_for};

const BACKFILL: &str = "qa.calls.backfill.v1";
const DRAIN: Duration = Duration::from_secs(3);
/// For everything that a stop needs beside the calls in hand.
const SLACK: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(60);

/// One call hangs, so the drain takes all its time; the others go on until the signal comes. What may be committed is:
/// every ending but those behind a call of the same partition that was not begun, which the one that came later
/// overtook while both were fetched.
#[test]
fn a_stop_under_load_ends_in_time_and_commits_all_that_it_may() {
    let broker = Broker::start();
    let mut load = Load::on(broker.address());
    let hangs = load.recordings().call("hangs", Line::Hangs);
    let published = |load: &Load| load.published().iter().cloned().chain(["demo/hangs".to_owned()]).collect();
    publish_all(broker.address(), BACKFILL, [hangs]);
    load.more(60);
    let launch = Launch::scripted(broker.address(), load.recordings().root()).set("analysts.count", "2");
    let worker = launch.clone().set("stop.drain_timeout", "3s").start();
    let mut endings = Endings::of(broker.address());
    let under_load = wait_for(PATIENCE, || (endings.look().len() >= 5).then_some(()));
    assert!(under_load.is_some(), "calls end; the log:\n{}", worker.log());
    let first_log = worker.log();
    let (asked, code) = (Instant::now(), worker.stop());
    let took = asked.elapsed();
    assert_eq!(code, Some(0));
    assert!(took <= DRAIN + SLACK, "{took:?}");
    assert!(endings.look().len() < load.len(), "it was stopped under load");
    let held = committed(broker.address(), GROUP, INPUT);
    assert_eq!(held, endings.first_open(held.keys()), "all that ended without a gap is committed");
    let overtook = endings.ended_above(&held);

    let next = launch.set("analysts.deadline", "8s").set("analysts.attempts", "1").start();
    let ended = |endings: &mut Endings| {
        endings.look();
        endings.calls()
    };
    let all = wait_for(PATIENCE, || (ended(&mut endings) > load.len()).then_some(()));
    assert!(all.is_some(), "all calls end; the log:\n{}", next.log());
    let log = next.log();
    assert_eq!(next.stop(), Some(0));
    let balance = balance(broker.address(), &published(&load));
    eprintln!(
        "stopped within {:.1} s of a drain of {DRAIN:?}; {overtook} calls had overtaken another",
        took.as_secs_f32()
    );
    assert_eq!(
        (balance.repeats, balance.dead_lettered),
        (overtook, 1),
        "the logs of both workers:\n{first_log}\n{log}"
    );
}

/// A disk of 64 KiB, full: no call is begun; once there is room, everything goes on.
#[test]
fn a_full_disk_under_the_journal_holds_calls_back_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let Some(_mounted) = SmallDisk::mount(&disk) else { return };
    let broker = Broker::start();
    let mut load = Load::on(broker.address());
    load.more(10);
    // Pages are taken whole: what is left is too little for the journal's first line.
    assert!(std::fs::write(disk.join("filler"), vec![0; 1 << 20]).is_err(), "the disk is full");
    let worker = Launch::scripted(broker.address(), load.recordings().root())
        .set("journal.folder", &disk.to_string_lossy())
        .start();
    let blocked = || worker.metric("callqa_blocked{cause=\"journal\"}") > 0.0;
    assert!(wait_for(PATIENCE, || blocked().then_some(())).is_some(), "blocked; the log:\n{}", worker.log());
    let mut endings = Endings::of(broker.address());
    assert_eq!(endings.look().len(), 0, "no call is judged off the record");

    std::fs::remove_file(disk.join("filler")).unwrap();
    until_committed(broker.address(), load.len(), || worker.log());
    assert!(!blocked());
    assert_eq!(worker.stop(), Some(0));
    assert_eq!(balance(broker.address(), load.published()).repeats, 0);
}

/// A disk in memory, until it is dropped.
struct SmallDisk<'a>(&'a std::path::Path);

impl<'a> SmallDisk<'a> {
    fn mount(at: &'a std::path::Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", "size=64k", "callqa-tests"]).arg(at).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(at));
        }
        eprintln!("SKIPPED: no disk can be mounted here; that needs root");
        None
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}
