//! `callqa publish`: recordings of a folder become events on the input topic.

use std::path::PathBuf;
use std::{fs, io};

use callqa_domain::identity;
use callqa_proto::header::EventHeaders;
use callqa_proto::{INLINE_BYTES, decode};

use crate::kafka::{self, Connection, Sender};
use crate::recording::{CallFile, Content, Description};
use crate::results::{Outlet, Watch};
use crate::{CliError, Done, terminal};

/// Publishes the recordings of a folder
#[derive(Debug, clap::Args)]
#[command(mut_arg("json", |arg| arg.requires("wait")))]
#[command(mut_arg("summary", |arg| arg.requires("wait")))]
#[command(mut_arg("timeout", |arg| arg.requires("wait")))]
pub struct Args {
    /// A folder of recordings (WAV, MP3, FLAC, Ogg Vorbis, Opus), or one recording
    path: PathBuf,
    #[command(flatten)]
    description: Description,
    #[command(flatten)]
    connection: Connection,
    /// The input topic [default: the first of kafka.topics.calls, qa.calls.recorded.v1]
    #[arg(long)]
    topic: Option<String>,
    /// Put the recordings into the events (at most 700 KiB each)
    #[arg(long, conflicts_with = "by_uri")]
    inline: bool,
    /// Put file: URIs with digest and length into the events; the workers must be allowed to read the folder
    /// (store.file_roots). This is the default
    #[arg(long)]
    by_uri: bool,
    /// Stay until every one of these calls has ended; show progress, then a table of them
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    outlet: Outlet,
}

impl Args {
    /// Publishes, and waits where asked to.
    ///
    /// # Errors
    /// Before anything is sent: mistakes in the folder or its CSV, recordings that can't be read or do not fit into
    /// their events, and events that a worker would refuse. Then a broker that is not there or does not acknowledge.
    pub fn run(&self) -> Result<Done, CliError> {
        let kafka = self.connection.settings()?;
        let calls = self.description.calls(&self.path)?;
        if self.inline {
            check_lengths(&calls)?;
        }
        let first = || kafka.topics.calls.first().cloned().unwrap_or_default();
        let topic = self.topic.clone().unwrap_or_else(first);
        kafka::expect_topic(&kafka, &topic)?;
        let contents = self.contents(&calls)?;
        // Opened first: an ending may come before the last event is sent.
        let watch = if self.wait { Some(Watch::from_now_on(&kafka, &self.outlet)?) } else { None };

        let mut ending_ids = Vec::new();
        let mut sender = Sender::new(&kafka, &topic)?;
        for (call, content) in calls.iter().zip(&contents) {
            let event = self.event(call, content)?;
            ending_ids.push(identity::ending_id(&event.tenant, &event.call_id, event.revision));
            let message = event.message(crate::SOURCE).map_err(|source| CliError::Json { source })?;
            sender.send(&message)?;
        }
        sender.finish()?;
        let how = if self.inline { "inside their events" } else { "by file: URI" };
        let plural = if calls.len() == 1 { "" } else { "s" };
        let sum = format!("published {} recording{plural} to {topic}, {how}", calls.len());
        match watch {
            None => terminal::print(&format!("{sum}\n")).map(|()| Done::Well),
            Some(watch) => {
                terminal::note(&sum);
                watch.until_ended(&ending_ids, &self.outlet)
            }
        }
    }

    /// Reads every recording and checks its event as a worker will, before the first is sent: nobody could tell
    /// which half of a folder is on the topic. Keeps no recording.
    fn contents(&self, calls: &[CallFile]) -> Result<Vec<Content>, CliError> {
        calls.iter().map(|call| self.content(call)).collect()
    }

    fn content(&self, call: &CallFile) -> Result<Content, CliError> {
        let unreadable = |source| CliError::unreadable(&call.path, source);
        let content = call.content().map_err(unreadable)?;
        let event = self.event(call, &content)?;
        let message = event.message(crate::SOURCE).map_err(|source| CliError::Json { source })?;
        let headers = message.headers.iter().map(|(name, value)| (*name, value.as_bytes()));
        decode(&EventHeaders::read(headers), &message.payload)
            .map_err(|error| unreadable(io::Error::new(io::ErrorKind::InvalidData, error)))?;
        Ok(content)
    }

    fn event(
        &self,
        call: &CallFile,
        content: &Content,
    ) -> Result<callqa_proto::wire::CallRecorded, CliError> {
        let unreadable = |source| CliError::unreadable(&call.path, source);
        if !self.inline {
            return call.by_uri(content).map_err(unreadable);
        }
        // It may have grown since.
        check_length(call, content.bytes, 0)?;
        let bytes = fs::read(&call.path).map_err(unreadable)?;
        Ok(call.inline(content, bytes))
    }
}

/// Looks at every recording first: half a folder on the topic helps nobody.
fn check_lengths(calls: &[CallFile]) -> Result<(), CliError> {
    let mut too_large = Vec::new();
    for call in calls {
        let file = fs::metadata(&call.path).map_err(|source| CliError::unreadable(&call.path, source))?;
        if file.len() > INLINE_BYTES as u64 {
            too_large.push((call, file.len()));
        }
    }
    match too_large.split_first() {
        None => Ok(()),
        Some((&(call, bytes), others)) => check_length(call, bytes, others.len()),
    }
}

fn check_length(call: &CallFile, bytes: u64, others: usize) -> Result<(), CliError> {
    if bytes <= INLINE_BYTES as u64 {
        return Ok(());
    }
    Err(CliError::TooLargeInline { path: call.path.clone(), bytes, limit: INLINE_BYTES, others })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;

    use super::*;

    fn args(folder: &Path, more: &[&str]) -> Args {
        let line = ["callqa", "publish", folder.to_str().unwrap()].into_iter().chain(more.iter().copied());
        match crate::Cli::try_parse_from(line).unwrap().command {
            crate::Command::Publish(args) => args,
            other => panic!("{other:?}"),
        }
    }

    /// What is said where `z.wav` is gone by the time it is to be read, if it `is_gone`.
    #[track_caller]
    fn check(more: &[&str], is_gone: bool, expect: &str) {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.wav", "z.wav"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let args = args(folder.path(), more);
        let calls = args.description.calls(&args.path).unwrap();
        if is_gone {
            fs::remove_file(folder.path().join("z.wav")).unwrap();
        }
        let error = args.contents(&calls).unwrap_err().to_string();
        assert!(error.contains(expect) && error.lines().count() == 1, "{error}");
    }

    #[test]
    fn every_recording_is_read_before_the_first_is_sent() {
        check(&[], true, "z.wav: No such file");
        check(&["--inline"], true, "z.wav: No such file");
    }

    #[test]
    fn an_event_that_a_worker_would_refuse_is_refused_here() {
        let slash = "a.wav: the event has 1 mistake: tenant must not hold `/`";
        check(&["--tenant", "acme/eu"], false, slash);
        check(&["--tenant", "acme/eu", "--inline"], false, slash);
        check(&["--tenant", ""], false, "tenant is missing or empty");
    }
}
