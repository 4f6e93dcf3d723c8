//! From samples to what Whisper hears: a logarithmic mel spectrogram, as OpenAI's `audio.py` defines it.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

/// Samples of one spectrum, 25 ms.
const SPECTRUM: usize = 400;
/// Samples from one spectrum to the next, 10 ms.
pub(super) const HOP: usize = 160;
/// Bins of a spectrum.
const BINS: usize = SPECTRUM / 2 + 1;
/// Powers below this are silence.
const LEAST_POWER: f32 = 1e-10;
/// What is this much (of ten-fold powers) under the loudest is silence too.
const RANGE: f32 = 8.0;

/// Makes spectrograms.
pub(super) struct Mel {
    fft: Arc<dyn RealToComplex<f32>>,
    hann: Vec<f32>,
    /// Of each filter, the first bin that it hears and its weights from there.
    filters: Vec<(usize, Vec<f32>)>,
}

impl Mel {
    /// `filters` are `mels` rows of a weight for each bin. `None` where they are not.
    pub(super) fn new(filters: &[u8], mels: usize) -> Option<Self> {
        let numbers: Vec<f32> =
            filters.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        let heard = |row: &[f32]| {
            let from = row.iter().position(|&weight| weight != 0.0).unwrap_or(0);
            let to = row.iter().rposition(|&weight| weight != 0.0).map_or(from, |last| last + 1);
            (from, row[from..to].to_vec())
        };
        let turn = |i: usize| std::f64::consts::TAU * i as f64 / SPECTRUM as f64;
        (numbers.len() == mels * BINS).then(|| Self {
            fft: RealFftPlanner::new().plan_fft_forward(SPECTRUM),
            hann: (0..SPECTRUM).map(|i| (0.5 - 0.5 * turn(i).cos()) as f32).collect(),
            filters: numbers.chunks(BINS).map(heard).collect(),
        })
    }

    /// `frames` spectra, each centred on its hop, as [mels, frames]; silence follows the samples.
    pub(super) fn spectrogram(&self, samples: &[f32], frames: usize) -> Vec<f32> {
        let silence = LEAST_POWER.log10();
        let mut mel = vec![silence; self.filters.len() * frames];
        let (mut sound, mut bins) = (self.fft.make_input_vec(), self.fft.make_output_vec());
        let mut scratch = self.fft.make_scratch_vec();
        let heard = frames.min((samples.len() + SPECTRUM / 2).div_ceil(HOP));
        for frame in 0..heard {
            for (i, (sound, hann)) in sound.iter_mut().zip(&self.hann).enumerate() {
                *sound = hann * at(samples, (frame * HOP + i) as isize - (SPECTRUM / 2) as isize);
            }
            // It refuses lengths that are not its own; these are.
            if self.fft.process_with_scratch(&mut sound, &mut bins, &mut scratch).is_err() {
                continue;
            }
            let power: Vec<f32> = bins.iter().map(Complex::norm_sqr).collect();
            for (row, (from, weights)) in self.filters.iter().enumerate() {
                let sum: f32 =
                    weights.iter().zip(&power[*from..]).map(|(weight, power)| weight * power).sum();
                mel[row * frames + frame] = sum.max(LEAST_POWER).log10();
            }
        }
        let loudest = mel.iter().copied().fold(silence, f32::max);
        mel.iter_mut().for_each(|level| *level = (level.max(loudest - RANGE) + 4.0) / 4.0);
        mel
    }
}

/// A sample; before the first they are mirrored, after the last there is silence.
fn at(samples: &[f32], i: isize) -> f32 {
    samples.get(i.unsigned_abs()).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two filters: the bins around 1 kHz (bin 25), and those around 2 kHz.
    fn mel() -> Mel {
        let row = |bin: usize| (0..BINS).map(move |i| if i.abs_diff(bin) <= 1 { 1.0f32 } else { 0.0 });
        let bytes: Vec<u8> = row(25).chain(row(50)).flat_map(f32::to_le_bytes).collect();
        Mel::new(&bytes, 2).unwrap()
    }

    #[test]
    fn a_tone_stands_in_its_filter_while_it_sounds() {
        let tone: Vec<f32> =
            (0..8_000).map(|i| (std::f32::consts::TAU * 1_000.0 * i as f32 / 16_000.0).sin()).collect();
        let spectrogram = mel().spectrogram(&tone, 100);
        let (low, high) = spectrogram.split_at(100);
        // A full tone has power (N/4)² in its bin under a Hann window, and a quarter of it in each neighbour.
        let loudest = (100.0f32 * 100.0 * 1.5).log10();
        let level = |power: f32| (power + 4.0) / 4.0;
        assert!((low[20] - level(loudest)).abs() < 0.01, "{} {}", low[20], level(loudest));
        assert!((high[20] - level(loudest - RANGE)).abs() < 0.01, "{}", high[20]);
        assert!((low[80] - level(loudest - RANGE)).abs() < 1e-6, "{}", low[80]);
    }

    #[test]
    fn filters_of_another_size_are_refused() {
        assert!(Mel::new(&[0; 8], 2).is_none());
    }
}
