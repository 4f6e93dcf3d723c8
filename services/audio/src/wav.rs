//! RIFF/WAVE, read here and not by the demuxer: telephony recorders write headers that it refuses
//! (A-law with a 16-byte `fmt `, sizes left at 0), and its arithmetic trusts the channel count.

use symphonia::core::audio::{Channels, Position};
use symphonia::core::codecs::audio::well_known as codec;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

use crate::AudioError;
use crate::format::{Claims, frames_to_ms};
use crate::packets::PROMISE_SLACK_MS;
use crate::source::Source;

/// Writers that cannot seek back leave the size open: 0 (many recorders), 0x7FFF_0000 (GStreamer), 0x7FFF_F000
/// rounded down to a block (sox on a pipe), 0xFFFF_FFFF (ffmpeg on a pipe). The audio then goes on to the end
/// of the file. No true size within the default limit, 512 MiB, comes near.
const OPEN_SIZE_FROM: u32 = 0x7fff_0000;

/// More chunks before the audio than any writer makes; each costs a seek.
const MAX_CHUNKS: usize = 256;

/// Frames a packet, so that a packet is some tens of kilobytes at most.
const PACKET_FRAMES: u64 = 4096;

/// A WAVE file with its audio found.
pub(crate) struct Wav {
    pub(crate) claims: Claims,
    layout: Layout,
    data_start: u64,
    data_len: u64,
    /// Frames that the last ADPCM block decodes to beyond the claimed ones.
    pub(crate) padding: u64,
}

/// How frames lie in the bytes.
#[derive(Clone, Copy)]
struct Layout {
    codec: AudioCodecId,
    /// Bytes of a block: one frame, or an ADPCM block.
    block_bytes: u64,
    block_frames: u64,
    /// What an ADPCM block starts with, in bytes and in frames; a whole block for the others.
    head_bytes: u64,
    head_frames: u64,
    /// Bytes of eight frames behind the head of an ADPCM block.
    group_bytes: u64,
}

impl Layout {
    /// Frames in so many bytes. An ADPCM block that breaks off (a recorder that was stopped) counts as far as
    /// it goes, to eight frames.
    fn frames_in(&self, bytes: u64) -> u64 {
        let short = bytes % self.block_bytes;
        let groups = short.checked_sub(self.head_bytes).map(|bytes| bytes / self.group_bytes);
        bytes / self.block_bytes * self.block_frames
            + groups.map_or(0, |groups| self.head_frames + groups * 8)
    }
}

/// Finds `fmt ` and `data`. Audio that goes on behind the end of `data` counts, as it does where the size was left
/// open.
///
/// # Errors
/// `Truncated` where the audio is shorter than its chunk says (by more than 100 ms), `UnsupportedCodec`,
/// `Corrupt`.
pub(crate) fn read(source: &mut Source) -> Result<Wav, AudioError> {
    let mut position = 12;
    let mut format = None;
    let mut fact = None;
    for _ in 0..MAX_CHUNKS {
        source.go_to(position)?;
        let mut header = [0; 8];
        if source.fill(&mut header)? < header.len() {
            return Err(AudioError::Corrupt { what: "a WAV without audio" });
        }
        let size = le_u32(&header[4..]);
        position += 8;
        match &header[..4] {
            b"fmt " => format = Some(read_format(source, size)?),
            b"fact" => fact = read_fact(source)?,
            b"data" => {
                let (channels, sample_rate, layout) = format
                    .ok_or(AudioError::Corrupt { what: "a WAV whose audio comes before its format" })?;
                return found(source, position, size, fact, (channels, sample_rate, layout));
            }
            _ => {}
        }
        position += u64::from(size) + u64::from(size & 1);
    }
    Err(AudioError::Corrupt { what: "a WAV with too many chunks" })
}

