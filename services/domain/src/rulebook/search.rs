//! What a rule may look for in a call, and where a match counts.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::{Channel, Label};

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
    /// How often, at the least. Not in triggers, rounds, sequences and `before_last`, where each match counts by itself.
    #[serde(default = "once")]
    pub at_least: usize,
    /// `at_least` counts different labels and phrases, each once, however often it was said.
    #[serde(default)]
    pub different: bool,
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
    impl<'de> Visitor<'de> for Names {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the name of a phrase list, or a list of such names")
        }

        fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
            Ok(vec![name.to_owned()])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, names: A) -> Result<Self::Value, A::Error> {
            Deserialize::deserialize(SeqAccessDeserializer::new(names))
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
    /// Neither side speaks for at least 3 s, announced or not.
    Silence,
    /// Unannounced silence of both sides for at least 10 s.
    DeadAir,
    /// Both sides speak at once for at least 0.5 s.
    Overtalk,
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
    /// The last seconds of the call.
    #[serde(default)]
    pub last_seconds: Option<f64>,
    /// The last share of the call's time, 0–1.
    #[serde(default)]
    pub last_share: Option<f32>,
    /// Before the trigger: `true`, anywhere before it.
    #[serde(default, deserialize_with = "yes_or_extent")]
    pub before_trigger: Option<Before>,
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

/// A stretch before the trigger, back from it: what is inside either is inside; of neither, everything.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Before {
    /// So many of the speaker's turns.
    #[serde(default)]
    pub turns: Option<usize>,
    /// So many seconds.
    #[serde(default)]
    pub seconds: Option<f64>,
}

/// `true`, or how far back.
fn yes_or_extent<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Before>, D::Error> {
    struct Extents;
    impl<'de> Visitor<'de> for Extents {
        type Value = Option<Before>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("true, or { turns, seconds }")
        }

        fn visit_bool<E: Error>(self, anywhere: bool) -> Result<Self::Value, E> {
            if !anywhere {
                return Err(E::custom("`before_trigger = false` admits nothing: leave it out"));
            }
            Ok(Some(Before::default()))
        }

        fn visit_map<A: MapAccess<'de>>(self, extent: A) -> Result<Self::Value, A::Error> {
            Deserialize::deserialize(MapAccessDeserializer::new(extent)).map(Some)
        }
    }
    value.deserialize_any(Extents)
}

/// A stretch after the trigger: what is inside either the turns or the seconds is inside.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    /// So many turns of the speaker; where this and `seconds` are absent, to the end of the call.
    #[serde(default)]
    pub turns: Option<usize>,
    /// So many seconds from the trigger's end.
    #[serde(default)]
    pub seconds: Option<f64>,
    /// What the speaker says in the trigger's own turn counts too.
    #[serde(default)]
    pub same_turn: bool,
}
