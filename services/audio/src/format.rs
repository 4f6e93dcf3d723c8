//! What a recording is, told by its content.

use std::fmt;

use crate::source::Source;
use crate::{AudioError, Limits, ogg, wav};

/// Containers that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// RIFF/WAVE: PCM 8, 16, 24, 32 bit, float 32, 64 bit, A-law, µ-law, IMA and Microsoft ADPCM.
    Wav,
    /// MPEG 1, 2 and 2.5 layer III.
    Mp3,
    /// Native FLAC.
    Flac,
    /// Vorbis in Ogg.
    OggVorbis,
    /// Opus in Ogg.
    OggOpus,
}

impl Format {
    /// The format that a declared content type names, if it is one of ours. A hint for messages only: the
    /// content decides.
    #[must_use]
    pub fn from_content_type(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "audio/wav" | "audio/wave" | "audio/x-wav" | "audio/vnd.wave" => Some(Self::Wav),
            "audio/mpeg" | "audio/mp3" => Some(Self::Mp3),
            "audio/flac" | "audio/x-flac" => Some(Self::Flac),
            "audio/vorbis" => Some(Self::OggVorbis),
            "audio/ogg" | "audio/opus" => Some(Self::OggOpus),
            _ => None,
        }
    }

    /// A content type that names it.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Wav => "audio/wav",
            Self::Mp3 => "audio/mpeg",
            Self::Flac => "audio/flac",
            Self::OggVorbis => "audio/vorbis",
            Self::OggOpus => "audio/ogg",
        }
    }

    /// A stable name for metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Mp3 => "mp3",
            Self::Flac => "flac",
            Self::OggVorbis => "ogg_vorbis",
            Self::OggOpus => "ogg_opus",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the headers claim, read by our own few lines so that limits are checked before a codec sees a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) channels: u16,
    pub(crate) sample_rate: u32,
    /// Frames (one sample of every channel) that the container promises, where it says so.
    pub(crate) frames: Option<u64>,
}

impl Claims {
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), AudioError> {
        if self.channels == 0 || self.channels > limits.max_channels {
            return Err(AudioError::TooManyChannels { actual: self.channels, limit: limits.max_channels });
        }
        let (min, max) = (limits.min_sample_rate, limits.max_sample_rate);
        if !(min..=max).contains(&self.sample_rate) {
            return Err(AudioError::SampleRateOutOfRange { actual: self.sample_rate, min, max });
        }
        let limit_ms = millis(limits.max_duration);
        match self.frames.map(|frames| frames_to_ms(frames, self.sample_rate)) {
            Some(actual_ms) if actual_ms > limit_ms => Err(AudioError::TooLong { actual_ms, limit_ms }),
            _ => Ok(()),
        }
    }
}

pub(crate) fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn frames_to_ms(frames: u64, sample_rate: u32) -> u64 {
    let ms = u128::from(frames) * 1000 / u128::from(sample_rate.max(1));
    u64::try_from(ms).unwrap_or(u64::MAX)
}

/// What was recognised, and how its audio is reached.
pub(crate) enum Recognised {
    Wav(wav::Wav),
    /// The stream starts at this byte; its claims are read by the demuxer.
    Mp3 {
        start: u64,
    },
    Flac {
        start: u64,
        claims: Claims,
    },
    Ogg(ogg::Ogg),
}

/// An ID3v2 tag (pictures, comments) may stand before an MP3 or FLAC stream; it is skipped unread.
const ID3V2_HEADER: usize = 10;
const FLAC_HEADER: usize = 42;

/// Tells the format from the first bytes; checks nothing but what is needed for that.
pub(crate) fn recognise(source: &mut Source, declared: Option<Format>) -> Result<Recognised, AudioError> {
    let start = id3v2_end(source)?;
    source.go_to(start)?;
    let mut head = [0; FLAC_HEADER];
    let filled = source.fill(&mut head)?;
    let head = &head[..filled];
    match head {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] if start == 0 => {
            wav::read(source).map(Recognised::Wav)
        }
        [b'O', b'g', b'g', b'S', ..] if start == 0 => ogg::read(source).map(Recognised::Ogg),
        [b'f', b'L', b'a', b'C', ..] => {
            let claims = flac_claims(head).ok_or(AudioError::Corrupt { what: "no FLAC stream info" })?;
            Ok(Recognised::Flac { start, claims })
        }
        [a, b, c, _, ..] if mp3_frame([*a, *b, *c]) => Ok(Recognised::Mp3 { start }),
        _ => Err(match other_format(head) {
            Some(format) => AudioError::UnsupportedFormat { format },
            None => AudioError::NotAudio { declared },
        }),
    }
}

fn id3v2_end(source: &mut Source) -> Result<u64, AudioError> {
    source.go_to(0)?;
    let mut head = [0; ID3V2_HEADER];
    if source.fill(&mut head)? < ID3V2_HEADER || !head.starts_with(b"ID3") {
        return Ok(0);
    }
    let size = head[6..].iter().fold(0, |size, byte| (size << 7) | u64::from(byte & 0x7f));
    let footer = if head[5] & 0x10 == 0 { 0 } else { ID3V2_HEADER as u64 };
    Ok(ID3V2_HEADER as u64 + size + footer)
}

/// STREAMINFO, which FLAC puts first (RFC 9639, section 8.2).
fn flac_claims(head: &[u8]) -> Option<Claims> {
    let info = head.get(8..FLAC_HEADER).filter(|_| head[4] & 0x7f == 0)?;
    let word = u64::from_be_bytes(info[10..18].try_into().ok()?);
    let frames = word & 0xf_ffff_ffff;
    Some(Claims {
        sample_rate: u32::try_from(word >> 44).ok()?,
        channels: u16::try_from((word >> 41) & 7).ok()? + 1,
        frames: (frames > 0).then_some(frames),
    })
}

/// Whether three bytes can open a layer III frame: sync, a version, layer III, a bit rate, a sample rate.
pub(crate) fn mp3_frame([a, b, c]: [u8; 3]) -> bool {
    a == 0xff
        && b & 0xe0 == 0xe0
        && b & 0x18 != 0x08
        && b & 0x06 == 0x02
        && !matches!(c >> 4, 0 | 15)
        && c & 0x0c != 0x0c
}

fn other_format(head: &[u8]) -> Option<&'static str> {
    match head {
        [b'R', b'F', b'6', b'4', ..] | [b'B', b'W', b'6', b'4', ..] => Some("64-bit WAV"),
        [b'R', b'I', b'F', b'F', ..] => Some("RIFF without WAVE"),
        [b'F', b'O', b'R', b'M', ..] => Some("AIFF"),
        [b'.', b's', b'n', b'd', ..] => Some("Sun audio"),
        [b'c', b'a', b'f', b'f', ..] => Some("CAF"),
        [b'#', b'!', b'A', b'M', b'R', ..] => Some("AMR"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some("MP4"),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Some("Matroska or WebM"),
        [0x30, 0x26, 0xb2, 0x75, ..] => Some("ASF or WMA"),
        [0xff, b, ..] if b & 0xf6 == 0xf0 => Some("AAC"),
        [0xff, b, ..] if b & 0xe6 == 0xe4 && b & 0x18 != 0x08 => Some("MPEG layer II"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_named_by_its_content_type() {
        for format in [Format::Wav, Format::Mp3, Format::Flac, Format::OggVorbis, Format::OggOpus] {
            assert_eq!(Format::from_content_type(format.content_type()), Some(format));
        }
    }
}
