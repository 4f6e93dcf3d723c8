//! A worker process.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::broker::{Broker, free_address};
use crate::process::{Owned, program};
use crate::top;

/// How long a started worker may take to be ready: it hashes its models and joins its group.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// A worker that does not answer within this is none that works.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How a worker is started.
#[derive(Debug, Clone)]
pub struct Launch {
    program: PathBuf,
    settings: BTreeMap<String, String>,
}

impl Launch {
    /// The released worker, which may read recordings below `root`.
    #[must_use]
    pub fn released(brokers: &str, root: &Path) -> Self {
        Self::of(program("callqa-worker"), brokers, root)
    }

    /// The same with scripted models ([`crate::calls`] makes calls for them): an example of the worker's crate.
    ///
    /// # Panics
    /// Where `$CALLQA_SCRIPTED_WORKER` is not set: run the tests through `tests/run`.
    #[must_use]
    pub fn scripted(brokers: &str, root: &Path) -> Self {
        let scripted = std::env::var_os("CALLQA_SCRIPTED_WORKER");
        let scripted = scripted.expect("CALLQA_SCRIPTED_WORKER: run these tests with tests/run");
        Self::of(scripted.into(), brokers, root)
    }

    fn of(program: PathBuf, brokers: &str, root: &Path) -> Self {
        let launch = Self { program, settings: BTreeMap::new() };
        launch
            .set("kafka.brokers", brokers)
            .set("store.file_roots", &format!("[{:?}]", root.to_string_lossy()))
            // The development broker lets a group wait for half of this before its first assignment.
            .set("kafka.session_timeout", "6s")
    }

    /// The same with this setting.
    #[must_use]
    pub fn set(mut self, key: &str, value: &str) -> Self {
        let name = format!("CALLQA_{}", key.to_uppercase().replace('.', "__"));
        self.settings.insert(name, value.to_owned());
        self
    }

    /// The same, with everything in its log that it can say.
    #[must_use]
    pub fn talkative(mut self) -> Self {
        self.settings.insert("RUST_LOG".to_owned(), "trace".to_owned());
        self
    }

    /// Starts a worker and waits until it is ready.
    ///
    /// # Panics
    /// Where it does not become ready in time; its log is shown.
    #[must_use]
    pub fn start(&self) -> Worker {
        let mut worker = self.spawn();
        let ready = crate::wait_for(READY_WITHIN, || {
            let ended = worker.ended().map(|_| false);
            if worker.is_ready() { Some(true) } else { ended }
        });
        assert!(
            ready == Some(true),
            "the worker is ready within {READY_WITHIN:?}; its log:\n{}",
            worker.log()
        );
        worker
    }

    /// Starts a worker.
    ///
    /// # Panics
    /// Where there is no such program.
    #[must_use]
    pub fn spawn(&self) -> Worker {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("worker.log");
        let http = free_address();
        let process = Command::new(&self.program)
            .current_dir(top())
            .env("CALLQA_CONFIG", "deploy/worker.toml")
            // As deploy/Dockerfile sets it.
            .env("MALLOC_ARENA_MAX", "2")
            .env("CALLQA_HTTP__LISTEN", &http)
            .envs(&self.settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("a log"))
            .spawn()
            .map(Owned)
            .expect("the worker starts");
        Worker { process, http, log, _folder: folder }
    }
}

/// A running worker.
#[derive(Debug)]
pub struct Worker {
    process: Owned,
    http: String,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

impl Worker {
    /// Starts a released worker that may read recordings below `root`, and waits until it is ready.
    ///
    /// # Panics
    /// Where it does not become ready in time; its log is shown.
    #[must_use]
    pub fn start(broker: &Broker, root: &Path) -> Self {
        Launch::released(broker.address(), root).start()
    }

    /// The whole answer to an HTTP GET, or `None` where nobody answers.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(&self.http).ok()?;
        stream.set_read_timeout(Some(ANSWER_WITHIN)).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// Whether it takes calls.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.get("/ready").is_some_and(|answer| answer.contains(" 200 "))
    }

    /// The value of a metric with its labels; 0 where it has none yet.
    ///
    /// # Panics
    /// Where it is no number.
    #[must_use]
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").unwrap_or_default();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().expect("a number"))
    }

    /// What it wrote so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its resident memory, in KiB.
    ///
    /// # Panics
    /// Where the system does not tell.
    #[must_use]
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.0.id()));
        let status = status.expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Asks it to stop, as a service manager does, and waits; the exit code.
    ///
    /// # Panics
    /// Where it can't be asked.
    pub fn stop(mut self) -> Option<i32> {
        self.process.signal("TERM");
        self.process.0.wait().expect("it ends").code()
    }

    /// Ends it without a word: SIGKILL.
    ///
    /// # Panics
    /// Where it can't be ended.
    pub fn kill(mut self) {
        self.process.0.kill().expect("kill");
        self.process.0.wait().expect("it ends");
    }

    /// How it ended, if it did.
    ///
    /// # Panics
    /// Where the system does not tell.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.0.try_wait().expect("a child")
    }
}
