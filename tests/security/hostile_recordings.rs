//! Hostile recordings and events end with their reasons, and cost the worker no memory beyond its models.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use callqa_tests::{Broker, publish, read_all, top, wait_for};
use serde_json::json;

use crate::guest::{Guest, event, program, settings, silence};

const INPUT: &str = "qa.calls.recorded.v1";
const ENDED_WITHIN: Duration = Duration::from_secs(240);
/// What hostile input may add to what the models and one ordinary call take.
const MORE_MIB: u64 = 300;

/// Files that are small and claim much, or large and say nothing.
fn recordings(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(top().join("tests/security/corpus/audio")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        std::fs::copy(entry.path(), folder.join(&name)).unwrap();
        names.push(name);
    }
    // As large as any recording may be, and more; the disk holds only what is not nought.
    for (name, header, bytes) in [
        ("float-48k.wav", wav_header(3, 48_000, 32), 400 << 20),
        ("a-law-for-hours.wav", wav_header(6, 8_000, 8), 500 << 20),
        ("too-large.wav", wav_header(1, 8_000, 16), 600 << 20),
    ] {
        std::fs::write(folder.join(name), header).unwrap();
        std::fs::File::options().write(true).open(folder.join(name)).unwrap().set_len(bytes).unwrap();
        names.push(name.to_owned());
    }
    std::fs::write(folder.join("twenty-minutes.wav"), silence(1_200)).unwrap();
    names.push("twenty-minutes.wav".to_owned());
    names
}

/// A stereo WAV whose `data` goes on to the end of the file.
fn wav_header(tag: u16, rate: u32, bits: u16) -> Vec<u8> {
    let frame = 2 * bits / 8;
    let mut header = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0".to_vec();
    header.extend([tag, 2].map(u16::to_le_bytes).concat());
    header.extend([rate, rate * u32::from(frame)].map(u32::to_le_bytes).concat());
    header.extend([frame, bits].map(u16::to_le_bytes).concat());
    header.extend(b"data\xff\xff\xff\xff");
    header
}

/// Events that are deep, long or lie about their own lengths.
fn events() -> Vec<(Vec<u8>, &'static str)> {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(300_000), "]".repeat(300_000));
    let wide = format!(
        "{{\"labels\":{{{}}}}}",
        (0..40_000).map(|i| format!("\"{i}\":\"x\"")).collect::<Vec<_>>().join(",")
    );
    let long = json!({ "tenant": "demo", "call_id": "x".repeat(600_000) }).to_string();
    let inline =
        json!({ "tenant": "demo", "call_id": "inline", "recording": { "inline": "A".repeat(900_000) } });
    let empty_legs = b"\x42\0".repeat(480_000);
    let lies = b"\x0a\xff\xff\xff\xff\x0fdemo".to_vec();
    vec![
        (deep.into_bytes(), "application/json"),
        (wide.into_bytes(), "application/json"),
        (long.into_bytes(), "application/json"),
        (inline.to_string().into_bytes(), "application/json"),
        (lies, "application/protobuf"),
        (empty_legs, "application/protobuf"),
    ]
}

fn endings(broker: &Broker, count: usize, worker: &Guest) -> Vec<callqa_tests::Record> {
    let found = wait_for(ENDED_WITHIN, || {
        let endings = read_all(broker.address(), "qa.results.v1");
        (endings.len() >= count).then_some(endings)
    });
    found.unwrap_or_else(|| panic!("{count} endings; the worker's log:\n{}", worker.log()))
}

#[test]
fn hostile_recordings_cost_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    std::fs::copy(top().join("tests/calls/13-en-hotel-dates.opus"), root.join("call.opus")).unwrap();
    let names = recordings(&root);

    let broker = Broker::start();
    let (http, settings) = settings(broker.address(), root.to_str().unwrap());
    let mut command = Command::new(program("callqa-worker"));
    command.current_dir(top()).args(["--config", "deploy/worker.toml"]).envs(settings);
    // A spool in memory would be memory: here it is the disk.
    command.env("CALLQA_STORE__SPOOL", &root);
    let worker = Guest::start(command, &http).ready();

    let send = |call_id: &str, file: &str| {
        let event = event(call_id, &format!("file://{}/{file}", root.display()));
        publish(broker.address(), INPUT, call_id, &event, &[]);
    };
    // One call for each analyst at once, so that all models are loaded and used.
    (0..2).for_each(|i| send(&format!("ordinary-{i}"), "call.opus"));
    endings(&broker, 2, &worker);
    let ordinary = worker.peak_mib();

    names.iter().for_each(|name| send(name, name));
    let events = events();
    for (payload, content_type) in &events {
        publish(broker.address(), INPUT, "event", payload, &[("content-type", content_type)]);
    }
    let all = endings(&broker, 2 + names.len() + events.len(), &worker);
    let hostile = worker.peak_mib();

    let reasons: BTreeSet<&str> = all.iter().filter_map(|row| row.json["reason"].as_str()).collect();
    assert!(!reasons.contains("internal"), "an analyst panicked: {reasons:?}");
    let assessed = all.iter().filter(|row| row.json["ending"] == "assessed").count();
    println!(
        "{} hostile recordings and {} hostile events: peak {hostile} MiB, {ordinary} MiB before; {assessed} assessed; \
         reasons: {reasons:?}",
        names.len(),
        events.len()
    );
    assert!(hostile <= ordinary + MORE_MIB, "{hostile} MiB, more than {ordinary} + {MORE_MIB}");
    assert!(worker.get("/live").is_some_and(|answer| answer.contains(" 200 ")));
}
