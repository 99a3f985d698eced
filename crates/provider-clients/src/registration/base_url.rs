//! The base of a provider: an origin and the path below which it lives.

use grantkeeper_domain::providers::RegistrationError;
use url::Url;

use super::refused;

/// A URL of scheme, host, port and path, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseUrl(Url);

impl BaseUrl {
    /// Reads what a registration says. Whether it may be called (https, a public address) is the network policy's.
    pub(crate) fn parse(text: &str) -> Result<Self, RegistrationError> {
        let not_a_url = || refused("is not a URL: write it out, as https://git.example.com");
        let url = Url::parse(text).map_err(|_| not_a_url())?;
        let is_written_out = !text.contains(|letter: char| letter.is_whitespace() || letter == '\\');
        if !matches!(url.scheme(), "https" | "http") || !url.has_host() || !is_written_out {
            return Err(not_a_url());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("must have no user name in it"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused("must have neither a query nor a fragment"));
        }
        if text.ends_with('/') {
            return Err(refused("must not end in a slash"));
        }
        Ok(Self(url))
    }

    /// A URL that is made of constants and of hosts that were read before.
    pub(crate) fn trusted(text: &str) -> Self {
        Self(Url::parse(text).expect("a scheme and a host make a URL"))
    }

    /// An address below the base, by a path that begins with a slash.
    pub(crate) fn at(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.path()));
        url
    }

    /// The base itself, with a slash for the path if it has none, which is how it is written as a URL.
    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    /// As text, in canonical spelling and without a slash at its end.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// The host, in lower case.
    pub(crate) fn host_name(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Whether it is nothing but that host over https, as the clouds are.
    pub(crate) fn is_bare(&self) -> bool {
        self.0.scheme() == "https" && self.0.port().is_none() && self.path().is_empty()
    }

    fn path(&self) -> &str {
        self.0.path().trim_end_matches('/')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_joined_below_the_path() {
        for (base, expected) in [
            ("https://git.example", "https://git.example/oauth/token"),
            ("https://git.example:8443/a/b", "https://git.example:8443/a/b/oauth/token"),
            ("https://GIT.example:443/%7Ea", "https://git.example/%7Ea/oauth/token"),
        ] {
            assert_eq!(BaseUrl::parse(base).unwrap().at("/oauth/token").as_str(), expected);
        }
        assert_eq!(BaseUrl::parse("https://GIT.example:443").unwrap().as_str(), "https://git.example");
        assert_eq!(BaseUrl::parse("https://git.example/Git").unwrap().as_str(), "https://git.example/Git");
    }

    #[test]
    fn every_mistake_is_named() {
        for (text, says) in [
            ("", "not a URL"),
            ("git.example", "not a URL"),
            ("git.example/path", "not a URL"),
            ("ftp://git.example", "not a URL"),
            ("https://", "not a URL"),
            (" https://git.example", "not a URL"),
            ("https://git.exa\nmple", "not a URL"),
            ("https://git.example\\a", "not a URL"),
            ("mailto:git@git.example", "not a URL"),
            ("https://git.example/", "slash"),
            ("https://git.example/git/", "slash"),
            ("https://u@git.example", "user name"),
            ("https://u:p@git.example", "user name"),
            ("https://:p@git.example", "user name"),
            ("https://git.example?x", "query"),
            ("https://git.example#x", "query"),
            ("https://git.example/a?", "query"),
        ] {
            let error = BaseUrl::parse(text).unwrap_err();
            assert_eq!(error.field, "host");
            assert!(error.message.contains(says), "{text}: {}", error.message);
        }
    }

    #[test]
    fn only_a_host_over_https_is_bare() {
        assert!(BaseUrl::parse("https://github.com").unwrap().is_bare());
        for text in ["http://github.com", "https://github.com:8443", "https://github.com/x"] {
            assert!(!BaseUrl::parse(text).unwrap().is_bare(), "{text}");
        }
    }
}
