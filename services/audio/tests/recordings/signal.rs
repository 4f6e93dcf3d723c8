//! Test signals, and what is measured on decoded audio.

use std::f64::consts::TAU;

use callqa_audio::{AudioError, Block, Decoder, Limits, SAMPLE_RATE, Summary};

/// A tone on each channel, `seconds` long, amplitude 0.5; frames of samples from −1 to 1.
pub fn tones(hertz: &[f64], sample_rate: u32, seconds: f64) -> Vec<Vec<f64>> {
    let frames = (seconds * f64::from(sample_rate)).round() as usize;
    let at = |frame: usize, hertz: f64| 0.5 * (TAU * hertz * frame as f64 / f64::from(sample_rate)).sin();
    (0..frames).map(|frame| hertz.iter().map(|&hertz| at(frame, hertz)).collect()).collect()
}

/// Amplitude of the part of `samples` (16 kHz) at `hertz`.
pub fn amplitude(samples: &[f32], hertz: f64) -> f64 {
    let turn = TAU * hertz / f64::from(SAMPLE_RATE);
    let (re, im) = samples.iter().enumerate().fold((0.0, 0.0), |(re, im), (i, &sample)| {
        let (sin, cos) = (turn * i as f64).sin_cos();
        (re + f64::from(sample) * cos, im + f64::from(sample) * sin)
    });
    2.0 * re.hypot(im) / samples.len() as f64
}

pub fn open(bytes: &[u8], declared: Option<&str>, limits: &Limits) -> Result<Decoder, AudioError> {
    Decoder::open(std::io::Cursor::new(bytes.to_vec()), declared, limits)
}

/// All channels in one piece, with what the decoder says of them.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<(Vec<Vec<f32>>, Summary), AudioError> {
    let mut decoder = open(bytes, None, limits)?;
    let mut channels = vec![Vec::new(); usize::from(decoder.channels())];
    while let Some(Block { start_sample, channels: block }) = decoder.next_block()? {
        assert_eq!(start_sample, channels[0].len() as u64);
        channels.iter_mut().zip(block).for_each(|(all, samples)| all.extend(samples));
    }
    Ok((channels, decoder.summary()))
}

/// Whether two pieces sound the same: the resampler's filter lets what comes later in by a millionth.
pub fn alike(one: &[f32], other: &[f32]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| (a - b).abs() < 1e-4)
}
