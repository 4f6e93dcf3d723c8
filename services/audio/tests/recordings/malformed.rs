//! What must be refused, with the limit and the value named, and never with a panic.

use std::time::Duration;

use callqa_audio::{AudioError, Format, Limits};
use proptest::prelude::*;

use crate::fixtures::{FLAC, MONO_MP3, MONO_OPUS, MONO_VORBIS, OPUS, STEREO_MP3, VORBIS};
use crate::flac_writer::{hours, silence};
use crate::signal::{decode, open, tones};
use crate::wav_writer::{Header, Kind, wav, write};

#[track_caller]
fn check(bytes: &[u8], reason: &str, message: &str) {
    let error = decode(bytes, &Limits::default()).map(|(_, summary)| summary).unwrap_err();
    assert_eq!((error.reason(), error.to_string().as_str()), (reason, message));
}

fn claiming(channels: u16, sample_rate: u32, data_size: Option<u32>) -> Vec<u8> {
    let header = Header { kind: Kind::Pcm(16), sample_rate, channels, data_size, extensible: false };
    write(header, &vec![vec![0.1; usize::from(channels)]; 800])
}

#[test]
fn nothing() {
    check(&[], "empty", "recording is empty");
}

#[test]
fn text_named_wav() {
    let text = b"Dear colleague, please find the recording attached. Kind regards".as_slice();
    check(text, "not_audio", "recording is not audio");
    let error = open(text, Some("audio/wav; codecs=1"), &Limits::default()).err().unwrap();
    assert!(matches!(error, AudioError::NotAudio { declared: Some(Format::Wav) }));
    assert_eq!(error.to_string(), "recording is not audio, though declared as wav");
}

#[test]
fn a_wrong_declaration_changes_nothing() {
    let decoder = open(FLAC, Some("audio/mpeg"), &Limits::default()).unwrap();
    assert_eq!(decoder.summary().format, Format::Flac);
}

#[test]
fn other_formats_by_name() {
    check(b"\0\0\0\x20ftypM4A \0\0\0\0", "unsupported_format", "recording is MP4, which is not supported");
    check(b"#!AMR\n\x3c\x91\x17\x16", "unsupported_format", "recording is AMR, which is not supported");
    check(
        b"\xff\xf1\x50\x80\x02\x1f\xfc\x00",
        "unsupported_format",
        "recording is AAC, which is not supported",
    );
}

#[test]
fn other_codecs_by_name() {
    let mut gsm = claiming(1, 8_000, None);
    gsm[20] = 0x31;
    check(&gsm, "unsupported_codec", "recording uses WAV codec 0x0031 of 16 bits, which is not supported");
}

#[test]
fn channels() {
    check(&claiming(9, 8_000, None), "too_many_channels", "recording has 9 channels; 1 to 2 are allowed");
    check(
        &claiming(0x7fff, 8_000, None),
        "too_many_channels",
        "recording has 32767 channels; 1 to 2 are allowed",
    );
    let mut none = claiming(1, 8_000, None);
    none[22] = 0;
    check(&none, "corrupt", "recording is corrupt: a WAV without channels");
    let mut opus = OPUS.to_vec();
    opus[37] = 9;
    check(&opus, "too_many_channels", "recording has 9 channels; 1 to 2 are allowed");
}

#[test]
fn sample_rates() {
    for rate in [0, 4_000, 7_999, 48_001, 96_000, 4_000_000_000] {
        let mut bytes = claiming(1, 8_000, None);
        bytes[24..28].copy_from_slice(&u32::to_le_bytes(rate));
        let message = format!("recording is sampled at {rate} Hz, outside 8000 to 48000 Hz");
        check(&bytes, "sample_rate_out_of_range", &message);
    }
}

#[test]
fn a_millisecond() {
    let bytes = wav(Kind::Pcm(16), 8_000, &tones(&[440.0], 8_000, 0.001));
    check(&bytes, "too_short", "recording is 1 ms long, less than the 100 needed");
    check(&wav(Kind::Pcm(16), 8_000, &[]), "too_short", "recording is 0 ms long, less than the 100 needed");
}

