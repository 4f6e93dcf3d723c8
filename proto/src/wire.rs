//! The types that are made from the `.proto` files, and how JSON writes what JSON has no form for.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Serialize, Serializer};

/// Generated from `callqa/v1/*.proto`, whose comments document it.
#[allow(clippy::all, clippy::pedantic, missing_docs)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/callqa.v1.rs"));
}
pub use generated::*;

/// The compiled `.proto` files (a `google.protobuf.FileDescriptorSet`), for tools that read messages
/// without this crate.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// An enum value that JSON names and this version does not know. Protobuf has no such number, so it
/// survives until the check, which then names the field together with all other mistakes.
pub(crate) const UNKNOWN_NAME: i32 = -1;

/// A URI may carry a password or a signature, and the audio is nobody's business.
impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let inline = self.inline.as_ref().map(Vec::len);
        f.debug_struct("Recording")
            .field("uri", &self.uri.as_ref().map(|_| "…"))
            .field("inline_bytes", &inline)
            .field("sha256", &self.sha256)
            .field("size_bytes", &self.size_bytes)
            .field("content_type", &self.content_type)
            .finish()
    }
}

/// An enum of the `.proto` files, with the names that JSON uses.
pub(crate) trait Named: TryFrom<i32> + Into<i32> {
    /// What all its names begin with in the `.proto` file.
    const PREFIX: &'static str;
    fn proto_name(&self) -> &'static str;
    fn from_proto_name(name: &str) -> Option<Self>;
}

/// `live` → the number of `PURPOSE_LIVE`.
pub(crate) fn number_of<E: Named>(name: &str) -> i32 {
    let is_code = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let full = format!("{}{}", E::PREFIX, name.to_ascii_uppercase());
    let known = is_code.then(|| E::from_proto_name(&full)).flatten();
    known.map(Into::into).filter(|&number| number != 0).unwrap_or(UNKNOWN_NAME)
}

fn name_of<E: Named, S: Serializer>(number: i32, serializer: S) -> Result<S::Ok, S::Error> {
    let known = E::try_from(number).map_err(|_| serde::ser::Error::custom("no such enum value"))?;
    serializer.serialize_str(&known.proto_name().trim_start_matches(E::PREFIX).to_ascii_lowercase())
}

macro_rules! named {
    ($($type:ident $prefix:literal $serialize:ident),* $(,)?) => { $(
        impl Named for $type {
            const PREFIX: &'static str = $prefix;
            fn proto_name(&self) -> &'static str { self.as_str_name() }
            fn from_proto_name(name: &str) -> Option<Self> { Self::from_str_name(name) }
        }

        pub(crate) fn $serialize<S: Serializer>(number: &i32, serializer: S) -> Result<S::Ok, S::Error> {
            name_of::<$type, S>(*number, serializer)
        }
    )* };
}

named! {
    Purpose "PURPOSE_" purpose_name,
    Direction "DIRECTION_" direction_name,
    EndedBy "ENDED_BY_" ended_by_name,
    ChannelLayout "CHANNEL_LAYOUT_" channel_layout_name,
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

pub(crate) fn base64<S: Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
    bytes.as_ref().map(|bytes| STANDARD.encode(bytes)).serialize(serializer)
}
