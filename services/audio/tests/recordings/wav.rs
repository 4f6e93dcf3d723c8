//! WAV in all its variants.

use callqa_audio::{AudioError, Format, Limits};

use crate::signal::{amplitude, decode, tones};
use crate::wav_writer::{Header, Kind, wav, write};

/// 2 s of 440 Hz on the left and, in stereo, 1 000 Hz on the right, there and back.
#[track_caller]
fn check(kind: Kind, sample_rate: u32, channels: usize) {
    let hertz = &[440.0, 1_000.0][..channels];
    let bytes = wav(kind, sample_rate, &tones(hertz, sample_rate, 2.0));
    expect_tones(&format!("{kind:?} at {sample_rate} Hz"), &bytes, sample_rate, hertz);
}

#[track_caller]
fn expect_tones(what: &str, bytes: &[u8], sample_rate: u32, hertz: &[f64]) {
    let (decoded, summary) = decode(bytes, &Limits::default()).unwrap();
    assert_eq!((summary.format, summary.source_rate), (Format::Wav, sample_rate));
    assert_eq!((summary.duration_ms, summary.damaged_ms), (2_000, 0));
    assert_eq!(decoded.len(), hertz.len());
    for (channel, samples) in decoded.iter().enumerate() {
        assert_eq!(samples.len(), 32_000);
        for (other, &hertz) in hertz.iter().enumerate() {
            let found = amplitude(samples, hertz);
            let expected = if other == channel { 0.5 } else { 0.0 };
            assert!((found - expected).abs() < 0.02, "{what}, channel {channel}: {found} at {hertz} Hz");
        }
    }
    assert!(!summary.is_dual_mono());
}

#[test]
fn every_encoding_in_mono_and_stereo() {
    let kinds = [8, 16, 24, 32].map(Kind::Pcm).into_iter();
    let kinds = kinds.chain([32, 64].map(Kind::Float));
    for kind in kinds.chain([Kind::ALaw, Kind::MuLaw, Kind::Ima, Kind::Ms]) {
        check(kind, 8_000, 1);
        check(kind, 8_000, 2);
    }
}

#[test]
fn every_rate() {
    for rate in [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 8_001, 47_999] {
        check(Kind::Pcm(16), rate, 2);
    }
}

#[test]
fn the_extensible_header() {
    let frames = tones(&[440.0, 1_000.0], 8_000, 2.0);
    for kind in [Kind::Pcm(16), Kind::Float(32), Kind::ALaw] {
        let header = Header { kind, sample_rate: 8_000, channels: 2, data_size: None, extensible: true };
        expect_tones(&format!("{kind:?}"), &write(header, &frames), 8_000, &[440.0, 1_000.0]);
    }
}

#[test]
fn sizes_left_open_by_streaming_writers() {
    let frames = tones(&[440.0], 8_000, 2.0);
    for size in [0, 0x7fff_0000, 0x7fff_efff, 0x7fff_f000, 0x7fff_ffff, u32::MAX] {
        let kind = Kind::MuLaw;
        let header =
            Header { kind, sample_rate: 8_000, channels: 1, data_size: Some(size), extensible: false };
        expect_tones(&format!("size {size}"), &write(header, &frames), 8_000, &[440.0]);
    }
}

fn tones_with_size(size: u32) -> Vec<u8> {
    let kind = Kind::MuLaw;
    let header = Header { kind, sample_rate: 8_000, channels: 1, data_size: Some(size), extensible: false };
    write(header, &tones(&[440.0], 8_000, 2.0))
}

#[test]
fn a_size_that_a_dead_recorder_left_behind_cuts_nothing() {
    for size in [1, 7_999, 8_000, 15_000] {
        expect_tones(&format!("size {size}"), &tones_with_size(size), 8_000, &[440.0]);
    }
}

#[test]
fn what_is_no_audio_behind_the_audio_is_left_out() {
    let list = [b"LIST\xa0\x0f\0\0INFOISFT".as_slice(), &[0x55; 3_992]].concat();
    for behind in [list, vec![0; 4_000], vec![0x55; 800]] {
        let bytes = [tones_with_size(16_000), behind].concat();
        expect_tones("something behind", &bytes, 8_000, &[440.0]);
    }
}

#[test]
fn a_chunk_behind_audio_of_an_odd_length_may_stand_on_either_side_of_the_pad() {
    let list = [b"LIST\xa0\x0f\0\0INFOISFT".as_slice(), &[0x55; 3_992]].concat();
    let mut bytes = tones_with_size(15_999);
    bytes.truncate(bytes.len() - 1);
    for pad in [&[][..], &[0]] {
        let (_, summary) = decode(&[&bytes, pad, &list].concat(), &Limits::default()).unwrap();
        assert_eq!(summary.duration_ms, 1_999);
    }
}

/// 345 frames are in the last of IMA's blocks of 505; the zeros behind them go.
#[test]
fn an_adpcm_block_that_breaks_off_is_heard_as_far_as_it_goes() {
    for hertz in [&[440.0][..], &[440.0, 1_000.0]] {
        let frames = tones(hertz, 8_000, 2.0);
        let cut = |kind, bytes: usize| {
            let mut file = wav(kind, 8_000, &frames);
            file.truncate(file.len() - bytes * hertz.len());
            file
        };
        expect_tones("IMA", &cut(Kind::Ima, 80), 8_000, hertz);
        let (_, summary) = decode(&cut(Kind::Ms, 32), &Limits::default()).unwrap();
        assert!((1_990..2_000).contains(&summary.duration_ms), "{}", summary.duration_ms);
        assert_eq!(summary.damaged_ms, 0);
    }
}

#[test]
fn a_promise_beyond_the_file_is_a_cut_call() {
    let mut bytes = wav(Kind::Pcm(16), 8_000, &tones(&[440.0], 8_000, 2.0));
    bytes.truncate(bytes.len() / 2);
    match decode(&bytes, &Limits::default()).map(|(_, summary)| summary) {
        Err(AudioError::Truncated { present_ms: 990..=1_000, promised_ms: Some(2_000) }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn samples_that_are_no_numbers_do_not_spread() {
    let mut frames = tones(&[440.0], 8_000, 2.0);
    for (at, odd) in [(100, f64::NAN), (200, f64::INFINITY), (300, 1e30)] {
        frames[at][0] = odd;
    }
    let (decoded, _) = decode(&wav(Kind::Float(32), 8_000, &frames), &Limits::default()).unwrap();
    assert!(decoded[0].iter().all(|sample| sample.abs() <= 1.0));
    assert!((amplitude(&decoded[0][2_000..], 440.0) - 0.5).abs() < 0.02);
}
