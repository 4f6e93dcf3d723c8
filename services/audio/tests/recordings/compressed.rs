//! MP3, FLAC, Vorbis and Opus, as lame, sox and opusenc write them.

use callqa_audio::{AudioError, Format, Limits};

use crate::fixtures::{
    FLAC, MONO_MP3, MONO_OPUS, MONO_VORBIS, MUSIC_RATE_MP3, OPUS, SHORT_OPUS, STEREO_MP3, UNTAGGED_MP3,
    VORBIS,
};
use crate::signal::{alike, amplitude, decode};

/// Two seconds, to the millisecond; the right tone on the right channel; the sweep in the second half.
#[track_caller]
fn check(bytes: &[u8], format: Format, source_rate: u32, channels: usize) {
    check_lasting(bytes, format, source_rate, channels, 2_000..=2_000);
}

#[track_caller]
fn check_lasting(
    bytes: &[u8],
    format: Format,
    source_rate: u32,
    channels: usize,
    lasting: std::ops::RangeInclusive<u64>,
) {
    let (decoded, summary) = decode(bytes, &Limits::default()).unwrap();
    assert_eq!((summary.format, summary.source_rate, decoded.len()), (format, source_rate, channels));
    assert!(lasting.contains(&summary.duration_ms), "{} ms", summary.duration_ms);
    assert_eq!(summary.damaged_ms, 0);
    for (samples, [own, other]) in decoded.iter().zip([[440.0, 1_000.0], [1_000.0, 440.0]]) {
        let (first, second) = (&samples[3_200..14_400], &samples[17_600..30_400]);
        assert!((amplitude(first, own) - 0.4).abs() < 0.04, "{}", amplitude(first, own));
        assert!(amplitude(first, other) < 0.03, "{}", amplitude(first, other));
        let sweep =
            |samples: &[f32]| (1_500..3_000).step_by(20).map(|f| amplitude(samples, f.into())).sum::<f64>();
        assert!(sweep(second) > 4.0 * sweep(first), "{} against {}", sweep(second), sweep(first));
    }
}

#[test]
fn mp3() {
    check(MONO_MP3, Format::Mp3, 8_000, 1);
    check(STEREO_MP3, Format::Mp3, 8_000, 2);
    check(MUSIC_RATE_MP3, Format::Mp3, 44_100, 2);
}

#[test]
fn mp3_without_a_length_keeps_its_padding() {
    check_lasting(UNTAGGED_MP3, Format::Mp3, 16_000, 2, 2_000..=2_150);
}

#[test]
fn mp3_after_a_tag_with_a_picture() {
    let mut bytes = b"ID3\x04\0\0\0\0\x07\x68".to_vec();
    bytes.extend([0xff, 0xfb].iter().cycle().take(1_000));
    bytes.extend(STEREO_MP3);
    check(&bytes, Format::Mp3, 8_000, 2);
}

#[test]
fn mp3_files_put_together_are_heard_to_the_end() {
    let (_, summary) = decode(&[STEREO_MP3, STEREO_MP3].concat(), &Limits::default()).unwrap();
    assert!((4_000..4_400).contains(&summary.duration_ms), "{}", summary.duration_ms);
}

/// The frames of the mono fixture, all alike and without what its Info frame promises: 216 bytes and 72 ms each.
fn unpromised() -> Vec<u8> {
    MONO_MP3[216..].to_vec()
}

/// Frames 10 to 12 have no header; the one after them borrows bits from them.
#[test]
fn mp3_frames_where_the_stream_loses_step_are_silence_of_their_length() {
    let (whole, summary) = decode(&unpromised(), &Limits::default()).unwrap();
    assert_eq!((summary.duration_ms, summary.damaged_ms), (2_160, 0));
    let mut bytes = unpromised();
    bytes[10 * 216..13 * 216].fill(0x55);
    let (decoded, summary) = decode(&bytes, &Limits::default()).unwrap();
    assert_eq!((summary.duration_ms, summary.damaged_ms), (2_160, 216));
    assert!(alike(&decoded[0][..11_500], &whole[0][..11_500]));
    assert!(decoded[0][13_000..14_500].iter().all(|sample| sample.abs() < 0.01));
    assert!(alike(&decoded[0][24_000..], &whole[0][24_000..]));
}

