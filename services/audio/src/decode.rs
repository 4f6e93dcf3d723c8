//! A recording as blocks of 16 kHz samples.

use std::io::{Read, Seek};

use callqa_domain::Span;

use crate::format::{Format, frames_to_ms, millis, recognise};
use crate::packets::Packets;
use crate::resample::Resampler;
use crate::source::Source;
use crate::{AudioError, DualMono, Level, Limits};

/// Hertz of all audio that leaves this crate; what whisper and Silero take.
pub const SAMPLE_RATE: u32 = 16_000;

/// Samples a channel in a block: 10 s. Short enough that a block of two channels is 1.3 MB, long enough that
/// the caller's work per block does not count.
pub const BLOCK_SAMPLES: usize = 160_000;

/// A stretch of the call, all channels of the same length.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Samples from the start of the recording to the first one here, at 16 kHz.
    pub start_sample: u64,
    /// Per channel, in the recording's order (left first): samples from −1 to 1 at 16 kHz. Every block but
    /// the last holds [`BLOCK_SAMPLES`].
    pub channels: Vec<Vec<f32>>,
}

impl Block {
    /// Where the block lies in the call.
    #[must_use]
    pub fn span(&self) -> Span {
        let end = self.start_sample + self.channels.first().map_or(0, |samples| samples.len() as u64);
        Span::new(frames_to_ms(self.start_sample, SAMPLE_RATE), frames_to_ms(end, SAMPLE_RATE))
    }
}

/// What was learnt of a recording while it was decoded; complete once the last block was handed out.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// What the content is.
    pub format: Format,
    /// Hertz as recorded (48 000 for Opus, which keeps no other).
    pub source_rate: u32,
    /// Length of the audio handed out so far.
    pub duration_ms: u64,
    /// Audio that was unreadable and replaced by silence.
    pub damaged_ms: u64,
    /// Loudness of each channel.
    pub levels: Vec<Level>,
    /// Whether both channels carry one signal; `None` for mono.
    pub dual_mono: Option<DualMono>,
}

impl Summary {
    /// Whether the recording is stereo in name only.
    #[must_use]
    pub fn is_dual_mono(&self) -> bool {
        self.dual_mono.is_some_and(|evidence| evidence.is_dual_mono())
    }
}

/// Decodes one recording, a block at a time.
///
/// The content tells the format; names and declared types are hints for messages. Sizes that headers declare
/// are compared with limits and with what is there, and nothing is allocated by them. A panic in a codec is
/// caught and becomes [`AudioError::Corrupt`].
///
/// # What a cut recording gives
/// [`AudioError::Truncated`], where the container promised more (beyond 100 ms): a WAV whose `data` chunk is
/// longer than the file, an Ogg stream without its end-of-stream page, a FLAC or an MP3 with a Xing header
/// with fewer frames than stated. WAV, Ogg without a last page are refused on opening, the others at the end.
/// Sizes that streaming writers leave open (0, `0x7FFF_0000` and above) promise nothing, nor does an MP3
/// without a Xing header: these are taken as they are. A WAV that goes on behind its `data` chunk with neither
/// chunks nor zeros (a recorder died before it noted the size again) is read to the end of the file.
///
/// # What a recording with a hole gives
/// Silence of the length of the hole, where it is, and [`AudioError::Damaged`] beyond [`Limits::max_damage`]: for
/// FLAC frames that are missing or unreadable, Ogg pages that are missing behind the first one with sound, MP3
/// frames where the stream loses step, or ends in what is neither a tag nor zeros (as many as fit into the bytes).
pub struct Decoder {
    packets: Packets,
    resampler: Resampler,
    ready: Vec<Vec<f32>>,
    handed_out: u64,
    max_ms: u64,
    min_ms: u64,
    levels: Vec<Level>,
    dual_mono: Option<DualMono>,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Decoding,
    Flushed,
    Failed,
}