fn found(
    source: &mut Source,
    data_start: u64,
    size: u32,
    fact: Option<u64>,
    (channels, sample_rate, layout): (u16, u32, Layout),
) -> Result<Wav, AudioError> {
    let present = source.len().saturating_sub(data_start);
    let end = data_start + u64::from(size);
    let behind = layout.frames_in(source.len().saturating_sub(end));
    let outgrown = frames_to_ms(behind, sample_rate) > PROMISE_SLACK_MS
        && !(chunk_at(source, end)?
            || chunk_at(source, end + u64::from(size & 1))?
            || zeros_from(source, end)?);
    let open = size == 0 || size >= OPEN_SIZE_FROM || outgrown;
    let data_len = if open { present } else { present.min(u64::from(size)) };
    let held = layout.frames_in(data_len);
    let present_ms = frames_to_ms(held, sample_rate);
    let promised_ms = frames_to_ms(layout.frames_in(u64::from(size)), sample_rate);
    if !open && promised_ms > present_ms + PROMISE_SLACK_MS {
        return Err(AudioError::Truncated { present_ms, promised_ms: Some(promised_ms) });
    }
    // `fact` tells how many of the last block count, if that can be true.
    let decoded = held.next_multiple_of(layout.block_frames);
    let frames = fact.filter(|&fact| fact <= held && held - fact < layout.block_frames).unwrap_or(held);
    let claims = Claims { channels, sample_rate, frames: Some(frames) };
    Ok(Wav { claims, layout, data_start, data_len, padding: decoded - frames })
}

/// Whether what lies behind the audio is another chunk (`LIST`, `id3 `), and not the audio that a recorder wrote on
/// after it noted the size last.
fn chunk_at(source: &mut Source, position: u64) -> Result<bool, AudioError> {
    source.go_to(position)?;
    let mut header = [0; 8];
    let whole = source.fill(&mut header)? == header.len();
    let end = position + 8 + u64::from(le_u32(&header[4..]));
    Ok(whole && header[..4].iter().all(|byte| matches!(byte, b' '..=b'~')) && end <= source.len())
}

/// Whether nothing but zeros follows, as in a file that was made longer than the call.
fn zeros_from(source: &mut Source, position: u64) -> Result<bool, AudioError> {
    source.go_to(position)?;
    let mut piece = [0; 4096];
    loop {
        let filled = source.fill(&mut piece)?;
        if piece[..filled].iter().any(|&byte| byte != 0) {
            return Ok(false);
        }
        if filled < piece.len() {
            return Ok(true);
        }
    }
}

fn read_format(source: &mut Source, size: u32) -> Result<(u16, u32, Layout), AudioError> {
    // 40 bytes hold the longest form (WAVEFORMATEXTENSIBLE); ADPCM tables behind it are not needed.
    let mut format = [0; 40];
    let wanted = usize::try_from(size).unwrap_or(usize::MAX).min(format.len());
    if source.fill(&mut format[..wanted])? < 16 {
        return Err(AudioError::Corrupt { what: "a WAV with a short format" });
    }
    let channels = le_u16(&format[2..]);
    let sample_rate = le_u32(&format[4..]);
    let block_align = u64::from(le_u16(&format[12..]));
    let bits = le_u16(&format[14..]);
    // The extensible form keeps the real tag in the first bytes of its sub-format.
    let tag = match le_u16(&format) {
        0xfffe => le_u16(&format[24..]),
        tag => tag,
    };
    let wide = u64::from(channels);
    let of_frames = |codec, bytes: u64| {
        let (block_bytes, group_bytes) = (wide * bytes, wide * bytes * 8);
        Layout { codec, block_bytes, block_frames: 1, head_bytes: block_bytes, head_frames: 1, group_bytes }
    };
    let of_blocks = |codec, preamble: u64, head_frames: u64| {
        let (block_bytes, head_bytes, group_bytes) = (block_align, preamble * wide, 4 * wide);
        let block_frames = block_bytes.checked_sub(head_bytes)? * 2 / wide + head_frames;
        Some(Layout { codec, block_bytes, block_frames, head_bytes, head_frames, group_bytes })
    };
    let layout = match (tag, bits) {
        _ if channels == 0 => return Err(AudioError::Corrupt { what: "a WAV without channels" }),
        (1, 24) if block_align == wide * 4 => {
            return Err(AudioError::UnsupportedCodec { codec: "WAV of 24 bits in 32".to_owned() });
        }
        (1, 8) => Some(of_frames(codec::CODEC_ID_PCM_U8, 1)),
        (1, 16) => Some(of_frames(codec::CODEC_ID_PCM_S16LE, 2)),
        (1, 24) => Some(of_frames(codec::CODEC_ID_PCM_S24LE, 3)),
        (1, 32) => Some(of_frames(codec::CODEC_ID_PCM_S32LE, 4)),
        (3, 32) => Some(of_frames(codec::CODEC_ID_PCM_F32LE, 4)),
        (3, 64) => Some(of_frames(codec::CODEC_ID_PCM_F64LE, 8)),
        (6, _) => Some(of_frames(codec::CODEC_ID_PCM_ALAW, 1)),
        (7, _) => Some(of_frames(codec::CODEC_ID_PCM_MULAW, 1)),
        (2, 4) => of_blocks(codec::CODEC_ID_ADPCM_MS, 7, 2),
        (0x11, 4) => of_blocks(codec::CODEC_ID_ADPCM_IMA_WAV, 4, 1),
        _ => {
            return Err(AudioError::UnsupportedCodec {
                codec: format!("WAV codec {tag:#06x} of {bits} bits"),
            });
        }
    };
    let layout = layout.ok_or(AudioError::Corrupt { what: "ADPCM blocks too small for their preamble" })?;
    Ok((channels, sample_rate, layout))
}

