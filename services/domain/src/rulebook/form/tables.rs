//! The grammar, field by field. A test compares it with what serde reads.

use jiff::civil::{Date, Time};

use super::{Form, may, must, reads};
use crate::{Direction, Label};

pub(in crate::rulebook) static TEXT: Form = Form::Value { is: "text in quotes", reads: reads::<String> };
pub(in crate::rulebook) static SHARE: Form = Form::Value { is: "a number from 0 to 1", reads: reads::<f32> };
static TEXTS: Form = Form::List(&TEXT);
static YES: Form = Form::Value { is: "true or false", reads: reads::<bool> };
static COUNT: Form = Form::Value { is: "a whole number, 0 or more", reads: reads::<u32> };
static SECONDS: Form = Form::Value { is: "a number of seconds", reads: reads::<f64> };
static RANGE: Form = Form::Value { is: "two numbers, [least, most]", reads: reads::<[f32; 2]> };
static TIMES: Form =
    Form::Value { is: "two times of day, such as [\"08:00\", \"22:00\"]", reads: reads::<[Time; 2]> };
static DATE: Form = Form::Value { is: "a date in quotes, such as \"2026-01-01\"", reads: reads::<Date> };
static EVENT_LABELS: Form = Form::Value {
    is: "lists by name, such as { campaign = [\"spring\"] }",
    reads: reads::<std::collections::BTreeMap<String, Vec<String>>>,
};

pub(in crate::rulebook) static SCOPE: Form = Form::Table {
    is: "a scope",
    fields: &[
        may("tenants", &TEXTS),
        may("queues", &TEXTS),
        may("languages", &LANGUAGES),
        may("directions", &DIRECTIONS),
        may("labels", &EVENT_LABELS),
    ],
};
static LANGUAGES: Form = Form::List(&LANGUAGE);
pub(super) static LANGUAGE: Form = Form::Name { is: "a language", names: || vec!["zh", "en"] };
static DIRECTIONS: Form = Form::List(&DIRECTION);
// `unknown` is read, and refused with a sentence of its own.
static DIRECTION: Form = Form::Value { is: "inbound or outbound", reads: reads::<Direction> };

pub(in crate::rulebook) static VALIDITY: Form =
    Form::Table { is: "a validity", fields: &[may("from", &DATE), may("until", &DATE)] };

pub(in crate::rulebook) static PHRASES: Form = Form::Table {
    is: "a phrase list",
    fields: &[
        may("zh", &TEXTS),
        may("en", &TEXTS),
        may("by_sound", &SOUND),
        may("regex", &TEXTS),
        may("except", &TEXTS),
        may("except_regex", &TEXTS),
        may("also", &PHRASE_LISTS),
    ],
};
pub(super) static SOUND: Form = Form::Name { is: "a sound", names: || vec!["same", "similar"] };
static PHRASE_LISTS: Form = Form::List(&Form::PhraseList);
static ONE_OR_MANY: Form = Form::Either { plain: &Form::PhraseList, nested: &PHRASE_LISTS };

pub(in crate::rulebook) static RULE: Form = Form::Table {
    is: "a rule",
    fields: &[
        must("id", &TEXT),
        must("title", &BILINGUAL),
        must("tell", &BILINGUAL),
        must("class", &CLASS),
        may("points", &COUNT),
        must("owner", &OWNER),
        may("when", &PRECONDITIONS),
        may("trigger", &TRIGGER),
        may("must", &CLAUSE),
        may("must_not", &CLAUSE),
    ],
};
pub(super) static BILINGUAL: Form =
    Form::Table { is: "a sentence in both languages", fields: &[must("zh", &TEXT), must("en", &TEXT)] };
pub(super) static CLASS: Form =
    Form::Name { is: "a class", names: || vec!["fatal", "serious", "minor", "notice", "praise"] };
pub(super) static OWNER: Form = Form::Name { is: "an owner", names: || vec!["agent", "company", "customer"] };

static PRECONDITIONS: Form = Form::List(&PRECONDITION);
pub(super) static PRECONDITION: Form =
    Form::Table { is: "a precondition", fields: &[must("holds", &CONDITION), may("otherwise", &REASON)] };
