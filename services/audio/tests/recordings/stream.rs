//! What holds whatever the format: blocks, repeatability, channels.

use callqa_audio::{BLOCK_SAMPLES, Limits};

use crate::fixtures::{MONO_MP3, OPUS};
use crate::signal::{decode, open, tones};
use crate::wav_writer::{Kind, wav};

#[test]
fn blocks_are_ten_seconds_and_follow_each_other() {
    let bytes = wav(Kind::MuLaw, 8_000, &tones(&[440.0, 1_000.0], 8_000, 25.0));
    let mut decoder = open(&bytes, None, &Limits::default()).unwrap();
    let mut spans = Vec::new();
    while let Some(block) = decoder.next_block().unwrap() {
        assert!(block.channels.iter().all(|samples| samples.len() == block.channels[0].len()));
        assert!(block.channels[0].len() <= BLOCK_SAMPLES);
        spans.push((block.span().start_ms, block.span().end_ms));
    }
    assert_eq!(spans, [(0, 10_000), (10_000, 20_000), (20_000, 25_000)]);
    assert!(decoder.next_block().unwrap().is_none());
    assert_eq!(decoder.summary().duration_ms, 25_000);
}

#[test]
fn the_same_bytes_give_the_same_samples() {
    for bytes in [OPUS, MONO_MP3] {
        let [first, second] = [(); 2].map(|()| decode(bytes, &Limits::default()).unwrap());
        let bits = |channels: &[Vec<f32>]| channels.concat().iter().map(|s| s.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&first.0), bits(&second.0));
        assert_eq!(first.1, second.1);
    }
}

#[test]
fn a_survey_says_what_decoding_says() {
    let survey = open(OPUS, None, &Limits::default()).unwrap().survey().unwrap();
    assert_eq!(survey, decode(OPUS, &Limits::default()).unwrap().1);
}

#[test]
fn levels_are_in_decibels_below_full_scale() {
    let bytes = wav(Kind::Pcm(16), 8_000, &tones(&[440.0], 8_000, 2.0));
    let (_, summary) = decode(&bytes, &Limits::default()).unwrap();
    // A sine of amplitude 0.5: −6.02 dB for the amplitude, −3.01 dB for the sine.
    assert!((summary.levels[0].rms_dbfs() + 9.03).abs() < 0.05, "{}", summary.levels[0].rms_dbfs());
    assert!((summary.levels[0].peak - 0.5).abs() < 0.01);
    assert_eq!(summary.levels[0].active_ms, 2_000);
}

#[test]
fn a_silent_side_is_said_and_is_not_dual_mono() {
    let mut frames = tones(&[440.0, 440.0], 8_000, 2.0);
    frames.iter_mut().for_each(|frame| frame[1] = 0.0);
    let (_, summary) = decode(&wav(Kind::Pcm(16), 8_000, &frames), &Limits::default()).unwrap();
    assert_eq!(summary.levels.iter().map(|level| level.is_silent()).collect::<Vec<_>>(), [false, true]);
    assert!(!summary.is_dual_mono());
}

#[test]
fn one_track_on_both_channels_is_dual_mono() {
    let mut frames = tones(&[440.0, 440.0], 8_000, 2.0);
    frames.iter_mut().for_each(|frame| frame[1] *= 0.6);
    for kind in [Kind::Pcm(16), Kind::MuLaw, Kind::Ima] {
        let (_, summary) = decode(&wav(kind, 8_000, &frames), &Limits::default()).unwrap();
        assert!(summary.is_dual_mono(), "{kind:?}: {:?}", summary.dual_mono);
        assert!((summary.dual_mono.unwrap().gain_db().unwrap() + 4.44).abs() < 0.1);
    }
}
