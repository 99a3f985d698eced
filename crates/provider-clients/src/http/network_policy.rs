//! Which addresses may be called: a pure decision, made before a literal address is called and again for every address
//! that a name resolves to.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::{Host, Url};

use super::ranges::{LOOPBACK, NEVER, NOT_PUBLIC};

/// Which addresses provider calls may go to: every public one over https, and what the operator allows besides.
///
/// - An address outside the public Internet needs its network or the name it is called by on the operator's list.
///   Addresses in which an IPv4 address is embedded (NAT64, 6to4, Teredo) need it for that one as well.
/// - Link-local addresses and cloud metadata services are never called, whatever is on the list.
/// - Plain http goes to loopback addresses only, and only to those that are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkPolicy {
    networks: Vec<IpNet>,
    hosts: BTreeSet<String>,
    origins: BTreeSet<String>,
}

/// How a call would travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// https.
    Tls,
    /// http.
    Plain,
}

/// Why an address is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Neither https nor http, no host, or with a user name.
    #[error("is not an https URL of a host")]
    Url,
    /// http to something that is not an allowed loopback address.
    #[error("is plain http, which goes to allowed loopback addresses only")]
    PlainHttp,
    /// An address outside the public Internet that the operator does not allow.
    #[error("is at an address that the operator's network policy does not allow")]
    Address,
}

impl Refusal {
    /// As a code.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Url => "url_refused",
            Self::PlainHttp => "plain_http_refused",
            Self::Address => "address_refused",
        }
    }
}

/// A metadata service by its name; the addresses behind such names are refused as well.
const METADATA_NAME: &str = "metadata.google.internal";

impl NetworkPolicy {
    /// Allows public addresses, these networks, and whatever these hosts resolve to.
    pub fn new(networks: Vec<IpNet>, hosts: impl IntoIterator<Item = String>) -> Self {
        let hosts = hosts.into_iter().map(|host| canonical_name(&host)).collect();
        Self { networks, hosts, origins: BTreeSet::new() }
    }

    /// Allows one more server, by the scheme, address and port of a URL: another port of that address stays refused.
    /// Only a URL with an address counts; a name may stand for any.
    #[must_use]
    pub fn and_server(mut self, url: &Url) -> Self {
        if matches!(url.host(), Some(Host::Ipv4(_) | Host::Ipv6(_))) {
            self.origins.insert(url.origin().ascii_serialization());
        }
        self
    }

    /// Decides what can be decided about a URL before its name is resolved.
    pub(crate) fn check(&self, url: &Url) -> Result<Transport, Refusal> {
        let transport = match url.scheme() {
            "https" => Transport::Tls,
            "http" => Transport::Plain,
            _ => return Err(Refusal::Url),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Url);
        }
        if self.origins.contains(&url.origin().ascii_serialization()) {
            return Ok(transport);
        }
        match url.host().ok_or(Refusal::Url)? {
            Host::Ipv4(address) => self.judge(&address.to_string(), address.into(), transport)?,
            Host::Ipv6(address) => self.judge(&address.to_string(), address.into(), transport)?,
            Host::Domain(name) => self.check_name(name, transport)?,
        }
        Ok(transport)
    }

    fn check_name(&self, name: &str, transport: Transport) -> Result<(), Refusal> {
        let name = canonical_name(name);
        if name == METADATA_NAME {
            return Err(Refusal::Address);
        }
        if transport == Transport::Plain && !self.hosts.contains(&name) && !self.allows_loopback() {
            return Err(Refusal::PlainHttp);
        }
        Ok(())
    }

    fn allows_loopback(&self) -> bool {
        self.networks.iter().any(|network| LOOPBACK.iter().any(|loopback| overlap(network, loopback)))
    }

    /// Decides about an address that `host` stands for.
    pub(crate) fn judge(&self, host: &str, address: IpAddr, transport: Transport) -> Result<(), Refusal> {
        let by_name = self.hosts.contains(&canonical_name(host));
        let address = address.to_canonical();
        if transport == Transport::Plain && !address.is_loopback() {
            return Err(Refusal::PlainHttp);
        }
        let refused = |reading: &IpAddr| {
            let allowed = || by_name || any_contains(&self.networks, *reading);
            any_contains(&NEVER, *reading) || (any_contains(&NOT_PUBLIC, *reading) && !allowed())
        };
        if readings(address).iter().any(refused) { Err(Refusal::Address) } else { Ok(()) }
    }
}

