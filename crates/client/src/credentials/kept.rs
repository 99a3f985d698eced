//! What was kept at logins.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::is_token;
use crate::{Secret, ServiceUrl};

/// The tokens that were kept, one for each service. Only the file they go to may see them.
#[derive(Default, Deserialize)]
pub struct Kept {
    /// The service that was signed in to last.
    #[serde(default)]
    current: Option<ServiceUrl>,
    #[serde(default)]
    services: BTreeMap<ServiceUrl, KeptToken>,
}

/// A token for a service.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptToken {
    /// The token.
    pub token: Secret,
    /// Whose it is.
    #[serde(default)]
    pub account_id: String,
    /// Whether it was made for this file: then nobody else has it. One that was given may be in use elsewhere too.
    #[serde(default)]
    pub came_of_login: bool,
}

/// The same as it goes into the file.
#[derive(Serialize)]
pub(super) struct Written<'a> {
    current: Option<&'a ServiceUrl>,
    services: BTreeMap<&'a ServiceUrl, WrittenToken<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenToken<'a> {
    token: &'a str,
    account_id: &'a str,
    came_of_login: bool,
}

impl Kept {
    /// The service that was signed in to last.
    pub fn current(&self) -> Option<&ServiceUrl> {
        self.current.as_ref()
    }

    /// Keeps a token, instead of another one for the same service. Returns that one where nobody has it any more and it is
    /// therefore to be revoked: it came of a login of the same account.
    pub fn keep(&mut self, url: ServiceUrl, token: KeptToken) -> Option<Secret> {
        self.current = Some(url.clone());
        let replaced = match self.services.remove(&url) {
            Some(old) if old.came_of_login && old.account_id == token.account_id => {
                (old.token.expose() != token.token.expose()).then_some(old.token)
            }
            _ => None,
        };
        self.services.insert(url, token);
        replaced
    }

    /// Takes the token for a service out.
    pub fn take(&mut self, url: &ServiceUrl) -> Option<Secret> {
        let kept = self.services.remove(url)?;
        if self.current.as_ref() == Some(url) {
            self.current = None;
        }
        Some(kept.token)
    }

    /// Forgets the token for a service, unless it is another one by now.
    pub fn forget(&mut self, url: &ServiceUrl, token: &Secret) {
        if self.services.get(url).is_some_and(|kept| kept.token.expose() == token.expose()) {
            self.take(url);
        }
    }

    /// Whether all tokens in it are some.
    pub(super) fn makes_sense(&self) -> bool {
        self.services.values().all(|kept| is_token(kept.token.expose()))
    }

    pub(super) fn written(&self) -> Written<'_> {
        let tokens = self.services.iter().map(|(url, kept)| {
            let KeptToken { token, account_id, came_of_login } = kept;
            (url, WrittenToken { token: token.expose(), account_id, came_of_login: *came_of_login })
        });
        Written { current: self.current.as_ref(), services: tokens.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> ServiceUrl {
        "https://auth.example".parse().expect("an address")
    }

    fn token(token: &str, account: &str, came_of_login: bool) -> KeptToken {
        KeptToken { token: Secret::new(token.to_owned()), account_id: account.to_owned(), came_of_login }
    }

    /// What is to be revoked when the one token follows the other.
    fn replaced(old: KeptToken, new: KeptToken) -> Option<String> {
        let mut kept = Kept::default();
        assert!(kept.keep(service(), old).is_none());
        kept.keep(service(), new).map(|token| token.expose().to_owned())
    }

    #[test]
    fn a_token_that_nobody_has_any_more_is_to_be_revoked() {
        assert_eq!(replaced(token("a", "ada", true), token("b", "ada", true)).as_deref(), Some("a"));
        assert_eq!(replaced(token("a", "ada", true), token("b", "ada", false)).as_deref(), Some("a"));
    }

    #[test]
    fn a_token_that_somebody_may_have_is_left_alone() {
        assert_eq!(replaced(token("a", "ada", false), token("b", "ada", true)), None, "it was given");
        assert_eq!(replaced(token("a", "ada", true), token("b", "bob", true)), None, "of another account");
        assert_eq!(replaced(token("a", "ada", true), token("a", "ada", false)), None, "the same");
        let mut kept = Kept::default();
        kept.keep(service(), token("a", "ada", true));
        let elsewhere = "https://other.example".parse().expect("an address");
        assert!(kept.keep(elsewhere, token("b", "ada", true)).is_none(), "of another service");
    }

    #[test]
    fn who_signs_out_forgets_no_token_of_a_later_login() {
        let mut kept = Kept::default();
        kept.keep(service(), token("later", "ada", true));
        kept.forget(&service(), &Secret::new("earlier".to_owned()));
        assert_eq!(kept.current(), Some(&service()));
        kept.forget(&service(), &Secret::new("later".to_owned()));
        assert!(kept.current().is_none() && kept.take(&service()).is_none());
    }
}
