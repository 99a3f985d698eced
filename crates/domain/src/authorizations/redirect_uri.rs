//! Redirect URIs of callers, matched exactly against what the organization allows (RFC 9700, 2.1 and 4.1.3).

use url::{Host, Url};

/// A URI to which a flow may return: scheme, host, port and path, with no user, query or fragment.
#[derive(Clone, Debug)]
pub struct RedirectUri {
    url: Url,
    /// As it was given: a bare origin may or may not end in a slash, and the provider knows only the one spelling
    /// that it was told.
    given: String,
}

impl PartialEq for RedirectUri {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url
    }
}

impl Eq for RedirectUri {}

/// Why text is no redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    /// Not a URI, or spelled in a way that two readers may read differently.
    #[error("is not an absolute URI in its canonical spelling")]
    Malformed,
    /// Has a host with a `*`: it would be matched exactly, and so would never match.
    #[error("must name its host; there are no wildcards")]
    Wildcard,
    /// Neither https nor http to a loopback address.
    #[error("must be https, or http to a loopback address")]
    Scheme,
    /// Has a user, a query or a fragment.
    #[error("must not have a user, a query or a fragment")]
    Extra,
}

impl RedirectUri {
    /// Reads a URI strictly: what a lenient parser would repair (a backslash, a tab, an upper-case or Unicode
    /// host, `..`) is refused, because the browser and the provider may repair it differently.
    pub fn parse(text: &str) -> Result<Self, RedirectUriError> {
        let url = Url::parse(text).map_err(|_| RedirectUriError::Malformed)?;
        let bare_origin = url.path() == "/" && format!("{text}/") == url.as_str();
        if url.as_str() != text && !bare_origin {
            return Err(RedirectUriError::Malformed);
        }
        // The parser leaves an encoded slash or dot alone, but servers differ on what it means.
        let odd_path = ["%2f", "%5c", "%2e"].iter().any(|odd| url.path().to_ascii_lowercase().contains(odd));
        if odd_path || url.cannot_be_a_base() {
            return Err(RedirectUriError::Malformed);
        }
        if !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(RedirectUriError::Extra);
        }
        if url.host_str().is_some_and(|host| host.contains('*')) {
            return Err(RedirectUriError::Wildcard);
        }
        let uri = Self { url, given: text.to_owned() };
        match uri.url.scheme() {
            "https" => Ok(uri),
            "http" if uri.is_loopback() => Ok(uri),
            _ => Err(RedirectUriError::Scheme),
        }
    }

    /// Whether it is http to `localhost` or a loopback address.
    fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// The URI as it was given.
    pub fn as_str(&self) -> &str {
        &self.given
    }
}

/// What an organization allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedirectAllowList(Vec<RedirectUri>);

impl RedirectAllowList {
    /// Allows these and nothing else; an empty list allows http to loopback addresses on any port and path
    /// (RFC 8252, 7.3), which is what scripts and command-line tools need.
    pub fn new(uris: Vec<RedirectUri>) -> Self {
        Self(uris)
    }

    /// What is allowed.
    pub fn iter(&self) -> impl Iterator<Item = &RedirectUri> {
        self.0.iter()
    }

    /// Whether a flow may return there: the same scheme, host, port and path as an entry.
    pub fn allows(&self, uri: &RedirectUri) -> bool {
        if self.0.is_empty() {
            return uri.url.scheme() == "http" && uri.is_loopback();
        }
        self.0.contains(uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(uris: &[&str]) -> RedirectAllowList {
        RedirectAllowList::new(uris.iter().map(|uri| RedirectUri::parse(uri).unwrap()).collect())
    }

    #[test]
    fn an_entry_allows_itself_and_nothing_beside_it() {
        let list = allow(&["https://good.example/cb"]);
        let allows = |uri| RedirectUri::parse(uri).is_ok_and(|uri| list.allows(&uri));
        assert!(allows("https://good.example/cb"));
        for other in [
            "https://good.example@evil/cb",
            "https://good.example.evil/cb",
            "https://evil/good.example/cb",
            "https://good.example%2f@evil/cb",
            "https://good.example/cb/",
            "https://good.example/cb/more",
            "https://good.example/cb?x=1",
            "https://good.example/cb#x",
            "https://good.example/CB",
            "https://good.example/./cb",
            "https://good.example/x/../cb",
            "https://good.example/%2e/cb",
            "https://good.example:444/cb",
            "https://GOOD.example/cb",
            "https://gооd.example/cb",
            "http://good.example/cb",
            "//good.example/cb",
            "/\\evil",
            "https:\\\\good.example\\cb",
            "https://good.example/\tcb",
            "https://good.example/cb\n",
            " https://good.example/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "",
        ] {
            assert!(!allows(other), "{other:?}");
        }
    }

    #[test]
    fn an_empty_list_allows_loopback_only() {
        let list = RedirectAllowList::default();
        let allows = |uri| RedirectUri::parse(uri).is_ok_and(|uri| list.allows(&uri));
        for loopback in [
            "http://127.0.0.1:8099/any/path",
            "http://localhost:1/",
            "http://[::1]:5/x",
            "http://127.8.8.8/x",
        ] {
            assert!(allows(loopback), "{loopback}");
        }
        for other in
            ["https://127.0.0.1/x", "http://10.0.0.1/x", "http://localhost.evil/x", "http://0x7f.1/x"]
        {
            assert!(!allows(other), "{other}");
        }
    }

    #[test]
    fn a_host_is_no_pattern() {
        for pattern in ["https://*.good.example/cb", "https://*/cb", "https://good.*:8443/cb"] {
            assert_eq!(RedirectUri::parse(pattern), Err(RedirectUriError::Wildcard), "{pattern}");
        }
        assert!(RedirectUri::parse("https://good.example/*").is_ok(), "in a path it is a character");
    }

    #[test]
    fn a_bare_origin_needs_no_slash() {
        assert_eq!(RedirectUri::parse("https://good.example").unwrap().as_str(), "https://good.example");
        assert!(
            allow(&["https://good.example"]).allows(&RedirectUri::parse("https://good.example/").unwrap())
        );
    }

    proptest::proptest! {
        #[test]
        fn anything_may_be_presented(text in ".*") {
            let _ = RedirectUri::parse(&text);
        }
    }
}
