//! Random moments that can be had again: `CALLQA_SEED` chooses others.

use std::time::Duration;

/// A xorshift generator: chance enough to hit a process at any point, and the same at every run.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// Seeds them.
    #[must_use]
    pub fn seeded() -> Self {
        let seed = std::env::var("CALLQA_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
        eprintln!("seed {seed}");
        Self(0x9E37_79B9_7F4A_7C15 ^ seed)
    }

    /// A time below `most`.
    pub fn time(&mut self, most: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX).max(1);
        Duration::from_micros(self.0 % most)
    }
}