#[test]
fn the_end_of_an_mp3_that_is_no_mp3_is_silence_too() {
    let mut bytes = unpromised();
    bytes[20 * 216..].fill(0x55);
    let (_, summary) = decode(&bytes, &Limits::default()).unwrap();
    assert_eq!((summary.duration_ms, summary.damaged_ms), (2_160, 720));
}

#[test]
fn an_mp3_that_loses_step_for_too_long_is_refused() {
    let mut bytes = unpromised();
    bytes[8 * 216..23 * 216].fill(0x55);
    match decode(&bytes, &Limits::default()).map(|(_, summary)| summary) {
        Err(AudioError::Damaged { damaged_ms: 1_008, limit_ms: 1_000 }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn tags_between_and_behind_mp3_frames_are_no_damage() {
    let mut picture = b"ID3\x04\0\0\0\0\x07\x68".to_vec();
    picture.extend([0x55; 1_000]);
    let title = [b"TAG".as_slice(), &[b' '; 125]].concat();
    let replay_gain = [b"APETAGEX\xd0\x07\0\0\xd0\x07\0\0".as_slice(), &[0x55; 16 + 2_000]].concat();
    let zeros = vec![0; 2_000];
    let bytes = [unpromised(), title.clone(), picture, unpromised(), replay_gain, zeros, title].concat();
    let (_, summary) = decode(&bytes, &Limits::default()).unwrap();
    assert_eq!((summary.duration_ms, summary.damaged_ms), (4_320, 0));
}

#[test]
fn flac() {
    check(FLAC, Format::Flac, 8_000, 2);
}

#[test]
fn vorbis() {
    check(MONO_VORBIS, Format::OggVorbis, 8_000, 1);
    check(VORBIS, Format::OggVorbis, 16_000, 2);
}

#[test]
fn opus() {
    check(MONO_OPUS, Format::OggOpus, 48_000, 1);
    check(OPUS, Format::OggOpus, 48_000, 2);
    check(SHORT_OPUS, Format::OggOpus, 48_000, 1);
}

#[track_caller]
fn check_cut(bytes: &[u8]) {
    for part in [3, 5, 8] {
        let result =
            decode(&bytes[..bytes.len() * part / 10], &Limits::default()).map(|(_, summary)| summary);
        assert!(matches!(result, Err(AudioError::Truncated { .. })), "{part} tenths: {result:?}");
    }
}

#[test]
fn half_a_call_is_refused_where_the_container_can_tell() {
    [STEREO_MP3, MONO_MP3, MUSIC_RATE_MP3, FLAC, MONO_VORBIS, VORBIS, MONO_OPUS, OPUS]
        .into_iter()
        .for_each(check_cut);
}

#[test]
fn an_unreadable_flac_frame_is_silence_of_its_length() {
    let mut bytes = FLAC.to_vec();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8].fill(0x55);
    let (decoded, summary) = decode(&bytes, &Limits::default()).unwrap();
    assert_eq!((summary.duration_ms, summary.damaged_ms), (2_000, 512));
    let end = &decoded[0][27_000..31_000];
    assert!((amplitude(end, 440.0) - 0.4).abs() < 0.05);
    let strict = Limits { max_damage: std::time::Duration::from_millis(500), ..Limits::default() };
    match decode(&bytes, &strict).map(|(_, summary)| summary) {
        Err(AudioError::Damaged { damaged_ms: 512, limit_ms: 500 }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_unreadable_first_flac_frame_moves_nothing() {
    let mut bytes = FLAC.to_vec();
    let first = bytes.windows(2).position(|two| two == [0xff, 0xf8]).unwrap();
    bytes[first..first + 8].fill(0x55);
    let (decoded, summary) = decode(&bytes, &Limits::default()).unwrap();
    assert_eq!((summary.duration_ms, summary.damaged_ms), (2_000, 512));
    assert!(decoded[0][..8_000].iter().all(|sample| sample.abs() < 0.01));
    assert!((amplitude(&decoded[0][27_000..31_000], 440.0) - 0.4).abs() < 0.05);
}
