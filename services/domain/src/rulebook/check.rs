//! Mistakes that a rulebook can have although it is well-formed TOML.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use super::phrase::{NUMBER, Phrase};
use super::{Class, Clause, File, Pattern, Phrases, Rule, Trigger};

/// A score begins here.
const MOST_POINTS: u32 = 100;

/// A sound of fewer Han characters than this is in every other sentence.
const FEWEST_BY_SOUND: usize = 2;

type Lists = BTreeMap<Spanned<String>, Phrases>;

/// Every mistake: first of the file, then of its phrase lists, then of its rules, each with its line.
pub(super) fn mistakes(file: &File, text: &str) -> Vec<String> {
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    let line = |at: usize| ends.partition_point(|&end| end < at) + 1;
    let mut found = Vec::new();
    let floor = file.confidence_floor;
    if !(0.0..1.0).contains(&floor) {
        found.push(format!("confidence_floor is {floor}: give a probability from 0 up to 1"));
    }
    found.extend(file.scope.mistakes());
    found.extend(file.validity.mistake());
    for (name, list) in &file.phrases {
        let at = line(name.span().start);
        let of_list = list_mistakes(list).into_iter();
        found.extend(of_list.map(|mistake| format!("line {at}: phrases.{}: {mistake}", name.as_ref())));
    }
    if file.rules.is_empty() {
        found.push("there is no [[rule]]: a rulebook without rules judges nothing".to_owned());
    }
    let mut ids = BTreeSet::new();
    for rule in &file.rules {
        let (at, rule) = (line(rule.span().start), rule.as_ref());
        let mut of_rule = Vec::new();
        if !ids.insert(rule.id.as_str()) {
            of_rule.push("two rules have this id; rename one".to_owned());
        }
        check_rule(rule, &mut of_rule);
        let has_trigger = rule.trigger.is_some();
        for pattern in rule.patterns() {
            let forbidden =
                matches!(&rule.must_not, Some(Clause::Found(offence)) if std::ptr::eq(offence, pattern));
            check_pattern(pattern, Place { has_trigger, forbidden }, &file.phrases, &mut of_rule);
        }
        found.extend(of_rule.into_iter().map(|mistake| format!("line {at}: {}: {mistake}", rule.id)));
    }
    found
}

fn list_mistakes(list: &Phrases) -> Vec<String> {
    let mut found = Vec::new();
    if list.zh.is_empty() && list.en.is_empty() {
        found.push("the list is empty and finds nothing: add phrases or remove it".to_owned());
    }
    if list.by_sound.is_some() && list.zh.is_empty() {
        found.push("`by_sound` is for `zh`, and the list has none: remove it".to_owned());
    }
    for written in list.zh.iter().chain(&list.en) {
        let phrase = Phrase::new(written, list.by_sound);
        if phrase.is_empty() {
            found.push(format!("`{written}` has no letter or digit and finds nothing: remove it"));
        }
        if written.replace(NUMBER, "").contains(['{', '}']) {
            found.push(format!("`{written}`: the only placeholder is {NUMBER}"));
        }
    }
    let short = |written: &&String| (1..FEWEST_BY_SOUND).contains(&Phrase::new(written, None).han());
    for written in list.zh.iter().filter(|written| list.by_sound.is_some() && short(written)) {
        found.push(format!(
            "`{written}` has one character and would be heard everywhere: make it longer, or move it to a list \
             without `by_sound`"
        ));
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
        check_clause(clause, rule.must_not.is_some(), found);
    }
    if let Some(Trigger::Rounds(rounds)) = &rule.trigger
        && rounds.count == 0
    {
        found.push("`rounds.count` is 0: the rule would always be due".into());
    }
}

fn check_clause(clause: &Clause, forbids: bool, found: &mut Vec<String>) {
    match clause {
        Clause::Pace(pace) => {
            if [pace.zh, pace.en].iter().any(|[least, most]| least.is_nan() || most.is_nan() || least >= most)
            {
                found.push("a pace is [least, most]: the second number must be the greater".into());
            }
        }
        Clause::StartedBetween([from, before]) if from >= before => found.push(
            "`started_between` is [from, before] on one day: for hours over midnight, forbid the other hours"
                .into(),
        ),
        Clause::All(parts) if parts.len() < 2 => {
            found.push("`all` joins two demands or more: write the one without it".into());
        }
        Clause::All(_) if forbids => {
            found.push(
                "`must_not.all` does not say whether one offence is enough: make a rule of each".into(),
            );
        }
        Clause::All(parts) => parts.iter().for_each(|part| check_clause(part, forbids, found)),
        Clause::Found(_) | Clause::Outcome(_) | Clause::StartedBetween(_) => {}
    }
}

/// Where in a rule a pattern stands.
#[derive(Clone, Copy)]
struct Place {
    /// There is a trigger for its window to speak of.
    has_trigger: bool,
    /// It is what must not be there.
    forbidden: bool,
}

