//! What goes on while calls are judged: one line that renews itself on a terminal, a line a call elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use unicode_width::UnicodeWidthStr;

use crate::render::{CallLine, Ended, time};
use crate::terminal;

/// Often enough to look alive, seldom enough to cost nothing.
const TICK: Duration = Duration::from_millis(250);
/// Columns of a terminal that a call's id has; a longer one pushes the rest of its line to the right.
const ID_COLUMNS: usize = 28;

/// What stands in for the renewing line where standard error is no terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unwatched {
    /// A line a call, and the sum.
    Lines,
    /// Nothing.
    Silence,
}

/// Counts calls as they end.
pub struct Progress {
    bar: Option<ProgressBar>,
    unwatched: Unwatched,
    total: Option<usize>,
    begun: Instant,
    done: usize,
    audio_ms: u64,
    flagged: usize,
    failed: usize,
}

impl Progress {
    /// Begins to count; `total` where it is known how many calls there will be.
    pub fn new(total: Option<usize>, unwatched: Unwatched) -> Self {
        let bar = terminal::is_watched().then(|| {
            let length = total.map(|total| total as u64);
            let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
            let template = if total.is_some() { "{spinner} {bar:24} {msg}" } else { "{spinner} {msg}" };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.enable_steady_tick(TICK);
            bar
        });
        let progress = Self {
            bar,
            unwatched,
            total,
            begun: Instant::now(),
            done: 0,
            audio_ms: 0,
            flagged: 0,
            failed: 0,
        };
        progress.show();
        progress
    }

    /// A call has ended.
    pub fn ended(&mut self, line: &CallLine) {
        self.done += 1;
        self.audio_ms += line.duration_ms.unwrap_or(0);
        self.flagged += usize::from(!line.flags.is_empty());
        self.failed += usize::from(matches!(line.ended, Ended::DeadLettered { .. }));
        match &self.bar {
            Some(bar) => bar.set_position(self.done as u64),
            None if self.unwatched == Unwatched::Lines => {
                terminal::note(&format!("{}  {}", self.count(), one_line(line)));
            }
            None => {}
        }
        self.show();
    }

    /// Runs `write` while the line is out of the way.
    pub fn aside<R>(&self, write: impl FnOnce() -> R) -> R {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Takes the line away and leaves the sum.
    pub fn finish(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if self.bar.is_some() || self.unwatched == Unwatched::Lines {
            terminal::note(&self.sum(self.begun.elapsed()));
        }
    }

    fn show(&self) {
        if let Some(bar) = &self.bar {
            bar.set_message(self.sum(self.begun.elapsed()));
        }
    }

    fn count(&self) -> String {
        self.total.map_or_else(|| self.done.to_string(), |total| format!("{}/{total}", self.done))
    }

    /// `3/14 calls · 0.06 audio hours · 4.9× real time · 2 flagged · 0 failed`
    fn sum(&self, elapsed: Duration) -> String {
        let audio = Duration::from_millis(self.audio_ms);
        let speed = audio.as_secs_f64() / elapsed.as_secs_f64().max(f64::EPSILON);
        let hours = audio.as_secs_f64() / 3600.0;
        let failed = if self.failed > 0 { format!(" · {} failed", self.failed) } else { String::new() };
        format!(
            "{} calls · {hours:.2} audio hours · {speed:.1}× real time · {} flagged{failed}",
            self.count(),
            self.flagged
        )
    }
}

/// `call  1:12  zh  unresolved  62  conduct.rude`, in columns.
pub fn one_line(line: &CallLine) -> String {
    let length = line.duration_ms.map_or_else(|| "–".to_owned(), time);
    let language = line.language.as_deref().unwrap_or("–");
    let (outcome, score) = line.ended.outcome_and_score();
    let flags: Vec<&str> = line.flags.iter().map(|flag| flag.reason.as_str()).collect();
    // A Han character takes two columns, and `{:<28}` counts it as one.
    let call = format!("{}{}", line.call, " ".repeat(ID_COLUMNS.saturating_sub(line.call.width())));
    let row = format!("{call} {length:>7} {language:<2} {outcome:<20} {score:>4}  {}", flags.join(", "));
    row.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress() -> Progress {
        Progress {
            bar: None,
            unwatched: Unwatched::Silence,
            total: Some(14),
            begun: Instant::now(),
            done: 0,
            audio_ms: 0,
            flagged: 0,
            failed: 0,
        }
    }

    #[test]
    fn the_sum_has_calls_hours_and_speed() {
        let progress = Progress { done: 3, audio_ms: 180_000, flagged: 2, ..progress() };
        let sum = progress.sum(Duration::from_secs(60));
        assert_eq!(sum, "3/14 calls · 0.05 audio hours · 3.0× real time · 2 flagged");
    }

    #[track_caller]
    fn check_line(call: &str, expect: &str) {
        let ended = Ended::Assessed { score: 62, provisional: false, outcome: "unresolved".into() };
        let (duration_ms, language) = (Some(72_000), Some("zh".into()));
        let line = CallLine { call: call.into(), duration_ms, language, ended, flags: vec![] };
        assert_eq!(one_line(&line), expect);
    }

    #[test]
    fn columns_stand_below_each_other_in_any_script() {
        check_line("call-1", "call-1                          1:12 zh unresolved             62");
        check_line("客服录音-1", "客服录音-1                      1:12 zh unresolved             62");
        let long = "录音".repeat(10);
        check_line(&long, &format!("{long}    1:12 zh unresolved             62"));
    }

    #[test]
    fn failures_are_only_named_where_there_are_any() {
        let mut progress = progress();
        progress.ended(&CallLine {
            call: "c".into(),
            duration_ms: None,
            language: None,
            ended: Ended::DeadLettered { reason: "not_audio".into(), detail: String::new() },
            flags: vec![],
        });
        assert!(progress.sum(Duration::ZERO).ends_with("0 flagged · 1 failed"));
    }
}
