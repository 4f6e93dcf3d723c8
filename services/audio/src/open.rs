//! From a recognised recording to a demuxer and a codec for it.

use std::collections::VecDeque;

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::codecs::registry::RegisterableAudioDecoder;
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatOptions, FormatReader, Track};
use symphonia::core::io::{MediaSource, MediaSourceStream, ReadOnlySource};
use symphonia::default::codecs::{AdpcmDecoder, FlacDecoder, MpaDecoder, PcmDecoder, VorbisDecoder};
use symphonia::default::formats::{FlacReader, MpaReader, OggReader};
use symphonia_adapter_libopus::OpusDecoder;

use crate::format::{Claims, Format, Recognised};
use crate::mp3::Frames;
use crate::ogg::Ogg;
use crate::packets::{Demuxer, guarded, refusal};
use crate::pages::Loss;
use crate::source::Source;
use crate::wav::Wav;
use crate::{AudioError, Limits};

pub(crate) struct Opened {
    pub(crate) format: Format,
    pub(crate) claims: Claims,
    pub(crate) demuxer: Demuxer,
    pub(crate) codec: Box<dyn AudioDecoder>,
    pub(crate) track: u32,
    pub(crate) skip: u64,
    pub(crate) padding: u64,
    pub(crate) losses: VecDeque<Loss>,
}

/// Checks the recording's claims before a codec is made.
pub(crate) fn open(recognised: Recognised, source: Source, limits: &Limits) -> Result<Opened, AudioError> {
    match recognised {
        Recognised::Wav(wav) => open_wav(wav, source, limits),
        Recognised::Mp3 { start } => open_mp3(start, source, limits),
        Recognised::Flac { start, claims } => open_flac(start, claims, source, limits),
        Recognised::Ogg(ogg) => open_ogg(ogg, source, limits),
    }
}

fn open_wav(wav: Wav, source: Source, limits: &Limits) -> Result<Opened, AudioError> {
    wav.claims.check(limits)?;
    let parameters = wav.codec_parameters();
    let codec =
        codec::<PcmDecoder>(&parameters, true).or_else(|_| codec::<AdpcmDecoder>(&parameters, true))?;
    let (claims, padding) = (wav.claims, wav.padding);
    let demuxer = Demuxer::Wav(wav.into_reader(source)?);
    let losses = VecDeque::new();
    Ok(Opened { format: Format::Wav, claims, demuxer, codec, track: 0, skip: 0, padding, losses })
}

fn open_mp3(start: u64, mut source: Source, limits: &Limits) -> Result<Opened, AudioError> {
    source.go_to(start)?;
    let frames = Frames::new(source).map_err(AudioError::Read)?;
    let reader = demuxer(ReadOnlySource::new(frames), |stream| {
        MpaReader::try_new(stream, FormatOptions::default()).map(|r| Box::new(r) as Box<dyn FormatReader>)
    })
    .map_err(|error| match error {
        // Bytes that looked like a frame, and no frame in the whole file.
        AudioError::Truncated { .. } => AudioError::NotAudio { declared: None },
        other => other,
    })?;
    let (track, parameters) = track_of(reader.as_ref(), None)?;
    let claims = claims_of(parameters, track.num_frames);
    claims.check(limits)?;
    let (track, skip, padding) = (track.id, track.delay.unwrap_or(0), track.padding.unwrap_or(0));
    // The reader would cut at the frame count of the first Xing header, which is wrong for files that were
    // put together; delay and padding are dropped here instead.
    let codec = codec::<MpaDecoder>(parameters, false)?;
    let (skip, padding) = (u64::from(skip), u64::from(padding));
    let (demuxer, losses) = (Demuxer::Other(reader), VecDeque::new());
    Ok(Opened { format: Format::Mp3, claims, demuxer, codec, track, skip, padding, losses })
}

fn open_flac(start: u64, claims: Claims, mut source: Source, limits: &Limits) -> Result<Opened, AudioError> {
    claims.check(limits)?;
    source.go_to(start)?;
    let reader = demuxer(source, |stream| {
        FlacReader::try_new(stream, FormatOptions::default()).map(|r| Box::new(r) as Box<dyn FormatReader>)
    })?;
    let (track, parameters) = track_of(reader.as_ref(), None)?;
    let (track, codec) = (track.id, codec::<FlacDecoder>(parameters, true)?);
    let (demuxer, losses) = (Demuxer::Other(reader), VecDeque::new());
    Ok(Opened { format: Format::Flac, claims, demuxer, codec, track, skip: 0, padding: 0, losses })
}

fn open_ogg(ogg: Ogg, mut source: Source, limits: &Limits) -> Result<Opened, AudioError> {
    // How long it is can be told once the demuxer knows where its clock starts.
    Claims { frames: None, ..ogg.claims }.check(limits)?;
    source.go_to(0)?;
    let reader = demuxer(source, |stream| {
        OggReader::try_new(stream, FormatOptions::default()).map(|r| Box::new(r) as Box<dyn FormatReader>)
    })?;
    ogg.check_tracks(reader.tracks(), limits)?;
    let (track, parameters) = track_of(reader.as_ref(), Some(ogg.serial))?;
    let codec = match ogg.format {
        Format::OggOpus => codec::<OpusDecoder>(parameters, true)?,
        _ => codec::<VorbisDecoder>(parameters, true)?,
    };
    let track = track.id;
    let Ogg { format, claims, pre_skip: skip, losses, .. } = ogg;
    Ok(Opened { format, claims, demuxer: Demuxer::Other(reader), codec, track, skip, padding: 0, losses })
}

fn demuxer(
    source: impl MediaSource + 'static,
    open: impl FnOnce(MediaSourceStream<'static>) -> Result<Box<dyn FormatReader>, Error>,
) -> Result<Box<dyn FormatReader>, AudioError> {
    let stream = MediaSourceStream::new(Box::new(source), Default::default());
    guarded(|| open(stream))?.map_err(refusal)
}

fn track_of(
    reader: &dyn FormatReader,
    id: Option<u32>,
) -> Result<(&Track, &AudioCodecParameters), AudioError> {
    let mut tracks = reader.tracks().iter().filter(|track| id.is_none_or(|id| track.id == id));
    tracks
        .find_map(|track| match &track.codec_params {
            Some(CodecParameters::Audio(parameters)) => Some((track, parameters)),
            _ => None,
        })
        .ok_or(AudioError::Corrupt { what: "a container without an audio track" })
}

fn claims_of(parameters: &AudioCodecParameters, frames: Option<u64>) -> Claims {
    let channels = parameters.channels.as_ref().map_or(0, |channels| channels.count());
    Claims {
        channels: u16::try_from(channels).unwrap_or(u16::MAX),
        sample_rate: parameters.sample_rate.unwrap_or(0),
        frames,
    }
}

fn codec<C: RegisterableAudioDecoder>(
    parameters: &AudioCodecParameters,
    gapless: bool,
) -> Result<Box<dyn AudioDecoder>, AudioError> {
    let options = AudioDecoderOptions::default().gapless(gapless);
    guarded(|| C::try_registry_new(parameters, &options))?.map_err(refusal)
}
