//! From the bytes of a recording to 16 kHz channels, and from speech probabilities to spans.
//!
//! ```no_run
//! use callqa_audio::{Decoder, Limits};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let limits = Limits::default();
//! let file = || std::fs::File::open("call.wav");
//! // First pass: is the recording whole, how long is it, do both channels carry one signal?
//! let summary = Decoder::open(file()?, None, &limits)?.survey()?;
//! // Second pass: the audio, at most ten seconds at a time.
//! let mut decoder = Decoder::open(file()?, None, &limits)?;
//! while let Some(block) = decoder.next_block()? {
//!     for _samples in &block.channels { /* f32, 16 000 Hz, −1 to 1 */ }
//! }
//! # let _ = summary; Ok(())
//! # }
//! ```
//!
//! Everything here is plain and synchronous: no clock, no thread, no network. Memory depends on the
//! block length and the codec, never on the length of the call.

mod decode;
mod dual_mono;
mod error;
mod format;
mod level;
mod limits;
mod mp3;
mod ogg;
mod open;
mod packets;
mod pages;
mod resample;
mod segment;
mod source;
mod wav;

pub use decode::{BLOCK_SAMPLES, Block, Decoder, SAMPLE_RATE, Summary};
pub use dual_mono::DualMono;
pub use error::AudioError;
pub use format::Format;
pub use level::Level;
pub use limits::Limits;
pub use segment::{SpeechSegmenter, WINDOW_MS, WINDOW_SAMPLES};
