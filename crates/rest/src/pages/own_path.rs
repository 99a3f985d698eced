//! Where signing in may lead: to a page of ours that needs a session, and nowhere else.

use super::account;

/// A page of ours that needs a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OwnPath(String);

impl OwnPath {
    /// The path, if it is one; where none is given, the page that tells who is signed in.
    pub(super) fn parse(given: Option<&str>) -> Option<Self> {
        let path = given.unwrap_or(account::PATH);
        let is_id = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        };
        let is_own = path == account::PATH || path.strip_prefix("/connect/").is_some_and(is_id);
        is_own.then(|| Self(path.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_one_of_our_own_pages() {
        for path in ["/connect/0199c1f0-0000-7000-8000-000000000000", "/account"] {
            assert_eq!(OwnPath::parse(Some(path)).unwrap().as_str(), path);
        }
        assert_eq!(OwnPath::parse(None).unwrap().as_str(), "/account");
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
            "/account/",
            "/account?x",
            "/accounts",
            "account",
        ] {
            assert_eq!(OwnPath::parse(Some(path)), None, "{path}");
        }
    }
}
