//! Recordings that lie in folders of this machine.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use url::Url;

use super::StoreError;
use crate::config::ByteSize;
use crate::recording::{Recording, RecordingWriter};

/// Bytes copied at a time.
const PIECE: usize = 256 << 10;

/// The folders under which recordings may lie.
#[derive(Debug, Clone)]
pub struct FileRoots(Vec<PathBuf>);

impl FileRoots {
    /// Resolves the folders.
    ///
    /// # Errors
    /// The first folder that is not there.
    pub fn open(roots: &[PathBuf]) -> Result<Self, (PathBuf, io::Error)> {
        let resolved = roots.iter().map(|root| root.canonicalize().map_err(|error| (root.clone(), error)));
        Ok(Self(resolved.collect::<Result<_, _>>()?))
    }

    /// Copies the file that a `file:` URI names.
    ///
    /// # Errors
    /// Where it lies elsewhere, is no file, is too large or can't be read.
    pub fn copy(&self, url: &Url, limit: ByteSize, spool: &Path) -> Result<Recording, StoreError> {
        let mut file = self.open_file(&url.to_file_path().map_err(|()| StoreError::NotAUri)?)?;
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
        }
    }

    /// Opens a file under one of the roots. Links are followed as far as they stay inside.
    fn open_file(&self, path: &Path) -> Result<File, StoreError> {
        let resolved = path.canonicalize().map_err(refusal)?;
        if !self.holds(&resolved) {
            return Err(StoreError::OutsideRoots);
        }
        // A pipe would block in `open`.
        if !resolved.metadata().map_err(refusal)?.is_file() {
            return Err(StoreError::NotAFile);
        }
        let file = File::open(&resolved).map_err(refusal)?;
        if !file.metadata().map_err(refusal)?.is_file() {
            return Err(StoreError::NotAFile);
        }
        // A link may have been put in the path since it was resolved: the kernel says what was opened.
        let opened = opened_path(&file).map_err(refusal)?;
        if opened.is_some_and(|opened| !self.holds(&opened)) {
            return Err(StoreError::OutsideRoots);
        }
        Ok(file)
    }

    fn holds(&self, resolved: &Path) -> bool {
        self.0.iter().any(|root| resolved.starts_with(root))
    }
}

fn size(file: &File) -> Option<ByteSize> {
    file.metadata().ok().map(|metadata| ByteSize(metadata.len()))
}

#[cfg(target_os = "linux")]
fn opened_path(file: &File) -> io::Result<Option<PathBuf>> {
    use std::os::fd::AsRawFd;
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).map(Some)
}

#[cfg(not(target_os = "linux"))]
fn opened_path(_: &File) -> io::Result<Option<PathBuf>> {
    Ok(None)
}

fn refusal(error: io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => StoreError::Missing,
        ErrorKind::PermissionDenied => StoreError::NotPermitted("file permissions".to_owned()),
        _ => StoreError::Copy(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// `inside/call.wav`, `outside/secret.wav`, and links between them.
    fn folders() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["inside", "inside/deep", "outside", "inside-too"] {
            std::fs::create_dir(at(name)).expect("made");
        }
        std::fs::write(at("inside/call.wav"), [7; 1000]).expect("written");
        std::fs::write(at("inside/two words.wav"), [7; 10]).expect("written");
        std::fs::write(at("outside/secret.wav"), "secret").expect("written");
        std::fs::write(at("inside-too/secret.wav"), "secret").expect("written");
        symlink(at("outside/secret.wav"), at("inside/leaves.wav")).expect("linked");
        symlink(at("outside"), at("inside/door")).expect("linked");
        symlink(at("inside/call.wav"), at("inside/deep/stays.wav")).expect("linked");
        symlink(at("inside/nowhere.wav"), at("inside/dangles.wav")).expect("linked");
        folder
    }

    #[track_caller]
    fn check(path: &str, expect: Result<u64, &str>) {
        let folder = folders();
        let roots = FileRoots::open(&[folder.path().join("inside")]).expect("there");
        let url = Url::parse(&format!("file://{}/{path}", folder.path().display())).expect("a URL");
        let copied = roots.copy(&url, ByteSize(1000), folder.path());
        let outcome = copied.map(|recording| recording.bytes()).map_err(|error| format!("{error:?}"));
        assert_eq!(
            outcome.as_ref().map_err(|error| error.split(['(', ' ']).next().unwrap_or_default()),
            expect.as_ref().map_err(|e| *e)
        );
    }

    #[test]
    fn a_file_under_a_root() {
        check("inside/call.wav", Ok(1000));
        check("inside/two%20words.wav", Ok(10));
        check("inside/deep/../call.wav", Ok(1000));
    }

    #[test]
    fn a_link_that_stays_inside() {
        check("inside/deep/stays.wav", Ok(1000));
    }

    #[test]
    fn a_path_or_link_that_leaves() {
        check("outside/secret.wav", Err("OutsideRoots"));
        check("inside/../outside/secret.wav", Err("OutsideRoots"));
        check("inside/%2e%2e/outside/secret.wav", Err("OutsideRoots"));
        check("inside/..%2foutside/secret.wav", Err("OutsideRoots"));
        check("inside/leaves.wav", Err("OutsideRoots"));
        check("inside/door/secret.wav", Err("OutsideRoots"));
        check("inside-too/secret.wav", Err("OutsideRoots"));
    }

    #[test]
    fn nothing_there() {
        check("inside/nowhere.wav", Err("Missing"));
        check("inside/dangles.wav", Err("Missing"));
        check("inside/call.wav/more", Err("Missing"));
        check("inside/zero%00byte", Err("Copy"));
    }

    #[test]
    fn a_folder_is_no_recording() {
        check("inside/deep", Err("NotAFile"));
    }

    #[test]
    fn a_byte_too_many() {
        let folder = folders();
        let roots = FileRoots::open(&[folder.path().join("inside")]).expect("there");
        let url = Url::from_file_path(folder.path().join("inside/call.wav")).expect("a path");
        let error = roots.copy(&url, ByteSize(999), folder.path()).expect_err("too large");
        assert_eq!(error.to_string(), "recording is 1000 bytes, more than the 999 bytes allowed");
    }

    #[test]
    fn a_file_of_another_host_is_not_ours() {
        let roots = FileRoots::open(&[]).expect("none");
        let url = Url::parse("file://fileserver/inside/call.wav").expect("a URL");
        assert!(matches!(roots.copy(&url, ByteSize(9), Path::new("/")), Err(StoreError::NotAUri)));
    }

    #[test]
    fn a_root_that_is_not_there_is_named() {
        let (root, _) = FileRoots::open(&["/nowhere/at/all".into()]).expect_err("missing");
        assert_eq!(root, Path::new("/nowhere/at/all"));
    }
}
