//! Reads settings one by one, and keeps every mistake instead of stopping at the first.

use std::collections::{BTreeMap, BTreeSet};

use callqa_domain::meant;
use toml::{Table, Value};

use super::Mistake;
use super::setting::{Secret, Setting};

/// Before the names of all settings that come from the environment: `CALLQA_KAFKA__BROKERS`.
const ENVIRONMENT_PREFIX: &str = "CALLQA_";
/// Between the parts of a key in the environment. Variables of that prefix without it are other
/// programs' (`CALLQA_MODELS`, `CALLQA_BROKERS`).
const ENVIRONMENT_SEPARATOR: &str = "__";

/// The settings as they came, and what was wrong with those that were read so far.
#[derive(Debug, Default)]
pub struct Reader {
    settings: Table,
    from_environment: BTreeMap<String, String>,
    read: BTreeSet<String>,
    mistakes: Vec<Mistake>,
}

impl Reader {
    /// Takes a file's settings, and lays those of the environment over them.
    pub fn new(file: Table, environment: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut reader = Self { settings: file, ..Self::default() };
        for (name, value) in environment {
            let Some(key) = name.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
            if key.contains(ENVIRONMENT_SEPARATOR) {
                let path = key.to_ascii_lowercase().replace(ENVIRONMENT_SEPARATOR, ".");
                reader.overlay(&path, value);
                reader.from_environment.insert(path, name);
            }
        }
        reader
    }

    fn overlay(&mut self, path: &str, value: String) {
        let mut table = &mut self.settings;
        let mut parts: Vec<&str> = path.split('.').collect();
        let last = parts.pop().unwrap_or_default();
        for part in parts {
            let inner = table.entry(part).or_insert_with(|| Value::Table(Table::new()));
            if !inner.is_table() {
                *inner = Value::Table(Table::new());
            }
            let Value::Table(inner) = inner else { return };
            table = inner;
        }
        table.insert(last.to_owned(), Value::String(value));
    }

    fn find(&self, key: &str) -> Option<&Value> {
        let mut parts = key.split('.');
        let first = self.settings.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    }

    /// The setting, or its default where it is absent or wrong.
    pub fn or<T: Setting>(&mut self, key: &str, default: T) -> T {
        self.read.insert(key.to_owned());
        match self.find(key).map(T::read) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(why)) => {
                let name = self.from_environment.get(key);
                let origin = name.map_or_else(String::new, |name| format!(" (from {name})"));
                self.mistake(key, format!("{why}{origin}"));
                default
            }
        }
    }

    /// A table of free options. In the environment, where names have no dots, `_` stands for a dot.
    pub fn options(&mut self, key: &str) -> BTreeMap<String, Secret> {
        let table = match self.find(key) {
            None => return BTreeMap::new(),
            Some(Value::Table(table)) => table.clone(),
            Some(_) => {
                self.read.insert(key.to_owned());
                self.mistake(key, "is a table of options");
                return BTreeMap::new();
            }
        };
        let mut options = BTreeMap::new();
        // TOML reads `security.protocol = "SSL"` without quotes as a table in a table: just as well.
        leaves(&table, "", &mut |name, value| {
            self.read.insert(format!("{key}.{name}"));
            match Secret::read(value) {
                Ok(value) => {
                    options.insert(name.replace('_', "."), value);
                }
                Err(why) => self.mistake(&format!("{key}.{name}"), why),
            }
        });
        options
    }

    /// Notes a mistake.
    pub fn mistake(&mut self, key: &str, what: impl Into<String>) {
        self.mistakes.push(Mistake { key: key.to_owned(), what: what.into() });
    }

    /// The settings that were asked for so far.
    #[cfg(test)]
    pub fn known(&self) -> impl Iterator<Item = &str> {
        self.read.iter().map(String::as_str)
    }

    /// Every mistake, the settings that nobody asked for among them.
    pub fn finish(mut self) -> Vec<Mistake> {
        let mut unknown = Vec::new();
        leaves(&self.settings, "", &mut |key, _| {
            if !self.read.contains(key) {
                unknown.push(key.to_owned());
            }
        });
        for key in unknown {
            let near = meant(&key, self.read.iter().map(String::as_str));
            let hint = near.map_or_else(String::new, |known| format!("; did you mean {known}?"));
            self.mistake(&key, format!("is not a setting{hint}"));
        }
        self.mistakes
    }
}

fn leaves(table: &Table, under: &str, visit: &mut impl FnMut(&str, &Value)) {
    for (name, value) in table {
        let key = if under.is_empty() { name.clone() } else { format!("{under}.{name}") };
        match value {
            Value::Table(inner) => leaves(inner, &key, visit),
            _ => visit(&key, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_lies_over_the_file() {
        let file: Table = toml::from_str("[kafka]\ngroup = 'file'\nbrokers = 'a:1'").expect("TOML");
        let environment = [("CALLQA_KAFKA__GROUP", "env"), ("CALLQA_MODELS", "/m"), ("KAFKA__GROUP", "x")];
        let mut reader = Reader::new(file, environment.map(|(k, v)| (k.to_owned(), v.to_owned())));
        assert_eq!(reader.or("kafka.group", String::new()), "env");
        assert_eq!(reader.or("kafka.brokers", String::new()), "a:1");
        assert_eq!(reader.finish(), []);
    }

    #[test]
    fn options_need_no_quotes() {
        let file: Table =
            toml::from_str("[kafka.client]\nsecurity.protocol = 'SSL'\n'ssl.ca.location' = '/ca'")
                .expect("TOML");
        let mut reader = Reader::new(file, []);
        let options = reader.options("kafka.client");
        assert_eq!(
            (options["security.protocol"].expose(), options["ssl.ca.location"].expose()),
            ("SSL", "/ca")
        );
        assert_eq!(reader.finish(), []);
    }

    #[test]
    fn options_of_the_environment_have_dots() {
        let environment = [("CALLQA_KAFKA__CLIENT__SASL_PASSWORD".to_owned(), "0042".to_owned())];
        let mut reader = Reader::new(Table::new(), environment);
        assert_eq!(reader.options("kafka.client")["sasl.password"].expose(), "0042");
        assert_eq!(reader.finish(), []);
    }
}
