//! Recordings that lie in folders of this machine.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::StoreError;
use crate::config::ByteSize;
use crate::recording::{Recording, RecordingWriter};

/// Bytes copied at a time.
const PIECE: usize = 256 << 10;

/// A folder on the way: no link, and (where the system has that) only to pass through.
#[cfg(target_os = "linux")]
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// The recording itself: no link, and opening a pipe must not wait for a writer.
const RECORDING: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// The folders under which recordings may lie.
#[derive(Debug, Clone)]
pub struct FileRoots(Vec<Root>);

/// A folder as the operator writes it, and where that is. Links above it and in its name are the
/// operator's own.
#[derive(Debug, Clone)]
struct Root {
    written: PathBuf,
    resolved: PathBuf,
}

impl FileRoots {
    /// Resolves the folders.
    ///
    /// # Errors
    /// The first folder that is not there.
    pub fn open(roots: &[PathBuf]) -> Result<Self, (PathBuf, io::Error)> {
        let resolve = |written: &PathBuf| match written.canonicalize() {
            Ok(resolved) => Ok(Root { written: written.clone(), resolved }),
            Err(error) => Err((written.clone(), error)),
        };
        Ok(Self(roots.iter().map(resolve).collect::<Result<_, _>>()?))
    }

    /// The first of the folders below which a path lies.
    #[must_use]
    pub fn root_of(&self, path: &Path) -> Option<&Path> {
        self.0.iter().find(|root| root.below(path).is_some()).map(|root| root.resolved.as_path())
    }

    /// Copies a file, named by an absolute path; it is given up once that takes longer than `within`.
    ///
    /// # Errors
    /// Where it lies elsewhere, is no file, is too large, too slow or can't be read.
    pub fn copy(
        &self,
        path: &Path,
        limit: ByteSize,
        spool: &Path,
        within: Duration,
    ) -> Result<Recording, StoreError> {
        let began = Instant::now();
        let mut file = self.open_file(path)?;
        let mut writer = RecordingWriter::new(spool);
        let mut piece = vec![0; PIECE];
        loop {
            let count = match file.read(&mut piece) {
                Ok(0) => return Ok(writer.finish()),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(StoreError::Copy(error)),
            };
            // The file may grow while it is copied.
            let actual = writer.bytes() + count as u64;
            if actual > limit.0 {
                return Err(StoreError::TooLarge { actual: size(&file), limit });
            }
            writer.push(&piece[..count]).map_err(StoreError::Copy)?;
            if began.elapsed() > within {
                return Err(StoreError::TooSlow(within));
            }
        }
    }

    /// Opens a file under one of the roots.
    fn open_file(&self, path: &Path) -> Result<File, StoreError> {
        let mut outcome = Err(StoreError::OutsideRoots);
        for (root, below) in self.0.iter().filter_map(|root| Some((root, root.below(path)?))) {
            outcome = open_below(&root.resolved, below);
            if outcome.is_ok() {
                break;
            }
        }
        let file = outcome?;
        let is_file = file.metadata().map_err(StoreError::Copy)?.is_file();
        if is_file { Ok(file) } else { Err(StoreError::NotAFile) }
    }
}

impl Root {
    fn below<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        path.strip_prefix(&self.written).or_else(|_| path.strip_prefix(&self.resolved)).ok()
    }
}

/// Goes down from a root one name at a time, each opened inside the folder before it: neither a link nor
/// anybody who moves folders meanwhile leads out of it.
fn open_below(root: &Path, below: &Path) -> Result<File, StoreError> {
    let mut names = Vec::new();
    for component in below.components() {
        let Component::Normal(name) = component else { return Err(StoreError::BadPath) };
        names.push(name);
    }
    let Some((recording, folders)) = names.split_last() else { return Err(StoreError::NotAFile) };
    let mut here: OwnedFd =
        rustix::fs::open(root, FOLDER, Mode::empty()).map_err(|error| match refusal(error) {
            StoreError::Missing => StoreError::FolderGone(error.into()),
            other => other,
        })?;
    for folder in folders {
        here = rustix::fs::openat(&here, *folder, FOLDER, Mode::empty()).map_err(|error| {
            // For a link, `O_DIRECTORY` with `O_NOFOLLOW` says that it is no folder.
            let is_link = error == Errno::NOTDIR && is_link(&here, folder);
            if is_link { StoreError::Link } else { refusal(error) }
        })?;
    }
    let opened = rustix::fs::openat(&here, *recording, RECORDING, Mode::empty()).map_err(refusal)?;
    Ok(File::from(opened))
}

fn is_link(folder: &OwnedFd, name: &std::ffi::OsStr) -> bool {
    let found = rustix::fs::statat(folder, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW);
    found.is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_symlink())
}

fn size(file: &File) -> Option<ByteSize> {
    file.metadata().ok().map(|metadata| ByteSize(metadata.len()))
}

fn refusal(error: Errno) -> StoreError {
    match error {
        Errno::NOENT | Errno::NOTDIR => StoreError::Missing,
        Errno::LOOP => StoreError::Link,
        Errno::ACCESS | Errno::PERM => StoreError::NotPermitted("file permissions".to_owned()),
        // No file can have such a name; a socket can't be opened; a device has no driver.
        Errno::INVAL | Errno::NAMETOOLONG => StoreError::BadPath,
        Errno::NXIO | Errno::NODEV => StoreError::NotAFile,
        other => StoreError::Copy(other.into()),
    }
}
