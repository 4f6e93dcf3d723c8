//! Recordings of every supported kind, and of many that must be refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod compressed;
mod corpus;
mod fixtures;
mod flac_writer;
mod malformed;
mod ogg;
mod ogg_writer;
mod signal;
mod stream;
mod wav;
mod wav_writer;
