//! Calls for the worker with scripted models: a recording is a tone, and its pitch says what the models do.

use std::f32::consts::TAU;
use std::path::{Path, PathBuf};

use serde_json::json;

const RATE: u32 = 8_000;
/// Pitch of the first line and hertz between two, as in `callqa_models::scripted`.
const LOWEST_PITCH: u32 = 400;
const PITCH_STEP: u32 = 25;
/// Three and a half seconds: a call below three is excluded.
const SAMPLES: usize = 28_000;

/// What scripted models do with a call; the order is that of `scripted_worker`'s script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Answer at once.
    Says,
    /// Answer after a quarter of a second.
    TakesAWhile,
    /// Answer after a minute.
    TakesLong,
    /// End the process.
    Aborts,
    /// Panic.
    Panics,
    /// Go on until they are stopped.
    Hangs,
}

impl Line {
    const ALL: [Self; 6] =
        [Self::Says, Self::TakesAWhile, Self::TakesLong, Self::Aborts, Self::Panics, Self::Hangs];

    fn file(self) -> String {
        format!("line-{}.wav", self as u32)
    }
}

/// A folder with a recording of each line.
#[derive(Debug)]
pub struct Recordings {
    folder: tempfile::TempDir,
    root: PathBuf,
}

impl Recordings {
    /// Writes them.
    ///
    /// # Panics
    /// Where the system has no room for a megabyte.
    #[must_use]
    pub fn write() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for line in Line::ALL {
            std::fs::write(folder.path().join(line.file()), wav(line)).expect("written");
        }
        let root = folder.path().canonicalize().expect("a path");
        Self { folder, root }
    }

    /// Where they lie.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Key and payload of a call's event.
    #[must_use]
    pub fn call(&self, call_id: &str, line: Line) -> (String, Vec<u8>) {
        self.call_of_file(call_id, &line.file())
    }

    /// The same with any file of the folder.
    #[must_use]
    pub fn call_of_file(&self, call_id: &str, file: &str) -> (String, Vec<u8>) {
        debug_assert!(self.folder.path().exists());
        let uri = format!("file://{}/{file}", self.root.display());
        event(call_id, &uri)
    }
}

/// Key and payload of an event about a recording.
#[must_use]
pub fn event(call_id: &str, uri: &str) -> (String, Vec<u8>) {
    let event = json!({
        "tenant": "demo",
        "call_id": call_id,
        "started_at": "2026-01-05T09:30:00+08:00",
        "recording": { "uri": uri },
    });
    (format!("demo/{call_id}"), event.to_string().into_bytes())
}

/// The agent's tone on the first of two channels, with silence around it.
fn wav(line: Line) -> Vec<u8> {
    let pitch = (LOWEST_PITCH + line as u32 * PITCH_STEP) as f32;
    let agent = |at: usize| match at {
        2_000..10_000 => 0.3 * ((at - 2_000) as f32 * pitch * TAU / RATE as f32).sin(),
        _ => 0.0,
    };
    let samples: Vec<i16> = (0..SAMPLES).flat_map(|at| [(agent(at) * 32_767.0) as i16, 0]).collect();
    let bytes = samples.len() as u32 * 2;
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + bytes).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    wav.extend([1_u16, 2].map(u16::to_le_bytes).concat());
    wav.extend([RATE, RATE * 4].map(u32::to_le_bytes).concat());
    wav.extend([4_u16, 16].map(u16::to_le_bytes).concat());
    wav.extend(b"data");
    wav.extend(bytes.to_le_bytes());
    samples.iter().for_each(|sample| wav.extend(sample.to_le_bytes()));
    wav
}
