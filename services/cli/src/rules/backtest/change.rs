//! One call by two rulebooks.

use callqa_domain::{Call, Judgement, Observations, Reason, Rulebook, Ruling, Span, Verdict, judge};
use serde::Serialize;

/// The label of an event that names the agent's team.
const TEAM: &str = "team";

/// What two rulebooks say of a call.
#[derive(Debug, PartialEq, Serialize)]
pub struct Change<'a> {
    pub tenant: String,
    pub call_id: String,
    pub revision: u32,
    /// The first agent of the call.
    pub agent: Option<String>,
    /// The event's label `team`, or else its queue.
    pub team: Option<String>,
    pub before: Standing,
    pub after: Standing,
    /// Verdicts that differ; rules of the old rulebook in its order, then those that are new.
    pub verdicts: Vec<Changed<'a>>,
}

/// How a call stands by one rulebook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// 0–100.
    pub score: u32,
    /// For human review.
    pub flagged: bool,
}

/// A rule of which two rulebooks give different rulings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changed<'a> {
    pub rule: &'a str,
    /// `None` where the old rulebook has no such rule.
    pub from: Option<Ruling>,
    /// `None` where the new rulebook has no such rule.
    pub to: Option<Ruling>,
    /// Why the new ruling is neither met nor violated.
    pub reason: Option<Reason>,
    /// What to listen to: the first evidence of the new verdict, or else of the old one.
    pub evidence: Option<Span>,
}

impl<'a> Change<'a> {
    /// Judges a call by both.
    pub fn of(call: Call, observations: &Observations, from: &'a Rulebook, to: &'a Rulebook) -> Self {
        let (before, after) = (judge(&call, observations, from), judge(&call, observations, to));
        let old = before.verdicts.iter().map(|verdict| (Some(verdict), find(&after, &verdict.rule)));
        let new = after.verdicts.iter().filter(|verdict| find(&before, &verdict.rule).is_none());
        let pairs = old.chain(new.map(|verdict| (None, Some(verdict))));
        let id = |rule: &str| from.rule(rule).or_else(|| to.rule(rule)).map(|rule| rule.id.as_str());
        let verdicts = pairs.filter_map(|(before, after)| changed(before, after, id)).collect();
        let agent = call.agent_id().map(ToOwned::to_owned);
        let team = call.labels.get(TEAM).cloned().or(call.queue);
        Self {
            agent,
            team,
            tenant: call.tenant,
            call_id: call.call_id,
            revision: call.revision,
            before: Standing::of(&before),
            after: Standing::of(&after),
            verdicts,
        }
    }

    /// Whether anything differs.
    pub fn is_one(&self) -> bool {
        !self.verdicts.is_empty() || self.before != self.after
    }
}

impl Standing {
    fn of(judgement: &Judgement) -> Self {
        Self { score: judgement.scorecard.score, flagged: judgement.flag.is_some() }
    }
}

fn find<'j>(judgement: &'j Judgement, rule: &str) -> Option<&'j Verdict> {
    judgement.verdicts.iter().find(|verdict| verdict.rule == rule)
}

fn changed<'a>(
    before: Option<&Verdict>,
    after: Option<&Verdict>,
    id: impl Fn(&str) -> Option<&'a str>,
) -> Option<Changed<'a>> {
    let ruling = |verdict: Option<&Verdict>| verdict.map(|verdict| verdict.ruling);
    let (from, to) = (ruling(before), ruling(after));
    if from == to {
        return None;
    }
    let rule = id(&before.or(after)?.rule)?;
    let played = |verdict: Option<&Verdict>| verdict?.evidence.first().map(|evidence| evidence.span);
    let evidence = played(after).or_else(|| played(before));
    Some(Changed { rule, from, to, reason: after.and_then(|verdict| verdict.reason), evidence })
}
