//! What callqa knows of a call and how it judges one: pure, without I/O, clock or panic.

mod acoustics;
mod assessment;
mod call;
mod ending;
pub mod identity;
mod judge;
mod label;
mod observations;
mod outcome;
mod redact;
mod rulebook;
mod slip;
mod span;
#[cfg(test)]
mod test_call;
mod text;
mod turn;
mod verdict;

pub use acoustics::{ACOUSTICS_VERSION, Acoustics, Interruption, Silence};
pub use assessment::{Assessment, Coverage, Flag, FlagReason, ModelId, Provenance, Scorecard};
pub use call::{Call, Channel, ChannelLayout, Direction, EndedBy, Language, Leg, Moment, Purpose};
pub use ending::{DeadLetterReason, ExclusionReason};
pub use judge::{Came, Distance, Explanation, Judgement, Near, Step, Wanted, explain, judge};
pub use label::{Label, Task};
pub use observations::{
    ChannelObserved, Gap, GapReason, Muted, Observations, Observed, Scores, Threshold, rounded,
};
pub use outcome::{
    OUTCOME_COLUMNS, OUTCOME_CUES, Outcome, OutcomeEstimate, OutcomeKind, outcome, outcome_columns,
};
pub use redact::{redact, redact_across};
pub use rulebook::{
    After, Attribute, AttributeName, Before, Bilingual, Class, Clause, Condition, Extent, Measure, Owner,
    Pace, Pattern, Phrases, Precondition, Rounds, Rule, Rulebook, RulebookErrors, Scope, Sound, Spoken,
    Trigger, Validity, Window,
};
pub use slip::meant;
pub use span::{Span, join};
pub use text::{Heard, RawText, RedactedKind, Redaction, Text, Utterance};
pub use turn::{Turn, is_back_channel, turns};
pub use verdict::{Claim, Evidence, Quote, Reason, Ruling, Verdict};
