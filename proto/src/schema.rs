//! The JSON Schemas of everything on the wire, made from the types and committed in `proto/schemas`.

use callqa_domain::{DeadLetterReason, Label};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Value, json};

use crate::wire::{CallRecorded, DeadLetterRow, FindingRow, ObservationsRow, ResultRow, ReviewTaskRow};

/// File name in `proto/schemas` and content, of each schema.
#[must_use]
pub fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("call-recorded.v1.schema.json", of::<CallRecorded>(&[])),
        ("result.v1.schema.json", of::<ResultRow>(&result_codes())),
        ("finding.v1.schema.json", of::<FindingRow>(&finding_codes())),
        ("observations.v1.schema.json", of::<ObservationsRow>(&observations_codes())),
        ("review-task.v1.schema.json", of::<ReviewTaskRow>(&[("outcome", names(OUTCOMES))])),
        ("dead-letter.v1.schema.json", of::<DeadLetterRow>(&dead_letter_codes())),
    ]
}

/// The names of a field's codes.
type Codes = Vec<&'static str>;

const PURPOSES: &[&str] = &["live", "backfill", "reprocess", "test"];
const DIRECTIONS: &[&str] = &["inbound", "outbound", "unknown"];
const ENDED_BY: &[&str] = &["agent", "customer", "line", "unknown"];
const LANGUAGES: &[&str] = &["zh", "en"];
const LAYOUTS: &[&str] = &["agent_first", "customer_first", "mono"];
const CHANNELS: &[&str] = &["agent", "customer", "mixed"];
const OUTCOMES: &[&str] = &["resolved", "partially_resolved", "unresolved", "unknown"];
const EXCLUSIONS: &[&str] = &["test_call", "voicemail", "opt_out", "too_short", "no_speech"];
const RULINGS: &[&str] = &["met", "violated", "not_applicable", "unknown"];
const CLASSES: &[&str] = &["fatal", "serious", "minor", "notice", "praise"];
const OWNERS: &[&str] = &["agent", "company", "customer"];
const GAP_REASONS: &[&str] = &["no_words", "repetition"];
const REASONS: &[&str] = &[
    "no_conversation",
    "precondition_absent",
    "out_of_scope",
    "cut_short",
    "mono",
    "low_coverage",
    "model_in_doubt",
    "missing_attribute",
];

fn names(codes: &[&'static str]) -> Codes {
    codes.to_vec()
}

fn ending_reasons() -> Codes {
    EXCLUSIONS.iter().copied().chain(DeadLetterReason::ALL.iter().map(|reason| reason.name())).collect()
}

fn labels() -> Codes {
    Label::ALL.iter().map(|label| label.name()).collect()
}

fn result_codes() -> Vec<(&'static str, Codes)> {
    vec![
        ("purpose", names(PURPOSES)),
        ("ending", names(&["assessed", "excluded", "dead_lettered"])),
        ("reason", ending_reasons()),
        ("outcome", names(OUTCOMES)),
        ("direction", names(DIRECTIONS)),
        ("ended_by", names(ENDED_BY)),
        ("language", names(LANGUAGES)),
    ]
}

fn finding_codes() -> Vec<(&'static str, Codes)> {
    let speakers = [CHANNELS, &["call"]].concat();
    vec![
        ("kind", names(&["verdict", "label", "acoustic"])),
        ("ruling", names(RULINGS)),
        ("reason", names(REASONS)),
        ("class", names(CLASSES)),
        ("owner", names(OWNERS)),
        ("language", names(LANGUAGES)),
        ("speaker", speakers.clone()),
        ("label", labels()),
        ("evidence_speaker", speakers),
    ]
}

fn observations_codes() -> Vec<(&'static str, Codes)> {
    vec![
        ("purpose", names(PURPOSES)),
        ("direction", names(DIRECTIONS)),
        ("ended_by", names(ENDED_BY)),
        ("agent_language", names(LANGUAGES)),
        ("customer_language", names(LANGUAGES)),
        ("channel_layout", names(LAYOUTS)),
        ("channel", names(CHANNELS)),
        ("threshold_label", labels()),
        ("speech_channel", names(CHANNELS)),
        ("utterance_speaker", names(CHANNELS)),
        ("score_label", labels()),
        ("gap_channel", names(CHANNELS)),
        ("gap_reason", names(GAP_REASONS)),
    ]
}

fn dead_letter_codes() -> Vec<(&'static str, Codes)> {
    vec![("ending", names(&["excluded", "dead_lettered"])), ("reason", ending_reasons())]
}

/// What is written, not what is accepted: rows are read more freely than they are written.
fn of<T: JsonSchema>(codes: &[(&str, Codes)]) -> Value {
    let schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    let mut schema = schema.to_value();
    // Every field is always there: a default says nothing.
    for property in schema["properties"].as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
        property.as_object_mut().map(|property| property.remove("default"));
    }
    for (field, codes) in codes {
        let property = &mut schema["properties"][field];
        let place = if property["type"] == "array" { &mut property["items"] } else { property };
        let mut allowed = json!(codes);
        if let Some(allowed) = allowed.as_array_mut().filter(|_| place["type"].is_array()) {
            allowed.push(Value::Null);
        }
        place["enum"] = allowed;
    }
    schema
}

#[cfg(test)]
mod tests {
    use callqa_domain as domain;
    use serde::de::{DeserializeOwned, IntoDeserializer, value::Error};

    use super::*;

    /// serde names every variant when it meets one that it does not know.
    #[track_caller]
    fn check<T: DeserializeOwned>(codes: &[&str]) {
        let refused: Result<T, Error> = T::deserialize("?".into_deserializer());
        let said = refused.err().unwrap().to_string();
        let known: Vec<&str> = said.split("expected").nth(1).unwrap().split('`').skip(1).step_by(2).collect();
        assert_eq!(known, codes);
    }

    #[test]
    fn lists_of_codes_are_the_domains() {
        check::<domain::Purpose>(PURPOSES);
        check::<domain::Direction>(DIRECTIONS);
        check::<domain::EndedBy>(ENDED_BY);
        check::<domain::Language>(LANGUAGES);
        check::<domain::ChannelLayout>(LAYOUTS);
        check::<domain::Channel>(CHANNELS);
        check::<domain::OutcomeKind>(OUTCOMES);
        check::<domain::ExclusionReason>(EXCLUSIONS);
        check::<domain::Reason>(REASONS);
        check::<domain::Ruling>(RULINGS);
        check::<domain::Class>(CLASSES);
        check::<domain::Owner>(OWNERS);
        check::<domain::GapReason>(GAP_REASONS);
    }
}
