//! What callqa reads from Kafka and what it writes: see `proto/README.md`.
//!
//! Nothing here knows a Kafka client: headers and payloads come and go as plain slices and lists.

mod error;
mod event;
pub mod header;
pub mod wire;

pub use error::DecodeError;
pub use event::{
    CallName, EVENT_BYTES, Event, INLINE_BYTES, Mistake, Problem, RecordingRef, RecordingUri, Source, decode,
};
