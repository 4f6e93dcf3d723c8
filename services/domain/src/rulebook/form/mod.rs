//! The form of a rulebook's parts. serde stops at the first mistake of form, so a part is gone through before it is
//! read, and each of its mistakes is told.

mod tables;

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::{AttributeName, meant};

pub(super) use tables::{PHRASES, RULE, SCOPE, SHARE, TEXT, VALIDITY};

/// What may stand somewhere in a rulebook; `is` is what messages call it.
pub(super) enum Form {
    /// A table of these fields.
    Table { is: &'static str, fields: &'static [Field] },
    /// A table of one of these fields.
    Choice { is: &'static str, fields: &'static [Field] },
    /// A list of these.
    List(&'static Form),
    /// `nested` where a list or a table stands there, else `plain`.
    Either { plain: &'static Form, nested: &'static Form },
    /// One of these names.
    Name { is: &'static str, names: fn() -> Vec<&'static str> },
    /// The name of an attribute of a call.
    AttributeName,
    /// The name of a phrase list.
    PhraseList,
    /// A value that serde reads.
    Value { is: &'static str, reads: fn(Spanned<DeValue<'_>>) -> bool },
}

/// A field of a table.
pub(super) struct Field {
    name: &'static str,
    form: &'static Form,
    needed: bool,
}

const fn must(name: &'static str, form: &'static Form) -> Field {
    Field { name, form, needed: true }
}

const fn may(name: &'static str, form: &'static Form) -> Field {
    Field { name, form, needed: false }
}

fn reads<T: DeserializeOwned>(value: Spanned<DeValue<'_>>) -> bool {
    T::deserialize(ValueDeserializer::from(value)).is_ok()
}

/// Every mistake in the form of a value, each with the byte of the file at which it stands.
pub(super) fn mistakes(
    form: &Form,
    key: &str,
    value: &Spanned<DeValue<'_>>,
    phrase_lists: &BTreeSet<String>,
) -> Vec<(usize, String)> {
    let mut walk = Walk { phrase_lists, found: Vec::new() };
    walk.value(form, key, value.span().start, value);
    walk.found.sort_by_key(|(at, _)| *at);
    walk.found
}

struct Walk<'a> {
    phrase_lists: &'a BTreeSet<String>,
    found: Vec<(usize, String)>,
}

impl Walk<'_> {
    fn tell(&mut self, at: usize, what: String) {
        self.found.push((at, what));
    }

    /// `at` is where `key` stands: what a table lacks has no place of its own.
    fn value(&mut self, form: &Form, key: &str, at: usize, value: &Spanned<DeValue<'_>>) {
        let start = value.span().start;
        match (form, value.get_ref()) {
            (Form::Table { is, fields }, DeValue::Table(table)) => {
                for field in fields.iter().filter(|field| field.needed && !table.contains_key(field.name)) {
                    self.tell(at, format!("{is} needs `{}`: add {}", field.name, field.form.wanted()));
                }
                self.fields(is, fields, table);
            }
            (Form::Choice { is, fields }, DeValue::Table(table)) => {
                let chosen = fields.iter().map(|field| field.name).filter(|name| table.contains_key(*name));
                let chosen: Vec<&str> = chosen.collect();
                if chosen.len() > 1 {
                    self.tell(at, format!("`{key}` has {}: keep one of them", chosen.join(" and ")));
                } else if table.is_empty() {
                    self.tell(at, format!("`{key}` must be {}", form.wanted()));
                }
                self.fields(is, fields, table);
            }
            (Form::List(each), DeValue::Array(values)) => {
                values.iter().for_each(|value| self.value(each, key, value.span().start, value));
            }
            (Form::Either { nested, .. }, DeValue::Array(_) | DeValue::Table(_)) => {
                self.value(nested, key, at, value);
            }
            (Form::Either { plain, .. }, _) => self.value(plain, key, at, value),
            (Form::Name { is, names }, DeValue::String(written)) => {
                let names = names();
                if !names.contains(&written.as_ref()) {
                    self.tell(start, format!("`{written}` is not {is}{}", instead(written, &names)));
                }
            }
            (Form::AttributeName, DeValue::String(written)) => {
                if let Err(why) = AttributeName::try_from(written.to_string()) {
                    self.tell(start, why);
                }
            }
            (Form::PhraseList, DeValue::String(written)) => self.phrase_list(start, written),
            (Form::Value { reads, .. }, _) if reads(value.clone()) => {}
            _ => self.tell(start, format!("`{key}` must be {}", form.wanted())),
        }
    }

    fn fields(&mut self, is: &str, fields: &[Field], table: &DeTable<'_>) {
        for (key, value) in table {
            let name: &str = key.get_ref();
            let at = key.span().start;
            if let Some(field) = fields.iter().find(|field| field.name == name) {
                self.value(field.form, name, at, value);
            } else {
                let instead = instead(name, &names(fields));
                self.tell(at, format!("`{name}` is not a field of {is}{instead}"));
            }
        }
    }

    fn phrase_list(&mut self, at: usize, name: &str) {
        if self.phrase_lists.contains(name) {
            return;
        }
        let mend = match meant(name, self.phrase_lists.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add [phrases.{name}] or mend the name"),
        };
        self.tell(at, format!("there is no phrase list `{name}`: {mend}"));
    }
}

impl Form {
    /// What must stand there, for the message about anything else.
    fn wanted(&self) -> String {
        match self {
            Self::Table { fields, .. } => format!("a table, {{ {} }}", names(fields).join(", ")),
            Self::Choice { fields, .. } => format!("a table with one of {}", names(fields).join(", ")),
            Self::List(_) => "a list, in [ ]".to_owned(),
            Self::Either { plain, .. } => plain.wanted(),
            Self::Name { names, .. } => format!("one of {}", names().join(", ")),
            Self::AttributeName => "the name of an attribute, in quotes".to_owned(),
            Self::PhraseList => "the name of a phrase list, or a list of such names".to_owned(),
            Self::Value { is, .. } => (*is).to_owned(),
        }
    }
}

fn names(fields: &[Field]) -> Vec<&'static str> {
    fields.iter().map(|field| field.name).collect()
}

/// The name that was meant, or else all that there are.
fn instead(written: &str, known: &[&str]) -> String {
    match meant(written, known.iter().copied()) {
        Some(near) => format!(": did you mean `{near}`?"),
        None => format!(": there are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests;
