use std::fs::File;
use std::io::{Cursor, Read};
use std::time::{Duration, Instant};

use callqa_audio::Limits;
use callqa_models::StopSignal;

use super::child::speak;
use super::wire::Message;
use super::*;
use crate::analysts::WorkError;
use crate::disposition::Disposition;

/// Longer than any of these children lives, shorter than a test may take.
const PATIENCE: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(300);

fn sample_call(file: &str) -> Recording {
    let path = format!("{}/../../tests/calls/{file}", env!("CARGO_MANIFEST_DIR"));
    Recording::of(std::fs::read(path).expect("a sample call"))
}

fn source<'a>(recording: &'a Recording, limits: &'a Limits) -> Source<'a> {
    Source { recording, content_type: Some("audio/wav; name=call"), limits }
}

/// Everything that a child says of a recording.
fn said(source: &Source<'_>) -> Vec<Message> {
    let mut bytes = Vec::new();
    speak(&source.recording.file().expect("a file"), source.content_type, source.limits, &mut bytes)
        .expect("said");
    let len = bytes.len() as u64;
    let mut bytes = Cursor::new(bytes);
    let mut messages = Vec::new();
    while bytes.position() < len {
        messages.push(Message::read(&mut bytes).expect("a message"));
    }
    messages
}

fn bits(blocks: &[Vec<Vec<f32>>]) -> Vec<Vec<Vec<u32>>> {
    let of_channel = |channel: &Vec<f32>| channel.iter().map(|sample| sample.to_bits()).collect();
    blocks.iter().map(|block| block.iter().map(of_channel).collect()).collect()
}

#[track_caller]
fn check_same_bits(file: &str) {
    let (recording, limits) = (sample_call(file), Limits::default());
    let source = source(&recording, &limits);
    let (outline, mut blocks) = Decoding::Here.open(&source, &StopSignal::new()).expect("decoded here");
    let mut here = Vec::new();
    while let Some(block) = blocks.next_block().expect("decoded here") {
        here.push(block);
    }
    let (mut outlines, mut apart) = (Vec::new(), Vec::new());
    let messages = said(&source);
    assert_eq!(messages.last(), Some(&Message::End));
    for message in messages {
        match message {
            Message::Outline(outline) => outlines.push(outline),
            Message::Block(block) => apart.push(block),
            Message::Progress | Message::End => {}
            Message::Refused(refusal) => panic!("{refusal:?}"),
        }
    }
    assert_eq!(outlines, [outline]);
    assert!(here.len() > 1 && bits(&here) == bits(&apart), "{file}");
}

#[test]
fn a_child_says_the_same_samples_bit_by_bit() {
    check_same_bits("01-zh-broadband-repair.wav");
    check_same_bits("02-zh-card-bill.opus");
}

#[track_caller]
fn check_same_refusal(bytes: &[u8], limits: &Limits) {
    let recording = Recording::of(bytes.to_vec());
    let source = source(&recording, limits);
    let here = Decoding::Here.open(&source, &StopSignal::new()).err().expect("refused here");
    let Some(Message::Refused(refusal)) = said(&source).pop() else { panic!("refused apart") };
    assert_eq!(refusal.said, here.to_string());
    assert_eq!(refusal.reason, WorkError::Assess(here).reason());
    assert!(!refusal.may_pass);
}

#[test]
fn a_child_refuses_in_the_same_words() {
    check_same_refusal(b"", &Limits::default());
    check_same_refusal(b"this is no audio", &Limits::default());
    let call =
        std::fs::read(format!("{}/../../tests/calls/01-zh-broadband-repair.wav", env!("CARGO_MANIFEST_DIR")));
    let call = call.expect("a sample call");
    check_same_refusal(&call[..call.len() / 2], &Limits::default());
    check_same_refusal(&call, &Limits { max_duration: Duration::from_secs(5), ..Limits::default() });
}

/// Runs a shell script in the child's place.
fn by(script: &str, silence: Duration, stop: &StopSignal) -> AssessError {
    let (recording, limits) = (Recording::of(b"RIFF".to_vec()), Limits::default());
    let apart = Decoding::Apart(Apart::by("/bin/sh", &["-c", script], silence));
    apart.open(&source(&recording, &limits), stop).err().expect("no outline")
}

#[track_caller]
fn check_fault(script: &str, silence: Duration, sentence: &str, reason: &str) {
    let error = by(script, silence, &StopSignal::new());
    assert!(error.to_string().contains(sentence), "{error}");
    let error = WorkError::Assess(error);
    assert_eq!((error.reason().name(), error.disposition()), (reason, Disposition::Retry));
}

#[test]
fn a_child_that_ends_costs_its_recording_alone() {
    check_fault(
        "kill -9 $$",
        PATIENCE,
        "with 512 MiB of memory, ended before it had done: signal 9",
        "decode_work_exceeded",
    );
    check_fault("printf p; kill -ABRT $$", PATIENCE, "signal 6", "decode_work_exceeded");
    check_fault("exit 3", PATIENCE, "exit code 3", "decode_work_exceeded");
    check_fault("exec sleep 1000", SHORT, "no progress for 300ms", "decode_work_exceeded");
    check_fault("echo what no decoder says", PATIENCE, "what no decoder says", "internal");
    // Two channels of four thousand million samples.
    check_fault(r"printf 'b\002\377\377\377\377'", PATIENCE, "what no decoder says", "internal");
}

