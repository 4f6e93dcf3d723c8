//! From a recognised recording to decoded samples at its own rate, packet by packet.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};

use symphonia::core::codecs::audio::AudioDecoder;
use symphonia::core::errors::Error;
use symphonia::core::formats::FormatReader;
use symphonia::core::packet::Packet;
use symphonia::core::units::Duration;

use crate::format::{Claims, Format, Recognised, frames_to_ms, millis};
use crate::open::open;
use crate::pages::Loss;
use crate::source::Source;
use crate::wav::WavReader;
use crate::{AudioError, Limits};

/// A container may promise this much more than it holds: rounded headers, a size that counts its own
/// header. No word fits in.
pub(crate) const PROMISE_SLACK_MS: u64 = 100;

/// Packets without audio (comments, other streams, empty packets) that are passed over in one recording, and
/// Ogg pages on which none ends. Real files hold a handful; without a bound a file of empty packets is work
/// without end.
pub(crate) const MAX_EMPTY_PACKETS: u64 = 10_000;

/// What an Ogg page can hold: 255 Opus packets of 120 ms.
const PAGE_MS: u64 = 30_600;

/// Decoded audio at the recording's own rate.
pub(crate) struct Packets {
    pub(crate) format: Format,
    pub(crate) claims: Claims,
    demuxer: Demuxer,
    codec: Box<dyn AudioDecoder>,
    track: u32,
    /// Planar samples on their way out; the last `padding` frames wait here for the end of the stream.
    planes: Vec<Vec<f32>>,
    decoded: Vec<Vec<f32>>,
    /// Frames still to drop before the call begins: what the encoder put in front.
    skip: u64,
    /// Frames at the end that are the encoder's padding, if there are as many as the container says. Of Opus,
    /// what the page in hand holds beyond its position.
    padding: usize,
    /// The container's clock after the last packet and at the first, in frames.
    clock: Option<u64>,
    offset: u64,
    /// Frames decoded so far, without what was skipped.
    frames: u64,
    /// Ogg pages that are missing and were not come to yet, and at which of `frames` the first of them is missing
    /// if it was come to. What was decoded behind it waits in `planes`.
    losses: VecDeque<Loss>,
    hole: Option<u64>,
    max_damage_ms: u64,
    damaged_frames: u64,
    empty_packets: u64,
    ended: bool,
}

pub(crate) enum Demuxer {
    Wav(WavReader),
    Other(Box<dyn FormatReader>),
}

impl Packets {
    /// Opens a recognised recording; its claims are checked before a codec is made.
    pub(crate) fn open(recognised: Recognised, source: Source, limits: &Limits) -> Result<Self, AudioError> {
        let opened = open(recognised, source, limits)?;
        let channels = usize::from(opened.claims.channels);
        Ok(Self {
            format: opened.format,
            claims: opened.claims,
            demuxer: opened.demuxer,
            codec: opened.codec,
            track: opened.track,
            planes: vec![Vec::new(); channels],
            decoded: Vec::new(),
            skip: opened.skip,
            padding: usize::try_from(opened.padding).unwrap_or(0),
            clock: None,
            offset: 0,
            frames: 0,
            losses: opened.losses,
            hole: None,
            max_damage_ms: millis(limits.max_damage),
            damaged_frames: 0,
            empty_packets: 0,
            ended: false,
        })
    }

    /// Frames decoded so far, without what may be padding.
    pub(crate) fn frames(&self) -> u64 {
        self.frames.saturating_sub(self.padding as u64)
    }

    pub(crate) fn damaged_ms(&self) -> u64 {
        frames_to_ms(self.damaged_frames, self.claims.sample_rate)
    }

