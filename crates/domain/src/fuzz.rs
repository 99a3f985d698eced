//! What holds for any bytes that callers present: the properties that the fuzz targets in `crates/fuzz` try to break.
//! They judge by reading the bytes a second time in another way, not by asking the code under test.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};

use url::Url;

use crate::accounts::ApiTokenSecret;
use crate::authorizations::{RedirectAllowList, RedirectUri, RedirectUriError};
use crate::providers::{GitHost, GitRemote};
use crate::services::Random;

/// Text is an API token just when it has the published format and the checksum of what it says, and then it stays as
/// it is; a token made of these bytes is one, and with one character changed it is none.
///
/// # Panics
/// When that does not hold.
pub fn api_token(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let token = ApiTokenSecret::parse(text);
        assert_eq!(token.is_some(), has_published_format(text.as_bytes()));
        assert!(token.is_none_or(|token| token.expose() == text));
    }

    let token = ApiTokenSecret::generate(&Dealt::from(data));
    let text = token.expose();
    assert!(has_published_format(text.as_bytes()));
    let parsed = ApiTokenSecret::parse(text).expect("a token of ours");
    assert!(parsed.expose() == text && parsed.hash() == token.hash());
    if let [place, replacement, ..] = *data {
        let mut typo = text.as_bytes().to_vec();
        let place = usize::from(place) % typo.len();
        typo[place] = replacement & 0x7f;
        let typo = String::from_utf8(typo).expect("ASCII");
        assert_eq!(ApiTokenSecret::parse(&typo).is_some(), typo == text, "a typo at {place}");
    }
}

/// `^gk_[0-9A-Za-z]{38}$`, of which the last six are the CRC-32 of all before them in base62.
fn has_published_format(text: &[u8]) -> bool {
    let Some((signed, check)) = text.split_last_chunk::<6>() else { return false };
    text.len() == 41
        && text.starts_with(b"gk_")
        && text[3..].iter().all(u8::is_ascii_alphanumeric)
        && base62(check) == u64::from(crc32(signed))
}

fn base62(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |number, &digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'A'..=b'Z' => digit - b'A' + 10,
            _ => digit - b'a' + 36,
        };
        number * 62 + u64::from(value)
    })
}

/// Bit by bit, as ISO 3309 has it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    })
}

/// Randomness from given bytes; when they are used up it counts, so that whoever rejects values gets others.
struct Dealt<'a> {
    bytes: &'a [u8],
    next: AtomicUsize,
}

impl<'a> From<&'a [u8]> for Dealt<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self { bytes, next: AtomicUsize::new(0) }
    }
}

impl Random for Dealt<'_> {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let next = self.next.fetch_add(1, Ordering::Relaxed);
            let counted = u8::try_from(next % 256).expect("less than 256");
            *byte = self.bytes.get(next).copied().unwrap_or(counted);
        }
    }
}

/// What is read as a redirect URI has one meaning for a strict and for a lenient reader, and no part that could carry
/// anything away; a list allows it just when an entry has the same scheme, host, port and path. The bytes are the URI
/// and then the entries of the list, with 0xFF between them, which no text has in it.
///
/// # Panics
/// When that does not hold.
pub fn redirect_uri(data: &[u8]) {
    let texts: Vec<&str> =
        data.split(|&byte| byte == 0xff).filter_map(|text| std::str::from_utf8(text).ok()).collect();
    let read: Vec<(RedirectUri, Parts<'_>)> = texts
        .into_iter()
        .filter_map(|text| match RedirectUri::parse(text) {
            Ok(uri) => Some((uri, parts_of_accepted(text))),
            Err(error) => {
                assert_says_nothing_of_the_text(error);
                None
            }
        })
        .collect();
    let Some(((candidate, parts), entries)) = read.split_first() else { return };

    let list = RedirectAllowList::new(entries.iter().map(|(uri, _)| uri.clone()).collect());
    let expected = if entries.is_empty() {
        parts.scheme == "http" && parts.is_loopback()
    } else {
        entries.iter().any(|(_, entry)| entry == parts)
    };
    assert_eq!(list.allows(candidate), expected, "{candidate:?} by {list:?}");
    assert!(entries.iter().all(|(entry, _)| list.allows(entry)), "every entry allows itself");
}

/// What matching goes by, cut out of the text as RFC 3986, 3 has it.
#[derive(Debug, PartialEq, Eq)]
struct Parts<'a> {
    scheme: &'a str,
    host: &'a str,
    port: u16,
    path: &'a str,
}

impl<'a> Parts<'a> {
    /// `None`: that is not how a URI looks which has no user, query or fragment.
    fn cut(text: &'a str) -> Option<Self> {
        if text.contains(['?', '#', '\\']) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let end_of_address = authority.rfind(']').map_or(0, |bracket| bracket + 1);
        let (host, port) = match authority[end_of_address..].find(':') {
            Some(colon) => {
                let (host, port) = authority.split_at(end_of_address + colon);
                (host, port[1..].parse().ok()?)
            }
            None => (authority, if scheme == "https" { 443 } else { 80 }),
        };
        let plain = !host.is_empty() && !host.contains(['@', '*', '%']);
        plain.then_some(Self { scheme, host, port, path: if path.is_empty() { "/" } else { path } })
    }

    fn is_loopback(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        self.host == "localhost"
            || self.host.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback())
            || bare.parse().is_ok_and(|address: Ipv6Addr| address.is_loopback())
    }
}

