//! What counts as one address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IPv4 address, or the /64 of an IPv6 address: whoever has one IPv6 address has all of its /64 (RFC 6177, 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Address {
    V4(Ipv4Addr),
    /// The upper half of the address.
    V6(u64),
}

/// The upper six groups of IPv4 addresses behind a translator (RFC 6052, 2.1).
const TRANSLATED: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];

impl From<IpAddr> for Address {
    /// IPv4 addresses in IPv6 clothes are taken for what they are: the whole of IPv4 would share one /64 otherwise.
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4),
            IpAddr::V6(v6) => match v6.segments() {
                [prefix @ .., high, low] if prefix == TRANSLATED => {
                    Self::V4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
                }
                [a, b, c, d, ..] => {
                    Self::V6([a, b, c, d].iter().fold(0, |bits, group| bits << 16 | u64::from(*group)))
                }
            },
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(v4) => v4.fmt(f),
            Self::V6(upper) => write!(f, "{}/64", Ipv6Addr::from_bits(u128::from(*upper) << 64)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> String {
        Address::from(text.parse::<IpAddr>().unwrap()).to_string()
    }

    #[test]
    fn ipv6_counts_by_the_64() {
        for (given, counted) in [
            ("203.0.113.9", "203.0.113.9"),
            ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
            ("::1", "::/64"),
        ] {
            assert_eq!(address(given), counted, "{given}");
        }
    }

    #[test]
    fn ipv4_in_ipv6_clothes_counts_as_ipv4() {
        for given in ["::ffff:203.0.113.9", "64:ff9b::203.0.113.9"] {
            assert_eq!(address(given), "203.0.113.9", "{given}");
        }
        assert_eq!(address("64:ff9b:1::203.0.113.9"), "64:ff9b:1::/64");
    }
}
