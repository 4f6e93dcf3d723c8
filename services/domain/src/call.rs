//! What the telephone system says of a call, before anybody has listened to it.

use serde::{Deserialize, Serialize};

/// Who may be heard on a channel. `Mixed` is a mono recording: everybody, roles unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The contact centre's agent.
    Agent,
    /// The customer.
    Customer,
    /// Both on one track.
    Mixed,
}

impl Channel {
    /// The name that stands in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Customer => "customer",
            Self::Mixed => "mixed",
        }
    }
}

/// Which track of the recording carries whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelLayout {
    /// Two tracks, the agent on the first (left).
    AgentFirst,
    /// Two tracks, the customer on the first (left).
    CustomerFirst,
    /// One track with both.
    Mono,
}

/// Why the call was sent to us.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A call of today.
    #[default]
    Live,
    /// An old call; yields to live work.
    Backfill,
    /// A call that was judged before, judged again.
    Reprocess,
    /// A test call: excluded, never scored.
    Test,
}

/// Who hung up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The agent.
    Agent,
    /// The customer.
    Customer,
    /// The connection broke.
    Line,
    /// Not recorded.
    #[default]
    Unknown,
}

/// Who called whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The customer called.
    Inbound,
    /// The contact centre called.
    Outbound,
    /// Not recorded.
    #[default]
    Unknown,
}

/// The languages that callqa judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Mandarin Chinese.
    Zh,
    /// English.
    En,
}

impl Language {
    /// The two-letter code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    /// Reads `zh`, `zh-CN`, `cmn`, `en`, `en_US` …; `None` for a language that we can't judge.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next()?.to_ascii_lowercase();
        match primary.as_str() {
            "zh" | "cmn" => Some(Self::Zh),
            "en" => Some(Self::En),
            _ => None,
        }
    }
}

/// A date and time with the offset at which the call centre wrote it down (RFC 3339).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The instant.
    pub at: jiff::Timestamp,
    /// The offset from UTC, kept so that results speak the call centre's time.
    pub offset: jiff::tz::Offset,
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.at.display_with_offset(self.offset).fmt(f)
    }
}

impl std::str::FromStr for Moment {
    type Err = jiff::Error;

    /// Reads an RFC 3339 date and time; one without an offset is refused.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let pieces = jiff::fmt::temporal::DateTimeParser::new();
        let at = pieces.parse_timestamp(text)?;
        let offset =
            jiff::fmt::temporal::Pieces::parse(text)?.to_numeric_offset().unwrap_or(jiff::tz::Offset::UTC);
        Ok(Self { at, offset })
    }
}

impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One agent's part of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// The agent's id in the telephone system.
    pub agent_id: String,
    /// From when, in milliseconds of the recording; the start where absent.
    pub from_ms: Option<u64>,
    /// Until when, in milliseconds of the recording; the end where absent.
    pub to_ms: Option<u64>,
}

/// A call as its event describes it. Every field that a telephone system may not know is optional:
/// without it a verdict becomes `unknown` or `not_applicable`, never a guess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The customer of callqa whose call this is.
    pub tenant: String,
    /// The call's id, unique within the tenant.
    pub call_id: String,
    /// 0 first; a re-run or late metadata makes a higher one.
    pub revision: u32,
    /// The revision that this one replaces.
    pub supersedes: Option<u32>,
    /// Why it was sent.
    pub purpose: Purpose,
    /// Ties calls and other contacts of one matter together.
    pub interaction_id: Option<String>,
    /// The queue that took the call.
    pub queue: Option<String>,
    /// The agents, in time order.
    pub legs: Vec<Leg>,
    /// Opaque id of the customer: never a telephone number.
    pub customer_id: Option<String>,
    /// Who called.
    pub direction: Direction,
    /// When it began to ring.
    pub started_at: Option<Moment>,
    /// When a person answered.
    pub answered_at: Option<Moment>,
    /// Who hung up.
    pub ended_by: EndedBy,
    /// Holds that the telephone system noted, in milliseconds of the recording.
    pub holds: Vec<crate::Span>,
    /// A machine announced the agent's staff number before the conversation; absent = not known.
    pub auto_announced: Option<bool>,
    /// Language of the agent's channel, if known.
    pub agent_language: Option<Language>,
    /// Language of the customer's channel, if known.
    pub customer_language: Option<Language>,
    /// Which track carries whom; absent = agent first where there are two tracks, mono where one.
    pub layout: Option<ChannelLayout>,
    /// Free labels of the sender, kept and published as they came.
    pub labels: std::collections::BTreeMap<String, String>,
}

impl Call {
    /// A call of which nothing else is known.
    #[must_use]
    pub fn new(tenant: impl Into<String>, call_id: impl Into<String>) -> Self {
        Self {
            tenant: tenant.into(),
            call_id: call_id.into(),
            revision: 0,
            supersedes: None,
            purpose: Purpose::Live,
            interaction_id: None,
            queue: None,
            legs: Vec::new(),
            customer_id: None,
            direction: Direction::Unknown,
            started_at: None,
            answered_at: None,
            ended_by: EndedBy::Unknown,
            holds: Vec::new(),
            auto_announced: None,
            agent_language: None,
            customer_language: None,
            layout: None,
            labels: std::collections::BTreeMap::new(),
        }
    }

    /// The agent who is named first, if any.
    #[must_use]
    pub fn agent_id(&self) -> Option<&str> {
        self.legs.first().map(|leg| leg.agent_id.as_str())
    }
}
