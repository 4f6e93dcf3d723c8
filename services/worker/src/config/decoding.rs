//! Settings of decoding: in the worker, or beside it.

use super::ByteSize;
use super::reader::Reader;
use crate::decoding;

/// Where recordings are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoding {
    /// In a child process for each recording.
    pub child_process: bool,
    /// Address space that such a child may have.
    pub memory: ByteSize,
}

impl Decoding {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            child_process: reader.or("decoding.child_process", false),
            memory: reader.or("decoding.memory", ByteSize::mebibytes(512)),
        }
    }

    /// The same for analysts.
    #[must_use]
    pub fn for_analysts(self) -> decoding::Decoding {
        if self.child_process {
            decoding::Decoding::Apart(decoding::Apart::new(self.memory))
        } else {
            decoding::Decoding::Here
        }
    }
}
