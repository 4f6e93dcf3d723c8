//! Why a command could not do its work: one clear sentence each, with what to do.

use std::io;
use std::path::{Path, PathBuf};

use callqa_domain::RulebookErrors;
use callqa_models::ModelError;
use callqa_worker::app::AppError;
use callqa_worker::config::ConfigError;

use crate::kafka::REACH;
use crate::metadata::SheetError;
use crate::rules::{Mistake, counted};

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A file or folder can't be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that would fill the memory.
    #[error("{}: the file is longer than {limit_mib} MiB; cut it into several", path.display())]
    FileTooLong {
        /// Which.
        path: PathBuf,
        /// How many mebibytes it may have.
        limit_mib: usize,
    },
    /// A folder without recordings.
    #[error("{}: there is no recording in this folder (files ending in {endings}; subfolders are not searched)", folder.display())]
    NoRecordings {
        /// The folder.
        folder: PathBuf,
        /// What recordings end in.
        endings: String,
    },
    /// Two recordings would be the same call.
    #[error(
        "{} and {} have the same call id; rename one, or give each its own in a CSV with the columns file,call_id",
        first.display(), second.display()
    )]
    SameCallId {
        /// A file.
        first: PathBuf,
        /// Another file.
        second: PathBuf,
    },
    /// The CSV that describes the calls has mistakes.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// The figures of a plan have mistakes.
    #[error("{}: {what}", path.display())]
    Figures {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The worker's configuration has mistakes.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The rulebook of a worker's configuration can't be read or has mistakes.
    #[error(transparent)]
    Worker(#[from] AppError),
    /// A rulebook has mistakes.
    #[error("{}: {mistakes}", path.display())]
    Rulebook {
        /// The file.
        path: PathBuf,
        /// All of them.
        mistakes: RulebookErrors,
    },
    /// Tests of a rulebook that have mistakes.
    #[error(
        "{file}: {} mistake{}{}", mistakes.len(), if mistakes.len() == 1 { "" } else { "s" },
        mistakes.iter().map(|mistake| format!("\n  {file}:{mistake}")).collect::<String>()
    )]
    Cases {
        /// The file.
        file: String,
        /// All of them.
        mistakes: Vec<Mistake>,
    },
    /// A rule that the rulebook does not have.
    #[error("{rulebook} has no rule {rule}; `callqa rules explain CALL` without --rule names all of them")]
    NoRule {
        /// Its id.
        rule: String,
        /// The rulebook's id.
        rulebook: String,
    },
    /// A call that no file has.
    #[error("no file has a call with the id {call}")]
    NoCall {
        /// Its id.
        call: String,
    },
    /// Several calls where one is written.
    #[error("the files have {calls} calls; name one with --call, or a folder for all of them with --out")]
    NotOneCall {
        /// How many there are.
        calls: usize,
    },
    /// A file of text that is none.
    #[error("{file}: this is not UTF-8; save it in that encoding")]
    NotUtf8 {
        /// The file.
        file: String,
    },
    /// The models can't be opened.
    #[error("{0}")]
    Models(#[from] ModelError),
    /// No broker answered.
    #[error(
        "no Kafka broker answered at {brokers} within {} s{}; start one, or name yours with --brokers or \
         CALLQA_BROKERS", REACH.as_secs(), because(reason.as_deref())
    )]
    Unreachable {
        /// Where one was looked for.
        brokers: String,
        /// What the client last heard.
        reason: Option<String>,
    },
    /// A topic is missing.
    #[error("the broker at {brokers} has no topic {topic}; `callqa topics create` makes it")]
    NoTopic {
        /// The broker.
        brokers: String,
        /// The topic.
        topic: String,
    },
    /// The broker refused something, or the connection broke.
    #[error("{doing} failed: {source}")]
    Kafka {
        /// What was being done.
        doing: String,
        /// What the client said.
        source: rdkafka::error::KafkaError,
    },
    /// Something was waited for in vain.
    #[error("{0}")]
    TimedOut(String),
    /// Recordings that are too large to travel inside their events.
    #[error(
        "{}: {bytes} bytes, more than the {limit} that fit into an event{}; publish by URI", path.display(),
        too(*others)
    )]
    TooLargeInline {
        /// The first of them.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// The limit.
        limit: usize,
        /// How many more there are.
        others: usize,
    },
    /// A topic could not be made.
    #[error("the broker does not make the topic {topic}: {reason}")]
    TopicRefused {
        /// Which.
        topic: String,
        /// What it said.
        reason: String,
    },
    /// Something can't be written as JSON.
    #[error("this can't be written as JSON: {source}")]
    Json {
        /// Why.
        source: serde_json::Error,
    },
    /// A report could not be written.
    #[error("the report can't be written: {source}")]
    Template {
        /// Why.
        source: askama::Error,
    },
    /// The runtime that waits for the broker's answer can't be set up.
    #[error("the asynchronous runtime can't be set up: {0}")]
    Runtime(io::Error),
    /// Standard output or a file could not be written.
    #[error("{path}: {source}")]
    Unwritable {
        /// Where to.
        path: String,
        /// Why not.
        source: io::Error,
    },
}

impl CliError {
    /// A file or folder can't be read.
    pub fn unreadable(path: &Path, source: io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), source }
    }

    /// Whoever read our output has gone: no reason for a message.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Unwritable { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}

fn too(others: usize) -> String {
    if others == 0 { String::new() } else { format!(" ({} too)", counted(others, "other recording")) }
}

fn because(reason: Option<&str>) -> String {
    reason.map_or_else(String::new, |reason| format!(" ({reason})"))
}
