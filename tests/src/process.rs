//! Child processes.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Finds one of our programs.
///
/// # Panics
/// Where `$CALLQA_BIN` is not set: run the tests through `tests/run`.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let folder = std::env::var_os("CALLQA_BIN").expect("CALLQA_BIN: run these tests with tests/run");
    PathBuf::from(folder).join(name)
}

/// How a program ended and what it said.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs `callqa` to its end.
///
/// # Panics
/// Where it can't be started.
#[must_use]
pub fn callqa(brokers: &str, arguments: &[&str]) -> Outcome {
    callqa_with(brokers, arguments, &[])
}

/// Runs `callqa` to its end, with these variables in its environment.
///
/// # Panics
/// Where it can't be started.
#[must_use]
pub fn callqa_with(brokers: &str, arguments: &[&str], settings: &[(&str, String)]) -> Outcome {
    let output = Command::new(program("callqa"))
        .args(arguments)
        .env("CALLQA_BROKERS", brokers)
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .output()
        .expect("callqa starts");
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A child that does not outlive its owner.
#[derive(Debug)]
pub struct Owned(pub Child);

impl Owned {
    /// Sends a signal, by its name.
    ///
    /// # Panics
    /// Where it can't be sent.
    pub fn signal(&self, name: &str) {
        let (signal, id) = (format!("-{name}"), self.0.id().to_string());
        assert!(Command::new("kill").args([signal, id]).status().expect("kill").success());
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
