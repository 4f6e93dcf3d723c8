//! Mistakes that a rulebook can have although it is well-formed TOML.

use std::collections::BTreeSet;

use super::{Class, Clause, Pattern, PhraseLists, Rule, Trigger};

/// A score begins here.
const MOST_POINTS: u32 = 100;

/// Every mistake, in the order of the file.
pub(super) fn mistakes(rules: &[Rule], phrases: &PhraseLists, confidence_floor: f32) -> Vec<String> {
    let mut found = Vec::new();
    if !(0.0..1.0).contains(&confidence_floor) {
        found.push(format!("confidence_floor is {confidence_floor}: give a probability from 0 up to 1"));
    }
    if rules.is_empty() {
        found.push("there is no [[rule]]: a rulebook without rules judges nothing".to_owned());
    }
    let mut ids = BTreeSet::new();
    for rule in rules {
        if !ids.insert(rule.id.as_str()) {
            found.push(format!("{}: two rules have this id; rename one", rule.id));
        }
        let mut of_rule = Vec::new();
        check_rule(rule, &mut of_rule);
        for pattern in rule.patterns() {
            check_pattern(pattern, rule.trigger.is_some(), phrases, &mut of_rule);
        }
        found.extend(of_rule.into_iter().map(|mistake| format!("{}: {mistake}", rule.id)));
    }
    found
}

fn check_rule(rule: &Rule, found: &mut Vec<String>) {
    if !rule.id.contains('.') {
        found.push("the id needs a section and a name with a dot between, such as `script.greeting`".into());
    }
    match (&rule.must, &rule.must_not) {
        (None, None) => found.push("nothing is demanded: give `must` or `must_not`".into()),
        (Some(_), Some(_)) => found.push("both `must` and `must_not`: make two rules of it".into()),
        _ => {}
    }
    match rule.class {
        Class::Notice | Class::Praise if rule.points > 0 => {
            found.push(format!("a {} deducts nothing: remove `points`", rule.class.name()));
        }
        Class::Serious | Class::Minor if rule.points == 0 => {
            found.push(format!("a {} rule needs `points`", rule.class.name()));
        }
        _ => {}
    }
    if rule.points > MOST_POINTS {
        found.push(format!("`points` is {}: a score has {MOST_POINTS} to lose", rule.points));
    }
    for clause in rule.must.iter().chain(&rule.must_not) {
        if let Clause::Pace(pace) = clause
            && [pace.zh, pace.en].iter().any(|[least, most]| least.is_nan() || most.is_nan() || least >= most)
        {
            found.push("a pace is [least, most]: the second number must be the greater".into());
        }
    }
    if let Some(Trigger::Rounds(rounds)) = &rule.trigger
        && rounds.count == 0
    {
        found.push("`rounds.count` is 0: the rule would always be due".into());
    }
}

fn check_pattern(pattern: &Pattern, has_trigger: bool, phrases: &PhraseLists, found: &mut Vec<String>) {
    let kinds = [!pattern.labels.is_empty(), pattern.phrases.is_some(), pattern.measure.is_some()];
    if kinds.iter().filter(|given| **given).count() != 1 {
        found.push("a pattern needs exactly one of `labels`, `phrases`, `measure`".into());
    }
    for label in pattern.labels.iter().filter(|label| label.speaker() != pattern.speaker) {
        found.push(format!(
            "label `{}` is only ever given to the {}: with speaker = \"{}\" it never matches",
            label.name(),
            label.speaker().name(),
            pattern.speaker.name(),
        ));
    }
    if let Some(list) = &pattern.phrases
        && !phrases.contains_key(list)
    {
        found.push(format!("there is no phrase list `{list}`: add [phrases.{list}] or mend the name"));
    }
    if let Some(excuse) = &pattern.unless {
        check_pattern(excuse, true, phrases, found);
    }
    if pattern.at_least == 0 {
        found.push("`at_least = 0` always matches: leave it out or give 1 or more".into());
    }
    let Some(window) = &pattern.window else { return };
    if !has_trigger && (window.before_trigger || window.after_trigger.is_some()) {
        found.push("the window speaks of a trigger, and the rule has none".into());
    }
    if window.last_share.is_some_and(|share| !(share > 0.0 && share <= 1.0)) {
        found.push("`last_share` is a share of the call's time, more than 0 and at most 1".into());
    }
    if window.first.as_ref().is_some_and(|first| !(first.seconds >= 0.0 && first.seconds.is_finite())) {
        found.push("`first.seconds` is a time in seconds, 0 or more".into());
    }
    let never = window.first.as_ref().is_some_and(|first| first.turns == 0 && first.seconds <= 0.0)
        || window.last_turns == Some(0)
        || window.after_trigger.as_ref().is_some_and(|after| after.turns == Some(0) && !after.same_turn);
    if never {
        found.push("the window is empty and can never match".into());
    }
}

