//! Which web addresses a token may travel to.

use url::{Host, Url};

/// Whether a host is this machine: `localhost` (RFC 6761, 6.3), 127.0.0.0/8 or `::1`.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Reads a URL that is https, or http on this machine, and has no user name, password or fragment.
pub(crate) fn parse(text: &str) -> Result<Url, String> {
    // What was given is not repeated: a URL can have a password in it.
    let url = Url::parse(text)
        .map_err(|error| format!("not a URL ({error}); give one such as https://host.example/path"))?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        _ => return Err("give an https URL; http is only for localhost, 127.0.0.0/8 and [::1]".to_owned()),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("leave out the user name and password".to_owned());
    }
    if url.fragment().is_some() {
        return Err("leave out the fragment (what follows #)".to_owned());
    }
    Ok(url)
}
