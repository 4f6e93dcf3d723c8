//! OAUTHBEARER: the token that Kafka wants comes from a file, which whoever runs us keeps fresh (a service account's
//! projected token, a sidecar). librdkafka asks for it again before it expires.

use std::error::Error;
use std::fs::File;
use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rdkafka::client::OAuthToken;
use serde_json::Value;

/// Where `sasl.oauthbearer.config` names the file.
const FILE: &str = "token_file=";
/// No token is as long as this.
const LONGEST: u64 = 64 << 10;

/// Why there is no token. None of these words holds a part of it.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The option does not name a file.
    #[error("sasl.oauthbearer.config in kafka.client must be `token_file=` and a path")]
    NoFile,
    /// The file can't be read.
    #[error("the file of sasl.oauthbearer.config can't be read: {0}")]
    Unreadable(#[source] std::io::Error),
    /// What stands in it is no JSON web token.
    #[error("the file of sasl.oauthbearer.config holds no JSON web token with `exp` and `sub`")]
    NoToken,
}

/// Reads the token that `sasl.oauthbearer.config` points to.
///
/// # Errors
/// What is wrong with the option or the file.
pub fn token(option: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
    let path = option.and_then(|option| option.trim().strip_prefix(FILE)).ok_or(TokenError::NoFile)?;
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST).read_to_string(&mut text));
    read.map_err(TokenError::Unreadable)?;
    Ok(parse(text.trim()).ok_or(TokenError::NoToken)?)
}

fn parse(token: &str) -> Option<OAuthToken> {
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let expires_at = claims.get("exp")?.as_i64()?;
    Some(OAuthToken {
        token: token.to_owned(),
        principal_name: claims.get("sub")?.as_str()?.to_owned(),
        lifetime_ms: expires_at.checked_mul(1_000)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_token_tells_whose_it_is_and_until_when() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let token_text = jwt(r#"{"sub":"callqa","exp":1800000000}"#);
        std::fs::write(file.path(), format!("{token_text}\n")).expect("written");
        let read = token(Some(&format!("token_file={}", file.path().display()))).expect("a token");
        let parts = (read.token.as_str(), read.principal_name.as_str(), read.lifetime_ms);
        assert_eq!(parts, (token_text.as_str(), "callqa", 1_800_000_000_000));
    }

    #[track_caller]
    fn check(option: Option<&str>, part: &str) {
        let error = token(option).err().expect("no token").to_string();
        assert!(error.contains(part), "{error}");
    }

    #[test]
    fn what_is_wrong_is_said() {
        check(None, "must be `token_file=`");
        check(Some("scope=kafka"), "must be `token_file=`");
        check(Some("token_file=/nowhere"), "can't be read");
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in ["", "a.b", "a.b.c", &jwt("[]"), &jwt(r#"{"sub":"x"}"#), &jwt(r#"{"exp":1}"#)] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
