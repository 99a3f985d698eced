//! Where a client may have the browser go at the end of a login.

use url::{Host, Url};

/// The origins to which a login may return; a loopback address is allowed with any port (RFC 8252, 7.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginRedirects(Vec<RedirectOrigin>);

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectOrigin(url::Origin);

impl RedirectOrigin {
    /// Reads `https://host[:port]`.
    pub fn parse(text: &str) -> Option<Self> {
        let url = canonical(text)?;
        let is_bare = url.path() == "/" && url.query().is_none();
        (is_bare && url.scheme() == "https").then(|| Self(url.origin()))
    }

    /// As it is written in a configuration.
    pub fn as_text(&self) -> String {
        self.0.ascii_serialization()
    }
}

impl LoginRedirects {
    /// Allows these, and loopback addresses.
    pub fn new(origins: Vec<RedirectOrigin>) -> Self {
        Self(origins)
    }

    /// Those that are allowed.
    pub fn origins(&self) -> &[RedirectOrigin] {
        &self.0
    }

    /// The address, if a login may return there. Path and query are the client's own; the token never travels in them.
    pub(super) fn allowed(&self, text: &str) -> Option<Url> {
        let url = canonical(text)?;
        let is_loopback = url.scheme() == "http" && is_loopback(&url);
        let origin = RedirectOrigin(url.origin());
        (is_loopback || (url.scheme() == "https" && self.0.contains(&origin))).then_some(url)
    }
}

/// Nothing that a lenient parser would repair: the browser may repair it differently.
fn canonical(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_canonical = url.as_str() == text || (url.path() == "/" && format!("{text}/") == url.as_str());
    let has_user = !url.username().is_empty() || url.password().is_some();
    (is_canonical && !has_user && url.fragment().is_none()).then_some(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> LoginRedirects {
        LoginRedirects::new(vec![RedirectOrigin::parse("https://golem.cloud").unwrap()])
    }

    #[test]
    fn an_origin_allows_every_page_of_its_own_and_nothing_beside_it() {
        for allowed in ["https://golem.cloud", "https://golem.cloud/", "https://golem.cloud/login?done=1&x=y"]
        {
            assert!(list().allowed(allowed).is_some(), "{allowed}");
        }
        for other in [
            "https://golem.cloud.evil.example",
            "https://golem.cloud.evil.example/",
            "https://evil.example/golem.cloud",
            "https://golem.cloud@evil.example/",
            "https://user@golem.cloud/",
            "https://golem.cloud:444/",
            "https://sub.golem.cloud/",
            "http://golem.cloud/",
            "https://GOLEM.cloud/",
            "https://golem.cloud/#token",
            "https:\\\\golem.cloud/",
            "//golem.cloud",
            "/\\evil",
            "javascript:alert(1)",
            "data:text/html,x",
            "",
        ] {
            assert!(list().allowed(other).is_none(), "{other:?}");
        }
    }

    #[test]
    fn a_loopback_address_takes_any_port() {
        for loopback in ["http://127.0.0.1:4711/done", "http://localhost:1/", "http://[::1]:5/x?y"] {
            assert!(list().allowed(loopback).is_some(), "{loopback}");
        }
        for other in ["http://localhost.evil/", "http://10.0.0.1/", "https://127.0.0.1/", "http://0x7f.1/"] {
            assert!(list().allowed(other).is_none(), "{other}");
        }
    }

    #[test]
    fn an_origin_is_https_and_bare() {
        for text in
            ["http://golem.cloud", "https://golem.cloud/x", "https://golem.cloud?x", "golem.cloud", "*"]
        {
            assert_eq!(RedirectOrigin::parse(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn anything_may_be_asked_for(text in ".*") {
            let _ = list().allowed(&text);
        }
    }
}
