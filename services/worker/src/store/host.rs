//! On which hosts, and at which addresses, recordings may lie.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;
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

/// Whether a recording may be fetched from this address: one of the public internet, or one in a
/// private network that the operator named. Cloud metadata services are never asked, because what
/// they answer are credentials.
#[must_use]
pub fn is_allowed(address: IpAddr, private_networks: &[IpNet]) -> bool {
    let address = embedded(address);
    if is_metadata(address) || address.is_unspecified() || address.is_multicast() {
        return false;
    }
    is_public(address) || private_networks.iter().any(|network| network.contains(&address))
}

/// The IPv4 address inside an IPv6 one, where it has one (mapped, NAT64).
fn embedded(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if v6.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0] => {
            let [.., a, b, c, d] = v6.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        other => other,
    }
}

fn is_metadata(address: IpAddr) -> bool {
    const V4: [Ipv4Addr; 2] = [Ipv4Addr::new(169, 254, 169, 254), Ipv4Addr::new(100, 100, 100, 200)];
    const V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    match address {
        IpAddr::V4(v4) => V4.contains(&v4),
        IpAddr::V6(v6) => v6 == V6,
    }
}

/// Registries: IANA IPv4 and IPv6 Special-Purpose Address Space.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            let is_shared = a == 100 && b & 0xc0 == 64;
            let is_benchmark = a == 198 && b & 0xfe == 18;
            let is_protocol = a == 0 || a >= 240 || (a, b, c) == (192, 0, 0) || (a, b, c) == (192, 88, 99);
            let is_local = v4.is_private() || v4.is_loopback() || v4.is_link_local();
            !(is_local || v4.is_documentation() || is_shared || is_benchmark || is_protocol)
        }
        // 2000::/3 is all that is given out; inside it, tunnels (which hide an IPv4 address) and
        // addresses for documents are not.
        IpAddr::V6(v6) => {
            let [first, second, ..] = v6.segments();
            let is_tunnel = first == 0x2002 || (first == 0x2001 && second < 0x200);
            let is_documentation = (first == 0x2001 && second == 0xdb8) || (first & 0xfff0 == 0x3ff0);
            first & 0xe000 == 0x2000 && !is_tunnel && !is_documentation
        }
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

    #[track_caller]
    fn check_address(addresses: &[&str], private: &[&str], allowed: bool) {
        let private: Vec<IpNet> = private.iter().map(|text| text.parse().expect("a network")).collect();
        for address in addresses {
            assert_eq!(is_allowed(address.parse().expect("an address"), &private), allowed, "{address}");
        }
    }

    #[test]
    fn public_addresses_are_allowed() {
        check_address(
            &["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450::1", "192.0.1.1", "100.128.0.1"],
            &[],
            true,
        );
    }

    #[test]
    fn inner_addresses_are_not() {
        check_address(
            &["127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1", "0.0.0.0"],
            &[],
            false,
        );
        check_address(&["198.18.0.1", "240.0.0.1", "255.255.255.255", "224.0.0.1", "192.0.2.1"], &[], false);
        check_address(
            &["::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "2002:7f00:1::"],
            &[],
            false,
        );
    }

    #[test]
    fn an_inner_address_in_another_dress_is_one() {
        check_address(
            &["::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254"],
            &[],
            false,
        );
        check_address(&["64:ff9b::8.8.8.8"], &[], true);
    }

    #[test]
    fn a_network_that_the_operator_names_is_allowed() {
        check_address(
            &["10.2.9.9", "127.0.0.1", "::1", "::ffff:10.2.9.9"],
            &["10.2.0.0/16", "127.0.0.0/8", "::1/128"],
            true,
        );
        check_address(&["10.3.0.1"], &["10.2.0.0/16"], false);
    }

    #[test]
    fn metadata_services_never_are() {
        check_address(
            &["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "::ffff:169.254.169.254"],
            &["0.0.0.0/0", "::/0"],
            false,
        );
    }
}
