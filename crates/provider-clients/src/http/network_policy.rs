//! Which addresses may be called: a pure decision, made before a literal address is called and again for every address
//! that a name resolves to.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::{Host, Url};

use super::ranges::{LOOPBACK, METADATA_NAMES, NEVER, NOT_PUBLIC};

/// Which addresses provider calls may go to: every public one over https, and what the operator allows besides.
///
/// - An address outside the public Internet needs its network or the name it is called by on the operator's list.
///   Addresses in which an IPv4 address is embedded (NAT64, 6to4, Teredo) need it for that one as well; a NAT64
///   whose prefix is neither of the two that RFCs reserve is not known for one.
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
        let address = match url.host().ok_or(Refusal::Url)? {
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
            Host::Domain(name) => return self.check_name(name, transport).map(|()| transport),
        };
        let allowed = self.allows_host(&address.to_string())
            || self.origins.contains(&url.origin().ascii_serialization());
        self.judge_address(address, allowed, transport)?;
        Ok(transport)
    }

    fn check_name(&self, name: &str, transport: Transport) -> Result<(), Refusal> {
        let name = canonical_name(name);
        if METADATA_NAMES.contains(&name.as_str()) {
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

    fn allows_host(&self, host: &str) -> bool {
        self.hosts.contains(&canonical_name(host))
    }

    /// Decides about an address that `host` stands for.
    pub(crate) fn judge(&self, host: &str, address: IpAddr, transport: Transport) -> Result<(), Refusal> {
        self.judge_address(address, self.allows_host(host), transport)
    }

    fn judge_address(&self, address: IpAddr, allowed: bool, transport: Transport) -> Result<(), Refusal> {
        let address = address.to_canonical();
        if transport == Transport::Plain && !address.is_loopback() {
            return Err(Refusal::PlainHttp);
        }
        let refused = |reading: &IpAddr| {
            let allowed = || allowed || any_contains(&self.networks, *reading);
            any_contains(&NEVER, *reading) || (any_contains(&NOT_PUBLIC, *reading) && !allowed())
        };
        if readings(address).iter().any(refused) { Err(Refusal::Address) } else { Ok(()) }
    }
}

/// Names compare without regard to case and to the dot of the root, or any number of them.
fn canonical_name(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
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
    let mut found = match segments {
        // 6to4 (RFC 3056, 2).
        [0x2002, high, low, ..] => vec![ipv4(high, low)],
        // Teredo: the server, and the client with its bits flipped (RFC 4380, 4).
        [0x2001, 0, high, low, .., client_high, client_low] => {
            vec![ipv4(high, low), ipv4(!client_high, !client_low)]
        }
        // NAT64 (RFC 6052, 2.1), and IPv4-translated (RFC 2765, 2.1).
        [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => vec![last],
        [0x64, 0xff9b, 1, ..] => local_nat64(address),
        // IPv4-compatible, long gone (RFC 4291, 2.5.5.1); `::` and `::1` are none.
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => vec![last],
        _ => Vec::new(),
    };
    // ISATAP, behind any prefix (RFC 5214, 6.1).
    if matches!(segments, [.., 0 | 0x200, 0x5efe, _, _]) {
        found.push(last);
    }
    found
}

/// A network may use `64:ff9b:1::/48` with a prefix of 48, 56, 64 or 96 bits, and which one does not show (RFC 8215;
/// RFC 6052, 2.2, where the ninth byte is left out). Nothing can be sent to 0.0.0.0/8 (RFC 1122, 3.2.1.3): where that
/// stands, the prefix is another.
fn local_nat64(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let bytes = address.octets();
    let at = |places: [usize; 4]| Ipv4Addr::from(places.map(|place| bytes[place]));
    [at([6, 7, 9, 10]), at([7, 9, 10, 11]), at([9, 10, 11, 12]), at([12, 13, 14, 15])]
        .into_iter()
        .filter(|ipv4| ipv4.octets()[0] != 0)
        .collect()
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
    const EDGES: [(&str, &str, &str, &str); 23] = [
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
        ("", "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"),
        (
            "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "2001::",
            "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
            "2001:200::",
        ),
        ("2001:db7:ffff::", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"),
        ("2001:ffff:ffff::", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"),
        ("3ffe:ffff:ffff::", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"),
        ("3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::", "7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
        ("", "8000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
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
    fn whatever_has_a_name_of_its_own_in_ipv6_is_refused() {
        let policy = NetworkPolicy::default();
        for (what, address) in [
            ("unspecified", "::"),
            ("loopback", "::1"),
            ("IPv4-compatible", "::93.184.215.14"),
            ("IPv4-translated", "::ffff:0:93.184.215.14"),
            ("NAT64", "64:ff9b::93.184.215.14"),
            ("local NAT64", "64:ff9b:1::93.184.215.14"),
            ("discarded", "100::1"),
            ("Teredo", "2001:0:5db8:d70e::a247:28f1"),
            ("benchmarks", "2001:2::1"),
            ("ORCHID", "2001:20::1"),
            ("documentation", "2001:db8::1"),
            ("6to4", "2002:5db8:d70e::1"),
            ("documentation", "3fff::1"),
            ("segment routing", "5f00::1"),
            ("unique local", "fc00::1"),
            ("unique local", "fd12:3456::1"),
            ("link-local", "fe80::1"),
            ("site-local", "fec0::1"),
            ("multicast", "ff02::1"),
        ] {
            assert!(!allows(&policy, address), "{what}: {address}");
        }
    }

    #[test]
    fn an_address_inside_another_is_found() {
        let policy = NetworkPolicy::default();
        assert!(!allows(&policy, "::ffff:127.0.0.1"));
        assert!(!allows(&policy, "::ffff:10.0.0.1"));
        assert!(allows(&policy, "::ffff:93.184.215.14"));
        assert!(allows(&policy, "2606:2800:21f:cb07:0:5efe:5db8:d70e"), "ISATAP of a public one");
        assert!(!allows(&policy, "2606:2800:21f:cb07:0:5efe:a00:1"), "ISATAP of 10.0.0.1");
        assert!(!allows(&policy, "2606:2800:21f:cb07:200:5efe:a00:1"), "the same, said to be unique");

        // An IPv6-only network where the operator allows NAT64 does not open the private IPv4 networks with it.
        let gateways =
            self::policy(&["::/16", "64:ff9b::/32", "64:ff9b:1::/48", "2002::/16", "2001::/32"], &[]);
        for (public, private) in [
            ("64:ff9b::93.184.215.14", "64:ff9b::10.0.0.1"),
            ("64:ff9b:1::93.184.215.14", "64:ff9b:1::10.0.0.1"),
            ("64:ff9b:1:5db8:d7:e00::", "64:ff9b:1:a00:0:100::"),
            ("64:ff9b:1:5d:b8:d70e::", "64:ff9b:1:a:0:1::"),
            ("64:ff9b:1:0:5d:b8d7:e00:0", "64:ff9b:1:0:a:0:100:0"),
            ("::93.184.215.14", "::10.0.0.1"),
            ("::ffff:0:93.184.215.14", "::ffff:0:10.0.0.1"),
            ("2002:5db8:d70e::1", "2002:a00:1::1"),
            ("2001:0:5db8:d70e::a247:28f1", "2001:0:5db8:d70e::f5ff:fffe"),
            ("2001:0:5db8:d70e::a247:28f1", "2001:0:a00:1::a247:28f1"),
        ] {
            assert!(allows(&gateways, public), "{public}");
            assert!(!allows(&gateways, private), "{private}");
        }
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
            "169.254.170.2",
            "169.254.0.0",
            "169.254.255.255",
            "168.63.129.16",
            "100.100.100.200",
            "192.0.0.192",
            "fe80::1",
            "febf::1",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
            "::ffff:169.254.169.254",
            "::ffff:100.100.100.200",
            "::ffff:0:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b::169.254.170.2",
            "64:ff9b::100.100.100.200",
            "64:ff9b:1::169.254.169.254",
            "64:ff9b:1:a9fe:a9:fe00::",
            "64:ff9b:1:a9:fe:a9fe::",
            "64:ff9b:1:0:a9:fea9:fe00:0",
            "2002:a9fe:a9fe::1",
            "2002:6464:64c8::1",
            "2001:0:a9fe:a9fe::1",
            "2001:0:5db8:d70e::5601:5601",
            "2606:2800::5efe:a9fe:a9fe",
        ] {
            assert!(!allows(&everything, never), "{never}");
            let address: IpAddr = never.parse().unwrap();
            let named = policy(&[], &["idp.example", never]);
            assert!(!allows(&named, never), "{never} by a name that is allowed");
            let url = match address {
                IpAddr::V4(_) => format!("https://{never}/"),
                IpAddr::V6(_) => format!("https://[{never}]/"),
            };
            assert_eq!(
                checks(&named.and_server(&url.parse().unwrap()), &url),
                Err(Refusal::Address),
                "{url}"
            );
        }
        for name in [
            "metadata.google.internal",
            "metadata.google.internal.",
            "METADATA.google.internal",
            "ｍetadata.google。internal",
            "metadata.goog",
            "instance-data",
            "instance-data.ec2.internal.",
        ] {
            assert_eq!(checks(&everything, &format!("https://{name}/")), Err(Refusal::Address), "{name}");
        }
    }

    #[test]
    fn literal_addresses_are_seen_through_every_spelling() {
        let policy = NetworkPolicy::default();
        for host in [
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f.0.0.1",
            "0x7f000001",
            "0X7F.1",
            "0177.0.0.1",
            "017700000001",
            "127.0.0.1.",
            "127.1.",
            "１２７.０.０.１",
            "127。0。0。1",
            "%31%32%37.0.0.1",
            "10.1",
            "0xa9fea9fe",
            "169.0xfe.0251.254",
            "2852039166",
            "0",
            "0x",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[0:0:0:0:0:ffff:7f00:1]",
            "[0000:0000:0000:0000:0000:FFFF:7F00:0001]",
            "[64:ff9b::127.0.0.1]",
        ] {
            for url in [format!("https://{host}/"), format!("https://{host}:8443/a?b")] {
                assert_eq!(checks(&policy, &url), Err(Refusal::Address), "{url}");
            }
        }
        assert_eq!(checks(&policy, "https://93.184.215.14/"), Ok(Transport::Tls));
        assert_eq!(checks(&policy, "https://0x5d.0270.55054/"), Ok(Transport::Tls), "the same");
    }

    #[test]
    fn what_is_no_host_to_one_reader_is_no_url_to_ours() {
        for text in [
            "https://[fe80::1%25eth0]/",
            "https://[fe80::1%eth0]/",
            "https://[::1",
            "https://[127.0.0.1]/",
            "https://256.0.0.1/",
            "https://127.0.0.1.1/",
            "https://09.0.0.1/",
            "https://4294967296/",
            "https://127.0.0.1:99999/",
            "https://idp.example:80:80/",
            "https://a b/",
            "https://idp%00.example/",
            "https:///",
            "https://:443/",
            "https://xn--/",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_user_in_a_url_does_not_hide_the_host() {
        let policy = NetworkPolicy::default();
        for (url, refusal) in [
            ("https://idp.example@127.0.0.1/", Refusal::Url),
            ("https://idp.example:443@127.0.0.1/", Refusal::Url),
            ("https://127.0.0.1\\@idp.example/", Refusal::Address),
            ("https://127.0.0.1#@idp.example/", Refusal::Address),
            ("https://127.0.0.1?@idp.example/", Refusal::Address),
            ("https:127.0.0.1", Refusal::Address),
            ("https:\\127.0.0.1\\x", Refusal::Address),
            ("\thttps://127.0.\n0.1/", Refusal::Address),
        ] {
            assert_eq!(checks(&policy, url), Err(refusal), "{url:?}");
        }
    }

    #[test]
    fn an_international_name_is_the_name_that_is_looked_up() {
        let policy = policy(&[], &["xn--bcher-kva.example"]);
        let url = Url::parse("https://BÜCHER.example/").unwrap();
        let private = "10.0.0.5".parse().unwrap();
        assert_eq!(policy.judge(url.host_str().unwrap(), private, Transport::Tls), Ok(()));
        let lookalike = Url::parse("https://bücheг.example/").unwrap();
        assert_eq!(
            policy.judge(lookalike.host_str().unwrap(), private, Transport::Tls),
            Err(Refusal::Address)
        );
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
