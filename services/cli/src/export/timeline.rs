//! The call as a picture: who spoke when, and where something was violated.

use callqa_domain::{Channel, Observations, Ruling, Span, Verdict};

use crate::render::time;
use crate::words::Tongue;

/// The picture's width in its own units: a call of any length is as wide.
const WIDTH: f64 = 1_000.0;
/// A stretch is at least this wide, or nobody sees it.
const NARROWEST: f64 = 1.5;
/// Marks of time under the picture, at the most.
const MOST_TICKS: u64 = 8;
/// What may lie between two marks of time, in seconds.
const TICK_SECONDS: [u64; 9] = [5, 10, 15, 30, 60, 120, 300, 600, 1_800];

/// The picture.
pub(super) struct Timeline {
    pub(super) lanes: Vec<Lane>,
    pub(super) marks: Vec<Mark>,
    pub(super) ticks: Vec<Tick>,
}

/// One channel.
pub(super) struct Lane {
    pub(super) name: &'static str,
    /// For its colour.
    pub(super) class: &'static str,
    pub(super) speech: Vec<Bar>,
}

/// A stretch, in the picture's units.
pub(super) struct Bar {
    pub(super) x: f64,
    pub(super) width: f64,
}

/// Where a rule was violated.
pub(super) struct Mark {
    pub(super) x: f64,
    /// The rule's id, to lead to it.
    pub(super) rule: String,
    pub(super) at: String,
}

/// A mark of time.
pub(super) struct Tick {
    pub(super) x: f64,
    pub(super) label: String,
}

pub(super) fn of(observations: &Observations, verdicts: &[Verdict], tongue: Tongue) -> Timeline {
    let scale = Scale(observations.duration_ms.max(1));
    let lane = |c: &callqa_domain::ChannelObserved| Lane {
        name: tongue.speaker(c.channel),
        class: match c.channel {
            Channel::Agent => "agent",
            Channel::Customer => "customer",
            Channel::Mixed => "mixed",
        },
        speech: c.speech.iter().map(|&span| scale.stretch(span)).collect(),
    };
    let violated = verdicts.iter().filter(|verdict| verdict.ruling == Ruling::Violated);
    let mark = |verdict: &Verdict| {
        let first = verdict.evidence.first()?;
        let at = first.span.start_ms;
        Some(Mark { x: scale.x(at), rule: verdict.rule.clone(), at: time(at) })
    };
    Timeline {
        lanes: observations.channels.iter().map(lane).collect(),
        marks: violated.filter_map(mark).collect(),
        ticks: scale.ticks(),
    }
}

/// Length of the call, in milliseconds.
struct Scale(u64);

impl Scale {
    #[allow(clippy::cast_precision_loss)] // a picture
    fn x(&self, ms: u64) -> f64 {
        (ms.min(self.0) as f64 / self.0 as f64 * WIDTH * 10.0).round() / 10.0
    }

    fn stretch(&self, span: Span) -> Bar {
        let (x, end) = (self.x(span.start_ms), self.x(span.end_ms));
        let width = ((end - x) * 10.0).round() / 10.0;
        Bar { x, width: width.max(NARROWEST) }
    }

    fn ticks(&self) -> Vec<Tick> {
        let seconds = self.0 / 1_000;
        let longest = seconds.div_ceil(MOST_TICKS).max(1);
        let step = TICK_SECONDS.into_iter().find(|step| *step >= longest).unwrap_or(longest);
        let marks = (0..=seconds / step).map(|number| number.saturating_mul(step).saturating_mul(1_000));
        marks.map(|ms| Tick { x: self.x(ms), label: time(ms) }).collect()
    }
}
