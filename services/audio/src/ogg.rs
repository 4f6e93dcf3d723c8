//! What an Ogg file says of itself on its first and last page (RFC 3533, RFC 7845, Vorbis I).

use std::collections::VecDeque;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::formats::Track;

use crate::format::{Claims, Format};
use crate::pages::{Loss, losses};
use crate::source::Source;
use crate::{AudioError, Limits};

pub(crate) const PAGE_HEADER: usize = 27;
/// Header, 255 lacing values, 255 segments of 255 bytes.
pub(crate) const PAGE_MAX: usize = 27 + 255 + 255 * 255;
/// Two pages: whatever stands at the very end, one whole page starts in here.
const TAIL: u64 = 2 * PAGE_MAX as u64;
/// Opus counts time at 48 kHz, whatever it was recorded at.
const OPUS_RATE: u32 = 48_000;
/// The last page of a stream carries this flag; a recorder that was stopped properly writes it.
const END_OF_STREAM: u8 = 0x04;
/// A granule position that means "no packet ends here".
pub(crate) const NO_POSITION: u64 = u64::MAX;

const SIDE_BY_SIDE: &str =
    "several audio streams side by side (mix them into one stream of two channels, one for each party)";

/// An Ogg file with one stream chosen.
pub(crate) struct Ogg {
    pub(crate) format: Format,
    pub(crate) claims: Claims,
    /// The stream that the first page opens.
    pub(crate) serial: u32,
    /// Frames that the decoder makes before the call begins (Opus only).
    pub(crate) pre_skip: u64,
    pub(crate) losses: VecDeque<Loss>,
}

impl Ogg {
    /// Judges what the demuxer found behind the first page.
    ///
    /// # Errors
    /// `UnsupportedCodec` where more audio runs beside the chosen stream (another party, who would not be
    /// heard), `TooLong` where the stream lasts longer than allowed, from where its clock starts.
    pub(crate) fn check_tracks(&self, tracks: &[Track], limits: &Limits) -> Result<(), AudioError> {
        let audio = || tracks.iter().filter(|t| matches!(t.codec_params, Some(CodecParameters::Audio(_))));
        if audio().count() > 1 {
            return Err(AudioError::UnsupportedCodec { codec: SIDE_BY_SIDE.to_owned() });
        }
        let start = audio().find_map(|track| u64::try_from(track.start_ts.get()).ok()).unwrap_or(0);
        let frames = self.claims.frames.map(|frames| frames.saturating_sub(start));
        Claims { frames, ..self.claims }.check(limits)
    }
}

/// Reads the first page's stream header, looks for the stream's last page and walks over all between.
///
/// # Errors
/// `Truncated` where the stream's last page is not there, `TooMuchWork`, `UnsupportedCodec`, `Corrupt`.
pub(crate) fn read(source: &mut Source) -> Result<Ogg, AudioError> {
    const BROKEN: AudioError = AudioError::Corrupt { what: "an Ogg file without a first page" };
    source.go_to(0)?;
    // A stream header is 19 bytes (Opus) or 30 (Vorbis) and stands alone on the first page.
    let mut first = [0; PAGE_HEADER + 255 + 32];
    let filled = source.fill(&mut first)?;
    let first = &first[..filled];
    let serial = first.get(14..18).map(le_u32).ok_or(BROKEN)?;
    let segments = usize::from(*first.get(26).ok_or(BROKEN)?);
    let header = first.get(PAGE_HEADER + segments..).ok_or(BROKEN)?;
    let (format, channels, sample_rate, pre_skip) = stream(header)?;
    let end = last_position(source, serial)?;
    let frames = end.map(|end| end.saturating_sub(pre_skip));
    let claims = Claims { channels, sample_rate, frames };
    let losses = losses(source, serial)?;
    Ok(Ogg { format, claims, serial, pre_skip, losses })
}

fn stream(header: &[u8]) -> Result<(Format, u16, u32, u64), AudioError> {
    if let (Some(b"OpusHead"), Some(rest)) = (header.get(..8), header.get(9..12)) {
        let pre_skip = u64::from(u16::from_le_bytes([rest[1], rest[2]]));
        return Ok((Format::OggOpus, u16::from(rest[0]), OPUS_RATE, pre_skip));
    }
    if let (Some(b"\x01vorbis"), Some(rest)) = (header.get(..7), header.get(11..16)) {
        return Ok((Format::OggVorbis, u16::from(rest[0]), le_u32(&rest[1..]), 0));
    }
    let codec = match header {
        [b'S', b'p', b'e', b'e', b'x', ..] => "Speex in Ogg",
        [0x7f, b'F', b'L', b'A', b'C', ..] => "FLAC in Ogg",
        _ => "an unknown codec in Ogg",
    };
    Err(AudioError::UnsupportedCodec { codec: codec.to_owned() })
}

/// Where the stream ends, in frames from its start, or `None` where the last page does not say.
fn last_position(source: &mut Source, serial: u32) -> Result<Option<u64>, AudioError> {
    let from = source.len().saturating_sub(TAIL);
    source.go_to(from)?;
    let mut tail = vec![0; usize::try_from(source.len() - from).unwrap_or(0)];
    let filled = source.fill(&mut tail)?;
    let tail = &tail[..filled];
    let mut last = None;
    let mut at = 0;
    while let Some(page) = tail.get(at..).filter(|rest| rest.len() >= PAGE_HEADER) {
        match page_len(page) {
            Some(len) => {
                if le_u32(&page[14..18]) == serial {
                    last = Some((page[5], le_u64(&page[6..14])));
                }
                at += len;
            }
            None => at += 1,
        }
    }
    match last {
        Some((flags, NO_POSITION)) if flags & END_OF_STREAM != 0 => Ok(None),
        // Positions are signed.
        Some((flags, position)) if flags & END_OF_STREAM != 0 && position > i64::MAX as u64 => {
            Err(AudioError::Corrupt { what: "an Ogg stream that ends before it begins" })
        }
        Some((flags, position)) if flags & END_OF_STREAM != 0 => Ok(Some(position)),
        _ => Err(AudioError::Truncated { present_ms: 0, promised_ms: None }),
    }
}

/// The length of the page that starts here, if a whole one does.
pub(crate) fn page_len(bytes: &[u8]) -> Option<usize> {
    if !bytes.starts_with(b"OggS\0") {
        return None;
    }
    let lacing = bytes.get(PAGE_HEADER..PAGE_HEADER + usize::from(bytes[26]))?;
    let len = PAGE_HEADER + lacing.len() + lacing.iter().map(|&l| usize::from(l)).sum::<usize>();
    (len <= bytes.len()).then_some(len)
}

pub(crate) fn le_u32(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

pub(crate) fn le_u64(bytes: &[u8]) -> u64 {
    u64::from(le_u32(bytes)) | u64::from(le_u32(&bytes[4..])) << 32
}
