//! The bare transcriber, for measurements: recordings in, words and what they cost out.
//!
//! `transcribe [--plain THREADS] [--analysts N] MANIFEST MODELS LIST` reads lines `language<TAB>path` from LIST, hears
//! each recording, and prints a JSON line for each channel, then one with the cost of all of them. Opening the
//! models is not counted. `--plain` is whisper.cpp as its own program runs it: one pass over the whole
//! channel, with its timestamps and without anything of ours. `$CALLQA_WHISPER` names another Whisper of the manifest.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use callqa_audio::{Decoder, Limits, SpeechSegmenter};
use callqa_domain::{Channel, Language, Span};
use callqa_models::measured::{Ear, Plain};
use callqa_models::{ModelsConfig, Packer, SAMPLES_PER_MS, Speech, VAD_WINDOW, WINDOWS_TOGETHER, Window};
use serde_json::json;

/// A recording, whole: measurements are made on minutes, not on hours.
struct Recording {
    name: String,
    language: Language,
    channels: Vec<Vec<f32>>,
}

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let plain = take_value(&mut arguments, "--plain");
    let analysts = take_value(&mut arguments, "--analysts").unwrap_or(1);
    let [manifest, models, list] = arguments.as_slice() else {
        eprintln!("usage: transcribe [--plain THREADS] [--analysts N] MANIFEST MODELS LIST");
        std::process::exit(2);
    };
    let recordings: Vec<(Language, PathBuf)> = std::fs::read_to_string(list)
        .expect("the list is readable")
        .lines()
        .map(|line| line.split_once('\t').expect("language<TAB>path"))
        .map(|(code, path)| (if code == "zh" { Language::Zh } else { Language::En }, path.into()))
        .collect();
    let default = if plain.is_some() { "whisper-base" } else { "whisper-base-int8" };
    let config = ModelsConfig {
        manifest: manifest.into(),
        dir: models.into(),
        heads: PathBuf::new(),
        whisper: std::env::var("CALLQA_WHISPER").unwrap_or_else(|_| default.to_owned()),
        device: 0,
    };
    let queue = Mutex::new(recordings.into_iter());
    let hear: Vec<Hear> = if let Some(threads) = plain {
        let plain = Plain::open(&config).expect("whisper opens");
        vec![Box::new(move |recording, _| hear_plain(&plain, recording, threads))]
    } else {
        Ear::open(&config, analysts)
            .expect("the models open")
            .into_iter()
            .map(|mut ear| -> Hear {
                Box::new(move |recording, cost| hear_packed(&mut ear, recording, cost))
            })
            .collect()
    };
    let (cpu, started) = (cpu_seconds("self"), Instant::now());
    let costs: Vec<Cost> = std::thread::scope(|scope| {
        let threads: Vec<_> = hear.into_iter().map(|hear| scope.spawn(|| work(&queue, hear))).collect();
        threads.into_iter().map(|thread| thread.join().expect("an analyst ends")).collect()
    });
    let sum = |of: fn(&Cost) -> f64| costs.iter().map(of).sum::<f64>();
    println!(
        "{}",
        json!({
            "cpu": cpu_seconds("self") - cpu, "wall": started.elapsed().as_secs_f64(), "peak_mib": peak_mib(),
            "call": sum(|cost| cost.call), "audio": sum(|cost| cost.audio), "speech": sum(|cost| cost.speech), "vad_wall": sum(|cost| cost.vad),
        })
    );
}

#[derive(Default)]
struct Cost {
    /// Seconds of calls, and of their channels.
    call: f64,
    audio: f64,
    speech: f64,
    vad: f64,
}

type Hear = Box<dyn FnMut(&Recording, &mut Cost) -> Vec<String> + Send>;

fn work(queue: &Mutex<std::vec::IntoIter<(Language, PathBuf)>>, mut hear: Hear) -> Cost {
    let mut cost = Cost::default();
    loop {
        let next = queue.lock().expect("no analyst failed").next();
        let Some((language, path)) = next else { return cost };
        let recording = Recording { name: path.display().to_string(), language, channels: decode(&path) };
        cost.call += recording.channels.first().map_or(0, Vec::len) as f64 / 16_000.0;
        cost.audio += recording.channels.iter().map(|c| c.len() as f64 / 16_000.0).sum::<f64>();
        for (channel, text) in hear(&recording, &mut cost).into_iter().enumerate() {
            println!("{}", json!({ "file": recording.name, "channel": channel, "text": text }));
        }
    }
}

