//! The journal's file: lines are added at its end, and now and then it is written anew, shorter.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::state::Record;

/// The journal.
const NAME: &str = "calls.journal";
/// Its next form, until it takes the journal's place.
const NEXT: &str = "calls.journal.new";
/// Whoever has the lock of this file owns the folder; the system gives it back when the process ends.
const LOCK: &str = "lock";
/// The file is written anew when it is longer than this: some ten thousand lines, read in milliseconds.
const LONGEST: u64 = 1 << 20;

/// The file, open for adding lines.
#[derive(Debug)]
pub struct JournalFile {
    folder: PathBuf,
    /// None until the file could be written for the first time.
    file: Option<File>,
    len: u64,
    /// How long it was when it was last written anew: below twice that, doing it again gains little.
    len_anew: u64,
    /// Some line is missing in it.
    behind: bool,
    /// None where somebody else has it.
    lock: Option<File>,
}

impl JournalFile {
    /// Opens the folder and reads what the last process left there, up to a line that was cut.
    pub fn open(folder: &Path) -> io::Result<(Self, Vec<Record>)> {
        let lock = File::create(folder.join(LOCK))?;
        let lock = match lock.try_lock() {
            Ok(()) => Some(lock),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(error)) => return Err(error),
        };
        let records = read(&folder.join(NAME))?;
        let folder = folder.to_owned();
        Ok((Self { folder, file: None, len: 0, len_anew: 0, behind: true, lock }, records))
    }

    /// Whether the folder is this process's.
    pub fn is_ours(&self) -> bool {
        self.lock.is_some()
    }

    /// Whether the file lacks something that was told.
    pub fn is_behind(&self) -> bool {
        self.behind
    }

    /// Adds a line. A file that lacks one is written anew from `all`, which has that line too.
    pub fn append(&mut self, record: &Record, all: impl FnOnce() -> Vec<Record>) -> io::Result<()> {
        let is_long = self.len > LONGEST && self.len > 2 * self.len_anew;
        let Some(file) = self.file.as_mut().filter(|_| !self.behind && !is_long) else {
            return self.rewrite(&all());
        };
        let line = format!("{record}\n");
        // One write a line: a process that ends in between leaves a line that is cut, and says so.
        match file.write_all(line.as_bytes()) {
            Ok(()) => {
                self.len += line.len() as u64;
                Ok(())
            }
            Err(error) => {
                self.behind = true;
                Err(error)
            }
        }
    }

    /// The next line goes nowhere.
    #[cfg(test)]
    pub fn break_for_a_test(&mut self) {
        self.file = OpenOptions::new().write(true).open("/dev/full").ok();
    }

    /// Writes the file anew, beside the old one, which is valid until the new one takes its place.
    pub fn rewrite(&mut self, records: &[Record]) -> io::Result<()> {
        self.behind = true;
        let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
        let next = self.folder.join(NEXT);
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).open(&next)?;
        file.write_all(lines.as_bytes())?;
        std::fs::rename(&next, self.folder.join(NAME))?;
        self.len = lines.len() as u64;
        (self.file, self.len_anew, self.behind) = (Some(file), self.len, false);
        Ok(())
    }
}

/// Lines that are cut or not ours are passed over: a call is then no suspect, and nothing is lost.
fn read(path: &Path) -> io::Result<Vec<Record>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(mut file) => file.read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().filter_map(Record::read).collect())
}
