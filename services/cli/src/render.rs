//! Calls as a table for people: one row a call, and below it one line of evidence a flag.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table};

/// A quote is cut after so many characters: enough to know it again, and the time is there to play the rest.
const QUOTE_CHARS: usize = 80;

/// On a narrower terminal cells would be folded letter by letter; there the lines may rather run over.
const NARROWEST: u16 = 72;

/// How a call ended, for a row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Judged.
    Assessed {
        /// 0–100.
        score: u32,
        /// The score stands only once a human has upheld it.
        provisional: bool,
        /// `resolved`, `unresolved` …
        outcome: String,
    },
    /// Not judged, on purpose, with the reason.
    Excluded(String),
    /// Could not be judged.
    DeadLettered {
        /// The published reason.
        reason: String,
        /// What can be done, in a sentence; may be empty.
        detail: String,
    },
}

impl Ended {
    /// Two cells.
    pub fn outcome_and_score(&self) -> (String, String) {
        let words = |code: &str| code.replace('_', " ");
        let none = || "–".to_owned();
        match self {
            Self::Assessed { score, provisional, outcome } => {
                (words(outcome), format!("{score}{}", if *provisional { "*" } else { "" }))
            }
            Self::Excluded(reason) => (format!("excluded: {}", words(reason)), none()),
            Self::DeadLettered { reason, .. } => (format!("failed: {}", words(reason)), none()),
        }
    }
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallLine {
    /// Its id.
    pub call: String,
    /// Length of the recording, in milliseconds.
    pub duration_ms: Option<u64>,
    /// `zh` or `en`.
    pub language: Option<String>,
    /// How it ended.
    pub ended: Ended,
    /// Why a human should look at it, most urgent first.
    pub flags: Vec<FlagLine>,
}

/// One reason for a look, with what to play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagLine {
    /// A rule's id, `outcome.unresolved` or `coverage.impaired`.
    pub reason: String,
    /// What to play; `None` where only the whole call shows it.
    pub evidence: Option<Played>,
}

/// A stretch of the call, with the words where there are any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// `agent`, `customer`, `mixed`; `call` for both sides.
    pub speaker: String,
    /// From when, in milliseconds.
    pub start_ms: u64,
    /// Until when, in milliseconds.
    pub end_ms: u64,
    /// The words, redacted; empty for a span without words.
    pub text: String,
}

/// A time in a call: `m:ss`, or `h:mm:ss` from an hour on.
pub fn time(ms: u64) -> String {
    let seconds = ms / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// The table with the evidence below it; nothing for no calls.
pub fn calls(lines: &[CallLine]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
    if table.width().is_some_and(|width| width >= NARROWEST) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table.set_header(["call", "length", "language", "outcome", "score", "flags"]);
    for line in lines {
        table.add_row(cells(line));
    }
    for column in [1, 4] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = format!("{}\n", table.trim_fmt());
    let is_provisional = |line: &&CallLine| matches!(line.ended, Ended::Assessed { provisional: true, .. });
    if lines.iter().any(|line| is_provisional(&line)) {
        text.push_str("* provisional: it stands once a reviewer has upheld the fatal verdict\n");
    }
    let below: String = lines.iter().map(below).collect();
    if !below.is_empty() {
        text.push('\n');
        text.push_str(&below);
    }
    text
}

/// What stands below the table for a call: one line of evidence a flag, or what to do about a failure.
pub fn below(line: &CallLine) -> String {
    if let Ended::DeadLettered { detail, .. } = &line.ended
        && !detail.is_empty()
    {
        return format!("{}  {detail}\n", line.call);
    }
    line.flags.iter().map(|flag| format!("{}  {}\n", line.call, flag_line(flag))).collect()
}

fn flag_line(flag: &FlagLine) -> String {
    let Some(played) = &flag.evidence else { return format!("whole call  [{}]", flag.reason) };
    let Played { speaker, start_ms, end_ms, text } = played;
    if text.is_empty() {
        let whose = if speaker == "call" { String::new() } else { format!(" {speaker}") };
        return format!("{}–{}{whose}  [{}]", time(*start_ms), time(*end_ms), flag.reason);
    }
    format!("{} {speaker} \"{}\"  [{}]", time(*start_ms), short(text), flag.reason)
}

fn short(text: &str) -> String {
    match text.char_indices().nth(QUOTE_CHARS) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}

fn cells(line: &CallLine) -> [String; 6] {
    let unknown = || "–".to_owned();
    let (outcome, score) = line.ended.outcome_and_score();
    let flags: Vec<&str> = line.flags.iter().map(|flag| flag.reason.as_str()).collect();
    [
        line.call.clone(),
        line.duration_ms.map_or_else(unknown, time),
        line.language.clone().unwrap_or_else(unknown),
        outcome,
        score,
        flags.join(", "),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_time(ms: u64, expect: &str) {
        assert_eq!(time(ms), expect);
    }

    #[test]
    fn times_are_minutes_and_seconds() {
        check_time(0, "0:00");
        check_time(59_999, "0:59");
        check_time(72_400, "1:12");
        check_time(3_600_000, "1:00:00");
        check_time(3_725_000, "1:02:05");
    }

    fn line(call: &str, ended: Ended, flags: Vec<FlagLine>) -> CallLine {
        CallLine { call: call.into(), duration_ms: Some(61_000), language: Some("zh".into()), ended, flags }
    }

    fn flag(reason: &str, evidence: Option<(&str, u64, u64, &str)>) -> FlagLine {
        let evidence = evidence.map(|(speaker, start_ms, end_ms, text)| Played {
            speaker: speaker.into(),
            start_ms,
            end_ms,
            text: text.into(),
        });
        FlagLine { reason: reason.into(), evidence }
    }

    #[test]
    fn a_table_has_a_row_a_call_and_a_line_a_flag() {
        let assessed =
            |score, provisional| Ended::Assessed { score, provisional, outcome: "partially_resolved".into() };
        let flags = vec![
            flag("conduct.rude", Some(("agent", 72_400, 75_000, "你自己看着办"))),
            flag("silence.dead_air", Some(("call", 80_000, 95_500, ""))),
            flag("coverage.impaired", None),
        ];
        let text = calls(&[
            line("c1", assessed(95, false), vec![]),
            line("c2", assessed(0, true), flags),
            line("c3", Ended::Excluded("no_speech".into()), vec![]),
            line(
                "c4",
                Ended::DeadLettered { reason: "not_audio".into(), detail: "not a recording".into() },
                vec![],
            ),
        ]);
        for part in [
            "call",
            "partially resolved",
            "1:01",
            "0*",
            "* provisional",
            "excluded: no speech",
            "failed: not audio",
            "c2  1:12 agent \"你自己看着办\"  [conduct.rude]\n",
            "c2  1:20–1:35  [silence.dead_air]\n",
            "c2  whole call  [coverage.impaired]\n",
            "c4  not a recording\n",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        assert!(!text.contains("\nc1  "), "{text}");
    }

    #[test]
    fn no_calls_no_table() {
        assert_eq!(calls(&[]), "");
    }

    #[test]
    fn a_long_quote_is_cut_between_characters() {
        assert_eq!(short(&"好".repeat(100)), format!("{}…", "好".repeat(80)));
        assert_eq!(short("好"), "好");
    }
}
