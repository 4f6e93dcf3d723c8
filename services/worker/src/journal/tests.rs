//! What a process leaves behind for the next one.

use proptest::prelude::*;

use super::*;

const TOPIC: &str = "qa.calls.recorded.v1";
const CRASHES: u32 = 3;

fn name(offset: i64) -> Name {
    Name::at(TOPIC, 0, offset)
}

fn open(folder: &Path) -> Journal {
    Journal::open(Some(folder), CRASHES, Arc::new(Metrics::new().expect("metrics"))).expect("opened")
}

/// What becomes of call 0 after these lives of a process, each of which ends without a word.
#[track_caller]
fn check(lives: &[&[Step]], expect: Standing) {
    let folder = tempfile::tempdir().expect("a folder");
    for steps in lives {
        let journal = open(folder.path());
        steps.iter().for_each(|step| step.play(&journal));
    }
    assert_eq!(open(folder.path()).standing(&name(0)), expect);
}

#[derive(Debug, Clone)]
enum Step {
    Begin(i64),
    Left(i64),
    Judged(i64),
    Commit(i64),
    Revoke,
    Drain,
}

use Step::{Begin, Commit, Drain, Judged, Left, Revoke};

impl Step {
    fn play(&self, journal: &Journal) {
        match self {
            Begin(offset) => journal.begin(&name(*offset)).expect("written"),
            Left(offset) => journal.left(&name(*offset)),
            Judged(offset) => journal.judged(&name(*offset)).expect("written"),
            Commit(offset) => journal.committed(&name(0).partition, *offset),
            Revoke => journal.revoked(&name(0).partition),
            Drain => journal.drained(),
        }
    }
}

#[test]
fn what_was_never_begun_is_no_suspect() {
    check(&[], Standing::Ordinary);
    check(&[&[], &[Begin(1)]], Standing::Ordinary);
}

#[test]
fn one_crash_makes_a_suspect_and_the_third_condemns() {
    check(&[&[Begin(0)]], Standing::Suspect);
    check(&[&[Begin(0)], &[Begin(0)]], Standing::Suspect);
    check(&[&[Begin(0)], &[Begin(0)], &[Begin(0)]], Standing::Condemned);
}

#[test]
fn a_process_that_ends_before_it_begins_the_call_again_is_not_the_calls_fault() {
    check(&[&[Begin(0)], &[], &[], &[Begin(1)], &[]], Standing::Suspect);
}

#[test]
fn whoever_was_left_in_time_is_not_counted() {
    check(&[&[Begin(0), Left(0)]], Standing::Ordinary);
    check(&[&[Begin(0), Drain]], Standing::Ordinary);
    check(&[&[Begin(0), Revoke]], Standing::Ordinary);
    check(&[&[Begin(0)], &[Begin(0)], &[Begin(0), Left(0)]], Standing::Suspect);
    check(&[&[Begin(0)], &[Begin(0)], &[Begin(0), Drain]], Standing::Suspect);
}

#[test]
fn a_crash_outlives_a_rebalance() {
    check(&[&[Begin(0)], &[Begin(0)], &[Revoke, Begin(0)]], Standing::Condemned);
}

/// Its ending may be on the topic already: it is judged again, alone, and never taken back.
#[test]
fn a_judged_call_is_never_condemned() {
    check(&[&[Begin(0), Judged(0)]], Standing::Ordinary);
    let again: &[Step] = &[Begin(0)];
    check(&[&[Begin(0), Left(0), Judged(0)], again, again, again, again], Standing::Suspect);
}

#[test]
fn what_kafka_has_forgotten_is_forgotten() {
    check(&[&[Begin(0)], &[Begin(0)], &[Begin(0)], &[Commit(1)]], Standing::Ordinary);
    check(&[&[Begin(0)], &[Begin(0)], &[Begin(0)], &[Commit(0)]], Standing::Condemned);
}

#[test]
fn another_event_in_the_same_place_is_another_call() {
    let folder = tempfile::tempdir().expect("a folder");
    open(folder.path()).begin(&name(0)).expect("written");
    let other = Name::at(TOPIC, 1, 0);
    assert_eq!(open(folder.path()).standing(&other), Standing::Ordinary);
}

#[test]
fn two_workers_do_not_share_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let _first = open(folder.path());
    let second = Journal::open(Some(folder.path()), CRASHES, Arc::new(Metrics::new().expect("metrics")));
    let error = second.expect_err("in use").to_string();
    let folder = folder.path().display();
    let expect = format!(
        "journal.folder: `{folder}` is in use by another worker; each worker needs a folder of its own"
    );
    assert_eq!(error, expect);
}

