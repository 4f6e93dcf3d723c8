//! What the rules must say of a case: a line a rule (`script.greeting = "met"`), or a list an answer
//! (`met = ["script.greeting"]`).

use std::collections::BTreeSet;

use callqa_domain::{Rulebook, Ruling};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::sheet::Sheet;
use super::{RULINGS, ruling_named};

/// What a rule must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// On which line of the file.
    pub line: usize,
    /// The rule's id.
    pub rule: String,
    /// Its answer.
    pub ruling: Ruling,
}

/// Where a rule is named, and its answer; none where that can't be read.
type Named = (usize, String, Option<Ruling>);

/// Reads a table of expectations; a bare `script.greeting = "met"` is a table in a table for TOML, and is read too.
pub fn read(
    key: &str,
    at: usize,
    value: &Spanned<DeValue<'_>>,
    rulebook: &Rulebook,
    sheet: &mut Sheet<'_>,
) -> Vec<Expectation> {
    let Some(table) = value.get_ref().as_table() else {
        sheet.wrong(at, format!("`{key}` is a table: write it in brackets, and below it a line a rule"));
        return Vec::new();
    };
    let mut named = Vec::new();
    for (key, value) in table {
        match (ruling_named(key.get_ref()), value.get_ref()) {
            (Some(ruling), DeValue::Array(rules)) => listed(ruling, rules.iter(), &mut named, sheet),
            _ => flatten("", key, value, &mut named, sheet),
        }
    }
    if named.is_empty() {
        sheet.wrong(at, "nothing is expected: add a line such as script.greeting = \"met\"");
    }
    named.sort_by_key(|(at, _, _)| *at);
    let mut known = BTreeSet::new();
    let mut expected = Vec::new();
    for (at, rule, ruling) in named {
        if rulebook.rule(&rule).is_none() {
            sheet.wrong(at, unknown_rule(&rule, rulebook));
        }
        if !known.insert(rule.clone()) {
            sheet.wrong(at, format!("`{rule}` stands here twice: keep one"));
        }
        let line = sheet.line(at);
        expected.extend(ruling.map(|ruling| Expectation { line, rule, ruling }));
    }
    expected
}

/// What is usual holds where a case says nothing of a rule.
pub fn add_usual(expected: &mut Vec<Expectation>, usual: &[Expectation], line: usize) {
    let unnamed = usual.iter().filter(|one| expected.iter().all(|known| known.rule != one.rule));
    let more: Vec<Expectation> = unnamed.map(|one| Expectation { line, ..one.clone() }).collect();
    expected.extend(more);
}

/// Rules with the same answer.
fn listed<'v>(
    ruling: Ruling,
    rules: impl Iterator<Item = &'v Spanned<DeValue<'v>>>,
    named: &mut Vec<Named>,
    sheet: &mut Sheet<'_>,
) {
    for rule in rules {
        match rule.get_ref().as_str() {
            Some(id) => named.push((rule.span().start, id.to_owned(), Some(ruling))),
            None => sheet.wrong(rule.span().start, "a rule is named by its id, in quotes"),
        }
    }
}

fn flatten(
    before: &str,
    key: &Spanned<toml::de::DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
    named: &mut Vec<Named>,
    sheet: &mut Sheet<'_>,
) {
    let rule =
        if before.is_empty() { key.get_ref().to_string() } else { format!("{before}.{}", key.get_ref()) };
    match value.get_ref() {
        DeValue::Table(inner) => in_table(&rule, inner, named, sheet),
        _ => {
            let ruling = sheet.one_of(&rule, value, &RULINGS.map(Ruling::name)).and_then(ruling_named);
            named.push((key.span().start, rule, ruling));
        }
    }
}

fn in_table(before: &str, table: &DeTable<'_>, named: &mut Vec<Named>, sheet: &mut Sheet<'_>) {
    table.iter().for_each(|(key, value)| flatten(before, key, value, named, sheet));
}

fn unknown_rule(rule: &str, rulebook: &Rulebook) -> String {
    let section = rule.split('.').next();
    let of_section = rulebook.rules().iter().filter(|known| Some(known.section()) == section);
    let mut near: Vec<&str> = of_section.map(|known| known.id.as_str()).collect();
    if near.is_empty() {
        near = rulebook.rules().iter().map(|known| known.id.as_str()).collect();
    }
    format!("`{rule}` is no rule of {} {}; there are: {}", rulebook.id(), rulebook.version(), near.join(", "))
}
