//! How loud a channel is.

use crate::decode::SAMPLE_RATE;

/// Frames in which loudness is told: 20 ms, as telephony codecs cut time.
pub(crate) const FRAME_SAMPLES: usize = 320;
const FRAME_MS: u64 = FRAME_SAMPLES as u64 * 1000 / SAMPLE_RATE as u64;

/// Mean square of a frame above which something is heard: −50 dB below full scale. Line noise of digital
/// telephony lies below −60 dBFS, speech on a telephone line at −35 to −15 dBFS (ITU-T P.56, G.711).
pub(crate) const ACTIVE_POWER: f64 = 1e-5;

/// A channel with less active time than the shortest answer carried nobody.
const SILENT_BELOW_MS: u64 = 200;

/// Loudness of one channel over the whole recording so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Level {
    /// Highest absolute sample, 0 to 1.
    pub peak: f32,
    /// Milliseconds in 20 ms frames louder than −50 dBFS (root mean square).
    pub active_ms: u64,
    power: f64,
    samples: u64,
}

impl Level {
    /// Root mean square in decibels below full scale (a full-scale square wave is 0); −∞ for digital silence.
    #[must_use]
    pub fn rms_dbfs(&self) -> f64 {
        if self.samples == 0 { f64::NEG_INFINITY } else { 10.0 * (self.power / self.samples as f64).log10() }
    }

    /// Whether nobody can have been heard on this channel: under 200 ms of it are active.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.active_ms < SILENT_BELOW_MS
    }

    pub(crate) fn push(&mut self, samples: &[f32]) {
        for frame in samples.chunks(FRAME_SAMPLES) {
            let power = frame.iter().map(|&s| f64::from(s) * f64::from(s)).sum::<f64>();
            self.peak = frame.iter().fold(self.peak, |peak, sample| peak.max(sample.abs()));
            if power > ACTIVE_POWER * frame.len() as f64 {
                self.active_ms += FRAME_MS;
            }
            self.power += power;
            self.samples += frame.len() as u64;
        }
    }
}
