//! Messages that carry canaries wherever a message can carry something.

use std::path::Path;

use callqa_models::scripted::Script;
use callqa_proto::wire::{CallRecorded, Recording};
use callqa_proto::{Message, Topic};

/// Personal numbers, as they are said and as they stand in places and broken events.
pub const NUMBERS: &[&str] = &[
    "6222021234567890123",
    "4111111111111111",
    "13800138000",
    "11010519491231002X",
    "一三八零零一三八零零零",
    "SIGNATURE7f3a",
    "hunter2",
];
pub const NAMES: &[&str] = &["张伟民", "欧阳晓岚", "Annabel Quimby"];
pub const PHRASES: &[&str] = &["我母亲昨天住院", "孩子的学费还没有交", "my landlord is evicting me"];
/// Of the settings.
pub const SECRETS: [&str; 4] = ["AKIACANARY", "s3-canary-key", "session-canary", "sasl-canary"];

/// What is heard, line by line; the agent's are the even ones. After the last come the model's panic and failure.
pub const LINES: &[&str] = &[
    "您好 张伟民先生 您的卡号是 6222021234567890123 对吗",
    "我叫欧阳晓岚 手机号一三八零零一三八零零零 我母亲昨天住院 问题还是没解决",
    "您的身份证号是 11010519491231002X 电话 13800138000",
    "孩子的学费还没有交 我要投诉 卡号 4111111111111111",
    "thank you Annabel Quimby your card is 4111111111111111",
    "my landlord is evicting me my number is 13800138000",
];
const PANICS: usize = LINES.len();
const FAILS: usize = LINES.len() + 1;
const RATE: u32 = 8_000;

