//! Ranges of addresses that are not the public Internet (RFC 6890 and its registries).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Refused unless the operator allows them.
pub(super) const NOT_PUBLIC: [IpNet; 23] = [
    v4([0, 0, 0, 0], 8),       // "this host on this network", RFC 791
    v4([10, 0, 0, 0], 8),      // private, RFC 1918
    v4([100, 64, 0, 0], 10),   // shared by carriers, RFC 6598
    v4([127, 0, 0, 0], 8),     // loopback, RFC 1122
    v4([169, 254, 0, 0], 16),  // link-local, RFC 3927
    v4([172, 16, 0, 0], 12),   // private, RFC 1918
    v4([192, 0, 0, 0], 24),    // protocol assignments, RFC 6890
    v4([192, 0, 2, 0], 24),    // documentation, RFC 5737
    v4([192, 88, 99, 0], 24),  // 6to4 relays, RFC 7526
    v4([192, 168, 0, 0], 16),  // private, RFC 1918
    v4([198, 18, 0, 0], 15),   // benchmarks, RFC 2544
    v4([198, 51, 100, 0], 24), // documentation, RFC 5737
    v4([203, 0, 113, 0], 24),  // documentation, RFC 5737
    v4([224, 0, 0, 0], 4),     // multicast, RFC 5771
    v4([240, 0, 0, 0], 4),     // reserved and broadcast, RFC 1112
    AZURE_WIRE_SERVER,
    // Public addresses are assigned from 2000::/3 alone (RFC 4291, 2.4, and its registry). Before it lie the
    // unspecified and the loopback address, those with an IPv4 address in them and NAT64 (RFC 4291, 6052, 7915, 8215)
    // and what is discarded (RFC 6666).
    v6([0, 0, 0, 0], 3),
    // Behind it, what is reserved; then also unique local, link-local, site-local and multicast (RFC 4193, 4291, 3879).
    v6([0x4000, 0, 0, 0], 2),
    v6([0x8000, 0, 0, 0], 1),
    v6([0x2001, 0, 0, 0], 23), // protocol assignments, Teredo among them, RFC 2928
    v6([0x2001, 0xdb8, 0, 0], 32), // documentation, RFC 3849
    v6([0x2002, 0, 0, 0], 16), // 6to4, RFC 3056
    v6([0x3fff, 0, 0, 0], 20), // documentation, RFC 9637
];

/// Refused even if the operator allows them: they hold the machine's own credentials (cloud metadata services) and
/// whatever else is on the same link.
pub(super) const NEVER: [IpNet; 7] = [
    v4([169, 254, 0, 0], 16),
    v6([0xfe80, 0, 0, 0], 10),
    AZURE_WIRE_SERVER,
    v4([100, 100, 100, 200], 32),       // Alibaba Cloud
    v4([192, 0, 0, 192], 32),           // Oracle Cloud
    v6([0xfd00, 0xec2, 0, 0], 32),      // Amazon Web Services: of machines (::254) and of pods (::23)
    host_v6(0xfd20_00ce << 96 | 0x254), // Google Cloud
];

/// The same by name, though the addresses behind them are refused as well.
pub(super) const METADATA_NAMES: [&str; 4] = [
    "metadata.google.internal", // Google Cloud
    "metadata.goog",            // Google Cloud
    "instance-data",            // Amazon Web Services
    "instance-data.ec2.internal",
];

/// Azure's metadata service has a public address.
const AZURE_WIRE_SERVER: IpNet = v4([168, 63, 129, 16], 32);

/// Loopback of both families.
pub(super) const LOOPBACK: [IpNet; 2] = [v4([127, 0, 0, 0], 8), host_v6(1)];

const fn v4(octets: [u8; 4], prefix: u8) -> IpNet {
    let [a, b, c, d] = octets;
    IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), prefix)
}

const fn v6(head: [u16; 4], prefix: u8) -> IpNet {
    let [a, b, c, d] = head;
    IpNet::new_assert(IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)), prefix)
}

const fn host_v6(bits: u128) -> IpNet {
    IpNet::new_assert(IpAddr::V6(Ipv6Addr::from_bits(bits)), 128)
}
