//! What an event says of the place of its recording, taken apart once, strictly.
//!
//! A URL that two parsers read differently is how allow-lists are got around, so each place is read by one:
//! `https:` by the parser whose result is also what is asked, `file:` and `s3:` by the few lines here.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use callqa_proto::RecordingUri;
use object_store::path::Path as ObjectKey;
use percent_encoding::percent_decode_str;
use url::Url;

use super::StoreError;

/// More of an unknown scheme than this tells an operator nothing.
const SCHEME_SHOWN: usize = 16;

/// The place of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file of this machine, by an absolute path without `.` and `..`.
    File(PathBuf),
    /// A page of a web server.
    Web(Url),
    /// An object of an S3-compatible store.
    Object {
        /// The bucket, as written.
        bucket: String,
        /// The key, decoded, without `.`, `..` and empty parts.
        key: ObjectKey,
    },
}

/// Who gives recordings. Whoever gives one recording is not out of order as a whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// One of the folders of `file:` recordings: each may be a disk of its own.
    Folder(PathBuf),
    /// A web server, by host and port.
    Host(String, u16),
    /// A bucket of the object store.
    Bucket(String),
}

impl Origin {
    /// The server of a URL.
    pub(super) fn host(url: &Url) -> Option<Self> {
        Some(Self::Host(url.host_str()?.to_owned(), url.port_or_known_default()?))
    }
}

impl Place {
    /// Reads a recording's URI.
    ///
    /// # Errors
    /// Where it is none, has a scheme that is not read, or a path that could lead elsewhere.
    pub fn of(uri: &RecordingUri) -> Result<Self, StoreError> {
        let text = uri.expose();
        // The URL standard drops these instead of refusing them; nobody means them.
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(StoreError::NotAUri);
        }
        let (scheme, rest) =
            text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)).ok_or(StoreError::NotAUri)?;
        match scheme.to_ascii_lowercase().as_str() {
            "file" => file(rest).map(Self::File),
            "s3" => object(rest),
            "https" | "http" => Url::parse(text).map(Self::Web).map_err(|_| StoreError::NotAUri),
            _ => Err(StoreError::SchemeForbidden {
                scheme: scheme.chars().take(SCHEME_SHOWN).collect(),
                allowed: "file, https, s3",
            }),
        }
    }
}

/// A scheme as RFC 3986 has it.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// `file:///path`, `file://localhost/path` or `file:/path`; another host's file is not ours.
fn file(rest: &str) -> Result<PathBuf, StoreError> {
    let path = match rest.strip_prefix("//") {
        Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
        None => rest,
    };
    if !path.starts_with('/') {
        return Err(StoreError::NotAUri);
    }
    let bytes = decoded(path)?;
    if bytes.ends_with(b"/") {
        return Err(StoreError::NotAFile);
    }
    Ok(PathBuf::from(OsString::from_vec(bytes)))
}

/// `s3://bucket/key`.
fn object(rest: &str) -> Result<Place, StoreError> {
    let (bucket, key) =
        rest.strip_prefix("//").and_then(|it| it.split_once('/')).ok_or(StoreError::NotAUri)?;
    let key = String::from_utf8(decoded(key)?).map_err(|_| StoreError::BadPath)?;
    let key = ObjectKey::parse(&key).ok().filter(|parsed| !key.is_empty() && parsed.as_ref() == key);
    Ok(Place::Object { bucket: bucket.to_owned(), key: key.ok_or(StoreError::BadPath)? })
}

/// Decodes a path, once. Whatever could make it mean another path to somebody else is refused: parts that
/// go up or stay, separators in disguise, a query, a byte that ends a text.
fn decoded(path: &str) -> Result<Vec<u8>, StoreError> {
    let encoded = path.to_ascii_lowercase();
    let is_disguised = ["%2f", "%5c", "%00"].iter().any(|part| encoded.contains(part));
    if is_disguised || path.contains(['\\', '?', '#']) {
        return Err(StoreError::BadPath);
    }
    let bytes: Vec<u8> = percent_decode_str(path).collect();
    let leads_elsewhere = |part: &[u8]| matches!(part, b"." | b"..") || part.iter().any(u8::is_ascii_control);
    if bytes.split(|byte| *byte == b'/').any(leads_elsewhere) {
        return Err(StoreError::BadPath);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, expect: Result<&str, &str>) {
        let place = Place::of(&RecordingUri::new(uri)).map(|place| match place {
            Place::File(path) => path.display().to_string(),
            Place::Web(url) => url.to_string(),
            Place::Object { bucket, key } => format!("{bucket} | {key}"),
        });
        let place = place.map_err(|error| format!("{error:?}"));
        let kind = |error: &String| error.split(['(', ' ']).next().unwrap_or_default().to_owned();
        assert_eq!(place.as_deref().map_err(kind), expect.map_err(str::to_owned), "{uri}");
    }

    #[test]
    fn files() {
        check("file:///srv/calls/1.wav", Ok("/srv/calls/1.wav"));
        check("FILE:///srv/1.wav", Ok("/srv/1.wav"));
        check("file:/srv/1.wav", Ok("/srv/1.wav"));
        check("file://localhost/srv/1.wav", Ok("/srv/1.wav"));
        check("file:///srv/two%20words/%E5%BD%95.wav", Ok("/srv/two words/录.wav"));
        check("file://fileserver/srv/1.wav", Err("NotAUri"));
        check("file:srv/1.wav", Err("NotAUri"));
        check("file:///srv/calls/", Err("NotAFile"));
    }

    #[test]
    fn objects() {
        check("s3://recordings/2026/01/c-1.wav", Ok("recordings | 2026/01/c-1.wav"));
        check("S3://recordings/two%20words.wav", Ok("recordings | two words.wav"));
        check("s3://recordings/%252e%252e/x", Ok("recordings | %2e%2e/x"));
        check("s3://recordings", Err("NotAUri"));
        check("s3:recordings/x", Err("NotAUri"));
        for bad in ["", "a/../b", "%2e%2e/b", "a//b", "a/", "./a", "a%2fb", "a?versionId=1", "a#b", "%ff"] {
            check(&format!("s3://recordings/{bad}"), Err("BadPath"));
        }
    }

    #[test]
    fn other_places() {
        check("https://media.example/a%2Fb?sig=x", Ok("https://media.example/a%2Fb?sig=x"));
        check("https://[fe80::1%25eth0]/a", Err("NotAUri"));
        check("https://media.example/two words", Err("NotAUri"));
        check("https://media.example\t/a", Err("NotAUri"));
        check("ftp://media.example/a", Err("SchemeForbidden"));
        check("/srv/1.wav", Err("NotAUri"));
    }
}
