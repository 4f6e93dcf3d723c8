//! A rulebook's file, read part by part, so that one rule that can't be read hides no mistake of the others.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, ValueDeserializer};

use super::{DEFAULT_CONFIDENCE_FLOOR, Phrases, Rule, Scope, Validity};

/// What may stand at the top of a rulebook, for the message about anything else.
const PARTS: &str = "id, version, confidence_floor, [scope], [validity], [phrases.NAME] and [[rule]]";

/// A list that can't be read is known by its name all the same.
pub(super) type Lists = BTreeMap<Spanned<String>, Option<Phrases>>;

/// The parts of a rulebook that could be read.
#[derive(Default)]
pub(super) struct File {
    pub(super) id: String,
    pub(super) version: String,
    pub(super) confidence_floor: f32,
    pub(super) scope: Scope,
    pub(super) validity: Validity,
    pub(super) phrases: Lists,
    /// Those that could be read.
    pub(super) rules: Vec<Spanned<Rule>>,
    /// There is a rule, whether or not it could be read.
    pub(super) has_rules: bool,
}

/// On which line something stands, from 1.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    pub(super) fn line(&self, at: usize) -> usize {
        self.0.partition_point(|&end| end < at) + 1
    }
}

/// Reads a rulebook's text: what can be read, and what can't, with its line, and with its rule where it is of one.
///
/// # Errors
/// Where it is no TOML. What is left of such a file would only look wrong in other ways.
pub(super) fn read(text: &str, lines: &Lines) -> Result<(File, Vec<String>), Vec<String>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let told = errors.iter().map(|error| {
            let at = error.span().map_or(0, |span| span.start);
            format!("line {}: this is not TOML: {}", lines.line(at), error.message())
        });
        return Err(told.collect());
    }
    let mut reader = Reader { lines, mistakes: Vec::new() };
    let file = reader.file(document.into_inner());
    Ok((file, reader.mistakes))
}

struct Reader<'a> {
    lines: &'a Lines,
    mistakes: Vec<String>,
}

impl Reader<'_> {
    fn file(&mut self, document: DeTable<'_>) -> File {
        let mut file = File { confidence_floor: DEFAULT_CONFIDENCE_FLOOR, ..File::default() };
        let (mut id, mut version) = (false, false);
        for (key, value) in document {
            match key.get_ref().as_ref() {
                "id" => (id, file.id) = (true, self.part("id", value)),
                "version" => (version, file.version) = (true, self.part("version", value)),
                "confidence_floor" => file.confidence_floor = self.part("confidence_floor", value),
                "scope" => file.scope = self.part("scope", value),
                "validity" => file.validity = self.part("validity", value),
                "phrases" => file.phrases = self.lists(value),
                "rule" => {
                    file.has_rules = value.get_ref().as_array().is_none_or(|rules| !rules.is_empty());
                    file.rules = self.rules(value);
                }
                other => {
                    let line = self.lines.line(key.span().start);
                    self.mistakes
                        .push(format!("line {line}: `{other}` is not known here: there are {PARTS}"));
                }
            }
        }
        for (part, there) in [("id", id), ("version", version)] {
            if !there {
                self.mistakes
                    .push(format!("there is no `{part}`: it is published with every result, add it"));
            }
        }
        file
    }

    /// A part, or its default and a mistake.
    fn part<T: DeserializeOwned + Default>(&mut self, name: &str, value: Spanned<DeValue<'_>>) -> T {
        self.read(name, value).unwrap_or_default()
    }

    fn read<T: DeserializeOwned>(&mut self, name: &str, value: Spanned<DeValue<'_>>) -> Option<T> {
        let start = value.span().start;
        T::deserialize(ValueDeserializer::from(value))
            .map_err(|error| {
                let line = self.lines.line(error.span().map_or(start, |span| span.start));
                self.mistakes.push(format!("line {line}: {name}: {}", error.message()));
            })
            .ok()
    }

    fn lists(&mut self, value: Spanned<DeValue<'_>>) -> Lists {
        let line = self.lines.line(value.span().start);
        let DeValue::Table(table) = value.into_inner() else {
            self.mistakes
                .push(format!("line {line}: phrases: a list has a name: begin it with [phrases.NAME]"));
            return Lists::new();
        };
        let list = |(name, value): (Spanned<DeString<'_>>, _)| {
            let (span, name) = (name.span(), name.get_ref().to_string());
            let list = self.read(&format!("phrases.{name}"), value);
            (Spanned::new(span, name), list)
        };
        table.into_iter().map(list).collect()
    }

    fn rules(&mut self, value: Spanned<DeValue<'_>>) -> Vec<Spanned<Rule>> {
        let line = self.lines.line(value.span().start);
        let DeValue::Array(rules) = value.into_inner() else {
            self.mistakes.push(format!("line {line}: a rule is a table: begin each with [[rule]]"));
            return Vec::new();
        };
        let mut read = Vec::new();
        for rule in rules {
            let span = rule.span();
            let id = rule.get_ref().as_table().and_then(|table| table.get("id")?.get_ref().as_str());
            let name = id.unwrap_or("a rule without an id").to_owned();
            read.extend(self.read(&name, rule).map(|rule| Spanned::new(span, rule)));
        }
        read
    }
}
