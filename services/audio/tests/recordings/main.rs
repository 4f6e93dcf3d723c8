//! Recordings of every supported kind, and of many that must be refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod signal;
mod wav;
mod wav_writer;
