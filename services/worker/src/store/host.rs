//! On which hosts recordings may lie.

use std::str::FromStr;

use url::Url;

use crate::config::Setting;

/// A host that may be asked: `media.example.com`, `*.example.com` (every name under it) or
/// `10.2.3.4:9000`. Without a port, the scheme's own port alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    name: String,
    with_subdomains: bool,
    port: Option<u16>,
}

impl HostPattern {
    /// Whether the pattern allows this URL's host and port.
    #[must_use]
    pub fn allows(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let host = host.trim_end_matches('.');
        let name_fits = if self.with_subdomains {
            host.strip_suffix(&self.name).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        } else {
            host == self.name
        };
        // `Url::port` is `None` for the scheme's own port.
        name_fits && url.port() == self.port.filter(|port| Some(*port) != default_port(url))
    }
}

fn default_port(url: &Url) -> Option<u16> {
    match url.scheme() {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    }
}

impl FromStr for HostPattern {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (with_subdomains, host) = text.strip_prefix("*.").map_or((false, text), |host| (true, host));
        // The URL parser brings the name into the form in which it will be compared.
        let url = Url::parse(&format!("https://{host}/")).map_err(|_| ())?;
        let name = url.host_str().ok_or(())?.trim_end_matches('.').to_owned();
        let port = host.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let is_host_alone = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let is_plain =
            is_host_alone && url.username().is_empty() && !host.contains(['/', '?', '#', '@', '*']);
        is_plain.then_some(Self { name, with_subdomains, port }).ok_or(())
    }
}

impl Setting for HostPattern {
    fn read(value: &toml::Value) -> Result<Self, String> {
        let pattern = value.as_str().and_then(|text| text.parse().ok());
        let forms = "\"media.example.com\", \"*.example.com\" or \"10.2.3.4:9000\"";
        pattern.ok_or_else(|| format!("{value} is not a host such as {forms}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_host(pattern: &str, url: &str, allowed: bool) {
        let pattern: HostPattern = pattern.parse().expect("a pattern");
        assert_eq!(pattern.allows(&Url::parse(url).expect("a URL")), allowed);
    }

    #[test]
    fn a_host_is_itself_alone() {
        check_host("media.example.com", "https://media.example.com/a.wav?sig=x", true);
        check_host("media.example.com", "https://MEDIA.example.com./a.wav", true);
        check_host("media.example.com", "https://evil.media.example.com/a", false);
        check_host("media.example.com", "https://media.example.com.evil.org/a", false);
        check_host("media.example.com", "https://media.example.com@evil.org/a", false);
        check_host("media.example.com", "https://evilmedia.example.com/a", false);
    }

    #[test]
    fn a_star_is_every_name_below() {
        check_host("*.example.com", "https://a.example.com/", true);
        check_host("*.example.com", "https://a.b.example.com/", true);
        check_host("*.example.com", "https://example.com/", false);
        check_host("*.example.com", "https://evilexample.com/", false);
    }

    #[test]
    fn the_port_counts() {
        check_host("media.example.com", "https://media.example.com:443/", true);
        check_host("media.example.com", "https://media.example.com:22/", false);
        check_host("media.example.com", "http://media.example.com/", true);
        check_host("10.2.3.4:9000", "http://10.2.3.4:9000/", true);
        check_host("10.2.3.4:9000", "http://10.2.3.4/", false);
        check_host("media.example.com:443", "https://media.example.com/", true);
        check_host("[fd00::1]:9000", "http://[fd00:0::1]:9000/", true);
    }

    #[test]
    fn numbers_in_disguise_are_the_same_host() {
        check_host("10.2.3.4", "http://0x0a020304/", true);
        check_host("localhost", "http://2130706433/", false);
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in ["", "https://a", "a/b", "a?b", "u@a", "*", "a.*", "a:b", "a#b", "*.*.a"] {
            assert!(text.parse::<HostPattern>().is_err(), "{text}");
        }
    }
}
