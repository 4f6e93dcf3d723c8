//! The parent's side: it starts a child for a recording, listens to it, and is rid of it in every case.

use std::io::{self, BufReader, ErrorKind, Read};
use std::path::PathBuf;
use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use callqa_audio::Format;
use callqa_models::StopSignal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::child::Task;
use super::wire::Message;
use super::{DecoderFault, Outline, Source};
use crate::analyst::AssessError;
use crate::config::ByteSize;
use crate::disposition::Disposition;

/// The program that runs already, whatever lies under its name by now.
const ITSELF: &str = "/proc/self/exe";
/// Ten seconds of a call take milliseconds; a machine that needs so long for them does not work.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);
/// Between two looks at the stop signal, in nanoseconds: a tenth of a second.
const LOOK_NANOS: i64 = 100_000_000;

/// How children are started.
#[derive(Debug, Clone)]
pub struct Apart {
    program: PathBuf,
    /// Before those that every child gets.
    arguments: Vec<String>,
    memory: ByteSize,
    silence: Duration,
}

impl Apart {
    /// Children of this program, each with so much memory.
    #[must_use]
    pub fn new(memory: ByteSize) -> Self {
        Self { program: ITSELF.into(), arguments: Vec::new(), memory, silence: LONGEST_SILENCE }
    }

    /// Another program in the child's place, and for how long it may be silent.
    #[cfg(test)]
    pub(super) fn by(program: &str, arguments: &[&str], silence: Duration) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { program: program.into(), arguments, memory: ByteSize::mebibytes(512), silence }
    }

    pub(super) fn start(&self, source: &Source<'_>, stop: &StopSignal) -> Result<Child, DecoderFault> {
        let task = Task {
            memory: self.memory.0,
            limits: source.limits.clone(),
            content_type: source.content_type.and_then(Format::from_content_type).map(Format::content_type),
        };
        let recording = source.recording.file().map_err(DecoderFault::NotStarted)?;
        let mut process = Command::new(&self.program)
            .args(&self.arguments)
            .args(task.arguments())
            // The environment may hold the broker's password: it is none of a decoder's business.
            .env_clear()
            .stdin(Stdio::from(recording))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(DecoderFault::NotStarted)?;
        let said = process.stdout.take().ok_or(DecoderFault::Garbled)?;
        let listener = Listener { said, silence: self.silence, stop: stop.clone() };
        Ok(Child { process, listener: BufReader::new(listener), memory: self.memory })
    }
}

/// A child that decodes. It does not outlive this.
pub struct Child {
    process: std::process::Child,
    listener: BufReader<Listener>,
    memory: ByteSize,
}

impl Child {
    /// Waits for the survey.
    pub(super) fn outline(&mut self) -> Result<Outline, AssessError> {
        loop {
            match self.next()? {
                Message::Progress => {}
                Message::Outline(outline) => return Ok(outline),
                Message::Block(_) | Message::End | Message::Refused(_) => {
                    return Err(DecoderFault::Garbled.into());
                }
            }
        }
    }

    /// The next block; `None` after the last.
    pub(super) fn block(&mut self) -> Result<Option<Vec<Vec<f32>>>, AssessError> {
        match self.next()? {
            Message::Block(channels) => Ok(Some(channels)),
            Message::End => Ok(None),
            Message::Progress | Message::Outline(_) | Message::Refused(_) => {
                Err(DecoderFault::Garbled.into())
            }
        }
    }

    fn next(&mut self) -> Result<Message, AssessError> {
        match Message::read(&mut self.listener) {
            Ok(Message::Refused(refusal)) => {
                let disposition = if refusal.may_pass { Disposition::Retry } else { Disposition::DeadLetter };
                Err(AssessError::Refused { reason: refusal.reason, disposition, said: refusal.said })
            }
            Ok(message) => Ok(message),
            Err(_) if self.listener.get_ref().stop.is_stopped() => Err(AssessError::Stopped),
            Err(error) => Err(self.fault(&error).into()),
        }
    }

    fn fault(&mut self, error: &io::Error) -> DecoderFault {
        match error.kind() {
            ErrorKind::TimedOut => DecoderFault::Silent(self.listener.get_ref().silence),
            ErrorKind::InvalidData => DecoderFault::Garbled,
            // It has closed its output: it ended, and where it did not, it does now.
            _ => {
                drop(self.process.kill());
                DecoderFault::ended(self.process.wait(), self.memory)
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Reads what a child says, and neither waits for ever nor misses the stop signal.
struct Listener {
    said: ChildStdout,
    silence: Duration,
    stop: StopSignal,
}

impl Read for Listener {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let began = Instant::now();
        loop {
            let look = Timespec { tv_sec: 0, tv_nsec: LOOK_NANOS };
            let ready = match poll(&mut [PollFd::new(&self.said, PollFlags::IN)], Some(&look)) {
                Err(rustix::io::Errno::INTR) => 0,
                ready => ready?,
            };
            if self.stop.is_stopped() {
                // What is read to its end must not be taken for the child's.
                return Err(ErrorKind::ConnectionAborted.into());
            }
            if ready > 0 {
                return self.said.read(buffer);
            }
            if began.elapsed() > self.silence {
                return Err(ErrorKind::TimedOut.into());
            }
        }
    }
}
