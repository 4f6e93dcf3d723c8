//! What callqa reads from Kafka and what it writes: see `proto/README.md`.
//!
//! Nothing here knows a Kafka client: headers and payloads come and go as plain slices and lists.

mod ending;
mod error;
mod event;
pub mod header;
mod message;
mod rows;
pub mod schema;
pub mod wire;

pub use ending::{Closed, ClosedKind, Ending, Subject};
pub use error::DecodeError;
pub use event::{
    CallName, EVENT_BYTES, Event, INLINE_BYTES, Mistake, Problem, RecordingRef, RecordingUri, Source, decode,
};
pub use message::{Delivery, Message, Topic};
pub use rows::{PART_BYTES, ReassemblyError, SCHEMA_VERSION, reassemble};
