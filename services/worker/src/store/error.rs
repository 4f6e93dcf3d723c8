//! Why a recording could not be had.

use callqa_domain::DeadLetterReason;

use crate::config::ByteSize;
use crate::disposition::Disposition;

/// Why a recording could not be had. No message holds a path, a host or a URI.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Not a URI.
    #[error("the recording's place is not a URI")]
    NotAUri,
    /// A scheme that is not read, or not allowed here.
    #[error("recordings may not be fetched by `{scheme}` here; allowed: {allowed}")]
    SchemeForbidden {
        /// What the event says.
        scheme: String,
        /// What would do.
        allowed: &'static str,
    },
    /// A host that is not among the allowed ones.
    #[error("the recording's host is not among store.hosts, or the URI holds a user name")]
    HostForbidden,
    /// The host has an address that it should not have.
    #[error(
        "the recording's host has an address inside a private network that store.private_networks does not name"
    )]
    AddressForbidden,
    /// A bucket that is not among the allowed ones.
    #[error("the recording's bucket is not among store.s3.buckets")]
    BucketForbidden,
    /// The object store does not let us in.
    #[error(
        "the object store refuses our credentials (status {status}): store.s3.access_key_id, secret_access_key, \
         session_token or region may be wrong or expired, they may not read this recording, or it is not there"
    )]
    Denied {
        /// HTTP status.
        status: u16,
    },
    /// A path that could mean another one.
    #[error(
        "the recording's path holds `.`, `..`, an encoded separator or something else that is never followed"
    )]
    BadPath,
    /// A symbolic link.
    #[error("a part of the recording's path is a symbolic link, which is never followed")]
    Link,
    /// A file outside of the allowed folders.
    #[error("the recording lies under none of store.file_roots")]
    OutsideRoots,
    /// The system, or the host, does not let us read it.
    #[error("reading the recording is not permitted ({0})")]
    NotPermitted(String),
    /// The host sends us elsewhere.
    #[error(
        "the recording's host redirects (status {status}), which is not followed: the other place would be unchecked"
    )]
    Redirected {
        /// HTTP status.
        status: u16,
    },
    /// A folder, a device, a pipe.
    #[error("the recording is not a plain file")]
    NotAFile,
    /// Nothing there.
    #[error("there is no recording at this place")]
    Missing,
    /// Not the recording alone is missing, but the whole folder that the operator names.
    #[error("the folder of store.file_roots that the recording lies under is not there: mount it again")]
    FolderGone(#[source] std::io::Error),
    /// More bytes than allowed.
    #[error("recording is {}, more than the {limit} allowed", .actual.map_or_else(|| "too large".to_owned(), |actual| actual.to_string()))]
    TooLarge {
        /// How many it has, where known.
        actual: Option<ByteSize>,
        /// How many it may have.
        limit: ByteSize,
    },
    /// Other bytes than the event describes.
    #[error("the recording's sha256 is {actual}, but the event says {expected}")]
    WrongHash {
        /// Of what is there.
        actual: String,
        /// Of what should be there.
        expected: String,
    },
    /// More or fewer bytes than the event says.
    #[error("the recording has {} bytes, but the event says {expected}", .actual.map_or_else(|| "more".to_owned(), |actual| actual.to_string()))]
    WrongSize {
        /// Of what is there, where it was read to its end.
        actual: Option<u64>,
        /// Of what should be there.
        expected: u64,
    },
    /// The host answers, but not with the recording.
    #[error("the recording's host answers with status {status}")]
    Status {
        /// HTTP status.
        status: u16,
    },
    /// The host does not answer, or stops in the middle.
    #[error("the recording's host can't be reached: {0}")]
    Unreachable(&'static str),
    /// It took too long.
    #[error("fetching the recording took longer than {}", humantime::format_duration(*.0))]
    TooSlow(std::time::Duration),
    /// Our own disk, or theirs, failed.
    #[error("the recording could not be copied")]
    Copy(#[source] std::io::Error),
}

impl StoreError {
    /// What becomes of the call.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        match self {
            // A recording may be written a little later than its event.
            Self::Missing
            | Self::FolderGone(_)
            | Self::Status { .. }
            | Self::Unreachable(_)
            | Self::TooSlow(_)
            | Self::Copy(_)
            // The credentials are the worker's, so a refusal is the operator's to mend, not the call's end.
            | Self::Denied { .. } => Disposition::Retry,
            Self::NotAUri
            | Self::SchemeForbidden { .. }
            | Self::HostForbidden
            | Self::AddressForbidden
            | Self::BucketForbidden
            | Self::BadPath
            | Self::Link
            | Self::OutsideRoots
            | Self::NotPermitted(_)
            | Self::Redirected { .. }
            | Self::NotAFile
            | Self::TooLarge { .. }
            | Self::WrongHash { .. }
            | Self::WrongSize { .. } => Disposition::DeadLetter,
        }
    }

    /// The published reason.
    #[must_use]
    pub fn reason(&self) -> DeadLetterReason {
        match self {
            Self::NotAUri => DeadLetterReason::InvalidEvent,
            Self::SchemeForbidden { .. }
            | Self::HostForbidden
            | Self::AddressForbidden
            | Self::BucketForbidden
            | Self::Denied { .. }
            | Self::BadPath
            | Self::Link
            | Self::OutsideRoots
            | Self::NotPermitted(_)
            | Self::Redirected { .. }
            | Self::NotAFile => DeadLetterReason::RecordingForbidden,
            Self::Missing => DeadLetterReason::RecordingMissing,
            Self::TooLarge { .. } => DeadLetterReason::RecordingTooLarge,
            Self::WrongHash { .. } | Self::WrongSize { .. } => DeadLetterReason::RecordingMismatch,
            Self::FolderGone(_)
            | Self::Status { .. }
            | Self::Unreachable(_)
            | Self::TooSlow(_)
            | Self::Copy(_) => DeadLetterReason::RecordingUnreachable,
        }
    }
}
