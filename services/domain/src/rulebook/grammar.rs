//! The language in which rules are written. One grammar, read from TOML; `deploy/rulebooks/README.md` has an
//! example a line.

use jiff::civil::Time;
use serde::{Deserialize, Deserializer};

use super::Sound;
use crate::{Channel, Label, OutcomeKind, Reason};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeName {
    /// `agent`, `customer`, `line`; `unknown` satisfies nothing and makes the condition unknown.
    EndedBy,
    /// `true` or `false`; what the event does not say is `false`.
    AutoAnnounced,
    /// `inbound`, `outbound`; `unknown` as with `ended_by`.
    Direction,
    /// The queue's name; an event without one makes the condition unknown.
    Queue,
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

/// Something that can be found in a call: labels or phrases (any of them), or an acoustic measure.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// Whose words. For `hold` and `interruption`: who is away, who interrupts.
    pub speaker: Channel,
    /// Any of these labels, above its threshold.
    #[serde(default)]
    pub labels: Vec<Label>,
    /// Any phrase of these lists.
    #[serde(default, deserialize_with = "one_or_many")]
    pub phrases: Vec<String>,
    /// An acoustic measure.
    #[serde(default)]
    pub measure: Option<Measure>,
    /// Where; absent = anywhere in the call.
    #[serde(default)]
    pub window: Option<Window>,
    /// How often, at the least.
    #[serde(default = "once")]
    pub at_least: usize,
    /// Only where this speaker said something afterwards, and before the trigger.
    #[serde(default)]
    pub answered_by: Option<Channel>,
    /// A match is excused where this is found; its window may speak of the match as the trigger.
    #[serde(default)]
    pub unless: Option<Box<Pattern>>,
}

fn once() -> usize {
    1
}

/// A name, or a list of names.
fn one_or_many<'de, D: Deserializer<'de>>(names: D) -> Result<Vec<String>, D::Error> {
    struct Names;
    impl<'de> serde::de::Visitor<'de> for Names {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("the name of a phrase list, or a list of such names")
        }

        fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
            Ok(vec![name.to_owned()])
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, names: A) -> Result<Self::Value, A::Error> {
            Deserialize::deserialize(serde::de::value::SeqAccessDeserializer::new(names))
        }
    }
    names.deserialize_any(Names)
}

/// What can be found without understanding a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The speaker is away for at least 10 s (nothing but back-channels) after a `hold_request`.
    Hold,
    /// Unannounced silence of both sides for at least 10 s.
    DeadAir,
    /// The speaker interrupts the other.
    Interruption,
}

/// Where a match counts: in any of the parts that are given.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// From the beginning of the conversation.
    #[serde(default)]
    pub first: Option<Extent>,
    /// The speaker's last turns.
    #[serde(default)]
    pub last_turns: Option<usize>,
    /// The last share of the call's time, 0–1.
    #[serde(default)]
    pub last_share: Option<f32>,
    /// Anywhere before the trigger.
    #[serde(default)]
    pub before_trigger: bool,
    /// No later than the utterance of the last match of this; anywhere where it has none.
    #[serde(default)]
    pub before_last: Option<Box<Pattern>>,
    /// After the trigger.
    #[serde(default)]
    pub after_trigger: Option<After>,
}

/// So many turns of the speaker or so many seconds: what is inside either is inside.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extent {
    /// Turns of the speaker.
    pub turns: usize,
    /// Seconds.
    pub seconds: f64,
}

/// A stretch after the trigger.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    /// So many turns of the speaker; absent = to the end of the call.
    #[serde(default)]
    pub turns: Option<usize>,
    /// What the speaker says in the trigger's own turn counts too.
    #[serde(default)]
    pub same_turn: bool,
}
