//! Mistakes of form: what the grammar does not know, and what can't be read at all.

use super::*;

#[test]
fn what_the_grammar_does_not_know_is_named_with_its_line() {
    check(&rule("a.b", &GREETS.replace("minor", "grave")), &["line 8"]);
}

#[test]
fn every_mistake_of_a_rule_comes_at_once() {
    check(
        "[[rule]]\nid = \"a.b\"\nclass = \"minor\"\npionts = 3",
        &[
            "line 3: a.b: a rule needs `title`: add a table, { zh, en }",
            "line 3: a.b: a rule needs `tell`: add a table, { zh, en }",
            "line 3: a.b: a rule needs `owner`: add one of agent, company, customer",
            "line 6: a.b: `pionts` is not a field of a rule: did you mean `points`?",
            "line 3: a.b: nothing is demanded: give `must` or `must_not`",
        ],
    );
    check(
        "[[rule]]\nclass = 1",
        &[
            "line 3: a rule without an id: a rule needs `id`: add text in quotes",
            "needs `title`",
            "needs `tell`",
            "needs `owner`",
            "line 4: a rule without an id: `class` must be one of fatal, serious, minor, notice, praise",
            "nothing is demanded",
        ],
    );
}

#[test]
fn names_that_there_are_not() {
    let with = |pattern: &str| {
        let list = "[phrases.forbidden]\nen = [\"oh\"]\nalso = [\"forbiden\"]\n";
        format!("{list}{}", rule("a.b", &format!("class = \"notice\"\nmust.found = {pattern}")))
    };
    check(
        &with(
            "{ speaker = \"agnet\", labels = [\"greting\", \"hello\"], phrases = [\"forbiden\", \"insults\"] }",
        ),
        &[
            "line 5: phrases.forbidden: there is no phrase list `forbiden`: did you mean `forbidden`?",
            "line 12: a.b: `agnet` is not a speaker: did you mean `agent`?",
            "line 12: a.b: `greting` is not a label: did you mean `greeting`?",
            "line 12: a.b: `hello` is not a label: there are courteous, neutral, ",
            "line 12: a.b: there is no phrase list `forbiden`: did you mean `forbidden`?",
            "line 12: a.b: there is no phrase list `insults`: add [phrases.insults] or mend the name",
        ],
    );
}

#[test]
fn conditions_are_gone_through_one_by_one() {
    let with = |when: &str| rule("a.b", &format!("{GREETS}\nwhen = [\n{when}\n]"));
    check(
        &with(
            "{ holds.fuond = { speaker = \"agent\" } },\n\
             { holds.any = [{ found = { labels = [\"closing\"] } }, { outcome = [\"solved\"] }], otherwise = \"why\" },\n\
             { holds = { not = 7, spoken = { speaker = \"agent\", at_least_seconds = \"9\" } } },\n\
             { holds = {} }, 5",
        ),
        &[
            "line 12: a.b: `fuond` is not a field of a condition: did you mean `found`?",
            "line 13: a.b: a pattern needs `speaker`: add one of agent, customer, mixed",
            "line 13: a.b: `solved` is not an outcome: did you mean `resolved`?",
            "line 13: a.b: `why` is not a reason: there are no_conversation, ",
            "line 14: a.b: `holds` has not and spoken: keep one of them",
            "line 14: a.b: `not` must be a table with one of all, any, not, found, ",
            "line 14: a.b: `at_least_seconds` must be a number of seconds",
            "line 15: a.b: `holds` must be a table with one of all, any, ",
            "line 15: a.b: `when` must be a table, { holds, otherwise }",
        ],
    );
}

#[test]
fn every_mistake_of_a_part_comes_at_once() {
    check(
        &format!(
            "[scope]\nqueue = [\"a\"]\ntenants = \"acme\"\n[validity]\nfrom = 2026\ntill = \"x\"\n{}",
            rule("a.b", GREETS)
        ),
        &[
            "line 4: scope: `queue` is not a field of a scope: did you mean `queues`?",
            "line 5: scope: `tenants` must be a list, in [ ]",
            "line 7: validity: `from` must be a date in quotes, such as \"2026-01-01\"",
            "line 8: validity: `till` is not a field of a validity: there are from, until",
        ],
    );
}

#[test]
fn a_rule_that_can_not_be_read_hides_no_other_mistake() {
    let three = rule("a.a", &GREETS.replace("greeting", "greting"))
        + &rule("a.b", &GREETS.replace("minor", "grave"))
        + &rule("a.c", "class = \"notice\"\npoints = 2");
    check(
        &format!("[phrases.x]\nzh = [7]\n{three}"),
        &[
            "line 4: phrases.x: `zh` must be text in quotes",
            "line 12: a.a: `greting` is not a label: did you mean `greeting`?",
            "line 18: a.b: `grave` is not a class: there are fatal, ",
            "line 21: a.c: nothing is demanded",
            "line 21: a.c: a notice deducts nothing",
        ],
    );
    check("rules = 1", &["line 3: `rules` is not known here", "there is no [[rule]]"]);
    check("rule = []", &["there is no [[rule]]"]);
    check("[[rule]\n", &["line 3: this is not TOML"]);
}

#[test]
fn a_rulebook_that_is_none() {
    let mistakes = |text: &str| Rulebook::parse(text).unwrap_err().0;
    assert!(mistakes("").iter().any(|m| m.contains("there is no `id`")));
    assert!(mistakes("").iter().any(|m| m.contains("there is no [[rule]]")));
    assert!(mistakes("{\"id\": 1}")[0].starts_with("line 1: this is not TOML"));
    assert!(mistakes("\u{0}\u{fffd}[[[")[0].starts_with("line 1: this is not TOML"));
    assert_eq!(
        mistakes("rule = 7\nid = \"x\"\nversion = \"1\"")[0],
        "line 1: a rule is a table: begin each with [[rule]]"
    );
    let empty = format!("id = \" \"\nversion = \"\"\n{}", rule("a.b", GREETS));
    assert_eq!(mistakes(&empty).len(), 2);
    assert!(mistakes(&empty)[0].starts_with("`id` is empty") && mistakes(&empty)[1].starts_with("`version`"));
    let with_another = empty.replace("minor", "grave");
    assert_eq!(mistakes(&with_another).len(), 3, "{:?}", mistakes(&with_another));
    let unread = empty.replace("id = \" \"\nversion = \"\"", "id = 7");
    assert_eq!(mistakes(&unread).len(), 2, "{:?}", mistakes(&unread));
    // Deeper than anybody writes: refused, not run into the ground.
    let deep = "holds.not.".repeat(20_000);
    assert!(!mistakes(&format!("[[rule]]\nwhen = [{{ {deep}found = 1 }}]")).is_empty());
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    assert!(!mistakes(&format!("x = {deep}")).is_empty());
}