fn read_fact(source: &mut Source) -> Result<Option<u64>, AudioError> {
    let mut frames = [0; 4];
    let whole = source.fill(&mut frames)? == frames.len();
    Ok(whole.then(|| u64::from(le_u32(&frames))).filter(|&frames| frames > 0))
}

fn le_u16(bytes: &[u8]) -> u16 {
    u16::from_le_bytes([bytes[0], bytes[1]])
}

fn le_u32(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

impl Wav {
    pub(crate) fn codec_parameters(&self) -> AudioCodecParameters {
        let mut parameters = AudioCodecParameters::new();
        parameters
            .for_codec(self.layout.codec)
            .with_sample_rate(self.claims.sample_rate)
            .with_channels(positions(self.claims.channels))
            .with_frames_per_block(self.layout.block_frames)
            .with_max_frames_per_packet(self.blocks_per_packet() * self.layout.block_frames);
        parameters
    }

    fn blocks_per_packet(&self) -> u64 {
        (PACKET_FRAMES / self.layout.block_frames).max(1)
    }

    pub(crate) fn into_reader(self, mut source: Source) -> Result<WavReader, AudioError> {
        source.go_to(self.data_start)?;
        Ok(WavReader { left: self.data_len, frame: 0, wav: self, source })
    }
}

fn positions(channels: u16) -> Channels {
    match channels {
        1 => Channels::Positioned(Position::FRONT_LEFT),
        2 => Channels::Positioned(Position::FRONT_LEFT | Position::FRONT_RIGHT),
        more => Channels::Discrete(more),
    }
}

/// Cuts the audio into packets of whole blocks; a block that breaks off is a packet of its own, filled up with
/// zeros.
pub(crate) struct WavReader {
    wav: Wav,
    source: Source,
    left: u64,
    frame: u64,
}

impl WavReader {
    pub(crate) fn next_packet(&mut self) -> Result<Option<Packet>, AudioError> {
        let layout = self.wav.layout;
        let blocks = (self.left / layout.block_bytes).clamp(1, self.wav.blocks_per_packet());
        let bytes = self.left.min(blocks * layout.block_bytes);
        let frames = layout.frames_in(bytes);
        if frames == 0 {
            return Ok(None);
        }
        let mut data = vec![0; usize::try_from(blocks * layout.block_bytes).unwrap_or(usize::MAX)];
        let wanted = usize::try_from(bytes).unwrap_or(usize::MAX);
        if self.source.fill(&mut data[..wanted])? < wanted {
            return Err(AudioError::Corrupt { what: "a WAV that shrank while it was read" });
        }
        let first = Timestamp::new(i64::try_from(self.frame).unwrap_or(i64::MAX));
        self.left -= bytes;
        self.frame += frames;
        let mut packet = Packet::new(0, first, Duration::from(frames), data);
        // The decoder tells by the whole duration how many blocks there are.
        packet.trim_end = Duration::from(blocks * layout.block_frames - frames);
        Ok(Some(packet))
    }
}
