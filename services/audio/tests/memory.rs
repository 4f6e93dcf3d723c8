//! Memory does not grow with the call, nor with what its headers claim.
//!
//! A binary of its own with one test, because it reads the peak of the whole process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::io::{self, Read, Seek, SeekFrom};

use callqa_audio::{Decoder, Limits};

#[path = "recordings/fixtures.rs"]
#[allow(dead_code)]
mod fixtures;
#[path = "recordings/flac_writer.rs"]
mod flac_writer;
#[path = "recordings/signal.rs"]
#[allow(dead_code)]
mod signal;

/// A µ-law WAV of any length that nobody stored: stereo, 8 kHz, a sawtooth.
struct Endless {
    header: Vec<u8>,
    len: u64,
    position: u64,
}

impl Endless {
    fn new(hours: u64) -> Self {
        let data = hours * 3600 * 8_000 * 2;
        let mut header =
            b"RIFF\0\0\0\0WAVEfmt \x12\0\0\0\x07\0\x02\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x08\0\0\0data"
                .to_vec();
        header.extend(u32::try_from(data).unwrap().to_le_bytes());
        Self { len: header.len() as u64 + data, header, position: 0 }
    }
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min((self.len - self.position) as usize);
        for byte in &mut buffer[..count] {
            *byte = self.header.get(self.position as usize).copied().unwrap_or(self.position as u8);
            self.position += 1;
        }
        Ok(count)
    }
}

impl Seek for Endless {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.position = match position {
            SeekFrom::Start(position) => position,
            SeekFrom::End(offset) => self.len.saturating_add_signed(offset),
            SeekFrom::Current(offset) => self.position.saturating_add_signed(offset),
        };
        Ok(self.position)
    }
}

/// Highest resident memory of this process so far, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
#[cfg(target_os = "linux")]
fn memory_is_bounded() {
    let limits = Limits::default();
    let seconds = |summary: callqa_audio::Summary| summary.duration_ms / 1000;
    let short = Decoder::open(Endless::new(1), None, &limits).unwrap().survey().unwrap();
    assert_eq!(seconds(short), 3600);
    let after_an_hour = peak_mib();
    let long = Decoder::open(Endless::new(4), None, &limits).unwrap().survey().unwrap();
    assert_eq!(seconds(long), 4 * 3600);
    let after_four = peak_mib();
    assert!(after_four <= after_an_hour + 2, "{after_an_hour} MiB, then {after_four} MiB");
    assert!(after_four < 32, "{after_four} MiB");

    let silence = io::Cursor::new(flac_writer::silence(flac_writer::hours(10), 0));
    assert_eq!(Decoder::open(silence, None, &limits).unwrap().survey().unwrap_err().reason(), "too_long");
    assert!(peak_mib() < 32, "{} MiB", peak_mib());

    broken_headers(&limits);
    assert!(peak_mib() < 96, "{} MiB", peak_mib());
}

/// Each byte of the first 200, and then some, set to what makes sizes largest.
fn broken_headers(limits: &Limits) {
    use fixtures::{FLAC, MONO_VORBIS, OPUS, STEREO_MP3, VORBIS};
    for intact in [FLAC, STEREO_MP3, MONO_VORBIS, VORBIS, OPUS] {
        for at in 0..intact.len().min(4_000) {
            if at > 200 && at % 37 != 0 {
                continue;
            }
            let mut bytes = intact.to_vec();
            bytes[at] = 0xff;
            let result = signal::decode(&bytes, limits);
            assert!(result.is_err() || result.is_ok_and(|(_, summary)| summary.duration_ms < 60_000));
        }
    }
}
