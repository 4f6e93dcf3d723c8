//! Where the bytes of a recording come from.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

use crate::AudioError;

trait ReadSeek: Read + Seek + Send + Sync {}
impl<T: Read + Seek + Send + Sync> ReadSeek for T {}

/// A recording's bytes, with their number.
pub(crate) struct Source {
    inner: Box<dyn ReadSeek>,
    len: u64,
}

impl Source {
    pub(crate) fn new(mut inner: impl Read + Seek + Send + Sync + 'static) -> Result<Self, AudioError> {
        let len = inner.seek(SeekFrom::End(0)).map_err(AudioError::Read)?;
        inner.rewind().map_err(AudioError::Read)?;
        Ok(Self { inner: Box::new(inner), len })
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn go_to(&mut self, position: u64) -> Result<(), AudioError> {
        self.inner.seek(SeekFrom::Start(position)).map(drop).map_err(AudioError::Read)
    }

    /// Reads until `buffer` is full or the source ends; says how many bytes were read.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, AudioError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.inner.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(AudioError::Read(error)),
            }
        }
        Ok(filled)
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer)
    }
}

impl Seek for Source {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.inner.seek(position)
    }
}

/// Demuxers are told that they cannot seek. Each byte is then read at most once, which bounds their work,
/// and the MP3 reader does not guess a length from the bit rate and cut the audio there.
impl MediaSource for Source {
    fn is_seekable(&self) -> bool {
        false
    }

    fn byte_len(&self) -> Option<u64> {
        None
    }
}

/// Bytes in turn, with a look at those that come.
pub(crate) struct Ahead<R> {
    source: R,
    bytes: Vec<u8>,
    at: usize,
}

impl<R: Read> Ahead<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, bytes: Vec::new(), at: 0 }
    }

    /// The bytes that come next: as many as `wanted` or more, unless the source ends before.
    pub(crate) fn look(&mut self, wanted: usize) -> io::Result<&[u8]> {
        if self.bytes.len() - self.at < wanted {
            self.bytes.drain(..self.at);
            self.at = 0;
            let room = (4 * wanted - self.bytes.len()) as u64;
            self.source.by_ref().take(room).read_to_end(&mut self.bytes)?;
        }
        Ok(&self.bytes[self.at..])
    }

    /// Passes over bytes that were looked at.
    pub(crate) fn pass(&mut self, count: usize) {
        self.at += count;
    }
}
