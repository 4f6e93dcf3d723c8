//! The result of a call.

use serde::{Deserialize, Serialize};

use crate::{Acoustics, Call, Observations, Outcome, Verdict};

/// What the agent's conduct in this call is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scorecard {
    /// 100 less the deductions, never under 0; 0 where a fatal rule is violated.
    pub score: u32,
    /// A machine's fatal verdict: the score stands only once a human has upheld it.
    pub provisional: bool,
}

/// Why a human should look at a call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "rule")]
pub enum FlagReason {
    /// This fatal rule is violated.
    Fatal(String),
    /// This `risk.*` rule is violated, and is not fatal.
    Risk(String),
    /// This serious rule is violated, and is no `risk.*` rule.
    Serious(String),
    /// The outcome is `unresolved` with a probability of at least 0.7.
    Unresolved,
    /// At least 20 % of the speech is unintelligible.
    ImpairedCoverage,
}

impl FlagReason {
    /// The published form: the rule's id, `outcome.unresolved` or `coverage.impaired`.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Fatal(rule) | Self::Risk(rule) | Self::Serious(rule) => rule,
            Self::Unresolved => "outcome.unresolved",
            Self::ImpairedCoverage => "coverage.impaired",
        }
    }
}

/// A call that a human should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flag {
    /// 0–100, the most urgent highest.
    pub priority: u32,
    /// Most urgent first; never empty.
    pub reasons: Vec<FlagReason>,
}

/// How much of the speech was understood.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Speech of all channels, in milliseconds.
    pub speech_ms: u64,
    /// The share of it that was transcribed above the confidence floor, 0–1; 1 where nobody spoke.
    pub intelligible: f32,
}

/// A model file that had a part in a result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ModelId {
    /// Its name in the manifest.
    pub name: String,
    /// Its bytes' SHA-256, in hex.
    pub sha256: String,
}

/// What made a result: the same of everything gives the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Digest of the event, BLAKE3 in hex.
    pub event_digest: String,
    /// SHA-256 of the recording's bytes, in hex.
    pub recording_sha256: String,
    /// Models, by name.
    pub models: Vec<ModelId>,
    /// The rulebook's id.
    pub rulebook: String,
    /// The rulebook's version.
    pub rulebook_version: String,
    /// Digest of the rulebook, BLAKE3 in hex.
    pub rulebook_digest: String,
    /// Digest of the settings that can change a result, BLAKE3 in hex.
    pub config_digest: String,
    /// Version of this program.
    pub build: String,
}

/// A judged call.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// The call.
    pub call: Call,
    /// What was seen and heard.
    pub observations: Observations,
    /// Silence, overtalk, pace and so on.
    pub acoustics: Acoustics,
    /// How much was understood.
    pub coverage: Coverage,
    /// Whether the customer's want was met.
    pub outcome: Outcome,
    /// One verdict a rule, in the rulebook's order.
    pub verdicts: Vec<Verdict>,
    /// The score.
    pub scorecard: Scorecard,
    /// For human review, if anything speaks for it.
    pub flag: Option<Flag>,
    /// What made this result.
    pub provenance: Provenance,
}
