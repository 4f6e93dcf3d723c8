//! To 16 kHz, as the stream comes.

use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Indexing, Resampler as _, WindowFunction};

use crate::AudioError;

/// Source frames a transform, about 128 ms at 8 kHz. Longer gives a steeper filter and costs no more a
/// sample; the delay is cut off again.
const CHUNK_FRAMES: usize = 1024;

const FAILED: AudioError = AudioError::Corrupt { what: "its sample rate cannot be converted" };

/// Converts all channels together; the output has neither the filter's delay in front nor its tail.
pub(crate) struct Resampler {
    /// `None` where the source is at the target rate already.
    filter: Option<Fft<f32>>,
    source_rate: u64,
    target_rate: u64,
    pending: Vec<Vec<f32>>,
    scratch: Vec<Vec<f32>>,
    /// Output frames of the filter's delay still to drop.
    delay: usize,
    frames_in: u64,
    frames_out: u64,
}

impl Resampler {
    pub(crate) fn new(source_rate: u32, target_rate: u32, channels: usize) -> Result<Self, AudioError> {
        let (from, to) = (source_rate as usize, target_rate as usize);
        let window = WindowFunction::BlackmanHarris2;
        let filter = (source_rate != target_rate)
            .then(|| Fft::new_custom(from, to, CHUNK_FRAMES, 1, channels, window, FixedSync::Both))
            .transpose()
            .map_err(|_| FAILED)?;
        let out = filter.as_ref().map_or(0, rubato::Resampler::output_frames_max);
        Ok(Self {
            delay: filter.as_ref().map_or(0, rubato::Resampler::output_delay),
            filter,
            source_rate: u64::from(source_rate),
            target_rate: u64::from(target_rate),
            pending: vec![Vec::new(); channels],
            scratch: vec![vec![0.0; out]; channels],
            frames_in: 0,
            frames_out: 0,
        })
    }

    /// Takes samples of every channel and appends to `out` what can be converted already.
    pub(crate) fn push(&mut self, samples: &[Vec<f32>], out: &mut [Vec<f32>]) -> Result<(), AudioError> {
        let frames = samples.first().map_or(0, Vec::len);
        self.frames_in += frames as u64;
        let Some(filter) = &self.filter else {
            self.frames_out += frames as u64;
            out.iter_mut().zip(samples).for_each(|(out, samples)| out.extend_from_slice(samples));
            return Ok(());
        };
        let chunk = filter.input_frames_next();
        self.pending.iter_mut().zip(samples).for_each(|(p, s)| p.extend_from_slice(s));
        let available = self.pending.first().map_or(0, Vec::len);
        let mut used = 0;
        while available - used >= chunk {
            self.convert(used, None, out)?;
            used += chunk;
        }
        self.pending.iter_mut().for_each(|pending| drop(pending.drain(..used)));
        Ok(())
    }

    /// Converts the rest, so that the output is as long as the input to within half a sample.
    pub(crate) fn finish(&mut self, out: &mut [Vec<f32>]) -> Result<(), AudioError> {
        if self.filter.is_none() {
            return Ok(());
        }
        let wanted = (self.frames_in * self.target_rate + self.source_rate / 2) / self.source_rate;
        let mut rest = self.pending.first().map_or(0, Vec::len);
        while self.frames_out < wanted {
            self.convert(0, Some(rest), out)?;
            rest = 0;
        }
        let excess = usize::try_from(self.frames_out - wanted).unwrap_or(0);
        out.iter_mut().for_each(|out| out.truncate(out.len().saturating_sub(excess)));
        self.frames_out = wanted;
        Ok(())
    }

    fn convert(
        &mut self,
        from: usize,
        partial: Option<usize>,
        out: &mut [Vec<f32>],
    ) -> Result<(), AudioError> {
        let Some(filter) = &mut self.filter else { return Ok(()) };
        let channels = self.pending.len();
        let (available, room) = (self.pending[0].len(), self.scratch[0].len());
        let input = SequentialSliceOfVecs::new(&self.pending, channels, available).map_err(|_| FAILED)?;
        let mut output =
            SequentialSliceOfVecs::new_mut(&mut self.scratch, channels, room).map_err(|_| FAILED)?;
        let mut indexing = Indexing::new().input_offset(from);
        indexing.partial_len = partial;
        let (_, written) =
            filter.process_into_buffer(&input, &mut output, Some(&indexing)).map_err(|_| FAILED)?;
        let dropped = self.delay.min(written);
        self.delay -= dropped;
        self.frames_out += (written - dropped) as u64;
        for (out, scratch) in out.iter_mut().zip(&self.scratch) {
            // The filter overshoots a little where the source is clipped.
            out.extend(scratch[dropped..written].iter().map(|sample| sample.clamp(-1.0, 1.0)));
        }
        Ok(())
    }
}
