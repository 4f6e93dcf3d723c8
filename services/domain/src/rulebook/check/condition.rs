//! Preconditions that never hold: a rule behind one judges nobody, and nobody notices.

use super::pattern::{self, Place};
use crate::rulebook::file::Lists;
use crate::{Attribute, Channel, Condition, Precondition};

pub(super) fn check(when: &[Precondition], phrases: &Lists, found: &mut Vec<String>) {
    when.iter().for_each(|precondition| check_one(&precondition.holds, phrases, found));
    // All of them must hold, so what one demands the others must leave possible.
    let mut demanded = Vec::new();
    when.iter().for_each(|precondition| demands(&precondition.holds, &mut demanded));
    for (at, one) in demanded.iter().enumerate() {
        for other in &demanded[at + 1..] {
            if let Some(why) = contradiction(one, other) {
                found
                    .push(format!("two preconditions never hold together, so the rule never applies: {why}"));
            }
        }
    }
}

fn check_one(condition: &Condition, phrases: &Lists, found: &mut Vec<String>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            if parts.is_empty() {
                found.push("`any` or `all` of nothing says nothing: name conditions or remove it".into());
            }
            parts.iter().for_each(|part| check_one(part, phrases, found));
        }
        Condition::Not(part) => check_one(part, phrases, found),
        // Before anything has fallen due there is no trigger.
        Condition::Found(one) => {
            pattern::check(one, Place { has_trigger: false, forbidden: false }, phrases, found);
        }
        Condition::Attribute(attribute) => check_attribute(attribute, found),
        Condition::Outcome(kinds) if kinds.is_empty() => {
            found.push("`outcome` names none, so it never holds: name one".into());
        }
        Condition::Spoken(spoken) => {
            if !(spoken.at_least_seconds > 0.0 && spoken.at_least_seconds.is_finite()) {
                found.push("`at_least_seconds` is a time in seconds, more than 0".into());
            }
            if spoken.speaker == Channel::Mixed {
                found.push(pattern::mixed("spoken.speaker"));
            }
        }
        Condition::Outcome(_) => {}
    }
}

fn check_attribute(attribute: &Attribute, found: &mut Vec<String>) {
    let name = attribute.name.name();
    if attribute.is.is_empty() {
        found.push(format!("`{name}` is one of none, so it never holds: name a value"));
    }
    let Some(values) = attribute.name.values() else { return };
    for value in attribute.is.iter().filter(|value| !values.contains(&value.as_str())) {
        found.push(format!("`{name}` is never `{value}`: it is {}", values.join(" or ")));
    }
}

/// What must hold, one by one; of `any`, nothing must.
fn demands<'c>(condition: &'c Condition, demanded: &mut Vec<&'c Condition>) {
    match condition {
        Condition::All(parts) => parts.iter().for_each(|part| demands(part, demanded)),
        Condition::Any(parts) if parts.len() == 1 => demands(&parts[0], demanded),
        other => demanded.push(other),
    }
}

/// Why two conditions can't both hold, if they can't.
fn contradiction(one: &Condition, other: &Condition) -> Option<String> {
    match (one, other) {
        (Condition::Not(denied), held) | (held, Condition::Not(denied)) if **denied == *held => {
            Some("one denies what the other demands; remove one".to_owned())
        }
        (Condition::Attribute(one), Condition::Attribute(other)) if one.name == other.name => {
            let shared = one.is.iter().any(|value| other.is.contains(value));
            (!shared).then(|| format!("no value of `{}` is in both lists; remove one", one.name.name()))
        }
        (Condition::Outcome(one), Condition::Outcome(other)) => {
            let shared = one.iter().any(|kind| other.contains(kind));
            (!shared).then(|| "no outcome is in both lists; remove one".to_owned())
        }
        _ => None,
    }
}