impl Decoder {
    /// Opens a recording: a `Cursor` over its bytes, a `File`, or anything else that reads and seeks.
    ///
    /// # Errors
    /// Every refusal that the first bytes, the last page and the headers allow. Nothing was decoded yet.
    pub fn open(
        source: impl Read + Seek + Send + Sync + 'static,
        declared_content_type: Option<&str>,
        limits: &Limits,
    ) -> Result<Self, AudioError> {
        let mut source = Source::new(source)?;
        match source.len() {
            0 => return Err(AudioError::Empty),
            actual if actual > limits.max_bytes => {
                return Err(AudioError::TooLarge { actual, limit: limits.max_bytes });
            }
            _ => {}
        }
        let declared = declared_content_type.and_then(Format::from_content_type);
        let recognised = recognise(&mut source, declared)?;
        let packets = Packets::open(recognised, source, limits)?;
        let channels = usize::from(packets.claims.channels);
        Ok(Self {
            resampler: Resampler::new(packets.claims.sample_rate, SAMPLE_RATE, channels)?,
            packets,
            ready: vec![Vec::with_capacity(BLOCK_SAMPLES); channels],
            handed_out: 0,
            max_ms: millis(limits.max_duration),
            min_ms: millis(limits.min_duration),
            levels: vec![Level::default(); channels],
            dual_mono: (channels == 2).then(DualMono::default),
            state: State::Decoding,
        })
    }

    /// 1 or 2 (or more, where the limits allow it).
    #[must_use]
    pub fn channels(&self) -> u16 {
        self.packets.claims.channels
    }

    /// The next ten seconds, or what is left of them at the end; `None` after the last block.
    ///
    /// # Errors
    /// `TooLong`, `TooShort`, `Truncated`, `Damaged`, `Corrupt` and the like, as soon as they are known. The
    /// decoder is spent then and only returns `None`.
    pub fn next_block(&mut self) -> Result<Option<Block>, AudioError> {
        if self.state == State::Failed {
            return Ok(None);
        }
        self.advance().inspect_err(|_| self.state = State::Failed)
    }

    /// Decodes to the end without handing anything out: tells whether the recording is whole and what it is
    /// like, at a small part of the cost of listening to it.
    ///
    /// # Errors
    /// As [`Decoder::next_block`].
    pub fn survey(mut self) -> Result<Summary, AudioError> {
        while self.next_block()?.is_some() {}
        Ok(self.summary())
    }

    /// What was learnt so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            format: self.packets.format,
            source_rate: self.packets.claims.sample_rate,
            duration_ms: frames_to_ms(self.handed_out, SAMPLE_RATE),
            damaged_ms: self.packets.damaged_ms(),
            levels: self.levels.clone(),
            dual_mono: self.dual_mono,
        }
    }

    fn advance(&mut self) -> Result<Option<Block>, AudioError> {
        while self.state == State::Decoding && self.ready_samples() < BLOCK_SAMPLES {
            let samples = self.packets.next()?;
            let heard_ms = frames_to_ms(self.packets.frames(), self.packets.claims.sample_rate);
            if heard_ms > self.max_ms {
                return Err(AudioError::TooLong { actual_ms: heard_ms, limit_ms: self.max_ms });
            }
            match samples {
                Some(samples) => self.resampler.push(&samples, &mut self.ready)?,
                None if heard_ms < self.min_ms => {
                    return Err(AudioError::TooShort { actual_ms: heard_ms, minimum_ms: self.min_ms });
                }
                None => {
                    self.resampler.finish(&mut self.ready)?;
                    self.state = State::Flushed;
                }
            }
        }
        Ok(self.take_block())
    }

    fn ready_samples(&self) -> usize {
        self.ready.first().map_or(0, Vec::len)
    }

    fn take_block(&mut self) -> Option<Block> {
        let len = self.ready_samples().min(BLOCK_SAMPLES);
        if len == 0 {
            return None;
        }
        let channels: Vec<Vec<f32>> =
            self.ready.iter_mut().map(|samples| samples.drain(..len).collect()).collect();
        self.levels.iter_mut().zip(&channels).for_each(|(level, samples)| level.push(samples));
        if let (Some(evidence), [left, right]) = (&mut self.dual_mono, channels.as_slice()) {
            evidence.push(left, right);
        }
        let start_sample = self.handed_out;
        self.handed_out += len as u64;
        Some(Block { start_sample, channels })
    }
}
