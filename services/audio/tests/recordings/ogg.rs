//! Ogg Opus as other writers lay it out: the packets of a fixture on pages of our own.

use callqa_audio::{AudioError, Limits, Summary};

use crate::fixtures::MONO_OPUS;
use crate::ogg_writer::{FIRST, LAST, packets, page};
use crate::signal::{alike, amplitude, decode};

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

/// Twelve pages of sound, three packets of 60 ms on each, without those of `lost`.
fn with_lost(lost: std::ops::Range<usize>) -> Vec<u8> {
    let mut pages = pages(1, &sound(), 3, |frames| frames.min(END));
    pages.drain(lost.start + 2..lost.end + 2);
    pages.concat()
}

#[test]
fn a_missing_page_is_silence_of_its_length() {
    let whole = heard(MONO_OPUS).0;
    let (samples, summary) = heard(&with_lost(5..6));
    assert_eq!((summary.duration_ms, samples.len(), summary.damaged_ms), (2_000, 32_000, 180));
    // 15 packets less the pre-skip are 14 296 samples, 18 are 17 176.
    assert!(alike(&samples[..14_200], &whole[..14_200]));
    assert!(samples[14_500..17_000].iter().all(|sample| sample.abs() < 0.01));
    let after = amplitude(&samples[18_000..30_400], 440.0);
    assert!((after - 0.4).abs() < 0.05, "{after}");
}

#[test]
fn a_broken_page_is_a_missing_one() {
    let mut pages = pages(1, &sound(), 3, |frames| frames.min(END));
    *pages[7].last_mut().unwrap() ^= 1;
    assert!(heard(&pages.concat()) == heard(&with_lost(5..6)));
}

/// The last page does not say how much of it is padding if the one before it is missing: 180 ms less 13.
#[test]
fn a_missing_page_before_the_last_is_silence_too() {
    let (samples, summary) = heard(&with_lost(10..11));
    assert_eq!((summary.duration_ms, samples.len(), summary.damaged_ms), (2_000, 32_000, 166));
}

#[test]
fn more_missing_pages_than_allowed_are_refused() {
    let error = decode(&with_lost(2..9), &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "recording has 1260 ms of unreadable audio, more than the 1000 allowed");
}

#[test]
fn a_gap_in_the_numbers_alone_is_none() {
    let mut pages = pages(1, &sound(), 3, |frames| frames.min(END));
    let last = &sound()[33..];
    pages[13] = page(1, 20, LAST, END, last);
    check_same_call(&pages);
}

#[track_caller]
fn check_refused(between: &[u8], message: &str) {
    let pages = pages(1, &sound(), 3, |frames| frames.min(END));
    let bytes = [&pages[..7].concat(), between, &pages[7..].concat()].concat();
    assert_eq!(decode(&bytes, &Limits::default()).unwrap_err().to_string(), message);
}

#[test]
fn pages_of_nothing_are_refused() {
    let message = "recording has 10001 packets or pages without audio, more than the 10000 allowed";
    check_refused(&page(1, 6, 0, u64::MAX, &[]).repeat(10_001), message);
    check_refused(&page(7, 6, 0, 960, &[vec![8]]).repeat(10_001), message);
}

/// Each header claims the 54 kB behind it, which are other headers.
#[test]
fn broken_pages_in_each_other_are_refused() {
    let header = [b"OggS\0\0".as_slice(), &[0xff; 21]].concat();
    check_refused(&header.repeat(3_000), "recording is corrupt: an Ogg file with hundreds of broken pages");
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
