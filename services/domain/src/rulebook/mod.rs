//! Rules as data: a versioned rulebook, read from TOML and checked before it judges anybody.

mod check;
mod file;
mod form;
mod grammar;
mod lists;
mod number;
mod pattern;
mod phrase;
mod scope;
mod search;
mod sound;

use std::collections::BTreeMap;

use toml::Spanned;

pub use grammar::{
    Attribute, AttributeName, Bilingual, Class, Clause, Condition, Owner, Pace, Phrases, Precondition,
    Rounds, Rule, Spoken, Trigger,
};
pub use scope::{Scope, Validity};
pub use search::{After, Before, Extent, Measure, Pattern, Window};
pub use sound::Sound;

use crate::identity::content_digest;
pub(crate) use lists::PhraseList;
pub(crate) use phrase::Wording;

/// Confidence from which an utterance counts as heard, where a rulebook does not say.
const DEFAULT_CONFIDENCE_FLOOR: f32 = 0.4;

/// What is wrong with a rulebook: every mistake at once.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{} mistake{} in the rulebook:{}", .0.len(), if .0.len() == 1 { "" } else { "s" }, lines(.0))]
pub struct RulebookErrors(pub Vec<String>);

fn lines(mistakes: &[String]) -> String {
    mistakes.iter().map(|mistake| format!("\n  {mistake}")).collect()
}

/// A checked rulebook.
#[derive(Debug, Clone)]
pub struct Rulebook {
    id: String,
    version: String,
    digest: String,
    confidence_floor: f32,
    scope: Scope,
    validity: Validity,
    phrases: BTreeMap<String, Vec<PhraseList>>,
    by_sound: bool,
    rules: Vec<Rule>,
    /// Of each rule, its place in the list.
    places: BTreeMap<String, usize>,
}

/// The same text is the same rulebook.
impl PartialEq for Rulebook {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Rulebook {
    /// Reads and checks a rulebook.
    ///
    /// # Errors
    /// Names every mistake at once, each with its line and its rule; of a text that is no TOML, where it ceases to be.
    pub fn parse(toml: &str) -> Result<Self, RulebookErrors> {
        let lines = file::Lines::of(toml);
        let (file, unread) = file::read(toml, &lines).map_err(RulebookErrors)?;
        let mistakes = check::mistakes(&file, &lines, unread);
        if !mistakes.is_empty() {
            return Err(RulebookErrors(mistakes));
        }
        let rules: Vec<Rule> = file.rules.into_iter().map(Spanned::into_inner).collect();
        Ok(Self {
            id: file.id,
            version: file.version,
            digest: content_digest(toml.as_bytes()),
            confidence_floor: file.confidence_floor,
            scope: file.scope,
            validity: file.validity,
            by_sound: file.phrases.values().flatten().any(|list| list.by_sound.is_some()),
            phrases: lists::ready(&file.phrases),
            places: rules.iter().enumerate().map(|(place, rule)| (rule.id.clone(), place)).collect(),
            rules,
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
        self.rules.get(*self.places.get(id)?)
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
    pub(crate) fn phrases(&self, list: &str) -> &[PhraseList] {
        self.phrases.get(list).map_or(&[], Vec::as_slice)
    }

    /// Whether any phrase counts by its sound.
    pub(crate) fn listens_by_sound(&self) -> bool {
        self.by_sound
    }
}

impl Rule {
    /// The part of the id before the dot.
    #[must_use]
    pub fn section(&self) -> &str {
        self.id.split('.').next().unwrap_or_default()
    }
}