#[test]
fn without_a_folder_nothing_is_remembered() {
    let journal = Journal::open(None, CRASHES, Arc::new(Metrics::new().expect("metrics"))).expect("opened");
    journal.begin(&name(0)).expect("nothing to write");
    assert_eq!(journal.standing(&name(0)), Standing::Ordinary);
}

#[test]
fn a_line_that_was_cut_and_lines_of_others_are_passed_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = format!("crashed 2 {} .", name(0));
    let text = format!("{whole}\nnot ours\n\u{0}\u{0}\nbegun {TOPIC} 0 1 d1 .\nbegun {TOPIC} 0 2");
    std::fs::write(folder.path().join("calls.journal"), text).expect("written");
    let journal = open(folder.path());
    let standings = [0, 1, 2].map(|offset| journal.standing(&name(offset)));
    assert_eq!(standings, [Standing::Suspect, Standing::Suspect, Standing::Ordinary]);
}

#[test]
fn a_long_journal_is_written_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = open(folder.path());
    journal.begin(&name(7)).expect("written");
    for offset in 100..20_100 {
        journal.begin(&name(offset)).expect("written");
        journal.left(&name(offset));
    }
    let len = std::fs::metadata(folder.path().join("calls.journal")).expect("a file").len();
    assert!(len < 1_100_000, "{len} bytes");
    drop(journal);
    assert_eq!(open(folder.path()).standing(&name(7)), Standing::Suspect);
}

/// The folder goes away, as a full disk would refuse it; no line is lost once it is back.
#[test]
fn a_disk_that_takes_nothing_holds_calls_back_and_loses_no_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let metrics = Arc::new(Metrics::new().expect("metrics"));
    let journal = Journal::open(Some(folder.path()), CRASHES, Arc::clone(&metrics)).expect("opened");
    journal.begin(&name(0)).expect("written");
    journal.lock().file.as_mut().expect("a file").break_for_a_test();
    journal.left(&name(0));
    let away = folder.path().with_extension("away");
    std::fs::rename(folder.path(), &away).expect("renamed");
    journal.begin(&name(1)).expect_err("nowhere to write to");
    let blocked = |expect: &str| {
        let text = metrics.text().expect("metrics");
        assert!(text.contains(&format!("callqa_blocked{{cause=\"journal\"}} {expect}\n")), "{text}");
    };
    blocked("1");
    std::fs::rename(&away, folder.path()).expect("back again");
    journal.begin(&name(2)).expect("written");
    blocked("0");
    drop(journal);
    let journal = open(folder.path());
    let standings = [0, 1, 2].map(|offset| journal.standing(&name(offset)));
    assert_eq!(standings, [Standing::Ordinary, Standing::Ordinary, Standing::Suspect]);
}

fn step() -> impl Strategy<Value = Step> {
    let offset = 0..6i64;
    prop_oneof![
        4 => offset.clone().prop_map(Begin),
        2 => offset.clone().prop_map(Left),
        2 => offset.clone().prop_map(Judged),
        1 => offset.prop_map(Commit),
        1 => Just(Revoke),
        1 => Just(Drain),
    ]
}

proptest! {
    /// Wherever a process is cut off, and in the middle of whatever line: the next one knows what was written
    /// whole, and nothing else.
    #[test]
    fn the_journal_says_what_happened(
        lives in proptest::collection::vec((proptest::collection::vec(step(), 0..12), 0..40usize), 1..8),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut expect, path) = (State::default(), folder.path().join("calls.journal"));
        for (steps, cut) in &lives {
            let journal = open(folder.path());
            steps.iter().for_each(|step| step.play(&journal));
            drop(journal);
            let written = std::fs::read(&path).expect("a journal");
            let kept = written.len().saturating_sub(*cut);
            std::fs::write(&path, &written[..kept]).expect("cut");

            let mut replayed = State::default();
            let text = String::from_utf8(written[..kept].to_vec()).expect("text");
            text.lines().filter_map(Record::read).for_each(|record| replayed.apply(&record));
            replayed.crash();
            let journal = open(folder.path());
            prop_assert_eq!(&journal.lock().state, &replayed);
            expect = replayed;
        }
        let last = open(folder.path());
        prop_assert_eq!(&last.lock().state, &expect, "opening it again changes nothing");
    }
}
