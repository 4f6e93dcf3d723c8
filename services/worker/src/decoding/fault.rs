//! What becomes of a process that decodes.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use callqa_domain::DeadLetterReason;

use crate::config::ByteSize;

/// Why a child process did not decode a recording to its end.
#[derive(Debug, thiserror::Error)]
pub enum DecoderFault {
    /// It ended.
    #[error(
        "the process that decoded the recording, with {memory} of memory, ended before it had done: {how}"
    )]
    Ended {
        /// The signal or the exit code.
        how: String,
        /// What it was allowed.
        memory: ByteSize,
    },
    /// It did nothing for too long.
    #[error("the process that decoded the recording showed no progress for {}", humantime::format_duration(*.0))]
    Silent(Duration),
    /// What it says is not what a decoder says.
    #[error("the process that decoded the recording said what no decoder says")]
    Garbled,
}

impl DecoderFault {
    pub(super) fn ended(status: io::Result<ExitStatus>, memory: ByteSize) -> Self {
        let how = match status.map(|status| (status.signal(), status.code())) {
            Ok((Some(signal), _)) => format!("signal {signal}"),
            Ok((None, Some(code))) => format!("exit code {code}"),
            Ok((None, None)) | Err(_) => "nobody knows how".to_owned(),
        };
        Self::Ended { how, memory }
    }

    /// The published reason, once it has been tried often enough.
    #[must_use]
    pub fn reason(&self) -> DeadLetterReason {
        match self {
            Self::Ended { .. } | Self::Silent(_) => DeadLetterReason::DecodeWorkExceeded,
            Self::Garbled => DeadLetterReason::Internal,
        }
    }
}
