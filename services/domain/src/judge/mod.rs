//! The rulebook over a call: verdicts, score and flag. A pure function of the event, what was observed and the
//! rulebook; no agent's name has any part in it.

mod answer;
mod case;
mod condition;
mod demand;
mod explain;
mod measure;
mod near;
mod rule;
mod sequence;
mod trigger;
mod window;

use crate::{
    Acoustics, Call, Channel, Class, Coverage, EndedBy, Flag, FlagReason, Observations, Outcome, OutcomeKind,
    Rulebook, Ruling, Scorecard, Verdict, outcome, rounded,
};
use case::Case;

pub use explain::{Came, Explanation, Step, Wanted, explain};
pub use near::{Distance, Near};

/// From this probability on, `unresolved` alone flags a call.
const FLAG_UNRESOLVED_FROM: f32 = 0.7;
/// Where no more than this share of the speech was understood, a human must listen.
const FLAG_INTELLIGIBLE_UPTO: f32 = 0.8;
/// Each further reason raises a flag's priority by this much.
const PRIORITY_STEP: u32 = 3;

/// What a rulebook says of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The measures of the call.
    pub acoustics: Acoustics,
    /// How much was understood.
    pub coverage: Coverage,
    /// Whether the want was met.
    pub outcome: Outcome,
    /// One verdict a rule, in the rulebook's order.
    pub verdicts: Vec<Verdict>,
    /// The score.
    pub scorecard: Scorecard,
    /// For human review, if anything speaks for it.
    pub flag: Option<Flag>,
}

/// Judges a call by a rulebook.
#[must_use]
pub fn judge(call: &Call, observations: &Observations, rulebook: &Rulebook) -> Judgement {
    let acoustics = Acoustics::of(observations);
    let outcome = outcome_of(call, observations);
    let case = Case::new(call, observations, rulebook, &acoustics, outcome);
    let verdicts: Vec<Verdict> = rulebook.rules().iter().map(|rule| rule::verdict(&case, rule)).collect();
    let coverage = coverage(&case);
    let scorecard = scorecard(&verdicts, rulebook);
    let flag = flag(&verdicts, rulebook, outcome, coverage);
    Judgement { acoustics, coverage, outcome, verdicts, scorecard, flag }
}

/// A line that broke left the want unmet so far; how it would have come out, nobody knows.
fn outcome_of(call: &Call, observations: &Observations) -> Outcome {
    let heard = outcome(observations);
    if call.ended_by == EndedBy::Line && heard.kind == OutcomeKind::Unresolved {
        return Outcome::UNKNOWN;
    }
    heard
}

fn coverage(case: &Case<'_>) -> Coverage {
    let channels: Vec<Channel> = case.observations.channels.iter().map(|c| c.channel).collect();
    let whole = crate::Span::new(0, case.observations.duration_ms);
    let speech_ms =
        channels.iter().map(|&channel| case.observations.speech_ms(channel)).fold(0, u64::saturating_add);
    Coverage { speech_ms, intelligible: rounded(case.coverage(&channels, whole)) }
}

/// The class of a violated rule, for each verdict that is a violation.
fn violations<'a>(
    verdicts: &'a [Verdict],
    rulebook: &'a Rulebook,
) -> impl Iterator<Item = (&'a Verdict, Class)> {
    let violated = verdicts.iter().filter(|verdict| verdict.ruling == Ruling::Violated);
    violated.filter_map(|verdict| Some((verdict, rulebook.rule(&verdict.rule)?.class)))
}

fn scorecard(verdicts: &[Verdict], rulebook: &Rulebook) -> Scorecard {
    let provisional = violations(verdicts, rulebook).any(|(_, class)| class == Class::Fatal);
    let deducted = verdicts.iter().map(|verdict| verdict.deducted).fold(0, u32::saturating_add);
    Scorecard { score: if provisional { 0 } else { 100u32.saturating_sub(deducted) }, provisional }
}

fn flag(verdicts: &[Verdict], rulebook: &Rulebook, outcome: Outcome, coverage: Coverage) -> Option<Flag> {
    let mut reasons: Vec<FlagReason> = violations(verdicts, rulebook)
        .filter_map(|(verdict, class)| match class {
            Class::Fatal => Some(FlagReason::Fatal(verdict.rule.clone())),
            // Of any class under fatal: a risk does not lose its urgency by being taken seriously.
            _ if verdict.rule.starts_with("risk.") => Some(FlagReason::Risk(verdict.rule.clone())),
            Class::Serious => Some(FlagReason::Serious(verdict.rule.clone())),
            Class::Minor | Class::Notice | Class::Praise => None,
        })
        .collect();
    if outcome.kind == OutcomeKind::Unresolved && outcome.probability >= FLAG_UNRESOLVED_FROM {
        reasons.push(FlagReason::Unresolved);
    }
    if coverage.intelligible <= FLAG_INTELLIGIBLE_UPTO {
        reasons.push(FlagReason::ImpairedCoverage);
    }
    reasons.sort();
    let further = u32::try_from(reasons.len().saturating_sub(1)).unwrap_or(u32::MAX);
    let priority = urgency(reasons.first()?).saturating_add(further.saturating_mul(PRIORITY_STEP)).min(100);
    Some(Flag { priority, reasons })
}

/// Priority of a flag with this reason alone: an abused customer first, then a threat that runs against the
/// clock, then what cost the agent points, then what only a listener can tell.
fn urgency(reason: &FlagReason) -> u32 {
    match reason {
        FlagReason::Fatal(_) => 90,
        FlagReason::Risk(_) => 75,
        FlagReason::Serious(_) => 50,
        FlagReason::Unresolved => 40,
        FlagReason::ImpairedCoverage => 20,
    }
}

#[cfg(test)]
mod explain_tests;
#[cfg(test)]
mod grammar_tests;
#[cfg(test)]
mod hard_tests;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod pack_tests;
#[cfg(test)]
mod tests;
