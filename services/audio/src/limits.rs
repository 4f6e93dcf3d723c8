//! What a recording may cost before it is trusted.

use std::time::Duration;

/// Bounds on one recording. Each refusal names the limit and the value that broke it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes as stored, compressed or not. Default 512 MiB: four hours of 8 kHz, 16-bit stereo are 461 MB.
    pub max_bytes: u64,
    /// Default 4 h: longer than a shift's longest call; more is a recorder that was never stopped.
    pub max_duration: Duration,
    /// Default 100 ms: no word is shorter, so nothing could be said of such a call.
    pub min_duration: Duration,
    /// Default 2: one channel a party, or one for both.
    pub max_channels: u16,
    /// Hertz. Default 8 000: narrowband telephony; nothing below carries a consonant.
    pub min_sample_rate: u32,
    /// Hertz. Default 48 000: no telephone system records more.
    pub max_sample_rate: u32,
    /// Audio that may be unreadable in the middle of a recording and is replaced by silence of the same
    /// length, so that all later times stay right. Default 1 s: a few broken packets of a long call must
    /// not cost the call; more could hide a sentence.
    pub max_damage: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 512 << 20,
            max_duration: Duration::from_secs(4 * 3600),
            min_duration: Duration::from_millis(100),
            max_channels: 2,
            min_sample_rate: 8_000,
            max_sample_rate: 48_000,
            max_damage: Duration::from_secs(1),
        }
    }
}
