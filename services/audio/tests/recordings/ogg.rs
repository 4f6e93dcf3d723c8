//! Ogg Opus as other writers lay it out: the packets of a fixture on pages of our own.

use callqa_audio::{AudioError, Limits, Summary};

use crate::fixtures::MONO_OPUS;
use crate::ogg_writer::{FIRST, LAST, packets, page};
use crate::signal::decode;

/// Frames at 48 kHz of each of the fixture's 34 packets, and where its last page ends: 312 frames of pre-skip
/// and two seconds.
const PACKET: u64 = 2_880;
const END: u64 = 96_312;

/// The fixture's packets of sound.
fn sound() -> Vec<Vec<u8>> {
    packets(MONO_OPUS).split_off(2)
}

/// `sound` behind the fixture's headers, so many packets a page; `position` makes each page's out of the frames
/// on it and before it.
fn pages(serial: u32, sound: &[Vec<u8>], per_page: usize, position: impl Fn(u64) -> u64) -> Vec<Vec<u8>> {
    let headers = packets(MONO_OPUS);
    let mut pages = vec![page(serial, 0, FIRST, 0, &headers[..1]), page(serial, 1, 0, 0, &headers[1..2])];
    let mut frames = 0;
    for (index, on_page) in sound.chunks(per_page).enumerate() {
        frames += PACKET * on_page.iter().filter(|packet| !packet.is_empty()).count() as u64;
        let flags = if (index + 1) * per_page >= sound.len() { LAST } else { 0 };
        pages.push(page(serial, index as u32 + 2, flags, position(frames), on_page));
    }
    pages
}

fn heard(bytes: &[u8]) -> (Vec<f32>, Summary) {
    let (mut channels, summary) = decode(bytes, &Limits::default()).unwrap();
    (channels.remove(0), summary)
}

#[track_caller]
fn check_same_call(pages: &[Vec<u8>]) {
    assert!(heard(&pages.concat()) == heard(MONO_OPUS));
}

#[test]
fn the_same_packets_on_other_pages_are_the_same_call() {
    for per_page in [1, 3, 20, 40] {
        check_same_call(&pages(1, &sound(), per_page, |frames| frames.min(END)));
    }
}

#[test]
fn padding_of_several_packets_is_dropped() {
    let bytes = pages(1, &sound(), 20, |frames| frames.min(60_312)).concat();
    let (samples, summary) = heard(&bytes);
    assert_eq!((summary.duration_ms, samples.len()), (1_250, 20_000));
}

/// A writer that adds 20 ms for each packet of 60.
#[test]
fn positions_that_count_too_little_cost_no_sound() {
    let whole = heard(MONO_OPUS).0;
    for per_page in [1, 3, 16] {
        let (samples, summary) = heard(&pages(1, &sound(), per_page, |frames| frames / 3).concat());
        // All 34 packets without the pre-skip; where in the last one the padding starts nobody says.
        assert!((1_973..=2_033).contains(&summary.duration_ms), "{} ms", summary.duration_ms);
        assert_eq!(summary.damaged_ms, 0);
        assert!(samples[..31_000] == whole[..31_000], "{per_page} packets a page");
    }
}

#[test]
fn a_clock_that_starts_late_makes_no_long_call() {
    let ten_hours = 10 * 3600 * 48_000;
    check_same_call(&pages(1, &sound(), 3, |frames| ten_hours + frames.min(END)));
    let error = decode(&pages(1, &sound(), 3, |frames| frames * frames).concat(), &Limits::default());
    assert_eq!(error.unwrap_err().reason(), "too_long");
}

#[test]
fn packets_without_a_byte_are_no_sound() {
    let mut sound = sound();
    for at in [30, 12, 5, 0] {
        sound.insert(at, Vec::new());
    }
    check_same_call(&pages(1, &sound, 3, |frames| frames.min(END)));
}

#[test]
fn two_streams_side_by_side_are_refused() {
    let [agent, customer] = [1, 2].map(|serial| pages(serial, &sound(), 3, |frames| frames.min(END)));
    let both: Vec<Vec<u8>> = agent.into_iter().zip(customer).flat_map(<[_; 2]>::from).collect();
    match decode(&both.concat(), &Limits::default()) {
        Err(error @ AudioError::UnsupportedCodec { .. }) => assert_eq!(
            error.to_string(),
            "recording uses several audio streams side by side (mix them into one stream of two channels, one \
             for each party), which is not supported"
        ),
        other => panic!("{:?}", other.map(|(_, summary)| summary)),
    }
}
