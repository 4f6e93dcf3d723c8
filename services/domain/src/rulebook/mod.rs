//! Rules as data: a versioned rulebook, read from TOML and checked before it judges anybody.

mod check;
mod grammar;
mod number;
mod pattern;
mod phrase;
mod scope;
mod sound;

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

pub use grammar::{
    After, Attribute, AttributeName, Bilingual, Class, Clause, Condition, Extent, Measure, Owner, Pace,
    Pattern, Phrases, Precondition, Rounds, Rule, Spoken, Trigger, Window,
};
pub use scope::{Scope, Validity};
pub use sound::Sound;

use crate::identity::content_digest;
pub(crate) use phrase::{Phrase, Wording};

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
    scope: Scope,
    #[serde(default)]
    validity: Validity,
    #[serde(default)]
    phrases: BTreeMap<Spanned<String>, Phrases>,
    #[serde(rename = "rule", default)]
    rules: Vec<Spanned<Rule>>,
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
    scope: Scope,
    validity: Validity,
    phrases: BTreeMap<String, Vec<Phrase>>,
    by_sound: bool,
    rules: Vec<Rule>,
}

impl Rulebook {
    /// Reads and checks a rulebook.
    ///
    /// # Errors
    /// Names every mistake at once, each with its line and its rule; a text that is no TOML of this shape gives
    /// one, with its line.
    pub fn parse(toml: &str) -> Result<Self, RulebookErrors> {
        let file: File = toml::from_str(toml).map_err(|error| RulebookErrors(vec![error.to_string()]))?;
        let mistakes = check::mistakes(&file, toml);
        if !mistakes.is_empty() {
            return Err(RulebookErrors(mistakes));
        }
        Ok(Self {
            id: file.id,
            version: file.version,
            digest: content_digest(toml.as_bytes()),
            confidence_floor: file.confidence_floor,
            scope: file.scope,
            validity: file.validity,
            by_sound: file.phrases.values().any(|list| list.by_sound.is_some()),
            phrases: file.phrases.into_iter().map(|(name, list)| (name.into_inner(), list.ready())).collect(),
            rules: file.rules.into_iter().map(Spanned::into_inner).collect(),
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

    /// The calls that it judges.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The days on which it holds.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// The phrases of a list; nothing where there is no such list, which a checked rulebook never asks for.
    pub(crate) fn phrases(&self, list: &str) -> &[Phrase] {
        self.phrases.get(list).map_or(&[], Vec::as_slice)
    }

    /// Whether any phrase counts by its sound.
    pub(crate) fn listens_by_sound(&self) -> bool {
        self.by_sound
    }
}

impl Phrases {
    /// Made ready to be found.
    fn ready(&self) -> Vec<Phrase> {
        let written = self.zh.iter().chain(&self.en);
        written.map(|phrase| Phrase::new(phrase, self.by_sound)).collect()
    }
}

impl Rule {
    /// The part of the id before the dot.
    #[must_use]
    pub fn section(&self) -> &str {
        self.id.split('.').next().unwrap_or_default()
    }
}