#[test]
fn sizes_that_are_not_there() {
    let message = "recording is cut: 100 ms of audio where 100000000 ms were promised";
    check(&claiming(1, 8_000, Some(1_600_000_000)), "truncated", message);
    let mut chunk = claiming(1, 8_000, None);
    chunk[16..20].copy_from_slice(&u32::to_le_bytes(0xffff_fff0));
    check(&chunk, "corrupt", "recording is corrupt: a WAV without audio");
}

#[test]
fn a_byte_too_many() {
    let bytes = claiming(1, 8_000, None);
    let limits = Limits { max_bytes: bytes.len() as u64 - 1, ..Limits::default() };
    let error = decode(&bytes, &limits).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("recording is {} bytes, more than the {} allowed", bytes.len(), bytes.len() - 1)
    );
    assert!(decode(&bytes, &Limits { max_bytes: bytes.len() as u64, ..Limits::default() }).is_ok());
}

#[test]
fn ten_hours_that_the_header_admits() {
    let message = "recording is at least 36000000 ms long, more than the 14400000 allowed";
    check(&silence(1, 10 * 3600 * 8_000), "too_long", message);
}

#[test]
fn ten_hours_that_no_header_admits() {
    let bytes = silence(hours(10), 0);
    assert!(bytes.len() < 80_000);
    let error = decode(&bytes, &Limits::default()).unwrap_err();
    assert!(matches!(error, AudioError::TooLong { actual_ms: 14_400_000..14_410_000, limit_ms: 14_400_000 }));
}

#[test]
fn the_duration_limit_is_exact() {
    let bytes = wav(Kind::MuLaw, 8_000, &tones(&[440.0], 8_000, 2.0));
    let limit = |ms| Limits { max_duration: Duration::from_millis(ms), ..Limits::default() };
    assert!(decode(&bytes, &limit(2_000)).is_ok());
    assert_eq!(decode(&bytes, &limit(1_999)).unwrap_err().reason(), "too_long");
}

/// The step of Microsoft's ADPCM trebles with each nibble of 8 and has no upper bound: the codec overflows.
#[test]
fn a_codec_that_gives_up() {
    let mut bytes = wav(Kind::Ms, 8_000, &tones(&[440.0], 8_000, 1.0));
    let data = bytes.len() - 2_000;
    bytes[data..].fill(0x88);
    check(&bytes, "corrupt", "recording is corrupt: its content makes the codec give up");
}

#[test]
fn streams_in_a_row() {
    let error = decode(&[MONO_OPUS, OPUS].concat(), &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "recording uses several streams in a row, which is not supported");
}

fn intact() -> impl Strategy<Value = Vec<u8>> {
    let waves = [Kind::Pcm(16), Kind::MuLaw, Kind::Ima, Kind::Ms];
    let frames = tones(&[440.0, 1_000.0], 8_000, 0.5);
    let mut all: Vec<Vec<u8>> = waves.iter().map(|&kind| wav(kind, 8_000, &frames)).collect();
    all.extend([FLAC, MONO_MP3, STEREO_MP3, MONO_VORBIS, VORBIS, MONO_OPUS, OPUS].map(<[u8]>::to_vec));
    all.push(silence(3, 0));
    proptest::sample::select(all)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens to the bytes, the answer is audio within the limits or a typed error.
    #[test]
    fn damage_never_panics(
        mut bytes in intact(),
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<bool>(), 0u8..8), 1..24),
        keep in proptest::option::of(any::<proptest::sample::Index>()),
    ) {
        for (at, early, bit) in flips {
            // Headers are where damage hurts: half of it falls on the first 256 bytes.
            let reach = if early { bytes.len().min(256) } else { bytes.len() };
            bytes[at.index(reach)] ^= 1 << bit;
        }
        if let Some(keep) = keep {
            bytes.truncate(keep.index(bytes.len()));
        }
        let limits = Limits { max_duration: Duration::from_secs(60), ..Limits::default() };
        match decode(&bytes, &limits) {
            Ok((channels, summary)) => {
                prop_assert!(summary.duration_ms <= 60_000);
                prop_assert!(channels.iter().flatten().all(|sample| sample.abs() <= 1.0));
            }
            Err(error) => prop_assert!(!error.reason().is_empty()),
        }
    }
}
