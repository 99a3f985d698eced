//! The address of the client, which only a trusted proxy may tell us.

use std::net::{IpAddr, SocketAddr};

use actix_web::dev::ServiceRequest;
use ipnet::IpNet;

/// The peer's address; behind trusted proxies the last address in `X-Forwarded-For` that is not one of theirs.
pub(crate) fn client_address(request: &ServiceRequest, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    if !is_trusted(peer, trusted) {
        return Some(peer);
    }
    // What a client has put in front of the proxies' words may be anything, and must not hide these.
    let headers = request.headers().get_all("x-forwarded-for");
    let forwarded: Vec<_> = headers.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let forwarded: Vec<&str> = forwarded.iter().flat_map(|value| value.split(',')).map(str::trim).collect();
    Some(behind_proxies(peer, &forwarded, trusted))
}

fn behind_proxies(peer: IpAddr, forwarded: &[&str], trusted: &[IpNet]) -> IpAddr {
    let mut address = peer;
    for hop in forwarded.iter().rev() {
        if !is_trusted(address, trusted) {
            break;
        }
        match hop_address(hop) {
            Some(parsed) => address = parsed,
            None => break,
        }
    }
    address
}

/// Networks are given in their own form: an IPv4 peer of a socket that speaks both is seen as `::ffff:…`.
fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&address))
}

/// Some proxies write the client's port behind its address.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let address = hop.parse().or_else(|_| hop.parse().map(|socket: SocketAddr| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        for (peer, forwarded, client) in [
            ("203.0.113.9", vec!["1.1.1.1"], "203.0.113.9"),
            ("10.0.0.1", vec!["1.1.1.1"], "1.1.1.1"),
            ("10.0.0.1", vec!["6.6.6.6", "1.1.1.1", "10.0.0.2"], "1.1.1.1"),
            ("10.0.0.1", vec!["1.1.1.1", "nonsense"], "10.0.0.1"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["1.1.1.1:40000"], "1.1.1.1"),
            ("10.0.0.1", vec!["[2001:db8::1]:40000", "::ffff:10.0.0.2"], "2001:db8::1"),
        ] {
            let found = behind_proxies(peer.parse().unwrap(), &forwarded, &trusted);
            assert_eq!(found.to_string(), client, "{peer} {forwarded:?}");
        }
    }
}
