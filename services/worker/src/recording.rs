//! A recording's bytes: they do not change while it is judged, whatever happens where they came from.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{MemfdFlags, memfd_create};
use sha2::{Digest, Sha256};

/// Recordings up to this size are held in memory, larger ones in a nameless file: two calls for each
/// of 32 analysts then hold 512 MiB at the very most.
const IN_MEMORY: usize = 8 << 20;

/// A recording, whole.
#[derive(Debug, Clone)]
pub struct Recording {
    sha256: String,
    len: u64,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    Memory(Arc<[u8]>),
    Spooled(Arc<File>),
}

impl Recording {
    /// Takes bytes that are at hand.
    #[must_use]
    pub fn of(bytes: Vec<u8>) -> Self {
        let sha256 = hex(&Sha256::digest(&bytes));
        Self { sha256, len: bytes.len() as u64, body: Body::Memory(bytes.into()) }
    }

    /// SHA-256 of the bytes, in hex.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// How many bytes it has.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.len
    }

    /// The same as a nameless file, for another process to read; its place in it is shared.
    ///
    /// # Errors
    /// Where the system has no memory or no handle for it.
    pub fn file(&self) -> io::Result<File> {
        match &self.body {
            Body::Memory(bytes) => {
                let mut file = File::from(memfd_create("recording", MemfdFlags::CLOEXEC)?);
                file.write_all(bytes)?;
                Ok(file)
            }
            Body::Spooled(file) => file.try_clone(),
        }
    }

    /// A reader from the first byte on; each has its own place.
    #[must_use]
    pub fn reader(&self) -> RecordingReader {
        match &self.body {
            Body::Memory(bytes) => RecordingReader::Memory(Cursor::new(Arc::clone(bytes))),
            Body::Spooled(file) => RecordingReader::Spooled { file: Arc::clone(file), at: 0, len: self.len },
        }
    }
}

/// Reads a [`Recording`].
#[derive(Debug)]
pub enum RecordingReader {
    /// From memory.
    Memory(Cursor<Arc<[u8]>>),
    /// From a nameless file, without moving its own place.
    Spooled {
        /// The file.
        file: Arc<File>,
        /// The next byte.
        at: u64,
        /// Bytes of the recording.
        len: u64,
    },
}

impl Read for RecordingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Memory(bytes) => bytes.read(buffer),
            Self::Spooled { file, at, .. } => {
                let count = file.read_at(buffer, *at)?;
                *at += count as u64;
                Ok(count)
            }
        }
    }
}

impl Seek for RecordingReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::Memory(bytes) => bytes.seek(to),
            Self::Spooled { at, len, .. } => {
                let target = match to {
                    SeekFrom::Start(place) => Some(place),
                    SeekFrom::End(by) => len.checked_add_signed(by),
                    SeekFrom::Current(by) => at.checked_add_signed(by),
                };
                *at = target.ok_or(io::ErrorKind::InvalidInput)?;
                Ok(*at)
            }
        }
    }
}

/// Takes a recording piece by piece.
pub struct RecordingWriter {
    hasher: Sha256,
    memory: Vec<u8>,
    spool: PathBuf,
    file: Option<File>,
    len: u64,
}

impl RecordingWriter {
    /// Starts a recording; one that grows large goes to a nameless file in the folder `spool`.
    #[must_use]
    pub fn new(spool: &Path) -> Self {
        Self { hasher: Sha256::new(), memory: Vec::new(), spool: spool.to_owned(), file: None, len: 0 }
    }

    /// How many bytes it has so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.len
    }

    /// Adds a piece.
    ///
    /// # Errors
    /// Where the spool folder does not take it.
    pub fn push(&mut self, piece: &[u8]) -> io::Result<()> {
        self.hasher.update(piece);
        self.len += piece.len() as u64;
        if self.file.is_none() && self.memory.len() + piece.len() > IN_MEMORY {
            let mut file = tempfile::tempfile_in(&self.spool)?;
            file.write_all(&self.memory)?;
            self.memory = Vec::new();
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(piece),
            None => {
                self.memory.extend_from_slice(piece);
                Ok(())
            }
        }
    }

    /// The recording is whole.
    #[must_use]
    pub fn finish(self) -> Recording {
        let body = match self.file {
            Some(file) => Body::Spooled(Arc::new(file)),
            None => Body::Memory(self.memory.into()),
        };
        Recording { sha256: hex(&self.hasher.finalize()), len: self.len, body }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(bytes: &[u8]) -> Recording {
        let mut writer = RecordingWriter::new(&std::env::temp_dir());
        bytes.chunks(1 << 20).for_each(|piece| writer.push(piece).expect("written"));
        writer.finish()
    }

    #[track_caller]
    fn check(len: usize) {
        let bytes: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
        let recording = written(&bytes);
        assert_eq!(
            (recording.bytes(), recording.sha256()),
            (len as u64, Recording::of(bytes.clone()).sha256())
        );
        let (mut first, mut second) = (recording.reader(), recording.reader());
        first.seek(SeekFrom::End(-(len.min(10) as i64))).expect("inside");
        let (mut tail, mut whole) = (Vec::new(), Vec::new());
        second.read_to_end(&mut whole).expect("read");
        first.read_to_end(&mut tail).expect("read");
        assert!(whole == bytes && tail == bytes[len - len.min(10)..]);
        assert!(first.seek(SeekFrom::Current(-(len as i64) - 1)).is_err());
        let (mut file, mut whole) = (recording.file().expect("a file"), Vec::new());
        file.rewind().and_then(|()| file.read_to_end(&mut whole)).expect("read");
        assert!(whole == bytes);
    }

    #[test]
    fn in_memory() {
        check(0);
        check(1000);
        check(IN_MEMORY);
    }

    #[test]
    fn in_a_nameless_file() {
        check(IN_MEMORY + 1);
    }

    #[test]
    fn the_digest_is_sha_256() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(written(b"").sha256(), empty);
    }
}
