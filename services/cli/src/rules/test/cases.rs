//! Test files: cases in TOML, with every mistake at its line.

use std::collections::BTreeSet;
use std::ops::Range;

use callqa_domain::Rulebook;
use serde_json::{Map, Value, json};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::expected::{self, Expectation};
use super::script;
use super::sheet::{Mistake, Sheet};
use crate::judge::transcript::Dialogue;

/// What a case may say, for the message about anything else.
const FIELDS: &str = "name, lang, channels, ended_by, auto_announced, direction, tenant, queue, labels, started_at, \
                      answered_at, outcome, dialogue and [case.expect]";
/// The score of a label that is in doubt: between the two thresholds.
const IN_DOUBT: f32 = 0.5;

/// A dialogue and what a rulebook must say of it.
#[derive(Debug)]
pub struct Case {
    /// What it is called.
    pub name: String,
    /// What was said.
    pub dialogue: Dialogue,
    /// What the outcome model would say.
    pub outcome: Option<Told>,
    /// In the order of the file.
    pub expected: Vec<Expectation>,
}

/// An outcome that a model can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The want was met.
    Resolved,
    /// Part of it, or something is pending.
    PartiallyResolved,
    /// It was not.
    Unresolved,
}

/// Reads a test file for this rulebook.
///
/// # Errors
/// All its mistakes, in the order of the lines.
pub fn read(text: &str, rulebook: &Rulebook) -> Result<Vec<Case>, Vec<Mistake>> {
    // What some editors put before a file in UTF-8.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut sheet = Sheet::of(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        sheet.wrong(
            error.span().map_or(0, |span| span.start),
            format!("this is not TOML: {}", error.message()),
        );
    }
    // What is left of a broken file would only look wrong in other ways.
    let cases =
        if errors.is_empty() { read_document(document.get_ref(), rulebook, &mut sheet) } else { Vec::new() };
    if sheet.mistakes.is_empty() {
        return Ok(cases);
    }
    sheet.mistakes.sort_by_key(|mistake| mistake.line);
    Err(sheet.mistakes)
}

fn read_document(document: &DeTable<'_>, rulebook: &Rulebook, sheet: &mut Sheet<'_>) -> Vec<Case> {
    let known = ["case", "usual", "event"];
    for (key, _) in document.iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
        sheet.wrong(
            key.span().start,
            format!("`{}` is not known here: there are [event], [usual] and [[case]]", key.get_ref()),
        );
    }
    let event = document.get("event").map_or_else(Map::new, |event| read_event(event, sheet));
    let usual = document
        .get("usual")
        .map_or_else(Vec::new, |usual| expected::read("usual", usual.span().start, usual, rulebook, sheet));
    let listed = document.get("case").map(Spanned::get_ref);
    let Some(listed) = listed.and_then(DeValue::as_array).filter(|listed| !listed.is_empty()) else {
        sheet.wrong_on(1, "there is no [[case]]: write at least one");
        return Vec::new();
    };
    let mut names = BTreeSet::new();
    let mut cases = Vec::new();
    for case in listed.iter() {
        let Some(table) = case.get_ref().as_table() else {
            sheet.wrong(case.span().start, "a case is a table: begin it with [[case]]");
            continue;
        };
        let read = read_case(case.span(), table, (&event, &usual), rulebook, sheet);
        let Some((line, case)) = read else { continue };
        if !names.insert(case.name.clone()) {
            sheet.wrong_on(line, "another case has this name: rename one");
        }
        cases.push(case);
    }
    cases
}

/// A case with the line of its name; what is wrong in it is noted, and a case is given as long as it has its parts.
fn read_case(
    span: Range<usize>,
    table: &DeTable<'_>,
    (event, usual): (&Map<String, Value>, &[Expectation]),
    rulebook: &Rulebook,
    sheet: &mut Sheet<'_>,
) -> Option<(usize, Case)> {
    let mut fields = event.clone();
    let (mut name, mut dialogue, mut expected, mut outcome) = (None, None, None, None);
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "name" => name = Some((sheet.line(value.span().start), sheet.text("name", value))),
            "dialogue" => dialogue = Some((sheet.line(key.span().start), read_dialogue(value, sheet))),
            "expect" => {
                expected = Some(expected::read("expect", key.span().start, value, rulebook, sheet));
            }
            "outcome" => outcome = read_outcome(value, sheet),
            other => {
                if let Some(value) = read_field(other, key.span().start, value, sheet) {
                    fields.insert(other.to_owned(), value);
                }
            }
        }
    }
    let line = name.map_or_else(|| sheet.line(span.start), |(line, _)| line);
    for (field, missing) in [
        ("name", name.is_none()),
        ("dialogue", dialogue.is_none()),
        ("[case.expect]", expected.is_none() && usual.is_empty()),
    ] {
        if missing {
            sheet.wrong_on(line, format!("the case has no {field}: add it"));
        }
    }
    let name = name?.1?.trim();
    if name.is_empty() {
        sheet.wrong_on(line, "the name is empty: say what the case shows");
    }
    let (at, lines) = dialogue?;
    let dialogue = spoken(name, fields, at, &lines, sheet)?;
    let mut expected = expected.unwrap_or_default();
    expected::add_usual(&mut expected, usual, line);
    Some((line, Case { name: name.to_owned(), dialogue, outcome, expected }))
}

