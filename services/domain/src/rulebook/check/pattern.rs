//! Mistakes of patterns and their windows.

use crate::rulebook::file::Lists;
use crate::{Before, Channel, Measure, Pattern, Window};

/// Where in a rule a pattern stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// There is a trigger for its window to speak of.
    pub(super) has_trigger: bool,
    /// It is what must not be there.
    pub(super) forbidden: bool,
}

pub(super) fn check(pattern: &Pattern, place: Place, phrases: &Lists, found: &mut Vec<String>) {
    let words = !pattern.labels.is_empty() || !pattern.phrases.is_empty();
    if words == pattern.measure.is_some() {
        found.push(
            "a pattern needs `labels` or `phrases` (or both: any of them), or a `measure` alone".into(),
        );
    }
    check_speakers(pattern, found);
    check_count(pattern, phrases, found);
    if let Some(excuse) = &pattern.unless {
        if !place.forbidden {
            found.push(
                "`unless` excuses what `must_not` forbids: anywhere else it has no effect, remove it".into(),
            );
        }
        check(excuse, Place { has_trigger: true, forbidden: false }, phrases, found);
    }
    if let Some(window) = &pattern.window {
        check_window(window, place, phrases, found);
        if pattern.measure.is_some() && is_of_turns_alone(window) {
            found.push(
                "a `measure` is in nobody's turn: in a window of turns it never matches, give seconds".into(),
            );
        }
    }
}

/// Where each match counts by itself.
pub(super) fn check_uncounted(pattern: &Pattern, place: &str, found: &mut Vec<String>) {
    if pattern.at_least > 1 {
        found.push(format!(
            "in {place} each match counts by itself: no `at_least`, no `different`; a condition in `when` can count"
        ));
    }
}

fn check_speakers(pattern: &Pattern, found: &mut Vec<String>) {
    let of_both = matches!(pattern.measure, Some(Measure::DeadAir | Measure::Silence | Measure::Overtalk));
    if pattern.speaker == Channel::Mixed && !of_both {
        found.push(mixed("speaker"));
    } else {
        for label in pattern.labels.iter().filter(|label| label.speaker() != pattern.speaker) {
            found.push(format!(
                "label `{}` is only ever given to the {}: with speaker = \"{}\" it never matches",
                label.name(),
                label.speaker().name(),
                pattern.speaker.name(),
            ));
        }
    }
    match pattern.answered_by {
        Some(Channel::Mixed) => found.push(mixed("answered_by")),
        Some(answerer) if answerer == pattern.speaker => {
            found.push("`answered_by` is the speaker too: give the other, who answers".into());
        }
        _ => {}
    }
}

/// A recording without roles makes every rule unknown that looks for a speaker.
pub(super) fn mixed(key: &str) -> String {
    format!("`{key} = \"mixed\"` is nobody whom a rule can tell from the other: give agent or customer")
}

fn check_count(pattern: &Pattern, phrases: &Lists, found: &mut Vec<String>) {
    if pattern.at_least == 0 {
        found.push("`at_least = 0` always matches: leave it out or give 1 or more".into());
    }
    if !pattern.different {
        return;
    }
    if pattern.measure.is_some() || pattern.at_least < 2 {
        found.push("`different` is for `at_least = 2` or more labels or phrases: remove it".into());
    }
    let lists = pattern.phrases.iter().filter_map(|name| phrases.get(name.as_str())?.as_ref());
    let entries = |list: &crate::Phrases| list.zh.len() + list.en.len() + list.regex.len();
    let open = |list: &crate::Phrases| !list.also.is_empty();
    let there = pattern.labels.len() + lists.clone().map(entries).sum::<usize>();
    if pattern.at_least > there && !lists.clone().any(open) {
        found.push(format!(
            "`at_least = {}` different ones can never match: there are {there} to find",
            pattern.at_least
        ));
    }
}

fn check_window(window: &Window, place: Place, phrases: &Lists, found: &mut Vec<String>) {
    if let Some(last) = &window.before_last {
        check_uncounted(last, "`before_last`", found);
        check(last, Place { forbidden: false, ..place }, phrases, found);
    }
    if !place.has_trigger && (window.before_trigger.is_some() || window.after_trigger.is_some()) {
        found.push("the window speaks of a trigger, and there is none".into());
    }
    if window.last_share.is_some_and(|share| !(share > 0.0 && share <= 1.0)) {
        found.push("`last_share` is a share of the call's time, more than 0 and at most 1".into());
    }
    let after = window.after_trigger.as_ref();
    let seconds = [
        ("first.seconds", window.first.as_ref().map(|first| first.seconds)),
        ("last_seconds", window.last_seconds),
        ("before_trigger.seconds", window.before_trigger.as_ref().and_then(|before| before.seconds)),
        ("after_trigger.seconds", after.and_then(|after| after.seconds)),
    ];
    let wrong = |seconds: f64| !(seconds >= 0.0 && seconds.is_finite());
    for (name, _) in seconds.iter().filter(|(_, seconds)| seconds.is_some_and(wrong)) {
        found.push(format!("`{name}` is a time in seconds, 0 or more"));
    }
    let none = |turns: Option<usize>, seconds: Option<f64>| {
        (turns, seconds) != (None, None) && turns.unwrap_or(0) == 0 && seconds.unwrap_or(0.0) <= 0.0
    };
    let never = *window == Window::default()
        || window.first.as_ref().is_some_and(|first| none(Some(first.turns), Some(first.seconds)))
        || window.last_turns == Some(0)
        || window.last_seconds.is_some_and(|seconds| seconds <= 0.0)
        || window.before_trigger.as_ref().is_some_and(|Before { turns, seconds }| none(*turns, *seconds))
        || after.is_some_and(|after| none(after.turns, after.seconds) && !after.same_turn);
    if never {
        found.push("the window is empty and can never match: say what it admits, or leave it out".into());
    }
}

/// Whether everything that the window admits is told by its turn.
fn is_of_turns_alone(window: &Window) -> bool {
    let Window { first, last_turns, last_seconds, last_share, before_trigger, before_last, after_trigger } =
        window;
    let of_turns =
        |turns: Option<usize>, seconds: Option<f64>| turns.is_some() && seconds.unwrap_or(0.0) <= 0.0;
    let first_turns = first.as_ref().map(|first| of_turns(Some(first.turns), Some(first.seconds)));
    let before_turns = before_trigger.as_ref().map(|before| of_turns(before.turns, before.seconds));
    let after_turns = after_trigger.as_ref().map(|after| of_turns(after.turns, after.seconds));
    let mut parts =
        [first_turns, last_turns.map(|_| true), before_turns, after_turns].into_iter().flatten().peekable();
    let in_time = last_seconds.is_some() || last_share.is_some() || before_last.is_some();
    !in_time && parts.peek().is_some() && parts.all(|turns| turns)
}
