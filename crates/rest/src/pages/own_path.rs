//! Where signing in and linking may lead: to a page of ours that needs a session, and nowhere else.

use grantkeeper_domain::ids::FlowId;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{account, links};

/// A page of ours that needs a session. It consists of ASCII letters and digits and of `/-?=&%`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OwnPath(String);

/// Behind the page of a link: the person has just come back from linking.
const LINKED: &str = "?redirected=true";

/// Behind the page that starts a flow: what has led there says nothing about what the person wants, so they are asked.
const ASKS: &str = "callback?ask=true";

/// The longest name in a path: that of a slug.
const LONGEST_NAME: usize = 64;

impl OwnPath {
    /// Where signing in may lead; where nothing is given, to the page that tells who is signed in.
    pub(super) fn after_sign_in(given: Option<&str>) -> Option<Self> {
        let path = given.unwrap_or(account::PATH);
        Self::page(path).or_else(|| (is_device_flow(path) || is_start(path)).then(|| Self(path.to_owned())))
    }

    /// Where linking may lead.
    pub(super) fn page(path: &str) -> Option<Self> {
        let is_id = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        };
        let is_own = path == account::PATH
            || path == links::PATH
            || path.strip_prefix("/connect/").is_some_and(is_id)
            || named(path.strip_suffix(LINKED).unwrap_or(path)).is_some_and(|(_, rest)| rest.is_none());
        is_own.then(|| Self(path.to_owned()))
    }

    /// The page that asks whether to link an account.
    pub(super) fn connecting(flow: FlowId) -> Self {
        Self(format!("/connect/{flow}"))
    }

    /// The page that tells who is signed in.
    pub(super) fn account() -> Self {
        Self(account::PATH.to_owned())
    }

    /// The page of all links.
    pub(super) fn links() -> Self {
        Self(links::PATH.to_owned())
    }

    /// The page of a link by the name of its provider; `None` for what cannot be one.
    pub(super) fn link(name: &str) -> Option<Self> {
        is_name(name).then(|| Self(links::page_of(name)))
    }

    /// The same for somebody who has just linked it.
    pub(super) fn linked(name: &str) -> Option<Self> {
        Self::link(name).map(|Self(page)| Self(format!("{page}{LINKED}")))
    }

    /// The page of a device flow.
    pub(super) fn device_flow(name: &str) -> Option<Self> {
        Self::link(name).map(|Self(page)| Self(format!("{page}/device")))
    }

    /// The page that starts a flow, which comes back to `back` at the end.
    pub(super) fn start(name: &str, back: Option<&Self>) -> Option<Self> {
        let Self(page) = Self::link(name)?;
        let back =
            back.map(|Self(back)| format!("&redirect={}", utf8_percent_encode(back, NON_ALPHANUMERIC)));
        Some(Self(format!("{page}/{ASKS}{}", back.unwrap_or_default())))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// The name in the path of a page about a provider, and what follows behind a slash.
fn named(path: &str) -> Option<(&str, Option<&str>)> {
    let rest = path.strip_prefix(links::PATH)?.strip_prefix('/')?;
    let (name, rest) = rest.split_once('/').map_or((rest, None), |(name, rest)| (name, Some(rest)));
    is_name(name).then_some((name, rest))
}

/// Whether it may be an id or a slug.
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(allowed)
}

fn is_device_flow(path: &str) -> bool {
    named(path).is_some_and(|(_, rest)| rest == Some("device"))
}

/// What is behind `redirect` is looked at when it is followed.
fn is_start(path: &str) -> bool {
    let is_redirect = |rest: &str| {
        let value = rest.strip_prefix("&redirect=");
        value.is_some_and(|value| value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'%'))
    };
    let behind = named(path).and_then(|(_, rest)| rest?.strip_prefix(ASKS));
    behind.is_some_and(|rest| rest.is_empty() || is_redirect(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages to which both signing in and linking may lead.
    const PAGES: [&str; 6] = [
        "/connect/0199c1f0-0000-7000-8000-000000000000",
        "/account",
        "/external-auth",
        "/external-auth/github",
        "/external-auth/0199c1f0-0000-7000-8000-000000000000",
        "/external-auth/our-gitlab-2?redirected=true",
    ];

    #[test]
    fn the_way_back_is_one_of_our_own_pages() {
        for path in PAGES {
            assert_eq!(OwnPath::after_sign_in(Some(path)).unwrap().as_str(), path);
            assert_eq!(OwnPath::page(path).unwrap().as_str(), path);
        }
        assert_eq!(OwnPath::after_sign_in(None).unwrap().as_str(), "/account");
        for path in [
            "",
            "/",
            "//evil",
            "/connect/",
            "/connect/../x",
            "/connect//evil",
            "/\\evil",
            "https://evil/connect/0",
            "/connect/0?x",
            "/connect/0?redirected=true",
            "/account/",
            "/account?x",
            "/account?redirected=true",
            "/accounts",
            "account",
            "/external-auth/",
            "/external-auth?redirected=true",
            "/external-authors",
            "//evil/external-auth/github",
            "https://evil/external-auth/github",
            "/external-auth/github?redirected=false",
            "/external-auth/github?redirected=true&x=y",
            "/external-auth/github?redirected=true#x",
            "/external-auth/git%2Fhub",
            "/external-auth/..",
            "/external-auth/../sign-out",
            "/external-auth/github/",
            "/external-auth/github//device",
            "/external-auth/github/unlink",
            "/external-auth/github/device?x",
            "/external-auth/git\\hub",
            "/external-auth/github\r\nset-cookie: a=b",
            "/external-auth/0123456789012345678901234567890123456789012345678901234567890123456789",
        ] {
            assert_eq!(OwnPath::after_sign_in(Some(path)), None, "{path}");
            assert_eq!(OwnPath::page(path), None, "{path}");
        }
    }

    #[test]
    fn signing_in_leads_back_to_what_was_begun() {
        let back = OwnPath::page("/external-auth/github?redirected=true").unwrap();
        for (path, written) in [
            (OwnPath::start("github", None), "/external-auth/github/callback?ask=true"),
            (
                OwnPath::start("github", Some(&back)),
                "/external-auth/github/callback?ask=true&redirect=%2Fexternal%2Dauth%2Fgithub%3Fredirected%3Dtrue",
            ),
            (OwnPath::device_flow("github"), "/external-auth/github/device"),
        ] {
            assert_eq!(path.unwrap().as_str(), written);
            assert_eq!(OwnPath::after_sign_in(Some(written)).unwrap().as_str(), written);
            assert_eq!(OwnPath::page(written), None, "and linking does not lead to more of it: {written}");
        }
        for path in [
            "/external-auth/github/callback",
            "/external-auth/github/callback?redirect=%2Faccount",
            "/external-auth/github/callback?ask=false",
            "/external-auth/github/callback?ask=true&code=c&state=s",
            "/external-auth/github/callback?ask=true&redirect=//evil",
            "/external-auth/github/callback?ask=true&redirect=%2Faccount&ask=false",
            "/external-auth/../callback?ask=true",
        ] {
            assert_eq!(OwnPath::after_sign_in(Some(path)), None, "without being asked: {path}");
        }
        for name in ["", "..", "a/b", "a b", "a?b"] {
            assert_eq!(OwnPath::start(name, None), None, "{name}");
        }
    }
}