fn check_pattern(pattern: &Pattern, place: Place, phrases: &Lists, found: &mut Vec<String>) {
    let Place { has_trigger, forbidden } = place;
    let words = !pattern.labels.is_empty() || !pattern.phrases.is_empty();
    if words == pattern.measure.is_some() {
        found.push(
            "a pattern needs `labels` or `phrases` (or both: any of them), or a `measure` alone".into(),
        );
    }
    for label in pattern.labels.iter().filter(|label| label.speaker() != pattern.speaker) {
        found.push(format!(
            "label `{}` is only ever given to the {}: with speaker = \"{}\" it never matches",
            label.name(),
            label.speaker().name(),
            pattern.speaker.name(),
        ));
    }
    for list in pattern.phrases.iter().filter(|list| !phrases.contains_key(list.as_str())) {
        found.push(format!("there is no phrase list `{list}`: add [phrases.{list}] or mend the name"));
    }
    if let Some(excuse) = &pattern.unless {
        if !forbidden {
            found.push(
                "`unless` excuses what `must_not` forbids: anywhere else it has no effect, remove it".into(),
            );
        }
        check_pattern(excuse, Place { has_trigger: true, forbidden: false }, phrases, found);
    }
    if pattern.at_least == 0 {
        found.push("`at_least = 0` always matches: leave it out or give 1 or more".into());
    }
    let Some(window) = &pattern.window else { return };
    if let Some(last) = &window.before_last {
        check_pattern(last, Place { has_trigger, forbidden: false }, phrases, found);
    }
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
        check(&with("speaker = \"agent\""), &["a pattern needs"]);
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
    fn phrase_lists() {
        let with = |list: &str| format!("[phrases.x]\n{list}\n{}", rule("a.b", GREETS));
        check(&with("by_sound = \"similar\"\nzh = [\"致电\"]"), &[]);
        check(
            &with("by_sound = \"same\"\nzh = [\"喂\", \"工号\"]"),
            &["line 3: phrases.x: `喂` has one character and would be heard everywhere"],
        );
        check(&with("zh = [\"喂\"]"), &[]);
        check(&with("by_sound = \"loud\""), &["line 4"]);
        check(&with("by_sound = \"same\"\nen = [\"oh\"]"), &["`by_sound` is for `zh`"]);
        check(&with("zh = []"), &["the list is empty"]);
        check(
            &with("en = [\"?!\", \"take {count}\", \"take {number}\"]"),
            &["no letter", "placeholder is {number}"],
        );
    }

    #[test]
    fn lines_and_ids_are_named() {
        let two = rule("a.b", GREETS) + &rule("a.b", GREETS);
        check(&two, &["line 11: a.b: two rules have this id"]);
    }

    #[test]
    fn ten_thousand_rules() {
        let many: String = (0..10_000).map(|number| rule(&format!("a.{number}"), GREETS)).collect();
        check(&many, &[]);
        check(&(many + &rule("a.9", GREETS)), &["line 80003: a.9: two rules"]);
    }

    #[test]
    fn patterns_that_say_too_much() {
        let with = |clause: &str| {
            format!("[phrases.x]\nen = [\"oh\"]\n{}", rule("a.b", &format!("class = \"notice\"\n{clause}")))
        };
        let found = |pattern: &str| with(&format!("must.found = {{ speaker = \"agent\", {pattern} }}"));
        check(&found("labels = [\"greeting\"], phrases = \"x\""), &[]);
        check(&found("phrases = [\"x\", \"y\"]"), &["no phrase list `y`"]);
        check(&found("phrases = 7"), &["the name of a phrase list"]);
        check(&found("measure = \"hold\", phrases = \"x\""), &["a `measure` alone"]);
        let last = "labels = [\"greeting\"], window.before_last = { speaker = \"customer\", labels = [\"closing\"] }";
        check(&found(last), &["label `closing` is only ever given to the agent"]);
        check(
            &found("labels = [\"greeting\"], unless = { speaker = \"agent\", phrases = \"x\" }"),
            &["`unless` excuses"],
        );
        let one = "{ found = { speaker = \"agent\", phrases = \"x\" } }";
        check(&with(&format!("must.all = [{one}, {one}]")), &[]);
        check(&with(&format!("must.all = [{one}]")), &["two demands or more"]);
        check(&with(&format!("must_not.all = [{one}, {one}]")), &["make a rule of each"]);
        check(&with("must.started_between = [\"08:00\", \"21:00\"]"), &[]);
        check(&with("must.started_between = [\"21:00\", \"08:00\"]"), &["hours over midnight"]);
    }

    #[test]
    fn scopes_and_days_that_admit_nothing() {
        let with = |head: &str| format!("{head}\n{}", rule("a.b", GREETS));
        check(&with("[scope]\nqueues = [\"a\"]\ndirections = [\"outbound\"]"), &[]);
        check(
            &with("[scope]\nqueues = []\nlabels = { campaign = [] }"),
            &["scope.queues", "scope.labels.campaign"],
        );
        check(&with("[scope]\ndirections = [\"unknown\"]"), &["`unknown` is no direction"]);
        check(
            &with("[validity]\nfrom = \"2026-01-01\"\nuntil = \"2025-12-31\""),
            &["no call is ever judged"],
        );
        check(&with("[validity]\nfrom = \"January\""), &["line 4"]);
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
