//! Why an event could not be read.

use callqa_domain::DeadLetterReason;

use crate::{CallName, Mistake, Problem};

/// More mistakes than this say nothing more to the sender, and a dead letter must stay small.
const MISTAKES_SHOWN: usize = 20;

/// Why an event could not be read. None of these passes by trying again.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No bytes at all (a tombstone).
    #[error(
        "the message has no payload; an event is JSON or Protobuf of at least a tenant, a call id and a recording"
    )]
    Empty,
    /// More bytes than an event with the largest inline recording can have.
    #[error("the event is {actual} bytes, more than the {limit} allowed; send the recording by URI")]
    TooLarge {
        /// How many bytes it has.
        actual: usize,
        /// How many it may have.
        limit: usize,
    },
    /// Not a form that we read.
    #[error("the header content-type {}; send application/json or application/protobuf", shown(.found.as_deref()))]
    ContentType {
        /// The media type, where there is one and it is nothing else.
        found: Option<String>,
    },
    /// Another version of the event or of CloudEvents, or another kind of event.
    #[error("the header {header} names a version or a kind of event that can't be read here; {readable} can")]
    UnknownVersion {
        /// Which header.
        header: &'static str,
        /// What it may say.
        readable: &'static str,
    },
    /// Not JSON.
    #[error("the event is not JSON: {0}")]
    Json(#[source] serde_json::Error),
    /// Not this Protobuf message.
    #[error("the event is not a Protobuf message of type callqa.v1.CallRecorded: {0}")]
    Protobuf(#[source] prost::DecodeError),
    /// It can be read, but not used.
    #[error("{}", letter(.mistakes))]
    Invalid {
        /// Which call it is about, where it says so in due form.
        call: Option<CallName>,
        /// Everything that is wrong with it.
        mistakes: Vec<Mistake>,
    },
}

impl DecodeError {
    /// The call that the event is about, where that much could be read: its dead letter then bears
    /// the call's own `ending_id`, and a corrected event replaces it.
    #[must_use]
    pub fn call(&self) -> Option<&CallName> {
        match self {
            Self::Invalid { call, .. } => call.as_ref(),
            Self::Empty
            | Self::TooLarge { .. }
            | Self::ContentType { .. }
            | Self::UnknownVersion { .. }
            | Self::Json(_)
            | Self::Protobuf(_) => None,
        }
    }

    /// As what its dead letter is filed.
    #[must_use]
    pub fn reason(&self) -> DeadLetterReason {
        match self {
            Self::Empty
            | Self::TooLarge { .. }
            | Self::ContentType { .. }
            | Self::Json(_)
            | Self::Protobuf(_) => DeadLetterReason::UndecodableEvent,
            Self::UnknownVersion { .. } => DeadLetterReason::UnknownVersion,
            Self::Invalid { mistakes, .. } => {
                let only_language =
                    mistakes.iter().all(|mistake| mistake.problem == Problem::UnknownLanguage);
                if only_language { DeadLetterReason::UnknownLanguage } else { DeadLetterReason::InvalidEvent }
            }
        }
    }
}

fn shown(found: Option<&str>) -> String {
    found.map_or_else(
        || "is absent or no media type, and the payload is no JSON object".to_owned(),
        // Whatever stands there may be anything: it is not repeated.
        |_| "names neither of the two forms that can be read".to_owned(),
    )
}

fn letter(mistakes: &[Mistake]) -> String {
    let shown: Vec<String> = mistakes.iter().take(MISTAKES_SHOWN).map(ToString::to_string).collect();
    let more = mistakes.len().saturating_sub(MISTAKES_SHOWN);
    let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
    let plural = if mistakes.len() == 1 { "" } else { "s" };
    format!("the event has {} mistake{plural}: {}{rest}", mistakes.len(), shown.join("; "))
}