    /// The next samples of each channel, or `None` at the end; they are taken out of `self`.
    ///
    /// # Errors
    /// All that a codec or container can do wrong; `Truncated` at the end, where less came than promised.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<Vec<f32>>>, AudioError> {
        while !self.ended {
            let Some(packet) = self.next_packet()? else {
                self.ended = true;
                self.settle_promise()?;
                return Ok(self.take(0));
            };
            self.decode(packet)?;
            if let Some(samples) = self.take(self.padding) {
                return Ok(Some(samples));
            }
        }
        Ok(None)
    }

    fn next_packet(&mut self) -> Result<Option<Packet>, AudioError> {
        loop {
            let packet = match &mut self.demuxer {
                Demuxer::Wav(reader) => reader.next_packet()?,
                Demuxer::Other(reader) => match guarded(|| reader.next_packet())? {
                    Err(Error::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => None,
                    other => other.map_err(refusal)?,
                },
            };
            match packet {
                Some(packet) if packet.track_id != self.track => self.count_empty()?,
                other => return Ok(other),
            }
        }
    }

    fn decode(&mut self, mut packet: Packet) -> Result<(), AudioError> {
        // For an empty packet the Opus decoder would make up sound until its buffer is full.
        if packet.data.is_empty() && self.format == Format::OggOpus {
            return self.count_empty();
        }
        self.follow_clock(&mut packet)?;
        let codec = &mut self.codec;
        let decoded = &mut self.decoded;
        let expected = self.claims;
        let result = guarded(|| {
            codec.decode(&packet).map(|buffer| {
                buffer.copy_to_vecs_planar(decoded);
                let spec = buffer.spec();
                spec.rate() == expected.sample_rate
                    && spec.channels().count() == usize::from(expected.channels)
            })
        })?;
        match result {
            Ok(true) => self.accept(),
            Ok(false) => {
                Err(AudioError::UnsupportedCodec { codec: "a format that changes midway".to_owned() })
            }
            // The packet cannot be read; the ones after it may.
            Err(_) => self.fill(packet.dur.get(), 0),
        }
    }

    /// The demuxer trims every page that holds more than its position says. On the last page that is padding
    /// (RFC 7845, section 4.4), on any other a writer that counts too little: so all is kept, and what the last
    /// page would lose waits for the promise to be settled.
    fn put_off_trim(&mut self, packet: &mut Packet, position: u64) {
        // After a page that holds too much, the next one starts back at its position.
        if self.clock != Some(position) {
            self.padding = 0;
        }
        self.padding += usize::try_from(packet.trim_end.get()).unwrap_or(0);
        packet.dur = packet.block_dur();
        packet.trim_end = Duration::ZERO;
    }

    /// Ogg tells only at the end of a page how long it should have been. What follows a missing page waits until
    /// it is known how long that was, and the silence goes in front of it.
    fn follow_losses(&mut self, position: u64) -> Result<(), AudioError> {
        if let (Some(hole), Some(loss)) = (self.hole, self.losses.front()) {
            let waiting_ms = frames_to_ms(self.frames - hole, self.claims.sample_rate);
            if position >= loss.end || waiting_ms > PAGE_MS {
                self.losses.pop_front();
                self.close_hole(position.saturating_sub(self.clock.unwrap_or(position)))?;
            }
        }
        if self.hole.is_none() {
            while self.losses.front().is_some_and(|loss| loss.start < position) {
                self.losses.pop_front();
            }
            self.hole = self.losses.front().filter(|loss| loss.start == position).map(|_| self.frames);
        }
        Ok(())
    }

    fn close_hole(&mut self, missing: u64) -> Result<(), AudioError> {
        match self.hole.take() {
            Some(hole) if missing > 0 => self.fill(missing, self.frames - hole),
            _ => Ok(()),
        }
    }

    /// FLAC frames carry their position, so a frame that was lost leaves a gap that can be seen and filled; at the
    /// beginning too, where the header tells how long the whole is.
    fn follow_clock(&mut self, packet: &mut Packet) -> Result<(), AudioError> {
        let position = u64::try_from(packet.pts.get()).unwrap_or(0);
        if self.format == Format::OggOpus {
            self.put_off_trim(packet, position);
        }
        self.follow_losses(position)?;
        match self.clock {
            None if self.format == Format::Flac && self.claims.frames.is_some() && position > 0 => {
                self.fill(position, 0)?;
            }
            None => {
                self.offset = position;
                if self.format == Format::OggOpus {
                    // The decoder drops the pre-skip from the first packet only, however short that is.
                    self.skip = self.skip.saturating_sub(packet.block_dur().get());
                }
            }
            Some(clock) if self.format == Format::Flac && position > clock => {
                self.fill(position - clock, 0)?
            }
            Some(_) => {}
        }
        self.clock = Some(position.saturating_add(packet.block_dur().get()));
        Ok(())
    }

    fn accept(&mut self) -> Result<(), AudioError> {
        let frames = self.decoded.first().map_or(0, Vec::len);
        if frames == 0 {
            return self.count_empty();
        }
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(frames);
        self.skip -= skipped as u64;
        self.frames += (frames - skipped) as u64;
        for (plane, decoded) in self.planes.iter_mut().zip(&self.decoded) {
            plane.extend(decoded[skipped..].iter().map(|&sample| bounded(sample)));
        }
        Ok(())
    }

    /// Puts silence where audio could not be read, in front of the last `behind` frames, as long as the limit
    /// allows.
    fn fill(&mut self, frames: u64, behind: u64) -> Result<(), AudioError> {
        self.damaged_frames = self.damaged_frames.saturating_add(frames);
        let damaged_ms = self.damaged_ms();
        if damaged_ms > self.max_damage_ms {
            return Err(AudioError::Damaged { damaged_ms, limit_ms: self.max_damage_ms });
        }
        if frames == 0 {
            return self.count_empty();
        }
        self.frames += frames;
        let [silence, behind] = [frames, behind].map(|frames| usize::try_from(frames).unwrap_or(0));
        for plane in &mut self.planes {
            let at = plane.len() - behind;
            drop(plane.splice(at..at, std::iter::repeat_n(0.0, silence)));
        }
        Ok(())
    }

    fn count_empty(&mut self) -> Result<(), AudioError> {
        self.empty_packets += 1;
        if self.empty_packets > MAX_EMPTY_PACKETS {
            return Err(AudioError::TooMuchWork { actual: self.empty_packets, limit: MAX_EMPTY_PACKETS });
        }
        Ok(())
    }

    /// All but the last `keep` frames and what waits behind a hole, if there are any.
    fn take(&mut self, keep: usize) -> Option<Vec<Vec<f32>>> {
        let waiting = self.hole.map_or(0, |hole| usize::try_from(self.frames - hole).unwrap_or(0));
        let keep = keep.max(waiting);
        let ready = self.planes.first().map_or(0, Vec::len).saturating_sub(keep);
        (ready > 0).then(|| self.planes.iter_mut().map(|plane| plane.drain(..ready).collect()).collect())
    }

    /// At the end: drops the encoder's padding and holds the container to its word.
    fn settle_promise(&mut self) -> Result<(), AudioError> {
        let padding = std::mem::take(&mut self.padding);
        let Some(promised) = self.claims.frames.map(|frames| frames.saturating_sub(self.offset)) else {
            self.hole = None;
            return Ok(());
        };
        self.close_hole(promised.saturating_sub(self.frames))?;
        let excess = usize::try_from(self.frames.saturating_sub(promised)).unwrap_or(usize::MAX);
        if excess <= padding {
            self.frames -= excess as u64;
            self.planes.iter_mut().for_each(|plane| plane.truncate(plane.len() - excess.min(plane.len())));
        }
        let rate = self.claims.sample_rate;
        let (present_ms, promised_ms) = (frames_to_ms(self.frames, rate), frames_to_ms(promised, rate));
        if present_ms + PROMISE_SLACK_MS < promised_ms {
            return Err(AudioError::Truncated { present_ms, promised_ms: Some(promised_ms) });
        }
        Ok(())
    }
}

/// Codecs are other people's arithmetic on hostile bytes, built here with overflow checks: a panic in one is
/// a broken recording, not a broken worker. What it leaves behind is dropped with the decoder.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, AudioError> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| AudioError::Corrupt { what: "its content makes the codec give up" })
}

pub(crate) fn refusal(error: Error) -> AudioError {
    match error {
        Error::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            AudioError::Truncated { present_ms: 0, promised_ms: None }
        }
        Error::IoError(error) => AudioError::Read(error),
        Error::Unsupported(codec) => AudioError::UnsupportedCodec { codec: codec.to_owned() },
        Error::ResetRequired => AudioError::UnsupportedCodec { codec: "several streams in a row".to_owned() },
        Error::DecodeError(what) | Error::LimitError(what) => AudioError::Corrupt { what },
        _ => AudioError::Corrupt { what: "unreadable structure" },
    }
}

/// Float recordings may hold anything; what is no number would spread through the resampler.
fn bounded(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 }
}
