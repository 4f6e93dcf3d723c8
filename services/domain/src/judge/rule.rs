//! One rule, one call, one verdict.

use crate::{Channel, Class, Owner, Reason, Rule, Ruling, Trigger, Verdict};

use super::{
    answer::{Answer, joined},
    case::Case,
    condition::{Truth, in_scope, truth},
    demand::obligation,
    trigger::{Occasion, occasions},
    window::is_heard,
};

/// A verdict shows this many places at the most: where three rounds had to end, and these with what opened them.
const MOST_EVIDENCE: usize = 8;

/// Judges one rule.
pub(super) fn verdict(case: &Case<'_>, rule: &Rule) -> Verdict {
    let Answer { ruling, reason, mut evidence } = answer(case, rule);
    evidence.truncate(MOST_EVIDENCE);
    let deducts = ruling == Ruling::Violated && rule.owner == Owner::Agent;
    let deducted = if !deducts {
        0
    } else if rule.class == Class::Fatal {
        100
    } else {
        rule.points
    };
    Verdict { rule: rule.id.clone(), ruling, reason, deducted, evidence }
}

fn answer(case: &Case<'_>, rule: &Rule) -> Answer {
    if let Some(answer) = unfit(case, rule) {
        return answer;
    }
    let mut doubt = None;
    for precondition in &rule.when {
        match truth(case, &precondition.holds) {
            Truth::Yes => {}
            Truth::No => return Answer::not_applicable(precondition.otherwise),
            Truth::Unknown(reason) => doubt = doubt.or(Some(reason)),
        }
    }
    let answer = match &rule.trigger {
        None => obligation(case, rule, None),
        Some(trigger) => triggered(case, rule, trigger),
    };
    match (rule.class, answer.ruling, doubt) {
        (Class::Praise, Ruling::Violated, _) => Answer::not_applicable(Reason::PreconditionAbsent),
        // An obligation that was met anyway is met, whatever could not be known; praise must be deserved.
        (Class::Praise, Ruling::Met, Some(reason)) | (_, Ruling::Violated, Some(reason)) => {
            Answer::unknown(reason, answer.evidence)
        }
        _ => answer,
    }
}

/// Why a rule can't be judged in this call at all, if it can't.
pub(super) fn unfit(case: &Case<'_>, rule: &Rule) -> Option<Answer> {
    match in_scope(case) {
        Truth::Yes => {}
        Truth::No => return Some(Answer::not_applicable(Reason::OutOfScope)),
        Truth::Unknown(reason) => return Some(Answer::unknown(reason, Vec::new())),
    }
    if case.observations.is_mono() {
        return rule.needs_roles().then(|| Answer::unknown(Reason::Mono, Vec::new()));
    }
    let sides = [Channel::Agent, Channel::Customer];
    let said = |speaker: &Channel| case.said_by(*speaker).next().is_some();
    if !sides.iter().all(|side| said(side) || !case.observations.speech(*side).is_empty()) {
        return Some(Answer::not_applicable(Reason::NoConversation));
    }
    if !sides.iter().all(said) {
        return Some(Answer::unknown(Reason::LowCoverage, Vec::new()));
    }
    // A classifier that does not declare when a label counts has not judged it.
    let declared = rule.labels().iter().all(|label| case.observations.thresholds.contains_key(label));
    (!declared).then(|| Answer::unknown(Reason::ModelInDoubt, Vec::new()))
}

fn triggered(case: &Case<'_>, rule: &Rule, trigger: &Trigger) -> Answer {
    let (certain, doubtful): (Vec<Occasion>, Vec<Occasion>) =
        occasions(case, trigger).into_iter().partition(|occasion| occasion.hit.certain);
    let Some(first) = certain.first().or(doubtful.first()) else {
        let heard = trigger.patterns().into_iter().all(|pattern| is_heard(case, pattern, None));
        return if heard {
            Answer::not_applicable(Reason::PreconditionAbsent)
        } else {
            Answer::unknown(Reason::LowCoverage, Vec::new())
        };
    };
    if certain.is_empty() {
        return Answer::unknown(Reason::ModelInDoubt, first.shown.clone());
    }
    let mut answer = joined(certain.iter().map(|occasion| on_occasion(case, rule, occasion)).collect());
    let differs = |occasion: &&Occasion| {
        let violated = obligation(case, rule, Some(&occasion.hit)).ruling == Ruling::Violated;
        match trigger {
            // It may have fallen due there instead …
            Trigger::First(_) => violated != (answer.ruling == Ruling::Violated),
            // … or there too.
            Trigger::Every(_) | Trigger::Rounds(_) => violated && answer.ruling != Ruling::Violated,
        }
    };
    if let Some(occasion) = doubtful.iter().find(differs) {
        return Answer::unknown(Reason::ModelInDoubt, occasion.shown.clone());
    }
    // Where something was rightly left undone, what to play is the occasion.
    if answer.ruling == Ruling::Met && rule.must_not.is_some() {
        answer.evidence.insert(0, first.hit.evidence.clone());
    }
    answer
}

/// What is missing is played with what made it due.
fn on_occasion(case: &Case<'_>, rule: &Rule, occasion: &Occasion) -> Answer {
    let mut answer = obligation(case, rule, Some(&occasion.hit));
    if answer.ruling == Ruling::Violated && rule.must.is_some() {
        answer.evidence.extend(occasion.shown.iter().cloned());
    }
    answer
}
