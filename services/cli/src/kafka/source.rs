//! Where the event stood that a row came of: every row says it in its headers.

use callqa_proto::header::{SOURCE_OFFSET, SOURCE_PARTITION, SOURCE_TOPIC};
use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers};

/// Where an event stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// On which input topic.
    pub topic: String,
    /// In which partition.
    pub partition: i32,
    /// At which offset.
    pub offset: i64,
}

impl Source {
    /// The place that a row's headers name; `None` where they name none.
    pub fn of(row: &BorrowedMessage<'_>) -> Option<Self> {
        let headers = row.headers()?;
        let value = |name: &str| {
            let header = headers.iter().find(|header| header.key == name)?;
            std::str::from_utf8(header.value?).ok().map(str::to_owned)
        };
        Some(Self {
            topic: value(SOURCE_TOPIC)?,
            partition: value(SOURCE_PARTITION)?.parse().ok()?,
            offset: value(SOURCE_OFFSET)?.parse().ok()?,
        })
    }
}
