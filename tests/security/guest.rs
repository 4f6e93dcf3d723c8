//! A worker process that a test starts in its own way.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use callqa_tests::wait_for;
use serde_json::json;

/// It hashes its models and joins its group first.
const READY_WITHIN: Duration = Duration::from_secs(90);

/// A running worker; killed with its owner.
pub struct Guest {
    process: Child,
    http: String,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

impl Guest {
    /// Starts a command that runs a worker which serves its pages at `http`.
    pub fn start(mut command: Command, http: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("worker.log");
        let process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .expect("the worker starts");
        Self { process, http: http.to_owned(), log, _folder: folder }
    }

    /// Waits until it takes calls.
    pub fn ready(self) -> Self {
        let ready = wait_for(READY_WITHIN, || self.get("/ready").filter(|answer| answer.contains(" 200 ")));
        assert!(ready.is_some(), "ready within {READY_WITHIN:?}; its log:\n{}", self.log());
        self
    }

    pub fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(&self.http).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The most memory that it ever held, in MiB.
    pub fn peak_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1024
    }

    /// Waits for its end.
    pub fn end(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An address that was free a moment ago, and the settings of a worker that serves its pages there.
pub fn settings(brokers: &str, file_root: &str) -> (String, Vec<(&'static str, String)>) {
    let http = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let settings = vec![
        ("CALLQA_KAFKA__BROKERS", brokers.to_owned()),
        ("CALLQA_KAFKA__SESSION_TIMEOUT", "6s".to_owned()),
        ("CALLQA_STORE__FILE_ROOTS", format!("[{file_root:?}]")),
        ("CALLQA_STORE__PATIENCE", "0s".to_owned()),
        ("CALLQA_HTTP__LISTEN", http.clone()),
    ];
    (http, settings)
}

/// One of the programs that are tested.
pub fn program(name: &str) -> PathBuf {
    let folder = std::env::var_os("CALLQA_BIN").expect("CALLQA_BIN: run these tests with tests/run");
    PathBuf::from(folder).join(name)
}

/// The folder of the models.
pub fn models() -> PathBuf {
    PathBuf::from(std::env::var_os("CALLQA_MODELS").expect("CALLQA_MODELS: run these tests with tests/run"))
}

/// An event about a recording.
pub fn event(call_id: &str, uri: &str) -> Vec<u8> {
    let event =
        json!({ "tenant": "demo", "call_id": call_id, "agent_language": "en", "recording": { "uri": uri } });
    event.to_string().into_bytes()
}

/// A silent µ-law WAV file of so many seconds, stereo.
pub fn silence(seconds: u32) -> Vec<u8> {
    let bytes = seconds * 16_000;
    let mut file = b"RIFF".to_vec();
    file.extend((38 + bytes).to_le_bytes());
    file.extend(b"WAVEfmt \x12\0\0\0\x07\0\x02\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x08\0\0\0data");
    file.extend(bytes.to_le_bytes());
    file.resize(file.len() + bytes as usize, 0xff);
    file
}