/// A recording of two lines, one a channel, with a tag as recorders write them.
fn wav(agent: usize, customer: usize) -> Vec<u8> {
    let track = |line: usize, at: usize| {
        let mut track = vec![0.0; at];
        track.extend(Script::tone(line, 1_000, RATE));
        track.resize(4 * RATE as usize, 0.0);
        track
    };
    let (agent, customer) = (track(agent, 2_000), track(customer, 16_000));
    let samples: Vec<i16> =
        agent.iter().zip(&customer).flat_map(|(a, c)| [a, c].map(|s| (s * 32_767.0) as i16)).collect();
    let tag = format!("INFOIART\x14\0\0\0{}\0", NUMBERS[0]);
    let (bytes, tag) = (samples.len() as u32 * 2, tag.into_bytes());
    let mut wav = b"RIFF".to_vec();
    wav.extend((44 + tag.len() as u32 + bytes).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0\x40\x1f\0\0\0\x7d\0\0\x04\0\x10\0LIST");
    wav.extend((tag.len() as u32).to_le_bytes());
    wav.extend(tag);
    wav.extend(b"data");
    wav.extend(bytes.to_le_bytes());
    samples.iter().for_each(|sample| wav.extend(sample.to_le_bytes()));
    wav
}

fn call(call_id: &str, recording: Recording) -> CallRecorded {
    CallRecorded {
        tenant: "demo".to_owned(),
        call_id: call_id.to_owned(),
        started_at: Some("2026-01-05T09:30:00+08:00".to_owned()),
        recording: Some(recording),
        ..CallRecorded::default()
    }
}

fn inline(call_id: &str, bytes: Vec<u8>) -> Message {
    message(&call(call_id, Recording { inline: Some(bytes), ..Recording::default() }))
}

fn at(call_id: &str, uri: &str) -> Message {
    message(&call(call_id, Recording { uri: Some(uri.to_owned()), ..Recording::default() }))
}

fn message(event: &CallRecorded) -> Message {
    event.message("/callqa/test").expect("JSON")
}

fn raw(content_type: &str, payload: impl Into<Vec<u8>>) -> Message {
    let headers = vec![
        ("content-type", content_type.to_owned()),
        ("traceparent", format!("00-{}", NUMBERS[0])),
        ("ce_source", format!("/pbx/{}", NUMBERS[2])),
        ("x-customer", NAMES[0].to_owned()),
    ];
    Message { topic: Topic::Recorded, key: "raw".to_owned(), headers, payload: payload.into() }
}

/// Places that hold a name, a number, a password or a signature.
fn places(root: &Path, store: u16) -> Vec<Message> {
    let root = root.display();
    let uris = [
        format!("http://localhost:{store}/calls/13800138000/张伟民.wav?X-Amz-Signature=SIGNATURE7f3a"),
        format!("http://127.0.0.1:{store}/6222021234567890123.wav"),
        "http://13800138000.example/张伟民.wav".to_owned(),
        "https://user:hunter2@media.example/13800138000.wav".to_owned(),
        "http://[13800138000]/a.wav".to_owned(),
        "ftp://user:hunter2@media.example/13800138000.wav".to_owned(),
        "s3://recordings/张伟民/13800138000.wav".to_owned(),
        "s3://13800138000/张伟民.wav".to_owned(),
        "s3://recordings/../13800138000.wav".to_owned(),
        format!("file://{root}/13800138000/张伟民.wav"),
        format!("file://{root}/../13800138000.wav"),
        "file:///srv/张伟民/13800138000.wav".to_owned(),
        "13800138000:张伟民".to_owned(),
    ];
    uris.iter().enumerate().map(|(i, uri)| at(&format!("place-{i}"), uri)).collect()
}

/// Events that are wrong right beside a canary.
fn broken() -> Vec<Message> {
    let json = [
        r#"{"tenant":"demo","call_id":"broken-1","note":"13800138000 张伟民" "#,
        r#"{"tenant":"demo","call_id":"broken-2","recording":{"uri":13800138000}}"#,
        r#"{"tenant":"demo","call_id":"broken-3","started_at":"13800138000","recording":{"uri":"张伟民"}}"#,
        r#"{"tenant":"demo","call_id":"broken-4","direction":"张伟民","purpose":"6222021234567890123","recording":{"inline":"13800138000"}}"#,
        r#"{"tenant":"demo","call_id":"broken-5","agent_language":"张伟民","recording":{"uri":"https://media.example/13800138000"}}"#,
        r#"{"tenant":"demo","call_id":"broken-6","recording":{"uri":"https://media.example/a","sha256":"6222021234567890123"}}"#,
        r#"["13800138000","张伟民"]"#,
        r#""6222021234567890123 张伟民""#,
    ];
    let mut all: Vec<Message> = json.iter().map(|text| raw("application/json", *text)).collect();
    all.push(raw("application/13800138000", "{}"));
    all.push(raw("application/protobuf", "\x0a\x7f13800138000 张伟民"));
    all.push(raw("application/json", b"\xff13800138000".to_vec()));
    all
}

/// Recordings that are none, and hold a canary.
fn not_audio() -> Vec<Message> {
    let text = format!("{} {} {}", NUMBERS[0], NAMES[0], PHRASES[0]);
    let sha256 = Some("0".repeat(64));
    let other = Recording { inline: Some(wav(0, 1)), sha256, ..Recording::default() };
    let declared = Recording {
        inline: Some(text.clone().into_bytes()),
        content_type: Some("audio/13800138000".to_owned()),
        ..Recording::default()
    };
    vec![
        inline("text", text.clone().into_bytes()),
        inline("riff", format!("RIFF....WAVE{text}").into_bytes()),
        inline("ogg", format!("OggS{text}").into_bytes()),
        inline("cut", wav(0, 1)[..20_000].to_vec()),
        message(&call("other", other)),
        message(&call("declared", declared)),
    ]
}

/// Everything, each to end once.
pub fn all(root: &Path, store: u16) -> Vec<Message> {
    let mut all = vec![
        inline("words-1", wav(0, 1)),
        inline("words-2", wav(2, 3)),
        inline("words-3", wav(4, 5)),
        inline("panics", wav(0, PANICS)),
        inline("fails", wav(FAILS, 1)),
    ];
    all.extend(places(root, store));
    all.extend(broken());
    all.extend(not_audio());
    all
}
