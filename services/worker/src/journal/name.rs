//! How the journal names a call.

use std::fmt;
use std::str::{FromStr, SplitAsciiWhitespace};

use crate::ledger::{Partition, Position};

/// One delivery of one event: where it stands, and the digest of what stands there, since a topic that was made
/// anew has other calls at the same places. Nothing of the call itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The partition.
    pub partition: Partition,
    /// The offset.
    pub offset: i64,
    /// BLAKE3 of the event, in hex.
    digest: String,
}

impl Name {
    /// Names a delivery.
    #[must_use]
    pub fn of(position: &Position, event_digest: &str) -> Self {
        Self {
            partition: position.partition.clone(),
            offset: position.offset,
            digest: event_digest.to_owned(),
        }
    }

    /// Reads what [`fmt::Display`] wrote.
    pub(super) fn read(words: &mut SplitAsciiWhitespace<'_>) -> Option<Self> {
        let (partition, offset) = place(words)?;
        Some(Self { partition, offset, digest: words.next()?.to_owned() })
    }

    #[cfg(test)]
    pub(super) fn at(topic: &str, partition: i32, offset: i64) -> Self {
        Self { partition: Partition::new(topic, partition), offset, digest: format!("d{offset}") }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, offset, digest } = self;
        write!(f, "{} {} {offset} {digest}", partition.topic, partition.number)
    }
}

/// A partition and an offset in it.
pub(super) fn place(words: &mut SplitAsciiWhitespace<'_>) -> Option<(Partition, i64)> {
    let partition = partition(words)?;
    Some((partition, number(words)?))
}

/// A partition. The names of topics have no spaces.
pub(super) fn partition(words: &mut SplitAsciiWhitespace<'_>) -> Option<Partition> {
    Some(Partition::new(words.next()?, number(words)?))
}

pub(super) fn number<T: FromStr>(words: &mut SplitAsciiWhitespace<'_>) -> Option<T> {
    words.next()?.parse().ok()
}
