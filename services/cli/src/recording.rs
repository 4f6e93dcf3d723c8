//! Recordings on disk, each with the event that describes its call. `assess` and `publish` make the same
//! event of the same file, so a call gets the same result with and without Kafka.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use callqa_proto::wire::{CallRecorded, ChannelLayout};
use clap::ValueEnum;
use sha2::{Digest, Sha256};
use url::Url;

use crate::CliError;
use crate::metadata::{self, CALLS_CSV, Sheet};

/// Endings of the files in a folder that are taken for recordings. A file that is named outright, on the
/// command line or in a CSV, may have any ending: its content decides.
const ENDINGS: [&str; 6] = ["wav", "mp3", "flac", "ogg", "oga", "opus"];
/// Read in pieces, so that hashing a four-hour recording needs no more memory than a short one.
const HASH_BLOCK: usize = 1 << 16;

/// The language of a call, where the user says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LanguageChoice {
    /// Mandarin Chinese.
    Zh,
    /// English.
    En,
    /// Heard from the call.
    Auto,
}

/// Which track carries whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LayoutChoice {
    /// Two tracks, the agent on the first (left).
    AgentFirst,
    /// Two tracks, the customer on the first (left).
    CustomerFirst,
    /// One track with both.
    Mono,
}

/// What is known of the calls besides the recordings themselves.
#[derive(Debug, Clone, clap::Args)]
pub struct Description {
    /// CSV file that describes the calls, one row a recording. Columns, all but the first optional:
    /// file, call_id, purpose, interaction_id, queue, agent_id, customer_id, direction, started_at, answered_at,
    /// ended_by, language, agent_language, customer_language, auto_announced, layout, opted_out,
    /// answered_by_machine; any other column becomes a label, unless its name is nearly one of these that is not there.
    /// A calls.csv in the folder is used unasked.
    #[arg(long, value_name = "CSV")]
    metadata: Option<PathBuf>,
    /// Language of all the calls. Without it: what the CSV says, or else what is heard.
    #[arg(long)]
    language: Option<LanguageChoice>,
    /// Which track carries whom. Without it: what the CSV says, or else agent first, and one track is mono.
    #[arg(long)]
    layout: Option<LayoutChoice>,
    /// Whose calls these are, where several customers share an installation; without `/`.
    #[arg(long, default_value = "default")]
    tenant: String,
}

/// A recording and its call's event; the event still lacks the recording.
#[derive(Debug, Clone)]
pub struct CallFile {
    /// The file.
    pub path: PathBuf,
    event: CallRecorded,
}

/// What identifies a file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// SHA-256, in hex.
    pub sha256: String,
    /// Length in bytes.
    pub bytes: u64,
}

impl Description {
    /// The recordings at a path (one file, or those directly in a folder), sorted by name.
    ///
    /// # Errors
    /// Where there is nothing at the path, no recording in the folder, or the CSV has mistakes.
    pub fn calls(&self, path: &Path) -> Result<Vec<CallFile>, CliError> {
        let unreadable = |source| CliError::unreadable(path, source);
        let is_folder = fs::metadata(path).map_err(unreadable)?.is_dir();
        let folder = if is_folder { path } else { path.parent().unwrap_or(Path::new("")) };
        let sheet = self.sheet(is_folder.then_some(folder))?;
        let files =
            if is_folder { in_folder(path, &sheet).map_err(unreadable)? } else { vec![path.to_owned()] };
        if is_folder && files.is_empty() {
            return Err(CliError::NoRecordings { folder: path.to_owned(), endings: ENDINGS.join(", ") });
        }
        let calls: Vec<CallFile> = files.into_iter().map(|path| self.call(path, &sheet)).collect();
        check_ids(&calls)?;
        Ok(calls)
    }

    fn sheet(&self, folder: Option<&Path>) -> Result<Sheet, CliError> {
        let beside = folder.map(|folder| folder.join(CALLS_CSV)).filter(|csv| csv.exists());
        let Some(path) = self.metadata.clone().or(beside) else { return Ok(Sheet::default()) };
        let bytes = fs::read(&path).map_err(|source| CliError::unreadable(&path, source))?;
        let sheet = metadata::read(&path, &bytes)?;
        if let Some(folder) = folder {
            metadata::check_files(&path, &sheet, folder)?;
        }
        Ok(sheet)
    }

    fn call(&self, path: PathBuf, sheet: &Sheet) -> CallFile {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut event = sheet.row(&name).map(|row| row.event.clone()).unwrap_or_default();
        if event.call_id.is_empty() {
            event.call_id = metadata::stem(&name).unwrap_or(name);
        }
        event.tenant.clone_from(&self.tenant);
        if let Some(language) = self.language {
            let tag = match language {
                LanguageChoice::Zh => Some("zh".to_owned()),
                LanguageChoice::En => Some("en".to_owned()),
                LanguageChoice::Auto => None,
            };
            (event.agent_language, event.customer_language) = (tag.clone(), tag);
        }
        if let Some(layout) = self.layout {
            let layout = match layout {
                LayoutChoice::AgentFirst => ChannelLayout::AgentFirst,
                LayoutChoice::CustomerFirst => ChannelLayout::CustomerFirst,
                LayoutChoice::Mono => ChannelLayout::Mono,
            };
            event.channel_layout = layout.into();
        }
        CallFile { path, event }
    }
}

