//! How one value of the configuration is read, from TOML or from an environment variable.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use toml::Value;
use url::Url;

/// A type that a setting can have. In the environment everything is text, so text always does.
pub trait Setting: Sized {
    /// Reads the value, or says what it should have been. A secret never stands in that sentence.
    fn read(value: &Value) -> Result<Self, String>;
}

/// Reads text with `parse`; `what` ends the sentence "… is not".
fn text<T>(value: &Value, what: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, String> {
    value.as_str().and_then(parse).ok_or_else(|| format!("{value} is not {what}"))
}

impl Setting for String {
    fn read(value: &Value) -> Result<Self, String> {
        text(value, "text", |text| Some(text.to_owned()))
    }
}

impl Setting for PathBuf {
    fn read(value: &Value) -> Result<Self, String> {
        text(value, "a path", |text| (!text.is_empty()).then(|| text.into()))
    }
}

impl Setting for bool {
    fn read(value: &Value) -> Result<Self, String> {
        let number = value.as_bool().or_else(|| value.as_str()?.parse().ok());
        number.ok_or_else(|| format!("{value} is neither true nor false"))
    }
}

impl Setting for usize {
    fn read(value: &Value) -> Result<Self, String> {
        let number =
            value.as_integer().and_then(|n| n.try_into().ok()).or_else(|| value.as_str()?.parse().ok());
        number.ok_or_else(|| format!("{value} is not a whole number from 0"))
    }
}

impl Setting for u16 {
    fn read(value: &Value) -> Result<Self, String> {
        let number = usize::read(value)?;
        number.try_into().map_err(|_| format!("{value} is more than {}", Self::MAX))
    }
}

impl Setting for Duration {
    fn read(value: &Value) -> Result<Self, String> {
        text(value, "a duration such as \"30s\" or \"4h\"", |text| humantime::parse_duration(text).ok())
    }
}

impl Setting for SocketAddr {
    fn read(value: &Value) -> Result<Self, String> {
        text(value, "an address such as \"0.0.0.0:9464\"", |text| text.parse().ok())
    }
}

impl Setting for IpNet {
    fn read(value: &Value) -> Result<Self, String> {
        text(value, "a network such as \"10.2.0.0/16\"", |text| text.parse().ok())
    }
}

impl Setting for Url {
    fn read(value: &Value) -> Result<Self, String> {
        // The value may hold a password by mistake, so it is not repeated.
        let url = value.as_str().and_then(|text| Self::parse(text).ok()).filter(is_endpoint);
        url.ok_or_else(|| {
            "is not an address such as \"https://s3.example.com\", without user, path and query".to_owned()
        })
    }
}

fn is_endpoint(url: &Url) -> bool {
    let is_bare = url.username().is_empty() && url.password().is_none() && url.path() == "/";
    matches!(url.scheme(), "http" | "https") && is_bare && url.query().is_none() && url.fragment().is_none()
}

impl<T: Setting> Setting for Option<T> {
    fn read(value: &Value) -> Result<Self, String> {
        T::read(value).map(Some)
    }
}

/// A list; as text, its elements stand between commas, or it is written as in TOML.
impl<T: Setting> Setting for Vec<T> {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Array(elements) => elements.iter().map(T::read).collect(),
            Value::String(text) if text.trim_start().starts_with('[') => {
                let list = text.parse().ok().filter(Value::is_array);
                list.map_or_else(|| Err(format!("{value} is not a list")), |list| Self::read(&list))
            }
            Value::String(text) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                parts.map(|part| T::read(&Value::String(part.to_owned()))).collect()
            }
            _ => Err(format!("{value} is not a list")),
        }
    }
}

/// A number of bytes: a whole number, or text such as `512 MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl ByteSize {
    const UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("", 1)];

    /// So many mebibytes.
    #[must_use]
    pub const fn mebibytes(n: u64) -> Self {
        Self(n << 20)
    }

    fn parse(text: &str) -> Option<Self> {
        let (suffix, unit) = Self::UNITS.iter().find(|(suffix, _)| text.ends_with(suffix))?;
        let number: u64 = text.strip_suffix(suffix)?.trim().parse().ok()?;
        number.checked_mul(*unit).map(Self)
    }
}

impl std::fmt::Display for ByteSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = Self::UNITS.iter().find(|(_, unit)| self.0 >= *unit && self.0.is_multiple_of(*unit));
        let (suffix, unit) = unit.unwrap_or(&("", 1));
        write!(f, "{} {}", self.0 / unit, if suffix.is_empty() { "bytes" } else { suffix })
    }
}

impl Setting for ByteSize {
    fn read(value: &Value) -> Result<Self, String> {
        if let Some(number) = value.as_integer() {
            return number.try_into().map(Self).map_err(|_| format!("{value} is less than 0"));
        }
        text(value, "a number of bytes such as \"512 MiB\"", Self::parse)
    }
}

/// Something that nobody should read in a log: it prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The value, for the library that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What an environment variable holds, where it holds something.
    #[must_use]
    pub fn of_variable(name: &str) -> Option<Self> {
        std::env::var(name).ok().filter(|value| !value.is_empty()).map(Self)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Setting for Secret {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Ok(Self(text.clone())),
            Value::Integer(_) | Value::Boolean(_) | Value::Float(_) => Ok(Self(value.to_string())),
            _ => Err("is neither text nor a number".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_bytes(text: &str, expect: Option<u64>) {
        assert_eq!(ByteSize::read(&Value::from(text)).ok(), expect.map(ByteSize));
    }

    #[test]
    fn byte_sizes_have_binary_units() {
        check_bytes("512 MiB", Some(512 << 20));
        check_bytes("1GiB", Some(1 << 30));
        check_bytes("700KiB", Some(700 << 10));
        check_bytes("12", Some(12));
        check_bytes("12 MB", None);
        check_bytes("-1", None);
        check_bytes("99999999999 GiB", None);
    }

    #[test]
    fn byte_sizes_are_shown_in_their_largest_whole_unit() {
        assert_eq!(ByteSize(3 << 29).to_string(), "1536 MiB");
        assert_eq!(ByteSize(1025).to_string(), "1025 bytes");
        assert_eq!(ByteSize(0).to_string(), "0 bytes");
    }

    #[track_caller]
    fn check_list(text: &str, expect: &[&str]) {
        let list = Vec::<String>::read(&Value::from(text));
        assert_eq!(list, Ok(expect.iter().map(|&element| element.to_owned()).collect()));
    }

    #[test]
    fn a_list_of_the_environment() {
        check_list("a.example, b.example,", &["a.example", "b.example"]);
        check_list("[\"/two words, and a comma\"]", &["/two words, and a comma"]);
        check_list("", &[]);
        assert!(Vec::<String>::read(&Value::from("[unquoted")).is_err());
    }

    #[test]
    fn a_secret_prints_as_stars_and_keeps_leading_zeros() {
        let secret = Secret::read(&Value::from("007")).expect("text");
        assert_eq!((format!("{secret:?}").as_str(), secret.expose()), ("***", "007"));
    }
}
