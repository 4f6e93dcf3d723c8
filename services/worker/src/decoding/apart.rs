//! The parent's side: it starts a child for a recording, listens to it, and is rid of it in every case.

use std::io::{self, BufReader, ErrorKind, Read};
use std::path::PathBuf;
use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use callqa_audio::{Format, Limits};
use callqa_models::{SAMPLES_PER_MS, StopSignal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tracing::warn;

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
/// Between two attempts to start a process, in looks at the stop signal: a second.
const LOOKS_BETWEEN_STARTS: usize = 10;

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

    /// Starts a child, as soon as the machine has room for one: where handles, memory or processes are short, that is
    /// no call's fault.
    pub(super) fn start(&self, source: &Source<'_>, stop: &StopSignal) -> Result<Child, AssessError> {
        let mut is_first = true;
        let mut process = loop {
            match self.spawn(source) {
                Ok(process) => break process,
                Err(error) if is_first => {
                    warn!(
                        error = &error as &dyn std::error::Error,
                        "no process to decode a recording in; the call waits for one"
                    );
                }
                Err(_) => {}
            }
            is_first = false;
            for _ in 0..LOOKS_BETWEEN_STARTS {
                if stop.is_stopped() {
                    return Err(AssessError::Stopped);
                }
                std::thread::sleep(Duration::from_nanos(LOOK_NANOS.unsigned_abs()));
            }
        };
        let said = process.stdout.take().ok_or(DecoderFault::Garbled)?;
        let listener = Listener { said, silence: self.silence, stop: stop.clone() };
        Ok(Child {
            process,
            listener: BufReader::new(listener),
            memory: self.memory,
            limits: source.limits.clone(),
            tally: Tally::default(),
        })
    }

    fn spawn(&self, source: &Source<'_>) -> io::Result<std::process::Child> {
        let task = Task {
            memory: self.memory.0,
            limits: source.limits.clone(),
            content_type: source.content_type.and_then(Format::from_content_type).map(Format::content_type),
        };
        Command::new(&self.program)
            .args(&self.arguments)
            .args(task.arguments())
            // The environment may hold the broker's password: it is none of a decoder's business.
            .env_clear()
            .stdin(Stdio::from(source.recording.file()?))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
    }
}

/// A child that decodes. It does not outlive this.
pub struct Child {
    process: std::process::Child,
    listener: BufReader<Listener>,
    memory: ByteSize,
    limits: Limits,
    tally: Tally,
}

/// What a child has said of its recording: the samples must be those that its survey promised.
#[derive(Default)]
struct Tally {
    channels: usize,
    duration_ms: u64,
    /// Of each channel, so far.
    samples: u64,
}

impl Tally {
    /// `None` where a decoder with these limits would not have said it.
    fn of(outline: Outline, limits: &Limits) -> Option<Self> {
        let Outline { channels, duration_ms, .. } = outline;
        // Another sample rate may round up to the next sample, and so over the next millisecond.
        let longest_ms = limits.max_duration.as_millis().saturating_add(1);
        let is_allowed = (1..=usize::from(limits.max_channels)).contains(&channels)
            && u128::from(duration_ms) <= longest_ms;
        is_allowed.then_some(Self { channels, duration_ms, samples: 0 })
    }

    fn takes(&mut self, block: &[Vec<f32>]) -> bool {
        self.samples += block.first().map_or(0, Vec::len) as u64;
        block.len() == self.channels && self.samples / SAMPLES_PER_MS <= self.duration_ms
    }

    fn is_whole(&self) -> bool {
        self.samples / SAMPLES_PER_MS == self.duration_ms
    }
}

impl Child {
    /// Waits for the survey.
    pub(super) fn outline(&mut self) -> Result<Outline, AssessError> {
        loop {
            match self.next()? {
                Message::Progress => {}
                Message::Outline(outline) => {
                    self.tally = Tally::of(outline, &self.limits).ok_or(DecoderFault::Garbled)?;
                    return Ok(outline);
                }
                Message::Block(_) | Message::End | Message::Refused(_) => {
                    return Err(DecoderFault::Garbled.into());
                }
            }
        }
    }

    /// The next block; `None` after the last.
    pub(super) fn block(&mut self) -> Result<Option<Vec<Vec<f32>>>, AssessError> {
        match self.next()? {
            Message::Block(channels) if self.tally.takes(&channels) => Ok(Some(channels)),
            Message::End if self.tally.is_whole() => Ok(None),
            Message::Block(_)
            | Message::End
            | Message::Progress
            | Message::Outline(_)
            | Message::Refused(_) => Err(DecoderFault::Garbled.into()),
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
