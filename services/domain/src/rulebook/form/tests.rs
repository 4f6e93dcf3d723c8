//! The tables say what serde reads: each field and each name, and the first that is needed.

use serde::de::IntoDeserializer;
use serde::de::value::{Error, MapDeserializer};

use super::tables::*;
use super::*;
use crate::{
    After, Attribute, Before, Bilingual, Channel, Class, Clause, Condition, Extent, Label, Language, Measure,
    OutcomeKind, Owner, Pace, Pattern, Phrases, Precondition, Reason, Rounds, Rule, Scope, Sound, Spoken,
    Trigger, Validity, Window,
};

/// What serde quotes when it refuses something.
fn quoted(refused: Option<Error>) -> Vec<String> {
    let told = refused.map(|error| error.to_string()).unwrap_or_default();
    told.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

fn from_table<T: DeserializeOwned>(keys: &[&'static str]) -> Vec<String> {
    let table = MapDeserializer::<_, Error>::new(keys.iter().map(|&key| (key, ())));
    quoted(T::deserialize(table).err())
}

#[track_caller]
fn check_table<T: DeserializeOwned>(form: &Form) {
    let Form::Table { fields, .. } = form else { panic!("a table") };
    assert_eq!(from_table::<T>(&["?"])[1..], names(fields));
    let needed = fields.iter().find(|field| field.needed).map(|field| field.name);
    assert_eq!(from_table::<T>(&[]).first().map(String::as_str), needed);
}

#[track_caller]
fn check_names<T: DeserializeOwned>(form: &Form) {
    let known = match form {
        Form::Choice { fields, .. } => names(fields),
        Form::Name { names, .. } => names(),
        _ => panic!("a choice or names"),
    };
    let refused: Result<T, Error> = T::deserialize("?".into_deserializer());
    assert_eq!(quoted(refused.err())[1..], known);
}

#[test]
fn fields() {
    check_table::<Rule>(&RULE);
    check_table::<Scope>(&SCOPE);
    check_table::<Validity>(&VALIDITY);
    check_table::<Phrases>(&PHRASES);
    check_table::<Bilingual>(&BILINGUAL);
    check_table::<Precondition>(&PRECONDITION);
    check_table::<Attribute>(&ATTRIBUTE);
    check_table::<Spoken>(&SPOKEN);
    check_table::<Rounds>(&ROUNDS);
    check_table::<Pace>(&PACE);
    check_table::<Pattern>(&PATTERN);
    check_table::<Window>(&WINDOW);
    check_table::<Extent>(&EXTENT);
    check_table::<Before>(&BEFORE);
    check_table::<After>(&AFTER);
}

#[test]
fn choices_and_names() {
    check_names::<Condition>(&CONDITION);
    check_names::<Trigger>(&TRIGGER);
    check_names::<Clause>(&CLAUSE);
    check_names::<Class>(&CLASS);
    check_names::<Owner>(&OWNER);
    check_names::<Reason>(&REASON);
    check_names::<Channel>(&SPEAKER);
    check_names::<OutcomeKind>(&OUTCOME);
    check_names::<Language>(&LANGUAGE);
    check_names::<Sound>(&SOUND);
    check_names::<Measure>(&MEASURE);
    check_names::<Label>(&LABEL);
}
