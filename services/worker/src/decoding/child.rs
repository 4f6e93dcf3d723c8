//! The child's side: it limits itself, reads the recording from its standard input and says its samples.

use std::fs::File;
use std::io::{self, BufWriter, Write, stdin, stdout};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::Duration;

use callqa_audio::{AudioError, Decoder, Limits};
use callqa_domain::DeadLetterReason;
use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};

use super::Outline;
use super::wire::{Message, Refusal};
use crate::analyst::recording_reason;

/// The first argument of a process that is to decode; no option of anybody's.
pub(super) const ASKED: &str = "decode-recording";

/// What a child is told, in this order, on its command line: nothing of it comes from a call but the name of a format.
pub(super) struct Task {
    pub memory: u64,
    pub limits: Limits,
    pub content_type: Option<&'static str>,
}

impl Task {
    pub fn arguments(&self) -> Vec<String> {
        let limits = &self.limits;
        let millis = |duration: Duration| duration.as_millis().try_into().unwrap_or(u64::MAX);
        let numbers = [
            self.memory,
            limits.max_bytes,
            millis(limits.max_duration),
            millis(limits.min_duration),
            limits.max_channels.into(),
            limits.min_sample_rate.into(),
            limits.max_sample_rate.into(),
            millis(limits.max_damage),
        ];
        let content_type = self.content_type.map(str::to_owned);
        [ASKED.to_owned()]
            .into_iter()
            .chain(numbers.map(|number| number.to_string()))
            .chain(content_type)
            .collect()
    }

    /// Reads the memory, the limits and the content type that follow [`ASKED`].
    pub fn read(mut arguments: impl Iterator<Item = String>) -> Option<(u64, Limits, Option<String>)> {
        let mut number = || arguments.next()?.parse::<u64>().ok();
        let memory = number()?;
        let limits = Limits {
            max_bytes: number()?,
            max_duration: Duration::from_millis(number()?),
            min_duration: Duration::from_millis(number()?),
            max_channels: number()?.try_into().ok()?,
            min_sample_rate: number()?.try_into().ok()?,
            max_sample_rate: number()?.try_into().ok()?,
            max_damage: Duration::from_millis(number()?),
        };
        Some((memory, limits, arguments.next()))
    }
}

/// Decodes the recording on standard input, where this process was started to do that and nothing else.
#[must_use]
pub fn run_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    (arguments.next()? == ASKED).then(|| {
        let done = Task::read(arguments).ok_or_else(|| io::ErrorKind::InvalidInput.into()).and_then(run);
        done.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
    })
}

fn run((memory, limits, content_type): (u64, Limits, Option<String>)) -> io::Result<()> {
    limit_itself(memory)?;
    let recording = File::from(stdin().as_fd().try_clone_to_owned()?);
    // Every message is flushed: the parent waits for each.
    let mut to = BufWriter::new(stdout().lock());
    speak(&recording, content_type.as_deref(), &limits, &mut to)
}

/// Before a byte of the recording is read.
fn limit_itself(memory: u64) -> io::Result<()> {
    let at_most = |most| Rlimit { current: Some(most), maximum: Some(most) };
    // A picture of its memory, left behind by a crash, would hold what a customer said.
    setrlimit(Resource::Core, at_most(0))?;
    setrlimit(Resource::As, at_most(memory))?;
    // Nobody waits for it once its parent is gone.
    Ok(set_parent_process_death_signal(Some(Signal::KILL))?)
}

/// Says everything of a recording: its survey, then its blocks.
pub(super) fn speak(
    recording: &File,
    content_type: Option<&str>,
    limits: &Limits,
    to: &mut impl Write,
) -> io::Result<()> {
    match decode(recording, content_type, limits, to) {
        Ok(()) => Ok(()),
        Err(Stop::Audio(error)) => say(&Message::Refused(refusal(&error)), to),
        Err(Stop::Said(error)) => Err(error),
    }
}

fn decode(
    recording: &File,
    content_type: Option<&str>,
    limits: &Limits,
    to: &mut impl Write,
) -> Result<(), Stop> {
    // Both decoders share one place in the file: opening puts it back to the start, and the first is gone by then.
    let open = || {
        let file = recording.try_clone().map_err(AudioError::Read)?;
        Decoder::open(file, content_type, limits)
    };
    let outline = survey(open()?, to)?;
    say(&Message::Outline(outline), to)?;
    let mut decoder = open()?;
    while let Some(block) = decoder.next_block()? {
        say(&Message::Block(block.channels), to)?;
    }
    Ok(say(&Message::End, to)?)
}

fn survey(mut decoder: Decoder, to: &mut impl Write) -> Result<Outline, Stop> {
    while decoder.next_block()?.is_some() {
        say(&Message::Progress, to)?;
    }
    Ok(decoder.summary().into())
}

fn say(message: &Message, to: &mut impl Write) -> io::Result<()> {
    message.write(to)?;
    to.flush()
}

fn refusal(error: &AudioError) -> Refusal {
    match error {
        // Readers ask first whether there is memory for what a header promises; elsewhere this process ends.
        AudioError::Read(error) if error.kind() == io::ErrorKind::OutOfMemory => Refusal {
            reason: DeadLetterReason::DecodeWorkExceeded,
            may_pass: false,
            said: "recording needs more memory than decoding.memory allows".to_owned(),
        },
        error => {
            let may_pass = matches!(error, AudioError::Read(_));
            Refusal { reason: recording_reason(error), may_pass, said: error.to_string() }
        }
    }
}

/// Why it does not go on: the recording, or nobody listens.
enum Stop {
    Audio(AudioError),
    Said(io::Error),
}

impl From<AudioError> for Stop {
    fn from(error: AudioError) -> Self {
        Self::Audio(error)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Said(error)
    }
}
