//! What a child says, byte by byte: a letter for the kind of a message, and what belongs to it. Numbers are little
//! endian, samples go as they are. Whatever comes from a child may be forged by the recording that it read: lengths are
//! compared with what is possible before anything is taken, and what they add up to with what the survey said.

use std::io::{self, ErrorKind, Read, Write};

use callqa_audio::BLOCK_SAMPLES;
use callqa_domain::DeadLetterReason;

use super::Outline;

/// More channels than any limit allows.
const MOST_CHANNELS: usize = 8;
/// No refusal is a longer sentence.
const LONGEST_SENTENCE: usize = 1_000;

const PROGRESS: u8 = b'p';
const OUTLINE: u8 = b'o';
const BLOCK: u8 = b'b';
const END: u8 = b'e';
const REFUSED: u8 = b'r';

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Ten more seconds were surveyed.
    Progress,
    /// The survey is over.
    Outline(Outline),
    /// Samples of every channel, all of the same length.
    Block(Vec<Vec<f32>>),
    /// There is no more.
    End,
    /// The recording is refused.
    Refused(Refusal),
}

/// Why a recording is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The published reason.
    pub reason: DeadLetterReason,
    /// Whether the cause may pass.
    pub may_pass: bool,
    /// The sentence.
    pub said: String,
}

impl Message {
    /// Writes it.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Progress => to.write_all(&[PROGRESS]),
            Self::Outline(outline) => {
                to.write_all(&[OUTLINE, outline.channels as u8, u8::from(outline.is_dual_mono)])?;
                to.write_all(&outline.duration_ms.to_le_bytes())
            }
            Self::Block(channels) => {
                let samples = channels.first().map_or(0, Vec::len) as u32;
                to.write_all(&[BLOCK, channels.len() as u8])?;
                to.write_all(&samples.to_le_bytes())?;
                for channel in channels {
                    let bytes: Vec<u8> = channel.iter().flat_map(|sample| sample.to_le_bytes()).collect();
                    to.write_all(&bytes)?;
                }
                Ok(())
            }
            Self::End => to.write_all(&[END]),
            Self::Refused(Refusal { reason, may_pass, said }) => {
                let number = DeadLetterReason::ALL.iter().position(|one| one == reason).unwrap_or(0);
                let said = &said.as_bytes()[..said.floor_char_boundary(LONGEST_SENTENCE)];
                to.write_all(&[REFUSED, number as u8, u8::from(*may_pass)])?;
                to.write_all(&(said.len() as u16).to_le_bytes())?;
                to.write_all(said)
            }
        }
    }

    /// Reads one.
    pub fn read(from: &mut impl Read) -> io::Result<Self> {
        let [kind] = take(from)?;
        match kind {
            PROGRESS => Ok(Self::Progress),
            OUTLINE => {
                let [channels, is_dual_mono] = take(from)?;
                let channels = possible(usize::from(channels), MOST_CHANNELS)?;
                let duration_ms = u64::from_le_bytes(take(from)?);
                Ok(Self::Outline(Outline { channels, duration_ms, is_dual_mono: is_dual_mono != 0 }))
            }
            BLOCK => {
                let [channels] = take(from)?;
                let channels = possible(usize::from(channels), MOST_CHANNELS)?;
                let samples = possible(u32::from_le_bytes(take(from)?) as usize, BLOCK_SAMPLES)?;
                (0..channels).map(|_| read_samples(from, samples)).collect::<io::Result<_>>().map(Self::Block)
            }
            END => Ok(Self::End),
            REFUSED => {
                let [number, may_pass] = take(from)?;
                let reason = *DeadLetterReason::ALL.get(usize::from(number)).ok_or_else(impossible)?;
                let length = possible(usize::from(u16::from_le_bytes(take(from)?)), LONGEST_SENTENCE)?;
                let mut said = vec![0; length];
                from.read_exact(&mut said)?;
                let said = String::from_utf8(said).map_err(|_| impossible())?;
                Ok(Self::Refused(Refusal { reason, may_pass: may_pass != 0, said }))
            }
            _ => Err(impossible()),
        }
    }
}

fn read_samples(from: &mut impl Read, samples: usize) -> io::Result<Vec<f32>> {
    let mut bytes = vec![0; samples * size_of::<f32>()];
    from.read_exact(&mut bytes)?;
    let (samples, _) = bytes.as_chunks();
    Ok(samples.iter().map(|&sample| f32::from_le_bytes(sample)).collect())
}

fn take<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn possible(count: usize, most: usize) -> io::Result<usize> {
    if count <= most { Ok(count) } else { Err(impossible()) }
}

fn impossible() -> io::Error {
    ErrorKind::InvalidData.into()
}
