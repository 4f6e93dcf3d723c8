//! At which addresses recordings may lie.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

/// Whether a recording may be fetched from this address: one of the public internet, or one in a
/// private network that the operator named. Some addresses never are, whatever is named: see [`is_never_asked`].
#[must_use]
pub fn is_allowed(address: IpAddr, private_networks: &[IpNet]) -> bool {
    let Some(address) = undisguised(address) else { return false };
    !is_never_asked(address)
        && (is_public(address) || private_networks.iter().any(|network| network.contains(&address)))
}

/// The address that is meant: of a mapped (`::ffff:a.b.c.d`) and of a NAT64 address (`64:ff9b::/96`) the IPv4 one.
/// `None` where IPv6 only wraps an IPv4 address that some router on the way would take out again.
fn undisguised(address: IpAddr) -> Option<IpAddr> {
    let IpAddr::V6(v6) = address.to_canonical() else { return Some(address.to_canonical()) };
    let [.., a, b, c, d] = v6.octets();
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(IpAddr::V4(Ipv4Addr::new(a, b, c, d))),
        // NAT64 of a local network, 6to4, Teredo.
        [0x64, 0xff9b, 1, ..] | [0x2002, ..] | [0x2001, 0, ..] => None,
        // ISATAP, which takes any prefix.
        [.., 0 | 0x200, 0x5efe, _, _] => None,
        // IPv4-compatible and IPv4-translated.
        [0, 0, 0, 0, 0, 0, ..] if !v6.is_loopback() && !v6.is_unspecified() => None,
        [0, 0, 0, 0, 0xffff, 0, ..] => None,
        _ => Some(address),
    }
}

/// Addresses that answer with credentials, or that are no single machine's: cloud metadata services (all of
/// link-local, and those that lie elsewhere), `0.0.0.0/8`, multicast, broadcast.
fn is_never_asked(address: IpAddr) -> bool {
    // Alibaba's, Azure's and Oracle's.
    const V4: [Ipv4Addr; 3] =
        [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];
    match address {
        IpAddr::V4(v4) => {
            let is_nobody = v4.octets()[0] == 0 || v4.is_multicast() || v4.is_broadcast();
            is_nobody || v4.is_link_local() || V4.contains(&v4)
        }
        IpAddr::V6(v6) => {
            let is_nobody = v6.is_unspecified() || v6.is_multicast();
            // AWS's (`fd00:ec2::254`, `fd00:ec2::23`) and Google's (`fd20:ce::254`).
            let is_metadata = matches!(v6.segments(), [0xfd00, 0xec2, ..] | [0xfd20, 0xce, ..]);
            is_nobody || v6.is_unicast_link_local() || is_metadata
        }
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
        // 2000::/3 is all that is given out; inside it, protocols and documents have their own.
        IpAddr::V6(v6) => {
            let [first, second, ..] = v6.segments();
            let is_protocol = first == 0x2001 && second < 0x200;
            let is_documentation = (first == 0x2001 && second == 0xdb8) || (first & 0xfff0 == 0x3ff0);
            first & 0xe000 == 0x2000 && !is_protocol && !is_documentation
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn some_addresses_never_are() {
        let everything = ["0.0.0.0/0", "::/0"];
        let metadata = [
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
            "fe80::a9fe:a9fe",
        ];
        check_address(&metadata, &everything, false);
        check_address(
            &["0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "ff02::1", "255.255.255.255"],
            &everything,
            false,
        );
        check_address(
            &[
                "::ffff:169.254.169.254",
                "::169.254.169.254",
                "::ffff:0:169.254.169.254",
                "64:ff9b::169.254.169.254",
                "64:ff9b:1::169.254.169.254",
                "2002:a9fe:a9fe::1",
                "2001:0:4136:e378:8000:63bf:5601:5601",
                "fd12::5efe:169.254.169.254",
                "2a00:1450::200:5efe:127.0.0.1",
            ],
            &everything,
            false,
        );
        check_address(&["10.0.0.1", "127.0.0.1", "::1", "fd12::1", "100.64.0.1"], &everything, true);
    }
}
