//! The worker's settings: a TOML file, overlaid by the environment. `deploy/worker.toml` documents
//! each of them with its default.

mod check;
mod decoding;
mod reader;
mod setting;
mod store;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use callqa_proto::Topic;

pub use decoding::Decoding;
use reader::Reader;
pub use setting::{ByteSize, Secret, Setting};
pub use store::{ObjectStore, Store};

/// More analysts than this on one machine is a slip of the pen.
pub const MOST_ANALYSTS: usize = 512;
/// Where old calls come in, beside the live ones.
const BACKFILL_TOPIC: &str = "qa.calls.backfill.v1";
/// What calls are judged by where nothing else is set.
pub const DEFAULT_RULEBOOK: &str = "deploy/rulebooks/service-baseline.toml";

/// Everything that an operator can set.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where calls come from and results go.
    pub kafka: Kafka,
    /// Where recordings may be fetched from.
    pub store: Store,
    /// For how long a recording that is not there is waited for.
    pub recording_grace: Duration,
    /// Who listens.
    pub analysts: Analysts,
    /// Where recordings are decoded.
    pub decoding: Decoding,
    /// Where it is written which calls are in hand; none where absent.
    pub journal: Option<PathBuf>,
    /// The model files.
    pub models: Models,
    /// The rulebook.
    pub rulebook: PathBuf,
    /// What is too much.
    pub limits: Limits,
    /// How long running calls may go on once the worker is told to stop.
    pub drain_timeout: Duration,
    /// Where `/metrics`, `/live` and `/ready` are served.
    pub http_listen: SocketAddr,
    /// How log lines look.
    pub log_format: LogFormat,
}

/// The broker, the group and the topics.
#[derive(Debug, Clone, PartialEq)]
pub struct Kafka {
    /// `host:port`, several with commas.
    pub brokers: String,
    /// The consumer group.
    pub group: String,
    /// Static membership: the same name after a restart keeps the same partitions.
    pub instance_id: Option<String>,
    /// After this time without a heartbeat the broker gives our partitions to others.
    pub session_timeout: Duration,
    /// After this time without a poll the client itself leaves the group.
    pub max_poll_interval: Duration,
    /// Further options of librdkafka, for TLS and SASL above all.
    pub client: BTreeMap<String, Secret>,
    /// The topics.
    pub topics: Topics,
}

/// Names of the topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    /// In: calls.
    pub calls: Vec<String>,
    /// Out: the endings.
    pub results: String,
    /// Out: verdicts and findings.
    pub findings: String,
    /// Out: transcripts with all probabilities.
    pub observations: String,
    /// Out: flagged calls for humans.
    pub review_tasks: String,
    /// Out: what is known of calls without an assessment.
    pub dead_letters: String,
}

impl Topics {
    /// The name that a topic has here.
    #[must_use]
    pub fn name(&self, topic: Topic) -> &str {
        match topic {
            Topic::Recorded => self.calls.first().map_or(topic.default_name(), String::as_str),
            Topic::Findings => &self.findings,
            Topic::Observations => &self.observations,
            Topic::ReviewTasks => &self.review_tasks,
            Topic::DeadLetters => &self.dead_letters,
            Topic::Results => &self.results,
        }
    }

    /// The topics that the worker writes, each with its key in the configuration.
    #[must_use]
    pub fn written(&self) -> [(&'static str, &str); 5] {
        [
            ("kafka.topics.results", &self.results),
            ("kafka.topics.findings", &self.findings),
            ("kafka.topics.observations", &self.observations),
            ("kafka.topics.review_tasks", &self.review_tasks),
            ("kafka.topics.dead_letters", &self.dead_letters),
        ]
    }
}

/// The analyst threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analysts {
    /// How many calls are judged at the same time.
    pub count: usize,
    /// The longest that one call may take.
    pub deadline: Duration,
    /// How often a call is tried whose failure may pass.
    pub attempts: usize,
    /// After so many ends of the process while a call was judged, it is not begun any more.
    pub crashes: usize,
}