fn decode(path: &Path) -> Vec<Vec<f32>> {
    let file = std::fs::File::open(path).expect("the recording is readable");
    let mut decoder = Decoder::open(file, None, &Limits::default()).expect("the recording is audio");
    let mut channels: Vec<Vec<f32>> = Vec::new();
    while let Some(block) = decoder.next_block().expect("the recording is whole") {
        channels.resize(block.channels.len(), Vec::new());
        channels.iter_mut().zip(block.channels).for_each(|(all, more)| all.extend(more));
    }
    channels
}

fn hear_plain(plain: &Plain, recording: &Recording, threads: usize) -> Vec<String> {
    let hear =
        |samples: &Vec<f32>| plain.hear(samples, recording.language, threads).expect("whisper hears it");
    recording.channels.iter().map(hear).collect()
}

/// As an analyst hears it: speech of each channel, packed, in windows.
fn hear_packed(ear: &mut Ear, recording: &Recording, cost: &mut Cost) -> Vec<String> {
    let channels = &recording.channels;
    let started = Instant::now();
    ear.detector.reset(channels.len());
    let mut segmenters = vec![SpeechSegmenter::default(); channels.len()];
    let mut spans = vec![Vec::new(); channels.len()];
    for at in (0..channels[0].len()).step_by(VAD_WINDOW) {
        let window = |samples: &Vec<f32>| {
            let mut window = [0.0; VAD_WINDOW];
            let rest = &samples[at..samples.len().min(at + VAD_WINDOW)];
            window[..rest.len()].copy_from_slice(rest);
            window
        };
        let windows: Vec<_> = channels.iter().map(window).collect();
        let probabilities = ear.detector.step(&windows).expect("the detector steps");
        for (i, probability) in probabilities.into_iter().enumerate() {
            spans[i].extend(segmenters[i].push(probability));
        }
    }
    for (i, segmenter) in segmenters.iter_mut().enumerate() {
        spans[i].extend(segmenter.finish(channels[i].len() as u64 / SAMPLES_PER_MS));
    }
    cost.vad += started.elapsed().as_secs_f64();
    cost.speech += spans.iter().flatten().map(|span| span.len_ms() as f64 / 1_000.0).sum::<f64>();
    let windows: Vec<(usize, Window)> = spans
        .iter()
        .zip(channels)
        .enumerate()
        .flat_map(|(channel, (spans, samples))| {
            packed(spans, samples).into_iter().map(move |window| (channel, window))
        })
        .collect();
    let mut texts = vec![String::new(); channels.len()];
    for together in windows.chunks(WINDOWS_TOGETHER) {
        let asked: Vec<_> = together.iter().map(|(_, window)| (window, recording.language)).collect();
        let heard = ear.words(&asked).expect("whisper hears it");
        together.iter().zip(heard).for_each(|((channel, _), text)| texts[*channel] += &text);
    }
    texts
}

fn packed(spans: &[Span], samples: &[f32]) -> Vec<Window> {
    let mut packer = Packer::new(Channel::Agent);
    let mut windows = Vec::new();
    for span in spans {
        let start = (span.start_ms * SAMPLES_PER_MS) as usize;
        let end = ((span.end_ms * SAMPLES_PER_MS) as usize).min(samples.len());
        windows.extend(packer.push(Speech::within(samples, 0, start..end)));
    }
    windows.extend(packer.finish());
    windows
}

fn take_value(arguments: &mut Vec<String>, name: &str) -> Option<usize> {
    let at = arguments.iter().position(|argument| argument == name)?;
    let value = arguments.drain(at..at + 2).nth(1)?;
    Some(value.parse().expect("a number"))
}

/// User and system time of the process, at the kernel's hundred ticks a second.
fn cpu_seconds(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("procfs");
    let fields = stat.rsplit_once(')').expect("a name in brackets").1;
    fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("ticks")).sum::<f64>()
        / 100.0
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("procfs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("VmHWM");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("KiB") / 1_024
}
