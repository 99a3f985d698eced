//! Where a service is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::{Host, Url};

/// The origin of a service: what its operator calls the public URL. It is https, or http on this machine, since tokens
/// travel there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceUrl(Url);

/// Why a text is no address of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceUrlError {
    /// No URL, or one with more than scheme, host and port.
    #[error("not the address of a service; give one such as https://auth.example.com")]
    Malformed,
    /// A token would be there for everybody to read.
    #[error("the address of a service begins with https://; http:// is for this machine only")]
    PlainHttp,
}

impl FromStr for ServiceUrl {
    type Err = ServiceUrlError;

    /// Reads an address; without a scheme it is https.
    fn from_str(text: &str) -> Result<Self, ServiceUrlError> {
        let text = text.trim();
        let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let url = Url::parse(&whole).map_err(|_| ServiceUrlError::Malformed)?;
        let is_origin = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        match url.scheme() {
            "https" | "http" if !is_origin => Err(ServiceUrlError::Malformed),
            "https" => Ok(Self(url)),
            "http" if is_loopback(&url) => Ok(Self(url)),
            "http" => Err(ServiceUrlError::PlainHttp),
            _ => Err(ServiceUrlError::Malformed),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl ServiceUrl {
    /// Whether it is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// A path of the service. Each segment is one segment, whatever is in it.
    pub(crate) fn at<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(segments);
        }
        url
    }
}

impl fmt::Display for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl Serialize for ServiceUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ServiceUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_service_has_one_spelling() {
        for text in
            ["https://auth.example", "https://AUTH.example/", " auth.example ", "https://auth.example:443"]
        {
            assert_eq!(text.parse::<ServiceUrl>().expect(text).to_string(), "https://auth.example");
        }
        for text in ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:8080"] {
            assert_eq!(text.parse::<ServiceUrl>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn a_token_travels_in_the_clear_on_this_machine_only() {
        for text in ["http://auth.example", "http://10.0.0.1", "http://localhost.example"] {
            assert_eq!(text.parse::<ServiceUrl>(), Err(ServiceUrlError::PlainHttp), "{text}");
        }
    }

    #[test]
    fn an_address_has_nothing_behind_it() {
        for text in [
            "",
            "https://",
            "ftp://a.example",
            "https://a.example/x",
            "https://u:p@a.example",
            "https://a.example?x",
            "a b",
        ] {
            assert_eq!(text.parse::<ServiceUrl>(), Err(ServiceUrlError::Malformed), "{text}");
        }
    }

    #[test]
    fn a_segment_stays_one() {
        let url: ServiceUrl = "https://auth.example".parse().expect("an address");
        let path = url.at(["api", "a/b?c#d e"]);
        assert_eq!(path.as_str(), "https://auth.example/api/a%2Fb%3Fc%23d%20e");
    }
}
