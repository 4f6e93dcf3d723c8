//! `callqa publish`: recordings of a folder become events on the input topic.

use std::fs;
use std::path::PathBuf;

use callqa_domain::identity;
use callqa_proto::INLINE_BYTES;

use crate::kafka::{self, Connection, Sender};
use crate::recording::{CallFile, Description};
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
    /// Mistakes in the folder or its CSV, and recordings that do not fit into their events, before anything is sent; a
    /// broker that is not there or does not acknowledge.
    pub fn run(&self) -> Result<Done, CliError> {
        let kafka = self.connection.settings()?;
        let calls = self.description.calls(&self.path)?;
        if self.inline {
            check_lengths(&calls)?;
        }
        let first = || kafka.topics.calls.first().cloned().unwrap_or_default();
        let topic = self.topic.clone().unwrap_or_else(first);
        kafka::expect_topic(&kafka, &topic)?;
        // Opened first: an ending may come before the last event is sent.
        let watch = if self.wait { Some(Watch::from_now_on(&kafka, &self.outlet)?) } else { None };

        let mut ending_ids = Vec::new();
        let mut sender = Sender::new(&kafka, &topic)?;
        for call in &calls {
            let event = self.event(call)?;
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

    fn event(&self, call: &CallFile) -> Result<callqa_proto::wire::CallRecorded, CliError> {
        let unreadable = |source| CliError::unreadable(&call.path, source);
        let content = call.content().map_err(unreadable)?;
        if !self.inline {
            return call.by_uri(&content).map_err(unreadable);
        }
        // It may have grown since.
        check_length(call, content.bytes, 0)?;
        let bytes = fs::read(&call.path).map_err(unreadable)?;
        Ok(call.inline(&content, bytes))
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
