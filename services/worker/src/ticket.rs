//! A call on its way through the worker.

use std::sync::Arc;
use std::time::Instant;

use callqa_proto::header::EventHeaders;
use callqa_proto::{DecodeError, Event};
use tokio::sync::OwnedSemaphorePermit;

use crate::ledger::{Lease, Position};

/// A message that was taken from the input, until its ending is published.
#[derive(Debug)]
pub struct Ticket {
    /// Where it stood.
    pub position: Position,
    /// Whether it is still ours.
    pub lease: Lease,
    /// What its headers said.
    pub headers: EventHeaders,
    /// What it says.
    pub event: Result<Arc<Event>, Undecodable>,
    /// When it was taken.
    pub taken_at: Instant,
    /// Its place among the calls in flight, once it has one; free again when the ticket is gone.
    pub seat: Option<OwnedSemaphorePermit>,
}

/// A message that is no event that we can use.
#[derive(Debug)]
pub struct Undecodable {
    /// Why.
    pub error: DecodeError,
    /// BLAKE3 of its bytes, in hex.
    pub digest: String,
}