#[cfg(test)]
mod tests {
    use crate::Rulebook;

    #[track_caller]
    fn check(rules: &str, expect: &[&str]) {
        let text = format!("id = \"t\"\nversion = \"1\"\n{rules}");
        let mistakes = Rulebook::parse(&text).map_or_else(|errors| errors.0, |_| Vec::new());
        assert_eq!(mistakes.len(), expect.len(), "{mistakes:#?}");
        for (mistake, part) in mistakes.iter().zip(expect) {
            assert!(mistake.contains(part), "{mistake:?} does not say {part:?}");
        }
    }

    fn rule(id: &str, rest: &str) -> String {
        let said = "{ zh = \"一\", en = \"one\" }";
        format!("[[rule]]\nid = \"{id}\"\ntitle = {said}\ntell = {said}\nowner = \"agent\"\n{rest}\n")
    }

    const GREETS: &str =
        "class = \"minor\"\npoints = 3\nmust.found = { speaker = \"agent\", labels = [\"greeting\"] }";

    #[test]
    fn a_good_rule_has_no_mistakes() {
        check(&rule("a.b", GREETS), &[]);
    }

    #[test]
    fn all_mistakes_come_at_once() {
        let twice = rule("a.b", GREETS) + &rule("a.b", "class = \"notice\"\npoints = 2");
        check(&twice, &["two rules have this id", "nothing is demanded", "a notice deducts nothing"]);
    }

    #[test]
    fn numbers_that_mean_nothing() {
        check(&rule("a.b", &GREETS.replace('3', "101")), &["a score has 100 to lose"]);
        check(
            &rule("a.b", "class = \"notice\"\nmust.pace = { zh = [nan, 300.0], en = [100.0, 200.0] }"),
            &["[least, most]"],
        );
        let first = GREETS.replace(" }", ", window.first = { turns = 1, seconds = nan } }");
        check(&rule("a.b", &first), &["a time in seconds"]);
    }

    #[test]
    fn patterns_that_never_match() {
        let with = |pattern: &str| rule("a.b", &format!("class = \"notice\"\nmust.found = {{ {pattern} }}"));
        check(&with("speaker = \"customer\", labels = [\"greeting\"]"), &["only ever given to the agent"]);
        check(&with("speaker = \"agent\", phrases = \"none\""), &["no phrase list `none`"]);
        check(&with("speaker = \"agent\""), &["exactly one of"]);
        check(
            &with("speaker = \"agent\", labels = [\"greeting\"], window = { before_trigger = true }"),
            &["speaks of a trigger"],
        );
        check(
            &with("speaker = \"agent\", labels = [\"greeting\"], window = { last_turns = 0 }"),
            &["can never match"],
        );
    }

    #[test]
    fn what_the_grammar_does_not_know_is_named_with_its_line() {
        check(&rule("a.b", "class = \"grave\""), &["line 8"]);
    }

    #[test]
    fn the_default_pack_is_sound() {
        let text = include_str!("../../../../deploy/rulebooks/service-baseline.toml");
        let rulebook = Rulebook::parse(text).unwrap();
        assert_eq!(rulebook.rules().len(), 23);
    }
}