pub(super) static REASON: Form = Form::Name {
    is: "a reason",
    names: || {
        vec![
            "no_conversation",
            "precondition_absent",
            "out_of_scope",
            "cut_short",
            "mono",
            "low_coverage",
            "model_in_doubt",
            "missing_attribute",
        ]
    },
};
pub(super) static CONDITION: Form = Form::Choice {
    is: "a condition",
    fields: &[
        may("all", &CONDITIONS),
        may("any", &CONDITIONS),
        may("not", &CONDITION),
        may("found", &PATTERN),
        may("attribute", &ATTRIBUTE),
        may("outcome", &OUTCOMES),
        may("spoken", &SPOKEN),
    ],
};
static CONDITIONS: Form = Form::List(&CONDITION);
pub(super) static ATTRIBUTE: Form =
    Form::Table { is: "an attribute", fields: &[must("name", &Form::AttributeName), must("is", &TEXTS)] };
static OUTCOMES: Form = Form::List(&OUTCOME);
pub(super) static OUTCOME: Form = Form::Name {
    is: "an outcome",
    names: || vec!["resolved", "partially_resolved", "unresolved", "unknown"],
};
pub(super) static SPOKEN: Form =
    Form::Table { is: "`spoken`", fields: &[must("speaker", &SPEAKER), must("at_least_seconds", &SECONDS)] };
pub(super) static SPEAKER: Form =
    Form::Name { is: "a speaker", names: || vec!["agent", "customer", "mixed"] };

pub(super) static TRIGGER: Form = Form::Choice {
    is: "a trigger",
    fields: &[may("first", &PATTERNS), may("every", &PATTERNS), may("rounds", &ROUNDS)],
};
pub(super) static ROUNDS: Form = Form::Table {
    is: "`rounds`",
    fields: &[must("count", &COUNT), must("open", &PATTERN), must("close", &PATTERN)],
};

pub(super) static CLAUSE: Form = Form::Choice {
    is: "a demand",
    fields: &[
        may("found", &PATTERN),
        may("pace", &PACE),
        may("outcome", &OUTCOMES),
        may("started_between", &TIMES),
        may("talk_ratio", &RANGE),
        may("sequence", &PATTERNS),
        may("all", &CLAUSES),
    ],
};
static CLAUSES: Form = Form::List(&CLAUSE);
pub(super) static PACE: Form =
    Form::Table { is: "a pace", fields: &[must("zh", &RANGE), must("en", &RANGE)] };

static PATTERNS: Form = Form::List(&PATTERN);
pub(super) static PATTERN: Form = Form::Table {
    is: "a pattern",
    fields: &[
        must("speaker", &SPEAKER),
        may("labels", &LABELS),
        may("phrases", &ONE_OR_MANY),
        may("measure", &MEASURE),
        may("window", &WINDOW),
        may("at_least", &COUNT),
        may("different", &YES),
        may("answered_by", &SPEAKER),
        may("unless", &PATTERN),
    ],
};
static LABELS: Form = Form::List(&LABEL);
pub(super) static LABEL: Form =
    Form::Name { is: "a label", names: || Label::ALL.iter().map(|label| label.name()).collect() };
pub(super) static MEASURE: Form =
    Form::Name { is: "a measure", names: || vec!["hold", "silence", "dead_air", "overtalk", "interruption"] };
pub(super) static WINDOW: Form = Form::Table {
    is: "a window",
    fields: &[
        may("first", &EXTENT),
        may("last_turns", &COUNT),
        may("last_seconds", &SECONDS),
        may("last_share", &SHARE),
        may("before_trigger", &YES_OR_BEFORE),
        may("before_last", &PATTERN),
        may("after_trigger", &AFTER),
    ],
};
pub(super) static EXTENT: Form =
    Form::Table { is: "`first`", fields: &[must("turns", &COUNT), must("seconds", &SECONDS)] };
static YES_OR_BEFORE: Form = Form::Either { plain: &YES, nested: &BEFORE };
pub(super) static BEFORE: Form =
    Form::Table { is: "`before_trigger`", fields: &[may("turns", &COUNT), may("seconds", &SECONDS)] };
pub(super) static AFTER: Form = Form::Table {
    is: "`after_trigger`",
    fields: &[may("turns", &COUNT), may("seconds", &SECONDS), may("same_turn", &YES)],
};
