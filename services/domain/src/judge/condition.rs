//! Whether a rule applies: what holds, what does not, and what can't be known.

use jiff::civil::DateTime;

use crate::{Attribute, AttributeName, Condition, Direction, EndedBy, Pattern, Reason};

use super::{
    case::{Case, clock, count},
    window::{find, is_heard},
};

/// Yes, no, or why it can't be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    Yes,
    No,
    Unknown(Reason),
}

impl Truth {
    fn of(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}

/// Whether the rulebook speaks of this call.
pub(super) fn in_scope(case: &Case<'_>) -> Truth {
    fn among<T: PartialEq>(admitted: Option<&Vec<T>>, value: Option<T>) -> Truth {
        match (admitted, value) {
            (None, _) => Truth::Yes,
            (Some(_), None) => Truth::Unknown(Reason::MissingAttribute),
            (Some(admitted), Some(value)) => Truth::of(admitted.contains(&value)),
        }
    }
    let (scope, validity) = (case.rulebook.scope(), case.rulebook.validity());
    let direction = Some(case.call.direction).filter(|direction| *direction != Direction::Unknown);
    let labels =
        scope.labels.iter().map(|(name, values)| among(Some(values), case.call.labels.get(name).cloned()));
    let day = clock(case.call).map(DateTime::date);
    let valid = match day {
        Some(day) => Truth::of(
            validity.from.is_none_or(|from| from <= day) && validity.until.is_none_or(|until| day <= until),
        ),
        None if validity.from.is_none() && validity.until.is_none() => Truth::Yes,
        None => Truth::Unknown(Reason::MissingAttribute),
    };
    let mut parts = vec![
        among(scope.tenants.as_ref(), Some(case.call.tenant.clone())),
        among(scope.queues.as_ref(), case.call.queue.clone()),
        among(scope.languages.as_ref(), case.observations.language()),
        among(scope.directions.as_ref(), direction),
        valid,
    ];
    parts.extend(labels);
    decided(parts, Truth::No, Truth::Yes)
}

/// Whether a condition holds in this call.
pub(super) fn truth(case: &Case<'_>, condition: &Condition) -> Truth {
    match condition {
        Condition::All(parts) => fold(case, parts, Truth::No, Truth::Yes),
        Condition::Any(parts) => fold(case, parts, Truth::Yes, Truth::No),
        Condition::Not(part) => match truth(case, part) {
            Truth::Yes => Truth::No,
            Truth::No => Truth::Yes,
            unknown @ Truth::Unknown(_) => unknown,
        },
        Condition::Found(pattern) => found(case, pattern),
        Condition::Attribute(attribute) => attribute_is(case, attribute),
        Condition::Outcome(kinds) => Truth::of(kinds.contains(&case.outcome.kind)),
        Condition::Spoken(_) if case.observations.is_mono() => Truth::Unknown(Reason::Mono),
        Condition::Spoken(spoken) => {
            #[allow(clippy::cast_precision_loss)] // milliseconds of one call
            let seconds = case.observations.speech_ms(spoken.speaker) as f64 / 1000.0;
            Truth::of(seconds >= spoken.at_least_seconds)
        }
    }
}

fn fold(case: &Case<'_>, parts: &[Condition], decisive: Truth, otherwise: Truth) -> Truth {
    decided(parts.iter().map(|part| truth(case, part)).collect(), decisive, otherwise)
}

/// `decisive` as soon as one part is; unknown where a part is unknown and none decides; else `otherwise`.
fn decided(truths: Vec<Truth>, decisive: Truth, otherwise: Truth) -> Truth {
    if truths.contains(&decisive) {
        return decisive;
    }
    truths.into_iter().find(|truth| matches!(truth, Truth::Unknown(_))).unwrap_or(otherwise)
}

fn found(case: &Case<'_>, pattern: &Pattern) -> Truth {
    let hits = find(case, pattern, None);
    if count(pattern, hits.iter().filter(|hit| hit.holds)) >= pattern.at_least {
        Truth::Yes
    } else if count(pattern, hits.iter()) >= pattern.at_least {
        Truth::Unknown(Reason::ModelInDoubt)
    } else if is_heard(case, pattern, None) {
        Truth::No
    } else {
        Truth::Unknown(Reason::LowCoverage)
    }
}

fn attribute_is(case: &Case<'_>, attribute: &Attribute) -> Truth {
    let value = match &attribute.name {
        AttributeName::EndedBy => match case.call.ended_by {
            EndedBy::Agent => Some("agent"),
            EndedBy::Customer => Some("customer"),
            EndedBy::Line => Some("line"),
            EndedBy::Unknown => None,
        },
        AttributeName::AutoAnnounced => {
            Some(if case.call.auto_announced == Some(true) { "true" } else { "false" })
        }
        AttributeName::Direction => match case.call.direction {
            Direction::Inbound => Some("inbound"),
            Direction::Outbound => Some("outbound"),
            Direction::Unknown => None,
        },
        AttributeName::Queue => case.call.queue.as_deref(),
        AttributeName::Tenant => Some(case.call.tenant.as_str()),
        AttributeName::Language => case.observations.language().map(crate::Language::code),
        AttributeName::Label(label) => case.call.labels.get(label).map(String::as_str),
    };
    value.map_or(Truth::Unknown(Reason::MissingAttribute), |value| {
        Truth::of(attribute.is.iter().any(|wanted| wanted == value))
    })
}

/// The patterns that a condition looks for.
pub(super) fn found_in(condition: &Condition) -> Vec<&Pattern> {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().flat_map(found_in).collect(),
        Condition::Not(part) => found_in(part),
        Condition::Found(pattern) => vec![pattern],
        Condition::Attribute(_) | Condition::Outcome(_) | Condition::Spoken(_) => Vec::new(),
    }
}
