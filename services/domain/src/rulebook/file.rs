//! A rulebook's file, read part by part, so that what can't be read hides no mistake of the rest.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, ValueDeserializer};

use super::form::{self, Form};
use super::{DEFAULT_CONFIDENCE_FLOOR, Phrases, Rule, Scope, Validity};

/// What may stand at the top of a rulebook, for the message about anything else.
const PARTS: &str = "id, version, confidence_floor, [scope], [validity], [phrases.NAME] and [[rule]]";
/// What is said of a rule without `must` and `must_not`.
pub(super) const NOTHING_DEMANDED: &str = "nothing is demanded: give `must` or `must_not`";

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
    let document = document.into_inner();
    let mut reader = Reader { lines, phrase_lists: names_of_lists(&document), mistakes: Vec::new() };
    let file = reader.file(document);
    Ok((file, reader.mistakes))
}

fn names_of_lists(document: &DeTable<'_>) -> BTreeSet<String> {
    let lists = document.get("phrases").and_then(|lists| lists.get_ref().as_table());
    lists.into_iter().flat_map(|lists| lists.keys()).map(|name| name.get_ref().to_string()).collect()
}

struct Reader<'a> {
    lines: &'a Lines,
    /// Whether or not they could be read.
    phrase_lists: BTreeSet<String>,
    mistakes: Vec<String>,
}

impl Reader<'_> {
    fn file(&mut self, document: DeTable<'_>) -> File {
        let mut file = File { confidence_floor: DEFAULT_CONFIDENCE_FLOOR, ..File::default() };
        let (mut id, mut version) = (false, false);
        for (key, value) in document {
            match key.get_ref().as_ref() {
                "id" => (id, file.id) = (true, self.published("id", value)),
                "version" => (version, file.version) = (true, self.published("version", value)),
                "confidence_floor" => {
                    file.confidence_floor = self.part("confidence_floor", &form::SHARE, value);
                }
                "scope" => file.scope = self.part("scope", &form::SCOPE, value),
                "validity" => file.validity = self.part("validity", &form::VALIDITY, value),
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

    /// A name that stands in every result, which must hold something.
    fn published(&mut self, name: &str, value: Spanned<DeValue<'_>>) -> String {
        let read: Option<String> = self.read(name, &form::TEXT, value);
        if read.as_ref().is_some_and(|text| text.trim().is_empty()) {
            self.mistakes.push(format!("`{name}` is empty: it is published with every result, fill it"));
        }
        read.unwrap_or_default()
    }

    /// A part, or its default and its mistakes.
    fn part<T: DeserializeOwned + Default>(
        &mut self,
        name: &str,
        form: &Form,
        value: Spanned<DeValue<'_>>,
    ) -> T {
        self.read(name, form, value).unwrap_or_default()
    }

    /// A part that could be read; all its mistakes of form are noted.
    fn read<T: DeserializeOwned>(
        &mut self,
        name: &str,
        form: &Form,
        value: Spanned<DeValue<'_>>,
    ) -> Option<T> {
        let start = value.span().start;
        let mistakes = form::mistakes(form, name, &value, &self.phrase_lists);
        let has_mistakes = !mistakes.is_empty();
        mistakes.into_iter().for_each(|(at, what)| self.tell(at, name, &what));
        let read = T::deserialize(ValueDeserializer::from(value));
        read.map_err(|error| {
            // It stopped at one of those that are noted already.
            if !has_mistakes {
                self.tell(error.span().map_or(start, |span| span.start), name, error.message());
            }
        })
        .ok()
    }

    fn tell(&mut self, at: usize, name: &str, what: &str) {
        self.mistakes.push(format!("line {}: {name}: {what}", self.lines.line(at)));
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
            let list = self.read(&format!("phrases.{name}"), &form::PHRASES, value);
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
            let table = rule.get_ref().as_table();
            let id = table.and_then(|table| table.get("id")?.get_ref().as_str());
            let name = id.unwrap_or("a rule without an id").to_owned();
            let demands =
                table.is_none_or(|table| table.contains_key("must") || table.contains_key("must_not"));
            match self.read(&name, &form::RULE, rule) {
                Some(rule) => read.push(Spanned::new(span, rule)),
                None if !demands => self.tell(span.start, &name, NOTHING_DEMANDED),
                None => {}
            }
        }
        read
    }
}
