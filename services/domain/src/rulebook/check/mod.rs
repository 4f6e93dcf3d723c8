//! Mistakes that a rulebook can have although it is well-formed TOML.

mod condition;
mod lists;
mod pattern;

use std::collections::BTreeSet;

use super::file::{File, Lines, Lists, NOTHING_DEMANDED};
use super::{Class, Clause, Owner, Pattern, Rule, Trigger};
use pattern::Place;

/// A score begins here.
const MOST_POINTS: u32 = 100;

/// Every mistake: what could not be read, then of the file, of its phrase lists, and of its rules, each with its line.
pub(super) fn mistakes(file: &File, lines: &Lines, unread: Vec<String>) -> Vec<String> {
    let mut found = unread;
    let floor = file.confidence_floor;
    if !(0.0..1.0).contains(&floor) {
        found.push(format!("confidence_floor is {floor}: give a probability from 0 up to 1"));
    }
    found.extend(file.scope.mistakes());
    found.extend(file.validity.mistake());
    found.extend(lists::mistakes(&file.phrases, lines));
    if !file.has_rules {
        found.push("there is no [[rule]]: a rulebook without rules judges nothing".to_owned());
    }
    let mut ids = BTreeSet::new();
    for rule in &file.rules {
        let (at, rule) = (lines.line(rule.span().start), rule.as_ref());
        let mut of_rule = Vec::new();
        if !ids.insert(rule.id.as_str()) {
            of_rule.push("two rules have this id; rename one".to_owned());
        }
        check_rule(rule, &file.phrases, &mut of_rule);
        found.extend(of_rule.into_iter().map(|mistake| format!("line {at}: {}: {mistake}", rule.id)));
    }
    found
}

fn check_rule(rule: &Rule, phrases: &Lists, found: &mut Vec<String>) {
    if !rule.id.contains('.') {
        found.push("the id needs a section and a name with a dot between, such as `script.greeting`".into());
    }
    if [&rule.title, &rule.tell].iter().any(|text| text.zh.trim().is_empty() || text.en.trim().is_empty()) {
        found.push("`title` and `tell` need a sentence in zh and in en: agents read them".into());
    }
    match (&rule.must, &rule.must_not) {
        (None, None) => found.push(NOTHING_DEMANDED.into()),
        (Some(_), Some(_)) => found.push("both `must` and `must_not`: make two rules of it".into()),
        _ => {}
    }
    check_points(rule, found);
    let place = Place { has_trigger: rule.trigger.is_some(), forbidden: rule.must_not.is_some() };
    for clause in rule.must.iter().chain(&rule.must_not) {
        check_clause(clause, place, phrases, found);
    }
    if let Some(trigger) = &rule.trigger {
        check_trigger(trigger, phrases, found);
    }
    condition::check(&rule.when, phrases, found);
}

fn check_points(rule: &Rule, found: &mut Vec<String>) {
    match rule.class {
        Class::Notice | Class::Praise if rule.points > 0 => {
            found.push(format!("a {} deducts nothing: remove `points`", rule.class.name()));
        }
        Class::Fatal if rule.points > 0 => {
            found.push("a fatal rule takes the whole score: remove `points`".into());
        }
        Class::Serious | Class::Minor if rule.points == 0 => {
            found.push(format!("a {} rule needs `points`", rule.class.name()));
        }
        _ => {}
    }
    if rule.class == Class::Fatal && rule.owner != Owner::Agent {
        found.push(
            "a fatal rule takes the agent's whole score, and only the agent's rules deduct: give owner = \"agent\" or \
             class = \"serious\""
                .into(),
        );
    }
    if rule.points > MOST_POINTS {
        found.push(format!("`points` is {}: a score has {MOST_POINTS} to lose", rule.points));
    }
}

fn check_trigger(trigger: &Trigger, phrases: &Lists, found: &mut Vec<String>) {
    // Nothing has fallen due yet that a window could speak of.
    let place = Place { has_trigger: false, forbidden: false };
    let patterns = trigger.patterns();
    if patterns.is_empty() {
        found.push("the trigger names nothing, so the rule never falls due: give a pattern".into());
    }
    for pattern in patterns {
        pattern::check_uncounted(pattern, "a trigger", found);
        pattern::check(pattern, place, phrases, found);
    }
    if let Trigger::Rounds(rounds) = trigger {
        if rounds.count == 0 {
            found.push("`rounds.count` is 0: the rule would always be due".into());
        }
        if [&rounds.open, &rounds.close].iter().any(|half| half.measure.is_some()) {
            found.push("a round is opened and closed in words: a `measure` never does".into());
        }
        if rounds.open.speaker == rounds.close.speaker {
            found.push(
                "a round is opened by one speaker and closed by the other: it never closes like this".into(),
            );
        }
    }
}

fn check_clause(clause: &Clause, place: Place, phrases: &Lists, found: &mut Vec<String>) {
    match clause {
        Clause::Found(one) => pattern::check(one, place, phrases, found),
        Clause::Sequence(steps) => check_sequence(steps, place, phrases, found),
        Clause::Pace(pace) => {
            if [pace.zh, pace.en].iter().any(|[least, most]| least.is_nan() || most.is_nan() || least >= most)
            {
                found.push("a pace is [least, most]: the second number must be the greater".into());
            }
        }
        Clause::TalkRatio([least, most]) => {
            if !(0.0 <= *least && least < most && *most <= 1.0) {
                found
                    .push("`talk_ratio` is [least, most], shares from 0 to 1, the second the greater".into());
            }
        }
        Clause::Outcome(kinds) if kinds.is_empty() => {
            found.push(
                "`outcome` names none: give resolved, partially_resolved, unresolved or unknown".into(),
            );
        }
        Clause::StartedBetween([from, before]) if from >= before => found.push(
            "`started_between` is [from, before] on one day: for hours over midnight, forbid the other hours"
                .into(),
        ),
        Clause::All(parts) if parts.len() < 2 => {
            found.push("`all` joins two demands or more: write the one without it".into());
        }
        Clause::All(_) if place.forbidden => {
            found.push(
                "`must_not.all` does not say whether one offence is enough: make a rule of each".into(),
            );
        }
        Clause::All(parts) => parts.iter().for_each(|part| check_clause(part, place, phrases, found)),
        Clause::Outcome(_) | Clause::StartedBetween(_) => {}
    }
}

fn check_sequence(steps: &[Pattern], place: Place, phrases: &Lists, found: &mut Vec<String>) {
    if steps.len() < 2 {
        found.push("`sequence` has two steps or more: write the one with `found`".into());
    }
    for step in steps {
        if step.at_least > 1 || step.measure.is_some() {
            found.push("a step of a sequence is one label or phrase: no `at_least`, no `measure`".into());
        }
        pattern::check(step, Place { forbidden: false, ..place }, phrases, found);
    }
}

#[cfg(test)]
mod tests;
