//! An event as it comes in: a call and where its recording lies.

mod check;
mod json;
mod mistake;

use std::fmt;

use callqa_domain::{Call, ExclusionReason, Purpose, identity};
use prost::Message as _;
use serde_json::Value;

pub use check::INLINE_BYTES;
pub(crate) use mistake::Mistakes;
pub use mistake::{Mistake, Problem};

use crate::header::{CALL_RECORDED, EventHeaders, JSON, PROTOBUF, SPEC_VERSION, media_type};
use crate::{DecodeError, wire::CallRecorded};

/// The largest inline recording in base64, and as much again for every other field at its limit.
pub const EVENT_BYTES: usize = 2 * INLINE_BYTES;

/// What a call is known by: enough for its ending's id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallName {
    /// Whose call.
    pub tenant: String,
    /// Which call.
    pub call_id: String,
    /// Which revision.
    pub revision: u32,
}

impl CallName {
    /// The name of this call.
    #[must_use]
    pub fn of(call: &Call) -> Self {
        Self { tenant: call.tenant.clone(), call_id: call.call_id.clone(), revision: call.revision }
    }

    /// The id of this call's ending.
    #[must_use]
    pub fn ending_id(&self) -> String {
        identity::ending_id(&self.tenant, &self.call_id, self.revision)
    }

    /// The key of every message about this call, so that they keep their order.
    #[must_use]
    pub fn key(&self) -> String {
        key(&self.tenant, &self.call_id)
    }
}

pub(crate) fn key(tenant: &str, call_id: &str) -> String {
    format!("{tenant}/{call_id}")
}

/// A call was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The call.
    pub call: Call,
    /// Its recording.
    pub recording: RecordingRef,
    /// BLAKE3 of the payload as it was received, in hex: fields that are not known here count too.
    pub digest: String,
    /// The customer did not agree to quality inspection.
    pub opted_out: bool,
    /// A machine answered.
    pub answered_by_machine: bool,
}

impl Event {
    /// Why this call is not to be heard, as far as the event itself tells.
    #[must_use]
    pub fn exclusion(&self) -> Option<ExclusionReason> {
        if self.opted_out {
            Some(ExclusionReason::OptOut)
        } else if self.call.purpose == Purpose::Test {
            Some(ExclusionReason::TestCall)
        } else if self.answered_by_machine {
            Some(ExclusionReason::Voicemail)
        } else {
            None
        }
    }
}

/// A recording, and what must hold for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingRef {
    /// Where it is.
    pub source: Source,
    /// Its SHA-256, 64 hexadecimal digits in lower case; a file with another digest is not judged.
    pub sha256: Option<String>,
    /// Its length; a file of another length is not judged. Already checked where inline.
    pub size_bytes: Option<u64>,
    /// Its media type, as the sender wrote it.
    pub content_type: Option<String>,
}

/// Where a recording is.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// To be fetched.
    Uri(RecordingUri),
    /// The file's bytes.
    Inline(Vec<u8>),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uri(uri) => uri.fmt(f),
            Self::Inline(bytes) => write!(f, "Inline({} bytes)", bytes.len()),
        }
    }
}

/// A URI that may carry a password or a signature: only its scheme is ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordingUri(String);

impl RecordingUri {
    /// Takes a URI.
    #[must_use]
    pub fn new(uri: impl Into<String>) -> Self {
        Self(uri.into())
    }

    /// The whole URI: for fetching, never for logs or errors.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `https`, `s3`, `file` …
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.0.split_once(':').map_or("", |(scheme, _)| scheme)
    }
}

impl fmt::Debug for RecordingUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordingUri({}:…)", self.scheme())
    }
}

/// Reads an event: JSON or Protobuf, as its `content-type` says; JSON where it says nothing and the
/// payload begins with `{`.
///
/// # Errors
/// Every way in which an event can be wrong; none passes by trying again.
pub fn decode(headers: &EventHeaders, payload: &[u8]) -> Result<Event, DecodeError> {
    if payload.is_empty() {
        return Err(DecodeError::Empty);
    }
    if payload.len() > EVENT_BYTES {
        return Err(DecodeError::TooLarge { actual: payload.len(), limit: EVENT_BYTES });
    }
    expect_version("ce_specversion", headers.spec_version.as_deref(), SPEC_VERSION)?;
    expect_version("ce_type", headers.kind.as_deref(), CALL_RECORDED)?;

    let mut mistakes = Mistakes::default();
    let recorded = match form(headers.content_type.as_deref(), payload)? {
        Form::Json => read_json(payload, &mut mistakes)?,
        Form::Protobuf => CallRecorded::decode(payload).map_err(DecodeError::Protobuf)?,
    };
    let (opted_out, answered_by_machine) = (recorded.opted_out, recorded.answered_by_machine);
    let (call, recording) = check::check(recorded, &mut mistakes);
    let mistakes = mistakes.into_vec();
    if !mistakes.is_empty() {
        return Err(DecodeError::Invalid { call: name_unless_mistaken(&call, &mistakes), mistakes });
    }
    Ok(Event {
        call,
        recording,
        digest: identity::content_digest(payload),
        opted_out: opted_out.unwrap_or_default(),
        answered_by_machine: answered_by_machine.unwrap_or_default(),
    })
}

enum Form {
    Json,
    Protobuf,
}

fn form(content_type: Option<&str>, payload: &[u8]) -> Result<Form, DecodeError> {
    let Some(content_type) = content_type else {
        let starts_object = payload.trim_ascii_start().starts_with(b"{");
        return if starts_object { Ok(Form::Json) } else { Err(DecodeError::ContentType { found: None }) };
    };
    let found = media_type(content_type);
    match found.as_deref() {
        Some(JSON) => Ok(Form::Json),
        Some(PROTOBUF | "application/x-protobuf") => Ok(Form::Protobuf),
        _ => Err(DecodeError::ContentType { found }),
    }
}

fn expect_version(
    header: &'static str,
    found: Option<&str>,
    readable: &'static str,
) -> Result<(), DecodeError> {
    match found {
        Some(other) if other != readable => Err(DecodeError::UnknownVersion { header, readable }),
        _ => Ok(()),
    }
}

fn read_json(payload: &[u8], mistakes: &mut Mistakes) -> Result<CallRecorded, DecodeError> {
    match serde_json::from_slice(payload).map_err(DecodeError::Json)? {
        Value::Object(object) => Ok(json::read(&object, mistakes)),
        _ => {
            mistakes.add("the event", Problem::WrongType("a JSON object"));
            Err(DecodeError::Invalid { call: None, mistakes: std::mem::take(mistakes).into_vec() })
        }
    }
}

/// An event may be wrong in other ways and still say which call it is about.
fn name_unless_mistaken(call: &Call, mistakes: &[Mistake]) -> Option<CallName> {
    let named = ["tenant", "call_id", "revision"];
    let is_sure = !mistakes.iter().any(|mistake| named.contains(&mistake.field.as_str()));
    is_sure.then(|| CallName::of(call))
}
