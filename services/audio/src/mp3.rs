//! MPEG layer III, frame by frame, in front of the demuxer: it passes over what it cannot read between two
//! frames without a word, so that all that follows comes too early.

use std::io::{self, Cursor, Read};

use crate::format::mp3_frame;
use crate::source::{Ahead, Source};

const HEADER: usize = 4;
/// No frame is longer: 320 kbit/s at 32 kHz, 160 at 8.
const FRAME_MAX: usize = 1_441;
/// A frame is told by the header that follows it.
const LOOK: usize = FRAME_MAX + HEADER;
/// Kilobits a second by the header's index, of MPEG 1 and of MPEG 2 and 2.5 (ISO 11172-3, 13818-3).
const BIT_RATES: [[usize; 15]; 2] = [
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];
const ID3V1: usize = 128;
const ID3V2_HEADER: usize = 10;
const APE_HEADER: usize = 32;

/// The frames of a stream, and unreadable ones in place of as many as must have been where none can be found.
pub(crate) struct Frames {
    ahead: Ahead<Source>,
    ready: Cursor<Vec<u8>>,
    /// Whether the stream begins with two frames. If not, it is handed on as it is.
    in_step: bool,
    last: [u8; HEADER],
    /// Frames so far, and bytes in them.
    frames: u64,
    bytes: u64,
    missing: u64,
}

impl Frames {
    /// The stream begins where `source` stands.
    pub(crate) fn new(source: Source) -> io::Result<Self> {
        let mut ahead = Ahead::new(source);
        let in_step = followed(ahead.look(LOOK)?);
        let ready = Cursor::new(Vec::new());
        Ok(Self { ahead, ready, in_step, last: [0; HEADER], frames: 0, bytes: 0, missing: 0 })
    }

    /// What comes next; nothing at the end.
    fn piece(&mut self) -> io::Result<Vec<u8>> {
        if self.in_step && self.missing == 0 && frame_bytes(self.ahead.look(LOOK)?).is_none() {
            self.find()?;
        }
        if self.missing > 0 {
            self.missing -= 1;
            return Ok(unreadable(self.last));
        }
        let bytes = self.ahead.look(LOOK)?;
        let len = frame_bytes(bytes).filter(|_| self.in_step).map_or(bytes.len(), |len| len.min(bytes.len()));
        let piece = bytes[..len].to_vec();
        if let (true, Some(header)) = (self.in_step, piece.first_chunk()) {
            self.last = *header;
            self.frames += 1;
            self.bytes += len as u64;
        }
        self.ahead.pass(len);
        Ok(piece)
    }

    /// Goes to the next frame or to the end, and counts the frames that must have been before it. Tags are none,
    /// and neither are zeros at the end.
    fn find(&mut self) -> io::Result<()> {
        let (mut passed, mut only_zeros) = (0, true);
        loop {
            let bytes = self.ahead.look(LOOK)?;
            let Some(&byte) = bytes.first().filter(|_| !followed(bytes)) else {
                let counted = if bytes.is_empty() && only_zeros { 0 } else { passed };
                self.missing = (counted * self.frames + self.bytes / 2) / self.bytes.max(1);
                return Ok(());
            };
            match tag_bytes(bytes).filter(|_| only_zeros) {
                Some(len) => self.pass(len)?,
                None => {
                    self.ahead.pass(1);
                    passed += 1;
                    only_zeros &= byte == 0;
                }
            }
        }
    }

    fn pass(&mut self, mut count: usize) -> io::Result<()> {
        while count > 0 {
            let passed = self.ahead.look(LOOK)?.len().min(count);
            if passed == 0 {
                break;
            }
            self.ahead.pass(passed);
            count -= passed;
        }
        Ok(())
    }
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ready.position() == self.ready.get_ref().len() as u64 {
            self.ready = Cursor::new(self.piece()?);
        }
        self.ready.read(buffer)
    }
}

/// Bytes of the frame whose header stands here, the header too.
fn frame_bytes(bytes: &[u8]) -> Option<usize> {
    let &[a, b, c, _, ..] = bytes else { return None };
    if !mp3_frame([a, b, c]) {
        return None;
    }
    let (rates, slots, halvings): ([usize; 15], usize, u32) = match b >> 3 & 3 {
        3 => (BIT_RATES[0], 144, 0),
        2 => (BIT_RATES[1], 72, 1),
        _ => (BIT_RATES[1], 72, 2),
    };
    let hertz: usize = [44_100, 48_000, 32_000][usize::from(c >> 2 & 3)] >> halvings;
    Some(slots * rates[usize::from(c >> 4)] * 1000 / hertz + usize::from(c >> 1 & 1))
}

/// Whether a frame stands here that another one like it (version, sample rate, mono or not) or the end follows.
fn followed(bytes: &[u8]) -> bool {
    frame_bytes(bytes).and_then(|len| bytes.get(len..)).is_some_and(|next| {
        let alike = |at: usize, mask: u8| bytes[at] & mask == next[at] & mask;
        let mono = |bytes: &[u8]| bytes[3] >> 6 == 3;
        next.len() < HEADER
            || frame_bytes(next).is_some() && alike(1, 0x18) && alike(2, 0x0c) && mono(bytes) == mono(next)
    })
}

/// Bytes of the tag that stands here.
fn tag_bytes(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'T', b'A', b'G', ..] => Some(ID3V1),
        [b'I', b'D', b'3', _, _, _, size @ ..] if size.len() >= 4 => {
            Some(ID3V2_HEADER + size[..4].iter().fold(0, |size, byte| (size << 7) | usize::from(byte & 0x7f)))
        }
        [b'A', b'P', b'E', b'T', b'A', b'G', b'E', b'X', _, _, _, _, a, b, c, d, ..] => {
            Some(APE_HEADER + u32::from_le_bytes([*a, *b, *c, *d]) as usize)
        }
        _ => None,
    }
}

/// A frame as long as the last one whose side information is impossible: the decoder refuses it.
fn unreadable(header: [u8; HEADER]) -> Vec<u8> {
    let mut frame = vec![0xff; frame_bytes(&header).unwrap_or(HEADER)];
    frame[..HEADER].copy_from_slice(&header);
    frame
}