#[test]
fn a_child_is_not_there_any_more_once_nobody_listens() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = folder.path().join("process");
    let began = Instant::now();
    let script = format!("echo $$ > {}; exec sleep 1000", name.display());
    by(&script, SHORT, &StopSignal::new());
    let process = std::fs::read_to_string(name).expect("its number");
    assert!(File::open(format!("/proc/{}/stat", process.trim())).is_err(), "it is gone");
    assert!(began.elapsed() < PATIENCE);
}

#[test]
fn the_stop_signal_is_heard_while_a_child_is_silent() {
    let stop = StopSignal::at(Instant::now() + SHORT);
    let error = by("exec sleep 1000", PATIENCE, &stop);
    assert!(matches!(error, AssessError::Stopped), "{error}");
}

#[test]
fn a_child_knows_nothing_of_the_environment() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = folder.path().join("environment");
    by(&format!("env > {}; exit 1", told.display()), PATIENCE, &StopSignal::new());
    let told = std::fs::read_to_string(told).expect("told");
    assert!(!told.contains("CARGO") && !told.contains("HOME"), "{told}");
}

#[test]
fn a_recording_reaches_the_child_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let heard = folder.path().join("heard");
    let recording = sample_call("01-zh-broadband-repair.wav");
    let limits = Limits::default();
    let mut expected = Vec::new();
    recording.reader().read_to_end(&mut expected).expect("read");
    let script = format!("cat /proc/$$/fd/0 > {}; exit 1", heard.display());
    let apart = Decoding::Apart(Apart::by("/bin/sh", &["-c", &script], PATIENCE));
    assert!(apart.open(&source(&recording, &limits), &StopSignal::new()).is_err());
    assert!(std::fs::read(heard).expect("heard") == expected);
}

/// How many blocks a script says before it has done, where its survey is believed.
#[track_caller]
fn check_tally(script: &str, expect: Option<usize>) {
    let (recording, limits) = (Recording::of(b"RIFF".to_vec()), Limits::default());
    let apart = Decoding::Apart(Apart::by("/bin/sh", &["-c", script], PATIENCE));
    let listen = || -> Result<usize, AssessError> {
        let (_, mut blocks) = apart.open(&source(&recording, &limits), &StopSignal::new())?;
        let mut count = 0;
        while blocks.next_block()?.is_some() {
            count += 1;
        }
        Ok(count)
    };
    match listen() {
        Ok(count) => assert_eq!(Some(count), expect, "{script}"),
        Err(AssessError::Decoder(DecoderFault::Garbled)) => assert_eq!(None, expect, "{script}"),
        Err(error) => panic!("{error}: {script}"),
    }
}

/// A survey of so many channels and milliseconds, in octal.
fn survey_of(channels: &str, ms: &str) -> String {
    format!(r"printf 'o\{channels}\000{ms}\000\000\000\000'; ")
}

/// A block of so many channels, each of so many samples of silence.
fn block_of(channels: u32, samples: u32) -> String {
    let head = format!(r"printf 'b\{channels:03o}\{samples:03o}\000\000\000'; ");
    format!("{head}head -c {} /dev/zero; ", channels * samples * 4)
}

/// Five hours, where four are allowed, and two milliseconds.
const FIVE_HOURS: &str = r"\200\250\022\001";
const TWO_MS: &str = r"\002\000\000\000";

#[test]
fn a_survey_beyond_the_limits_is_not_believed() {
    check_tally(&survey_of("000", TWO_MS), None);
    check_tally(&survey_of("003", TWO_MS), None);
    check_tally(&survey_of("001", FIVE_HOURS), None);
}

#[test]
fn blocks_are_held_against_the_survey() {
    let check = |blocks: &[String], expect| {
        check_tally(&format!("{}{}printf e", survey_of("002", TWO_MS), blocks.concat()), expect);
    };
    check(&[block_of(2, 32)], Some(1));
    check(&[block_of(2, 16), block_of(2, 31)], Some(2));
    check(&[block_of(1, 32)], None);
    check(&[block_of(3, 32)], None);
    check(&[block_of(2, 48)], None);
    check(&[block_of(2, 32), block_of(2, 16)], None);
    check(&[block_of(2, 31)], None);
    check(&[], None);
}

/// That there is no room for a process says nothing of the recording.
#[test]
fn a_process_is_waited_for() {
    let (recording, limits) = (Recording::of(b"RIFF".to_vec()), Limits::default());
    let apart = Decoding::Apart(Apart::by("/no/such/program", &[], PATIENCE));
    let stop = StopSignal::at(Instant::now() + SHORT);
    let error = apart.open(&source(&recording, &limits), &stop).err().expect("nobody decoded it");
    assert!(matches!(error, AssessError::Stopped), "{error}");
}