fn read_dialogue(value: &Spanned<DeValue<'_>>, sheet: &mut Sheet<'_>) -> Vec<script::Line> {
    if sheet.text("dialogue", value).is_none() {
        return Vec::new();
    }
    let lines = script::read(&sheet.lines(value), sheet);
    if value.get_ref().as_str().is_some_and(|text| text.trim().is_empty()) {
        sheet.wrong(
            value.span().start,
            "the dialogue is empty: write one line an utterance, such as `agent: 您好 #greeting`",
        );
    }
    lines
}

/// What the events of all cases say that do not say otherwise.
fn read_event(event: &Spanned<DeValue<'_>>, sheet: &mut Sheet<'_>) -> Map<String, Value> {
    let Some(table) = event.get_ref().as_table() else {
        sheet.wrong(
            event.span().start,
            "`event` is a table: write it in brackets, and below it what events say",
        );
        return Map::new();
    };
    let field = |(key, value): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| {
        let name: &str = key.get_ref();
        Some((name.to_owned(), read_field(name, key.span().start, value, sheet)?))
    };
    table.iter().filter_map(field).collect()
}

/// What an event would say of the call.
fn read_field(key: &str, at: usize, value: &Spanned<DeValue<'_>>, sheet: &mut Sheet<'_>) -> Option<Value> {
    match key {
        "lang" => sheet.one_of(key, value, &["zh", "en"]).map(Value::from),
        "ended_by" => sheet.one_of(key, value, &["agent", "customer", "line", "unknown"]).map(Value::from),
        "direction" => sheet.one_of(key, value, &["inbound", "outbound", "unknown"]).map(Value::from),
        "tenant" | "queue" | "started_at" | "answered_at" => sheet.text(key, value).map(Value::from),
        "labels" => read_labels(value, sheet),
        "channels" => {
            let given = value.get_ref().as_integer().and_then(|number| number.as_str().parse::<u8>().ok());
            let known = given.filter(|channels| matches!(channels, 1 | 2));
            if known.is_none() {
                sheet.wrong(value.span().start, "`channels` must be 1 (both on one track) or 2");
            }
            known.map(Value::from)
        }
        "auto_announced" => {
            let given = value.get_ref().as_bool();
            if given.is_none() {
                sheet.wrong(value.span().start, "`auto_announced` must be true or false, without quotes");
            }
            given.map(Value::from)
        }
        _ => {
            sheet.wrong(at, format!("`{key}` is not known in a case: it may have {FIELDS}"));
            None
        }
    }
}

/// The event's labels: texts, each by its name.
fn read_labels(value: &Spanned<DeValue<'_>>, sheet: &mut Sheet<'_>) -> Option<Value> {
    let Some(table) = value.get_ref().as_table() else {
        sheet.wrong(
            value.span().start,
            "`labels` must be a table of texts, such as { campaign = \"spring\" }",
        );
        return None;
    };
    let mut labels = Map::new();
    for (name, value) in table {
        if let Some(text) = sheet.text(&format!("labels.{}", name.get_ref()), value) {
            labels.insert(name.get_ref().to_string(), text.into());
        }
    }
    Some(labels.into())
}

fn read_outcome(value: &Spanned<DeValue<'_>>, sheet: &mut Sheet<'_>) -> Option<Told> {
    match sheet.one_of("outcome", value, &["resolved", "partially_resolved", "unresolved"])? {
        "resolved" => Some(Told::Resolved),
        "partially_resolved" => Some(Told::PartiallyResolved),
        _ => Some(Told::Unresolved),
    }
}

/// The dialogue as `callqa judge` reads it, with the labels that are in doubt.
fn spoken(
    name: &str,
    mut fields: Map<String, Value>,
    line: usize,
    lines: &[script::Line],
    sheet: &mut Sheet<'_>,
) -> Option<Dialogue> {
    fields.insert("id".to_owned(), name.into());
    fields.insert("turns".to_owned(), lines.iter().map(|line| &line.turn).cloned().collect());
    let mut dialogue = match Dialogue::read(&json!(fields)) {
        Ok(dialogue) => dialogue,
        Err(refusal) => {
            sheet.wrong_on(line, refusal.to_string());
            return None;
        }
    };
    for (turn, line) in dialogue.turns.iter_mut().zip(lines) {
        if let Some(scores) = &mut turn.labels {
            scores.extend(line.doubtful.iter().map(|&label| (label, IN_DOUBT)));
        }
    }
    for (pair, line) in dialogue.turns.windows(2).zip(lines.iter().skip(1)) {
        let (before, start) = (pair[0].span.start_ms, pair[1].span.start_ms);
        if start < before {
            sheet.wrong_on(line.number, format!(
                "it starts at {start} ms of the call, and the line above it at {before} ms: put the lines in the order of time"
            ));
        }
    }
    Some(dialogue)
}
