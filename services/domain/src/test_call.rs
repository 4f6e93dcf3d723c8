//! Calls in one line, for tests: `a@0-1000 您好 #greeting | c@1200-3000 我的网断了 #states_issue?`.
//!
//! `a` and `c` are the speakers, times are milliseconds (two seconds an utterance where absent), `#label`
//! holds, `#label?` is in doubt, `~` before the text makes it hard to hear. `lang=en` comes first.

use crate::{
    Channel, ChannelObserved, Label, Language, Observations, Observed, OutcomeEstimate, RawText, Span,
    Threshold, Utterance, redact,
};

pub(crate) fn transcript(lines: &str) -> Vec<Observed> {
    let lines = lines.split('|').map(str::trim).filter(|line| !line.starts_with("lang="));
    lines.enumerate().map(|(i, line)| observed(i as u64, line)).collect()
}

fn observed(index: u64, line: &str) -> Observed {
    let (who, said) = line.split_once(' ').expect("speaker, then text");
    let (who, times) = who.split_once('@').unwrap_or((who, ""));
    let channel = match who {
        "a" => Channel::Agent,
        "c" => Channel::Customer,
        "m" => Channel::Mixed,
        other => panic!("no such speaker: {other}"),
    };
    let span = times.split_once('-').map_or(Span::new(index * 2_500, index * 2_500 + 2_000), |(from, to)| {
        Span::new(from.parse().expect("milliseconds"), to.parse().expect("milliseconds"))
    });
    let mut parts = said.split(" #");
    let text = parts.next().expect("text").trim();
    let (text, confidence) = text.strip_prefix('~').map_or((text, 0.9), |hard| (hard, 0.1));
    let scores = parts
        .map(|part| match part.trim().strip_suffix('?') {
            Some(doubtful) => (label(doubtful), 0.5),
            None => (label(part.trim()), 0.9),
        })
        .collect();
    let (text, redactions) = redact(&RawText::new(text));
    Observed { utterance: Utterance { channel, span, text, redactions, confidence }, scores }
}

fn label(name: &str) -> Label {
    *Label::ALL.iter().find(|label| label.name() == name).unwrap_or_else(|| panic!("no label {name}"))
}

pub(crate) fn call_from(lines: &str) -> Observations {
    let utterances = transcript(lines);
    let language = if lines.trim_start().starts_with("lang=en") { Language::En } else { Language::Zh };
    let speech = |channel| {
        utterances.iter().filter(|o| o.utterance.channel == channel).map(|o| o.utterance.span).collect()
    };
    let mono = utterances.iter().any(|o| o.utterance.channel == Channel::Mixed);
    let channels: &[Channel] = if mono { &[Channel::Mixed] } else { &[Channel::Agent, Channel::Customer] };
    Observations {
        duration_ms: utterances.iter().map(|o| o.utterance.span.end_ms).max().unwrap_or(0),
        dual_mono: false,
        channels: channels
            .iter()
            .map(|&channel| ChannelObserved { channel, language: Some(language), speech: speech(channel) })
            .collect(),
        gaps: Vec::new(),
        thresholds: Label::ALL.iter().map(|&label| (label, Threshold { holds: 0.6, doubt: 0.4 })).collect(),
        outcome: Some(estimate(&utterances)),
        utterances,
    }
}

/// As a model would say it that hears nothing but the last word on the matter.
fn estimate(utterances: &[Observed]) -> OutcomeEstimate {
    let last = |labels: &[Label]| {
        utterances
            .iter()
            .rposition(|o| labels.iter().any(|label| o.scores.get(label).is_some_and(|&p| p > 0.6)))
    };
    let resolved = last(&[Label::ConfirmsResolved, Label::NothingMore]);
    let partially = last(&[Label::PromisesCallback, Label::Escalates]);
    let unresolved = last(&[Label::SaysUnresolved, Label::RejectsExplanation, Label::Dissatisfied]);
    let latest = resolved.max(partially).max(unresolved);
    let share = |at: Option<usize>| if latest.is_some() && at == latest { 0.8 } else { 0.1 };
    OutcomeEstimate {
        resolved: share(resolved),
        partially_resolved: share(partially),
        unresolved: share(unresolved),
    }
}
