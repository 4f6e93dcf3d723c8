//! A worker process.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::broker::{Broker, free_address};
use crate::process::{Owned, program};
use crate::top;

/// How long a started worker may take to be ready: it hashes its models and joins its group.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running worker.
#[derive(Debug)]
pub struct Worker {
    process: Owned,
    http: String,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

impl Worker {
    /// Starts a worker that may read recordings below `root`, and waits until it is ready.
    ///
    /// # Panics
    /// Where it does not become ready in time; its log is shown.
    #[must_use]
    pub fn start(broker: &Broker, root: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("worker.log");
        let http = free_address();
        let process = Command::new(program("callqa-worker"))
            .current_dir(top())
            .args(["--config", "deploy/worker.toml"])
            .env("CALLQA_KAFKA__BROKERS", broker.address())
            .env("CALLQA_STORE__FILE_ROOTS", format!("[{:?}]", root.to_string_lossy()))
            .env("CALLQA_HTTP__LISTEN", &http)
            // The development broker lets a group wait for half of this before its first assignment.
            .env("CALLQA_KAFKA__SESSION_TIMEOUT", "6s")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("a log"))
            .spawn()
            .map(Owned)
            .expect("the worker starts");
        let worker = Self { process, http, log, _folder: folder };
        let ready =
            crate::wait_for(READY_WITHIN, || worker.get("/ready").filter(|answer| answer.contains(" 200 ")));
        assert!(ready.is_some(), "the worker is ready within {READY_WITHIN:?}; its log:\n{}", worker.log());
        worker
    }

    /// The whole answer to an HTTP GET, or `None` where nobody answers.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(&self.http).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// What it wrote so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks it to stop, as a service manager does, and waits; the exit code.
    ///
    /// # Panics
    /// Where it can't be asked.
    pub fn stop(mut self) -> Option<i32> {
        let id = self.process.0.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status().expect("kill");
        assert!(asked.success());
        self.process.0.wait().expect("it ends").code()
    }
}