impl CallFile {
    /// The call's id.
    pub fn call_id(&self) -> &str {
        &self.event.call_id
    }

    /// The event with the recording by `file:` URI.
    pub fn by_uri(&self, content: &Content) -> io::Result<CallRecorded> {
        let path = fs::canonicalize(&self.path)?;
        let uri = Url::from_file_path(&path).map_err(|()| io::Error::from(io::ErrorKind::InvalidFilename))?;
        Ok(self.with(content, Some(uri.into()), None))
    }

    /// The event with the recording inside.
    pub fn inline(&self, content: &Content, bytes: Vec<u8>) -> CallRecorded {
        self.with(content, None, Some(bytes))
    }

    fn with(&self, content: &Content, uri: Option<String>, inline: Option<Vec<u8>>) -> CallRecorded {
        let recording = callqa_proto::wire::Recording {
            uri,
            inline,
            sha256: Some(content.sha256.clone()),
            size_bytes: Some(content.bytes),
            // The file's own first bytes say it better than its ending.
            content_type: None,
        };
        CallRecorded { recording: Some(recording), ..self.event.clone() }
    }

    /// Reads the file once for its digest.
    pub fn content(&self) -> io::Result<Content> {
        let mut file = File::open(&self.path)?;
        let (mut hasher, mut bytes) = (Sha256::new(), 0);
        let mut block = vec![0; HASH_BLOCK];
        loop {
            let read = file.read(&mut block)?;
            if read == 0 {
                break;
            }
            hasher.update(&block[..read]);
            bytes += read as u64;
        }
        let sha256 = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Content { sha256, bytes })
    }
}

/// Every recording by its ending, and whatever the CSV names.
fn in_folder(folder: &Path, sheet: &Sheet) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        let named = path.file_name().is_some_and(|name| sheet.row(&name.to_string_lossy()).is_some());
        if path.is_file() && (named || ENDINGS.contains(&ending.as_str())) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn check_ids(calls: &[CallFile]) -> Result<(), CliError> {
    let mut first = std::collections::BTreeMap::new();
    for call in calls {
        if let Some(before) = first.insert(call.call_id(), &call.path) {
            return Err(CliError::SameCallId { first: before.clone(), second: call.path.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Description =
        Description { metadata: None, language: None, layout: None, tenant: String::new() };

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        folder
    }

    fn ids(calls: &[CallFile]) -> Vec<&str> {
        calls.iter().map(CallFile::call_id).collect()
    }

    #[test]
    fn recordings_of_a_folder_come_by_name() {
        let folder = folder(&[("b.WAV", ""), ("a.opus", ""), ("notes.txt", ""), ("c.mp3", "")]);
        assert_eq!(ids(&ANY.calls(folder.path()).unwrap()), ["a", "b", "c"]);
    }

    #[test]
    fn a_sheet_in_the_folder_is_used_and_may_name_any_file() {
        let folder = folder(&[("a.wav", ""), ("b.bin", ""), ("calls.csv", "file,call_id\nb.bin,x-1\n")]);
        assert_eq!(ids(&ANY.calls(folder.path()).unwrap()), ["a", "x-1"]);
    }

    #[test]
    fn a_sheet_that_names_no_file_of_the_folder_is_refused() {
        let folder = folder(&[("a.wav", ""), ("calls.csv", "file\na.wav\nb.wav\nc.wav\n")]);
        let error = ANY.calls(folder.path()).unwrap_err().to_string();
        assert!(error.contains("line 3, column 1 (file)") && error.contains("line 4"), "{error}");
    }

    #[test]
    fn two_recordings_of_one_id_are_refused() {
        let folder = folder(&[("a.wav", ""), ("a.mp3", "")]);
        assert!(matches!(ANY.calls(folder.path()), Err(CliError::SameCallId { .. })));
    }

    #[test]
    fn what_the_user_says_beats_the_sheet() {
        let folder = folder(&[("a.wav", ""), ("calls.csv", "file,language,layout\na.wav,zh,mono\n")]);
        let said = Description {
            language: Some(LanguageChoice::Auto),
            layout: Some(LayoutChoice::CustomerFirst),
            ..ANY
        };
        let calls = said.calls(folder.path()).unwrap();
        assert_eq!(calls[0].event.agent_language, None);
        assert_eq!(calls[0].event.channel_layout, i32::from(ChannelLayout::CustomerFirst));
    }

    #[test]
    fn an_event_holds_digest_and_length_and_an_escaped_uri() {
        let folder = folder(&[("a b.wav", "abc")]);
        let call = ANY.calls(folder.path()).unwrap().remove(0);
        let content = call.content().unwrap();
        let recording = call.by_uri(&content).unwrap().recording.unwrap();
        assert!(recording.uri.unwrap().ends_with("/a%20b.wav"));
        assert_eq!(recording.size_bytes, Some(3));
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(recording.sha256.as_deref(), Some(sha256));
    }
}