/// The parts of a text that was read as a redirect URI, after a look at whether two readers agree on them.
fn parts_of_accepted(text: &str) -> Parts<'_> {
    assert_eq!(RedirectUri::parse(text).expect("it was").as_str(), text, "it stays as it was given");
    let strict = Parts::cut(text).unwrap_or_else(|| panic!("{text:?} has more than the four parts"));
    let url = Url::parse(text).expect("a URL");
    let lenient = Parts {
        scheme: url.scheme(),
        host: url.host_str().expect("a host"),
        port: url.port_or_known_default().expect("a port"),
        path: url.path(),
    };
    assert_eq!(strict, lenient, "{text:?} means the same to everyone");
    assert!(strict.scheme == "https" || (strict.scheme == "http" && strict.is_loopback()), "{text:?}");
    assert!(!strict.path.split('/').any(|segment| matches!(segment, "." | "..")), "{text:?}");
    strict
}

fn assert_says_nothing_of_the_text(error: RedirectUriError) {
    let sentence = match error {
        RedirectUriError::Malformed => "is not an absolute URI in its canonical spelling",
        RedirectUriError::Wildcard => "must name its host; there are no wildcards",
        RedirectUriError::Scheme => "must be https, or http to a loopback address",
        RedirectUriError::Extra => "must not have a user, a query or a fragment",
    };
    assert_eq!(error.to_string(), sentence);
}

/// What is read as a git remote names the host that a reader of another make finds in it, in letters that only spell one
/// host; and what is read as the place of a provider is shown as a text that is read as the same, and holds what is in it.
///
/// # Panics
/// When that does not hold.
pub fn git_remote(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let remote = GitRemote::parse(text);
    if let Ok(remote) = &remote {
        let host = host_in_remote(text.trim());
        let place = GitHost::parse(&host).unwrap_or_else(|error| panic!("{text:?} is at {host:?}: {error}"));
        let ssh = GitRemote::parse(&format!("ssh://{host}")).expect("a host");
        assert!(place.fit(&ssh).is_some() && remote.is_at_host_of(&ssh), "{text:?} is at {host:?}");
    }
    if let Ok(place) = GitHost::parse(text) {
        assert_eq!(GitHost::parse(&place.to_string()).as_ref(), Ok(&place), "{text:?}");
        let shown = place.to_string();
        let inside = if shown.contains("://") { shown } else { format!("https://{shown}") };
        let inside = GitRemote::parse(&format!("{inside}/a")).expect("a remote");
        assert!(place.fit(&inside).is_some(), "{text:?} holds what is in it");
    }
}

/// The host of what was read as a remote, cut out as git's documentation has it ("GIT URLS").
fn host_in_remote(text: &str) -> String {
    let (is_url, rest) = text.split_once("://").map_or((false, text), |(_, rest)| (true, rest));
    let authority = rest.split('/').next().expect("there is a first");
    // Without a scheme the first colon ends the host, and a user stands before it.
    let end = if is_url { None } else { end_of_scp_host(authority) };
    let authority = end.map_or(authority, |end| &authority[..end]);
    let host = authority.rsplit('@').next().expect("there is a last");
    let end = end_of_scp_host(host).unwrap_or(host.len());
    host[..end].to_owned()
}

/// Where the first colon is that is not in an address, which is in brackets.
fn end_of_scp_host(text: &str) -> Option<usize> {
    let (mut before, mut in_address) = ('@', false);
    for (at, this) in text.char_indices() {
        match this {
            ':' if !in_address => return Some(at),
            '[' if before == '@' => in_address = true,
            ']' => in_address = false,
            _ => {}
        }
        before = this;
    }
    None
}

#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::replay::replay;
    use super::*;

    #[test]
    fn api_token_corpus() {
        replay("api_token", api_token);
    }

    #[test]
    fn redirect_uri_corpus() {
        replay("redirect_uri", redirect_uri);
    }

    #[test]
    fn git_remote_corpus() {
        replay("git_remote", git_remote);
    }

    #[test]
    #[should_panic(expected = "corpus/no_such_target")]
    fn a_corpus_that_is_missing_fails() {
        replay("no_such_target", |_| ());
    }

    #[test]
    fn the_properties_know_right_from_wrong() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926, "the check value of the CRC catalogue");
        assert!(has_published_format(b"gk_0123456789ABCDEFGHIJKLMNOPQRSTUV2v8Kdk"));
        assert!(!has_published_format(b"gk_0123456789ABCDEFGHIJKLMNOPQRSTUV2v8Kdl"));
        let parts = |text| Parts::cut(text).map(|parts| (parts.host, parts.port, parts.path));
        assert_eq!(parts("http://[::1]:5/x"), Some(("[::1]", 5, "/x")));
        assert_eq!(parts("https://idp.example"), Some(("idp.example", 443, "/")));
        for (remote, host) in [
            ("https://a:b@git.example:8443/x", "git.example"),
            ("git@git.example:acme/x@y:z", "git.example"),
            ("[::1]:x", "[::1]"),
            ("https://[::1]:5/x", "[::1]"),
            ("git.example", "git.example"),
            ("evil.example:x]@git.example", "evil.example"),
        ] {
            assert_eq!(host_in_remote(remote), host, "{remote}");
        }
        for other in ["https://a@b/", "https://a?b", "https://a/ b", "https://a:/", "https://a:70000/", "a"] {
            assert_eq!(parts(other), None, "{other}");
        }
    }
}
