//! A walk over all pages of an Ogg file, before the demuxer reads them: it says nothing of missing and broken
//! pages, and its work on a file that is made of them has no bound.

use std::collections::VecDeque;

use symphonia::core::checksum::Crc32;
use symphonia::core::io::Monitor;

use crate::AudioError;
use crate::ogg::{NO_POSITION, PAGE_HEADER, PAGE_MAX, le_u32, le_u64, page_len};
use crate::packets::MAX_EMPTY_PACKETS;
use crate::source::{Ahead, Source};

/// Broken or missing pages in one recording: a second of the shortest packets. The demuxer searches each broken
/// page for others, which may overlap, so that a few hundred kilobytes could be read a thousand times.
const MAX_BROKEN_PAGES: usize = 400;
/// The page begins within a packet.
const CONTINUED: u8 = 0x01;
/// The page opens a stream.
const FIRST: u8 = 0x02;

/// Pages that are missing in a row.
pub(crate) struct Loss {
    /// Where the page before them ends, in frames.
    pub(crate) start: u64,
    /// Where the page behind them ends. The demuxer takes it to begin at `start`.
    pub(crate) end: u64,
}

/// Finds what is missing of the stream behind its first page with sound.
///
/// # Errors
/// `TooMuchWork` where too many pages bring no packet of the stream, `Corrupt` where too many are broken, `Read`.
pub(crate) fn losses(source: &mut Source, serial: u32) -> Result<VecDeque<Loss>, AudioError> {
    source.go_to(0)?;
    let mut ahead = Ahead::new(source);
    let mut trail = Trail::default();
    let (mut broken, mut empty) = (0, 0);
    loop {
        let bytes = ahead.look(PAGE_MAX).map_err(AudioError::Read)?;
        if bytes.is_empty() {
            return Ok(trail.losses);
        }
        let page = page_len(bytes).map(|len| &bytes[..len]);
        let passed = match page {
            Some(page) if intact(page) => {
                let own = le_u32(&page[14..18]) == serial;
                empty += u64::from(!own || page[5] & FIRST != 0 || packets_ended(page) == 0);
                if own {
                    trail.follow(page);
                }
                page.len()
            }
            Some(_) => {
                broken += 1;
                1
            }
            None => 1,
        };
        ahead.pass(passed);
        if broken > MAX_BROKEN_PAGES {
            return Err(AudioError::Corrupt { what: "an Ogg file with hundreds of broken pages" });
        }
        if empty > MAX_EMPTY_PACKETS {
            return Err(AudioError::TooMuchWork { actual: empty, limit: MAX_EMPTY_PACKETS });
        }
    }
}

#[derive(Default)]
struct Trail {
    sequence: Option<u32>,
    /// Where the last page ends on which a packet does; 0 for the headers.
    end: u64,
    lost: bool,
    losses: VecDeque<Loss>,
}

impl Trail {
    fn follow(&mut self, page: &[u8]) {
        let (position, sequence) = (le_u64(&page[6..14]), le_u32(&page[18..22]));
        self.lost |= self.sequence.is_some_and(|last| sequence > last.saturating_add(1));
        self.sequence = Some(sequence);
        // A packet that began on a missing page is missing too.
        let headless = usize::from(self.lost && page[5] & CONTINUED != 0);
        if packets_ended(page) > headless && position != NO_POSITION {
            if self.lost && self.end > 0 && self.losses.len() < MAX_BROKEN_PAGES {
                self.losses.push_back(Loss { start: self.end, end: position });
            }
            self.lost = false;
            self.end = position;
        }
    }
}

fn packets_ended(page: &[u8]) -> usize {
    page[PAGE_HEADER..][..usize::from(page[26])].iter().filter(|&&lacing| lacing < 255).count()
}

/// Whether the checksum is right, which counts its own place as zeros.
fn intact(page: &[u8]) -> bool {
    let mut sum = Crc32::new(0);
    for part in [&page[..22], &[0; 4][..], &page[26..]] {
        sum.process_buf_bytes(part);
    }
    sum.crc() == le_u32(&page[22..26])
}
