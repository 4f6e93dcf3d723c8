//! Calls made of tones, which scripted models hear as words.

use std::sync::Arc;

use callqa_domain::{Label, Rulebook};
use callqa_models::scripted::{self, Keywords, Line, Script};
use callqa_proto::Message;
use callqa_proto::wire::{CallRecorded, Purpose, Recording};
use callqa_worker::app::Equipment;

const RATE: u32 = 8_000;
/// The script's line for the agent's greeting.
pub const GREETS: usize = 0;
/// The script's line at which the model hangs until it is stopped.
pub const HANGS: usize = 1;
/// The script's line at which the model panics.
pub const PANICS: usize = 2;

/// Scripted models, and the rulebook that comes with the program.
pub fn equipment() -> Equipment {
    let script =
        Arc::new(Script::of(&["您好 我的卡号是 6222021234567890123"]).and(Line::Hangs).and(Line::Panics));
    let rulebook = include_str!("../../../../deploy/rulebooks/service-baseline.toml");
    Equipment {
        kits: Box::new(move || Ok(scripted::kit(&script, Keywords::of(&[("您好", Label::Greeting)])))),
        models: scripted::ids().into(),
        rulebook: Arc::new(Rulebook::parse(rulebook).expect("a rulebook")),
    }
}

/// A recording of four seconds: the agent's line on the first of two channels.
pub fn wav(line: usize) -> Vec<u8> {
    let mut agent = vec![0.0; 2_000];
    agent.extend(Script::tone(line, 1_000, RATE));
    agent.resize(4 * RATE as usize, 0.0);
    let samples: Vec<i16> = agent.iter().flat_map(|sample| [(sample * 32_767.0) as i16, 0]).collect();
    let bytes = samples.len() as u32 * 2;
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + bytes).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16u32.to_le_bytes());
    wav.extend([1u16, 2].map(u16::to_le_bytes).concat());
    wav.extend([RATE, RATE * 4].map(u32::to_le_bytes).concat());
    wav.extend([4u16, 16].map(u16::to_le_bytes).concat());
    wav.extend(b"data");
    wav.extend(bytes.to_le_bytes());
    samples.iter().for_each(|sample| wav.extend(sample.to_le_bytes()));
    wav
}

/// A call with its recording inside the event.
pub fn inline(call_id: &str, bytes: Vec<u8>) -> CallRecorded {
    CallRecorded {
        tenant: "demo".to_owned(),
        call_id: call_id.to_owned(),
        started_at: Some("2026-01-05T09:30:00+08:00".to_owned()),
        recording: Some(Recording { inline: Some(bytes), ..Recording::default() }),
        ..CallRecorded::default()
    }
}

/// A call like any other.
pub fn ordinary(call_id: &str) -> CallRecorded {
    inline(call_id, wav(GREETS))
}

/// A call whose recording lies elsewhere.
pub fn by_uri(call_id: &str, uri: &str) -> CallRecorded {
    let recording = Recording { uri: Some(uri.to_owned()), ..Recording::default() };
    CallRecorded { recording: Some(recording), ..ordinary(call_id) }
}

/// A test call.
pub fn test_call(call_id: &str) -> CallRecorded {
    CallRecorded { purpose: Purpose::Test.into(), ..ordinary(call_id) }
}

/// The event as a message.
pub fn message(event: &CallRecorded) -> Message {
    event.message("/callqa/test").expect("JSON")
}
