//! The event of a call that the network policy forbids. It stands out from calls that merely fail: somebody may be
//! trying to reach through us what only we can reach (server-side request forgery).

use std::net::IpAddr;

use super::network_policy::Refusal;

/// Says which host was not called and why, and to which of its addresses it resolves. Neither can hold a secret; the
/// rest of a URL could.
pub(super) fn report(host: &str, address: Option<IpAddr>, refusal: Refusal) {
    let address = address.map(tracing::field::display);
    tracing::warn!(host, address, reason = refusal.code(), "blocked a call to a provider");
}
