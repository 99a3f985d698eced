//! `[network]`: who may be called, and whose word is taken for the caller's address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::Host;

use crate::reader::Reader;

/// Link-local addresses (RFC 3927; RFC 4291, 2.5.6; and the deprecated site-local ones), where cloud metadata is.
const LINK_LOCAL: [IpNet; 3] = [
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 0, 0), 16)),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10)),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10)),
];

/// Metadata services at other addresses: Azure, Alibaba Cloud, AWS over IPv6.
const METADATA: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

const METADATA_HOSTS: [&str; 2] = ["metadata.google.internal", "metadata.goog"];

/// The network around the service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Addresses that are not public, and hosts at such addresses, which may be called all the same. A wide network
    /// may cover a metadata address; the HTTP client refuses those whatever stands here.
    pub allow: Vec<AllowedPeer>,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// An entry of the list of peers that may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedPeer {
    /// Every address of a network.
    Net(IpNet),
    /// A host by its name, in lower case, whatever its addresses are.
    Host(String),
}

impl Network {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        Self {
            allow: reader.list("network.allow", peer).unwrap_or_default(),
            trusted_proxies: reader.list("network.trusted_proxies", proxy).unwrap_or_default(),
        }
    }
}

fn peer(text: &str) -> Result<AllowedPeer, String> {
    if looks_like_addresses(text) { net(text).and_then(allowed_net) } else { host(text) }
}

fn looks_like_addresses(text: &str) -> bool {
    text.contains('/') || text.parse::<IpAddr>().is_ok()
}

fn allowed_net(net: IpNet) -> Result<AllowedPeer, String> {
    if LINK_LOCAL.iter().any(|local| local.contains(&net) || net.contains(local)) {
        return Err("link-local addresses are never called; give networks that have none".to_owned());
    }
    if METADATA.iter().any(|address| net == IpNet::from(*address)) {
        return Err("the metadata service of a cloud is never called; take it out".to_owned());
    }
    Ok(AllowedPeer::Net(net))
}

fn host(text: &str) -> Result<AllowedPeer, String> {
    let Ok(Host::Domain(name)) = Host::parse(text) else {
        return Err("give a network such as 10.0.0.0/8, an address, or the name of a host".to_owned());
    };
    // Host names end in a dot or not, and are one host: the client compares the form without.
    let plain =
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte));
    if !plain || name != text || name.ends_with('.') {
        return Err(
            "give the host's name alone: lower case, no port, no wildcard, no dot at the end".to_owned()
        );
    }
    if METADATA_HOSTS.contains(&text) {
        return Err("the metadata service of a cloud is never called; take it out".to_owned());
    }
    Ok(AllowedPeer::Host(name))
}

fn proxy(text: &str) -> Result<IpNet, String> {
    let net = net(text)?;
    if net.prefix_len() == 0 {
        return Err("this would believe every client; give the addresses of your proxies".to_owned());
    }
    Ok(net)
}

fn net(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    let net: IpNet = address
        .or_else(|_| text.parse())
        .map_err(|_| "give a network such as 10.0.0.0/8 or fd12::/16, or one address".to_owned())?;
    if let IpNet::V6(v6) = net
        && v6.addr().to_ipv4_mapped().is_some()
    {
        return Err("give an IPv4 network in its own form, without ::ffff:".to_owned());
    }
    if net.trunc() != net {
        return Err(format!("the address is not the network's first; did you mean {}?", net.trunc()));
    }
    Ok(net)
}
