//! `public_url`.

use std::fmt;

use url::Url;

use super::web_address;

/// The origin (RFC 6454) that browsers and providers reach this service at. Links and redirect URIs are made from
/// it, never from what a request says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(Url);

impl PublicUrl {
    /// Reads an origin, in the one spelling that browsers use for it: redirect URIs are compared byte by byte.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let url = web_address::parse(text)?;
        let origin = url.origin().ascii_serialization();
        if origin == text {
            Ok(Self(url))
        } else {
            Err(format!("give the origin alone, as {origin}: no path, no slash at the end, no default port"))
        }
    }

    /// `https://auth.example.com`, without a slash at the end.
    pub fn as_str(&self) -> &str {
        let text = self.0.as_str();
        text.strip_suffix('/').unwrap_or(text)
    }

    /// The same as a URL, to join paths to.
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// Whether only this machine can use it.
    pub fn is_loopback(&self) -> bool {
        web_address::is_loopback(&self.0)
    }

    /// Whether it is https, so that cookies can be `Secure`.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
