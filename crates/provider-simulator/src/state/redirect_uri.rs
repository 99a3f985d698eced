//! Which redirect URIs the simulator sends anybody to: it has no registrations, therefore only to this machine.

use url::{Host, Url};

/// Reads a redirect URI: `http`, a loopback address or `localhost`, any port and path, no fragment
/// (RFC 6749 section 3.1.2, RFC 8252 section 7.3). The error is for the page that is shown instead.
pub(super) fn loopback(uri: &str) -> Result<Url, &'static str> {
    let url = Url::parse(uri).map_err(|_| "The redirect_uri is not an absolute URI.")?;
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() != "http" || !loopback || !url.username().is_empty() || url.password().is_some() {
        return Err("The simulated provider redirects to http:// on 127.0.0.1, [::1] or localhost only.");
    }
    if url.fragment().is_some() {
        return Err("The redirect_uri must not have a fragment.");
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_on_any_port_is_taken() {
        for uri in [
            "http://127.0.0.1:8080/callback/1?a=b",
            "http://[::1]:9/cb",
            "http://localhost/",
            "http://127.0.0.1",
        ] {
            assert!(loopback(uri).is_ok(), "{uri}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for uri in [
            "https://example.com/cb",
            "http://example.com/cb",
            "http://127.0.0.1@example.com/",
            "http://user@127.0.0.1/",
            "http://localhost.example.com/",
            "http://127.0.0.1.example.com/",
            "http://10.0.0.1/",
            "http://127.0.0.1/#fragment",
            "javascript:alert(1)",
            "//127.0.0.1/",
            "",
        ] {
            assert!(loopback(uri).is_err(), "{uri}");
        }
    }
}
