//! Rules as data: a versioned rulebook, read from TOML and checked before it judges anybody.

mod check;
mod grammar;
mod pattern;

use serde::Deserialize;

pub use grammar::{
    After, Attribute, AttributeName, Bilingual, Class, Clause, Condition, Extent, Measure, Owner, Pace,
    Pattern, PhraseLists, Phrases, Precondition, Rounds, Rule, Spoken, Trigger, Window,
};

use crate::identity::content_digest;

/// Confidence from which an utterance counts as heard, where a rulebook does not say.
const DEFAULT_CONFIDENCE_FLOOR: f32 = 0.4;

/// What is wrong with a rulebook: every mistake at once.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{} mistake{} in the rulebook:{}", .0.len(), if .0.len() == 1 { "" } else { "s" }, lines(.0))]
pub struct RulebookErrors(pub Vec<String>);

fn lines(mistakes: &[String]) -> String {
    mistakes.iter().map(|mistake| format!("\n  {mistake}")).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    version: String,
    #[serde(default = "default_confidence_floor")]
    confidence_floor: f32,
    #[serde(default)]
    phrases: PhraseLists,
    #[serde(rename = "rule", default)]
    rules: Vec<Rule>,
}

fn default_confidence_floor() -> f32 {
    DEFAULT_CONFIDENCE_FLOOR
}

/// A checked rulebook.
#[derive(Debug, Clone, PartialEq)]
pub struct Rulebook {
    id: String,
    version: String,
    digest: String,
    confidence_floor: f32,
    phrases: PhraseLists,
    rules: Vec<Rule>,
}

impl Rulebook {
    /// Reads and checks a rulebook.
    ///
    /// # Errors
    /// Names every mistake at once, each with its rule; a text that is no TOML of this shape gives one, with
    /// its line.
    pub fn parse(toml: &str) -> Result<Self, RulebookErrors> {
        let file: File = toml::from_str(toml).map_err(|error| RulebookErrors(vec![error.to_string()]))?;
        let mistakes = check::mistakes(&file.rules, &file.phrases, file.confidence_floor);
        if !mistakes.is_empty() {
            return Err(RulebookErrors(mistakes));
        }
        Ok(Self {
            id: file.id,
            version: file.version,
            digest: content_digest(toml.as_bytes()),
            confidence_floor: file.confidence_floor,
            phrases: file.phrases,
            rules: file.rules,
        })
    }

    /// The rulebook's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// BLAKE3 of its text, in hex.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The rules, in the order of the file.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule with this id.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// Words heard with less confidence than this neither deduct nor count as transcribed, 0–1.
    #[must_use]
    pub fn confidence_floor(&self) -> f32 {
        self.confidence_floor
    }

    /// The phrases of a list; nothing where there is no such list, which a checked rulebook never asks for.
    pub(crate) fn phrases(&self, list: &str) -> impl Iterator<Item = &str> {
        let list = self.phrases.get(list);
        list.into_iter().flat_map(|list| list.zh.iter().chain(&list.en)).map(String::as_str)
    }
}

impl Rule {
    /// The part of the id before the dot.
    #[must_use]
    pub fn section(&self) -> &str {
        self.id.split('.').next().unwrap_or_default()
    }
}