/// The model files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Models {
    /// The folder that `models/fetch` fills.
    pub dir: PathBuf,
    /// The folder of the three classifiers.
    pub heads: PathBuf,
    /// The manifest that pins every file.
    pub manifest: PathBuf,
    /// Which of the manifest's Whisper files transcribes.
    pub whisper: String,
    /// Which graphics processor it takes, from 0.
    pub device: u16,
}

/// What is refused. These settings change results, so they are part of a result's provenance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest recording.
    pub recording_bytes: ByteSize,
    /// The longest recording.
    pub recording_duration: Duration,
    /// The most channels that a recording may have.
    pub recording_channels: u16,
}

impl Limits {
    /// BLAKE3, in hex, over all settings that can change a result: these limits, one a line, each as
    /// `key = value` in bytes, milliseconds or pieces. Models and rulebook have digests of their own.
    #[must_use]
    pub fn digest(&self) -> String {
        let lines = format!(
            "limits.recording_bytes = {}\nlimits.recording_duration = {}\nlimits.recording_channels = {}\n",
            self.recording_bytes.0,
            self.recording_duration.as_millis(),
            self.recording_channels,
        );
        callqa_domain::identity::content_digest(lines.as_bytes())
    }
}

impl Limits {
    /// The same for the decoder; its other limits are not for operators to set.
    #[must_use]
    pub fn for_audio(&self) -> callqa_audio::Limits {
        callqa_audio::Limits {
            max_bytes: self.recording_bytes.0,
            max_duration: self.recording_duration,
            max_channels: self.recording_channels,
            ..callqa_audio::Limits::default()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Four hours of 8 kHz stereo in 16 bits are 440 MiB.
            recording_bytes: ByteSize::mebibytes(512),
            recording_duration: Duration::from_secs(4 * 3600),
            recording_channels: 2,
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl Setting for LogFormat {
    fn read(value: &toml::Value) -> Result<Self, String> {
        match value.as_str() {
            Some("json") => Ok(Self::Json),
            Some("text") => Ok(Self::Text),
            _ => Err(format!("{value} is neither \"json\" nor \"text\"")),
        }
    }
}

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The setting.
    pub key: String,
    /// What is wrong, and what would come of it.
    pub what: String,
}

/// Why the configuration can't be used: a letter to the operator.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no such file, or it can't be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML. The parser's own words would quote the line, which may hold a password.
    #[error("{}: line {line}: {what}", path.display())]
    NotToml {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// Why.
        what: String,
    },
    /// Everything that is wrong with the settings.
    #[error("{}", letter(origin, mistakes))]
    Mistakes {
        /// The file's name, or `environment`.
        origin: String,
        /// What is wrong.
        mistakes: Vec<Mistake>,
    },
}

impl ConfigError {
    /// Refuses settings that have mistakes.
    pub(crate) fn unless_none(file: Option<&Path>, mistakes: Vec<Mistake>) -> Result<(), Self> {
        if mistakes.is_empty() {
            return Ok(());
        }
        let name = file.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        Err(Self::Mistakes { origin: name.unwrap_or_else(|| "environment".to_owned()), mistakes })
    }
}

fn not_toml(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let before = error.span().and_then(|span| text.as_bytes().get(..span.start));
    let line = 1 + before.map_or(0, |before| before.iter().filter(|byte| **byte == b'\n').count());
    ConfigError::NotToml { path: path.to_owned(), line, what: error.message().to_owned() }
}

fn letter(origin: &str, mistakes: &[Mistake]) -> String {
    let width = mistakes.iter().map(|mistake| mistake.key.len()).max().unwrap_or(0);
    let plural = if mistakes.len() == 1 { "" } else { "s" };
    let mut letter = format!("{origin}: {} mistake{plural}", mistakes.len());
    for mistake in mistakes {
        letter.push_str(&format!("\n  {:width$}  {}", mistake.key, mistake.what));
    }
    letter
}

impl Config {
    /// Reads a file, if one is given, and lays the environment over it.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let (config, mistakes) = Self::survey(file, environment)?;
        ConfigError::unless_none(file, mistakes).map(|()| config)
    }

