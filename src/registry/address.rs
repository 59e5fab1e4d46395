//! Which addresses a credential may be sent to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not one of the open internet; `None` if it is.
///
/// Source: the special-purpose address registries of IANA (RFC 6890 and its
/// successors), and the addresses at which clouds serve metadata.
pub fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => special_v4(v4),
        IpAddr::V6(v6) => special_v6(v6),
    }
}

/// True for the addresses that hold credentials of machines in clouds: never
/// asked, not even if a host that leads there is allowed.
pub fn is_metadata(address: IpAddr) -> bool {
    let v4 = match address {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(v6) => embedded_v4(v6),
    };
    match (v4, address) {
        (Some(v4), _) => v4.is_link_local() || v4 == Ipv4Addr::new(100, 100, 100, 200),
        (None, IpAddr::V6(v6)) => {
            v6.is_unicast_link_local() || v6.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]
        }
        (None, IpAddr::V4(_)) => false,
    }
}

fn special_v4(v4: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = v4.octets();
    match (a, b, c) {
        (0, ..) => Some("unspecified"),
        (127, ..) => Some("loopback"),
        (10, ..) | (192, 168, _) => Some("private"),
        (172, 16..=31, _) => Some("private"),
        (169, 254, _) => Some("link-local, where clouds serve metadata"),
        (100, 64..=127, _) => Some("shared by a provider"),
        (192, 0, 0) => Some("reserved"),
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => Some("for documentation"),
        (192, 88, 99) => Some("a relay"),
        (198, 18..=19, _) => Some("for benchmarks"),
        (224..=239, ..) => Some("multicast"),
        (240..=255, ..) => Some("reserved"),
        _ => None,
    }
}

fn special_v6(v6: Ipv6Addr) -> Option<&'static str> {
    if let Some(v4) = embedded_v4(v6) {
        return special_v4(v4).or(Some("an IPv4 address in disguise"));
    }
    let first = v6.segments()[0];
    match first {
        _ if v6.is_loopback() => Some("loopback"),
        _ if v6.is_unspecified() => Some("unspecified"),
        0xfe80..=0xfebf => Some("link-local"),
        0xfc00..=0xfdff => Some("private"),
        0xff00..=0xffff => Some("multicast"),
        0x2001 if v6.segments()[1] == 0xdb8 => Some("for documentation"),
        0x3fff if v6.segments()[1] < 0x1000 => Some("for documentation"),
        // 2001::/23 belongs to protocols, tunnels of IPv4 among them.
        0x2001 if v6.segments()[1] < 0x200 => Some("reserved"),
        // All that is routed today lies in 2000::/3.
        0x2000..=0x3fff => None,
        _ => Some("reserved"),
    }
}

/// The IPv4 address inside one that maps, translates or tunnels it.
fn embedded_v4(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = v6.segments();
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match s {
        // `::` and `::1` are addresses of their own.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(of(high, low))
        }
        [0x64, 0xff9b, 1, ..] => Some(of(s[6], s[7])),
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_open_internet_is_not_special() {
        for address in ["8.8.8.8", "104.16.1.34", "2606:4700::6810:122", "172.15.0.1", "172.32.0.1"]
        {
            assert_eq!(special(address.parse().unwrap()), None, "{address}");
        }
        for address in [
            "127.0.0.1",
            "127.255.0.9",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "ff02::1",
            "2001:db8::1",
            "2001:0:4136:e378::1",
            "3fff::1",
        ] {
            assert!(special(address.parse().unwrap()).is_some(), "{address}");
        }
    }

    #[test]
    fn metadata_is_known_in_every_form() {
        for address in [
            "169.254.169.254",
            "169.254.170.2",
            "100.100.100.200",
            "fd00:ec2::254",
            "fe80::1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
        ] {
            assert!(is_metadata(address.parse().unwrap()), "{address}");
        }
        assert!(!is_metadata("10.0.0.1".parse().unwrap()));
        assert!(!is_metadata("::1".parse().unwrap()));
    }
}