/// Names compare without regard to case and to the dot of the root.
fn canonical_name(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

fn any_contains(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

/// An address and the IPv4 addresses that a gateway on the way might read from it.
fn readings(address: IpAddr) -> Vec<IpAddr> {
    let mut readings = vec![address];
    if let IpAddr::V6(address) = address {
        readings.extend(embedded(address).into_iter().map(IpAddr::V4));
    }
    readings
}

fn embedded(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let segments = address.segments();
    let ipv4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    let last = ipv4(segments[6], segments[7]);
    match segments {
        // 6to4 (RFC 3056, 2).
        [0x2002, high, low, ..] => vec![ipv4(high, low)],
        // Teredo: the server, and the client with its bits flipped (RFC 4380, 4).
        [0x2001, 0, high, low, .., client_high, client_low] => {
            vec![ipv4(high, low), ipv4(!client_high, !client_low)]
        }
        // NAT64 (RFC 6052, 2.1; RFC 8215).
        [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x64, 0xff9b, 1, ..] => vec![last],
        // IPv4-compatible, long gone (RFC 4291, 2.5.5.1); `::` and `::1` are none.
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => vec![last],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(networks: &[&str], hosts: &[&str]) -> NetworkPolicy {
        let networks = networks.iter().map(|network| network.parse().unwrap()).collect();
        NetworkPolicy::new(networks, hosts.iter().map(|&host| host.to_owned()))
    }

    fn allows(policy: &NetworkPolicy, address: &str) -> bool {
        policy.judge("idp.example", address.parse().unwrap(), Transport::Tls).is_ok()
    }

    fn checks(policy: &NetworkPolicy, url: &str) -> Result<Transport, Refusal> {
        policy.check(&Url::parse(url).unwrap())
    }

    /// First and last address of every refused range, and its neighbours where those are public.
    const EDGES: [(&str, &str, &str, &str); 27] = [
        ("", "0.0.0.0", "0.255.255.255", "1.0.0.0"),
        ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
        ("100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"),
        ("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"),
        ("168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"),
        ("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"),
        ("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"),
        ("191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"),
        ("192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"),
        ("192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"),
        ("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"),
        ("198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"),
        ("198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"),
        ("203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"),
        ("223.255.255.255", "224.0.0.0", "239.255.255.255", ""),
        ("", "240.0.0.0", "255.255.255.255", ""),
        ("", "::", "::ffff:ffff", "::1:0:0"),
        ("64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", "64:ff9b::", "64:ff9b::ffff:ffff", "64:ff9b::1:0:0"),
        (
            "64:ff9b:0:ffff:ffff:ffff:ffff:ffff",
            "64:ff9b:1::",
            "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
            "64:ff9b:2::",
        ),
        ("ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "100::", "100::ffff:ffff:ffff:ffff", "100:0:0:1::"),
        (
            "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "2001::",
            "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
            "2001:200::",
        ),
        ("2001:db7:ffff::", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"),
        ("2001:ffff:ffff::", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"),
        ("fbff:ffff::", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe00::"),
        ("fe7f:ffff::", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
        ("", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
        ("", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
    ];

    #[test]
    fn every_range_is_refused_up_to_its_edges() {
        let policy = NetworkPolicy::default();
        for (before, first, last, after) in EDGES {
            for refused in [first, last] {
                assert!(!allows(&policy, refused), "{refused} is refused");
            }
            for public in [before, after].into_iter().filter(|address| !address.is_empty()) {
                assert!(allows(&policy, public), "{public} is public");
            }
        }
        assert_eq!(EDGES.len(), NOT_PUBLIC.len());
    }

    #[test]
    fn an_address_inside_another_is_found() {
        let policy = NetworkPolicy::default();
        assert!(!allows(&policy, "::ffff:127.0.0.1"));
        assert!(!allows(&policy, "::ffff:10.0.0.1"));
        assert!(allows(&policy, "::ffff:93.184.215.14"));

        // An IPv6-only network where the operator allows NAT64 does not open the private IPv4 networks with it.
        let nat64 = self::policy(&["64:ff9b::/96", "2002::/16", "2001::/32"], &[]);
        assert!(allows(&nat64, "64:ff9b::93.184.215.14"));
        assert!(!allows(&nat64, "64:ff9b::10.0.0.1"));
        assert!(!allows(&nat64, "2002:a00:1::1"), "6to4 of 10.0.0.1");
        assert!(!allows(&nat64, "2001:0:5db8:d70e::f5ff:fffe"), "a Teredo client at 10.0.0.1");
        assert!(!allows(&nat64, "2001:0:a00:1::a247:28f1"), "a Teredo server at 10.0.0.1");
        assert!(allows(&nat64, "2001:0:5db8:d70e::a247:28f1"), "both public");
    }

    #[test]
    fn an_allowed_network_is_allowed_and_no_more() {
        let policy = policy(&["10.0.0.0/24", "fd12::/16"], &[]);
        for (address, allowed) in [
            ("10.0.0.5", true),
            ("::ffff:10.0.0.5", true),
            ("10.0.1.5", false),
            ("fd12::1", true),
            ("fd13::1", false),
        ] {
            assert_eq!(allows(&policy, address), allowed, "{address}");
        }
    }

    #[test]
    fn an_allowed_host_is_allowed_by_that_name_only() {
        let policy = policy(&[], &["Git.Internal."]);
        let private = "10.0.0.5".parse().unwrap();
        assert_eq!(policy.judge("git.internal", private, Transport::Tls), Ok(()));
        assert_eq!(policy.judge("git.internal.", private, Transport::Tls), Ok(()));
        assert_eq!(policy.judge("evil.example", private, Transport::Tls), Err(Refusal::Address));
    }

    #[test]
    fn metadata_and_link_local_stay_refused_whatever_is_allowed() {
        let everything = policy(&["0.0.0.0/0", "::/0"], &["idp.example", "metadata.google.internal"]);
        assert!(allows(&everything, "10.0.0.1"));
        for never in [
            "169.254.169.254",
            "169.254.0.0",
            "169.254.255.255",
            "168.63.129.16",
            "100.100.100.200",
            "192.0.0.192",
            "fe80::1",
            "febf::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "2001:0:a9fe:a9fe::1",
        ] {
            assert!(!allows(&everything, never), "{never}");
        }
        for name in ["metadata.google.internal", "metadata.google.internal.", "METADATA.google.internal"] {
            assert_eq!(checks(&everything, &format!("https://{name}/")), Err(Refusal::Address), "{name}");
        }
    }

    #[test]
    fn literal_addresses_are_seen_through_every_spelling() {
        let policy = NetworkPolicy::default();
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "0x7f000001",
            "0177.0.0.1",
            "127.0.0.1.",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[0:0:0:0:0:ffff:7f00:1]",
            "0",
            "[::]",
        ] {
            assert_eq!(checks(&policy, &format!("https://{host}/")), Err(Refusal::Address), "{host}");
        }
        assert_eq!(checks(&policy, "https://93.184.215.14/"), Ok(Transport::Tls));
    }

    #[test]
    fn plain_http_goes_to_allowed_loopback_addresses_only() {
        let nothing = NetworkPolicy::default();
        let loopback = policy(&["127.0.0.0/8", "10.0.0.0/8"], &["localhost"]);
        for url in
            ["http://127.0.0.1:8080/", "http://localhost:8080/", "http://localhost./", "http://any.example/"]
        {
            assert!(checks(&nothing, url).is_err(), "{url}");
            assert_eq!(checks(&loopback, url), Ok(Transport::Plain), "{url}");
        }
        assert_eq!(checks(&nothing, "http://idp.example/"), Err(Refusal::PlainHttp));
        for url in ["http://10.0.0.1/", "http://93.184.215.14/"] {
            assert_eq!(checks(&loopback, url), Err(Refusal::PlainHttp), "{url}");
        }
        // A name passes the first check and is judged by what it resolves to.
        let judge =
            |host: &str, address: &str| loopback.judge(host, address.parse().unwrap(), Transport::Plain);
        assert_eq!(judge("any.example", "127.0.0.1"), Ok(()));
        assert_eq!(judge("any.example", "::1"), Err(Refusal::Address));
        assert_eq!(judge("localhost.", "::1"), Ok(()));
        assert_eq!(judge("any.example", "93.184.215.14"), Err(Refusal::PlainHttp));
        assert_eq!(judge("localhost", "10.0.0.1"), Err(Refusal::PlainHttp));
    }

    #[test]
    fn only_web_addresses_without_user_are_called() {
        let policy = NetworkPolicy::default();
        for url in [
            "ftp://idp.example/",
            "file:///etc/passwd",
            "data:,x",
            "https://user@idp.example/",
            "https://:p@idp.example/",
        ] {
            assert_eq!(checks(&policy, url), Err(Refusal::Url), "{url}");
        }
        assert_eq!(checks(&policy, "https://idp.example:8443/path"), Ok(Transport::Tls));
    }
}
