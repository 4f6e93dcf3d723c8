//! The language in which rules are written. One grammar, read from TOML; `deploy/rulebooks/README.md` has an
//! example a line.

use jiff::civil::Time;
use serde::Deserialize;

use super::{Pattern, Sound};
use crate::{Channel, OutcomeKind, Reason};

/// How bad a violation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The call fails whatever the score.
    Fatal,
    /// Deducts, and flags the call.
    Serious,
    /// Deducts.
    Minor,
    /// Deducts nothing.
    Notice,
    /// A good example; its absence is not applicable, never violated.
    Praise,
}

impl Class {
    /// The published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fatal => "fatal",
            Self::Serious => "serious",
            Self::Minor => "minor",
            Self::Notice => "notice",
            Self::Praise => "praise",
        }
    }
}

/// Who answers for a violation. Only the agent's deduct from the agent's score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The agent.
    Agent,
    /// The company.
    Company,
    /// The customer.
    Customer,
}

/// A sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    /// Mandarin.
    pub zh: String,
    /// English.
    pub en: String,
}

/// A named list of phrases.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phrases {
    /// Mandarin; spaces and punctuation don't count.
    #[serde(default)]
    pub zh: Vec<String>,
    /// English; whole words, case does not count.
    #[serde(default)]
    pub en: Vec<String>,
    /// Mandarin counts by its sound too, not only as it is written.
    #[serde(default)]
    pub by_sound: Option<Sound>,
    /// Regular expressions over the words as they are written, in either language; case does not count.
    #[serde(default)]
    pub regex: Vec<String>,
    /// A match that overlaps one of these phrases does not count.
    #[serde(default)]
    pub except: Vec<String>,
    /// A match that overlaps one of these regular expressions does not count.
    #[serde(default)]
    pub except_regex: Vec<String>,
    /// Other lists that are part of this one.
    #[serde(default)]
    pub also: Vec<String>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Stable id, `section.name`.
    pub id: String,
    /// What reviewers call it.
    pub title: Bilingual,
    /// What an agent is told who violated it.
    pub tell: Bilingual,
    /// How bad a violation is.
    pub class: Class,
    /// Points that a violation deducts; a fatal one takes all.
    #[serde(default)]
    pub points: u32,
    /// Who answers for it.
    pub owner: Owner,
    /// All of these must hold, or the rule does not apply.
    #[serde(default)]
    pub when: Vec<Precondition>,
    /// What makes the obligation fall due; absent = the call itself.
    #[serde(default)]
    pub trigger: Option<Trigger>,
    /// What must be there.
    #[serde(default)]
    pub must: Option<Clause>,
    /// What must not be there.
    #[serde(default)]
    pub must_not: Option<Clause>,
}

/// A condition for a rule to apply, and the reason that is given where it does not hold.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Precondition {
    /// What must hold.
    pub holds: Condition,
    /// Why the rule is not applicable otherwise.
    #[serde(default = "precondition_absent")]
    pub otherwise: Reason,
}

fn precondition_absent() -> Reason {
    Reason::PreconditionAbsent
}

/// Something that is so, is not so, or can't be known.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Every one holds.
    All(Vec<Condition>),
    /// At least one holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// The pattern is found in the call.
    Found(Pattern),
    /// The event says so.
    Attribute(Attribute),
    /// The outcome is one of these.
    Outcome(Vec<OutcomeKind>),
    /// This speaker spoke at least this long.
    Spoken(Spoken),
}

/// A field of the event and the values that satisfy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// Which field.
    pub name: AttributeName,
    /// One of these.
    pub is: Vec<String>,
}

/// The fields of an event that rules may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum AttributeName {
    /// `agent`, `customer`, `line`; `unknown` satisfies nothing and makes the condition unknown.
    EndedBy,
    /// `true` or `false`; what the event does not say is `false`.
    AutoAnnounced,
    /// `inbound`, `outbound`; `unknown` as with `ended_by`.
    Direction,
    /// The queue's name; an event without one makes the condition unknown.
    Queue,
    /// Whose call it is.
    Tenant,
    /// `zh`, `en`, as spoken; a call in which nobody spoke makes the condition unknown.
    Language,
    /// A label of the event, by its name; an event without it makes the condition unknown.
    Label(String),
}

/// What the name of an event's label begins with.
const LABEL: &str = "labels.";

impl TryFrom<String> for AttributeName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Ok(match name.as_str() {
            "ended_by" => Self::EndedBy,
            "auto_announced" => Self::AutoAnnounced,
            "direction" => Self::Direction,
            "queue" => Self::Queue,
            "tenant" => Self::Tenant,
            "language" => Self::Language,
            other => match other.strip_prefix(LABEL).filter(|label| !label.is_empty()) {
                Some(label) => Self::Label(label.to_owned()),
                None => {
                    return Err(format!(
                        "`{name}` is no attribute of a call: there are ended_by, auto_announced, direction, queue, \
                         tenant, language, and labels.NAME"
                    ));
                }
            },
        })
    }
}

impl AttributeName {
    /// The values that it can have, where these are known; anything else is never true.
    pub(crate) fn values(&self) -> Option<&'static [&'static str]> {
        match self {
            Self::EndedBy => Some(&["agent", "customer", "line"]),
            Self::AutoAnnounced => Some(&["true", "false"]),
            Self::Direction => Some(&["inbound", "outbound"]),
            Self::Language => Some(&["zh", "en"]),
            Self::Queue | Self::Tenant | Self::Label(_) => None,
        }
    }

    /// As a rulebook writes it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::EndedBy => "ended_by".to_owned(),
            Self::AutoAnnounced => "auto_announced".to_owned(),
            Self::Direction => "direction".to_owned(),
            Self::Queue => "queue".to_owned(),
            Self::Tenant => "tenant".to_owned(),
            Self::Language => "language".to_owned(),
            Self::Label(label) => format!("{LABEL}{label}"),
        }
    }
}

/// Speech time of one speaker.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spoken {
    /// Whose.
    pub speaker: Channel,
    /// At least this many seconds.
    pub at_least_seconds: f64,
}

/// When an obligation falls due.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// At the first match of any of these.
    First(Vec<Pattern>),
    /// At every match, each anew; one failure violates.
    Every(Vec<Pattern>),
    /// At the end of a number of rounds.
    Rounds(Box<Rounds>),
}

/// `open`, then `close` in the very next turn of its speaker, so many times; rounds need not adjoin.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rounds {
    /// How many.
    pub count: usize,
    /// What begins a round.
    pub open: Pattern,
    /// What ends it.
    pub close: Pattern,
}

/// What a rule demands or forbids.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clause {
    /// A pattern in the call.
    Found(Pattern),
    /// A pace, in Han characters (zh) or words (en) per minute of speech.
    Pace(Pace),
    /// One of these outcomes.
    Outcome(Vec<OutcomeKind>),
    /// The call was made from this time of day on and before that one, by the clock of its event.
    StartedBetween([Time; 2]),
    /// The agent's share of all speech time, 0–1: at least and at most this.
    TalkRatio([f32; 2]),
    /// Patterns one after the other, each of them after the one before.
    Sequence(Vec<Pattern>),
    /// Every one of these.
    All(Vec<Clause>),
}

/// The least and the most, by language.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    /// Han characters per minute.
    pub zh: [f32; 2],
    /// Words per minute.
    pub en: [f32; 2],
}