    /// The same with its mistakes beside it; a setting that is wrong has its default.
    ///
    /// # Errors
    /// A file that can't be read, or that is no TOML.
    pub fn survey(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Self, Vec<Mistake>), ConfigError> {
        let mut table = toml::Table::new();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
            table = text.parse().map_err(|error| not_toml(path, &text, &error))?;
        }
        let mut reader = Reader::new(table, environment);
        let config = Self::read(&mut reader);
        check::check(&config, &mut reader);
        Ok((config, reader.finish()))
    }

    fn read(reader: &mut Reader) -> Self {
        let limits = Limits::default();
        Self {
            kafka: Kafka::read(reader),
            store: Store::read(reader),
            recording_grace: reader.or("store.recording_grace", Duration::from_secs(15 * 60)),
            analysts: Analysts {
                count: reader.or("analysts.count", cores()),
                deadline: reader.or("analysts.deadline", Duration::from_secs(2 * 3600)),
                attempts: reader.or("analysts.attempts", 3),
                crashes: reader.or("analysts.crashes", 3),
            },
            decoding: Decoding::read(reader),
            journal: reader.or("journal.folder", None),
            models: Models {
                dir: reader.or("models.dir", default_models()),
                heads: reader.or("models.heads", "models/heads".into()),
                manifest: reader.or("models.manifest", "models/manifest.toml".into()),
                whisper: reader.or("models.whisper", "whisper-base-int8".to_owned()),
                device: reader.or("models.device", 0),
            },
            rulebook: reader.or("rulebook.file", DEFAULT_RULEBOOK.into()),
            limits: Limits {
                recording_bytes: reader.or("limits.recording_bytes", limits.recording_bytes),
                recording_duration: reader.or("limits.recording_duration", limits.recording_duration),
                recording_channels: reader.or("limits.recording_channels", limits.recording_channels),
            },
            drain_timeout: reader.or("stop.drain_timeout", Duration::from_secs(25)),
            http_listen: reader.or("http.listen", SocketAddr::from(([127, 0, 0, 1], 9464))),
            log_format: reader.or("log.format", LogFormat::Text),
        }
    }
}

impl Kafka {
    fn read(reader: &mut Reader) -> Self {
        let calls = vec![Topic::Recorded.default_name().to_owned(), BACKFILL_TOPIC.to_owned()];
        let calls = reader.or("kafka.topics.calls", calls);
        let mut topic = |key: &str, topic: Topic| reader.or(key, topic.default_name().to_owned());
        let topics = Topics {
            calls,
            results: topic("kafka.topics.results", Topic::Results),
            findings: topic("kafka.topics.findings", Topic::Findings),
            observations: topic("kafka.topics.observations", Topic::Observations),
            review_tasks: topic("kafka.topics.review_tasks", Topic::ReviewTasks),
            dead_letters: topic("kafka.topics.dead_letters", Topic::DeadLetters),
        };
        Self {
            brokers: reader.or("kafka.brokers", "127.0.0.1:9092".to_owned()),
            group: reader.or("kafka.group", "callqa".to_owned()),
            instance_id: reader.or("kafka.instance_id", None),
            session_timeout: reader.or("kafka.session_timeout", Duration::from_secs(30)),
            max_poll_interval: reader.or("kafka.max_poll_interval", Duration::from_secs(300)),
            client: reader.options("kafka.client"),
            topics,
        }
    }
}

/// The environment, but for what is no text.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// `$CALLQA_MODELS`, or the cache folder that `models/fetch` fills by default.
fn default_models() -> PathBuf {
    let cache = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/callqa/models");
    std::env::var_os("CALLQA_MODELS").map_or_else(cache, PathBuf::from)
}

#[cfg(test)]
mod tests;
