//! The access tokens that links are good for: the call of machines.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use crate::service::Wait;
use crate::{ClientError, Secret, Service};

const PATH: [&str; 5] = ["api", "v2", "workspaceagents", "me", "external-auth"];

/// Whose token is wanted.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// That of a provider, by its slug or id.
    Provider(&'a str),
    /// That of the provider which has a git remote.
    Remote(&'a str),
}

/// Whether to wait where there is no link yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Tell where to link.
    Ask,
    /// Wait for it, as long as the service lets one; then the call is to be made again ([`ClientError::ask_again`]).
    Listen,
}

/// What there is.
pub enum LinkToken {
    /// A token.
    Linked(Box<LentToken>),
    /// No link, or none that is good any more.
    NotLinked {
        /// Where a person links the account.
        url: Url,
    },
}

/// A token, lent for now.
pub struct LentToken {
    /// The token.
    pub access_token: Secret,
    /// What the provider said beside it; nothing of it is secret.
    pub extra: Map<String, Value>,
    /// The provider's type.
    pub kind: String,
    /// What git is told as the user's name; may be the token.
    pub username: Secret,
    /// What git is told as the password; may be empty.
    pub password: Secret,
}

impl LentToken {
    /// When the token is no longer good, where that is known.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        let text = self.extra.get("expires_at")?.as_str()?;
        DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
    }

    /// The value at a dotted path of what the provider said beside the token: `a.b`, or `a.0` in a list.
    pub fn extra_at(&self, path: &str) -> Option<&Value> {
        let mut names = path.split('.');
        let first = self.extra.get(names.next()?)?;
        names.try_fold(first, |value, name| match value {
            Value::Object(members) => members.get(name),
            Value::Array(items) => items.get(name.parse::<usize>().ok()?),
            _ => None,
        })
    }
}

#[derive(Deserialize)]
struct Answered {
    access_token: Option<Secret>,
    #[serde(default)]
    token_extra: Option<Map<String, Value>>,
    #[serde(default)]
    url: String,
    #[serde(default, rename = "type")]
    kind: String,
    username: Option<Secret>,
    password: Option<Secret>,
}

impl Service {
    /// Asks for a token.
    pub async fn link_token(&self, wanted: Wanted<'_>, patience: Patience) -> Result<LinkToken, ClientError> {
        let mut url = self.url().at(PATH);
        let (id, remote) = match wanted {
            Wanted::Provider(id) => (id, ""),
            Wanted::Remote(remote) => ("", remote),
        };
        url.query_pairs_mut().append_pair("id", id).append_pair("match", remote);
        let wait = match patience {
            Patience::Ask => Wait::Short,
            Patience::Listen => {
                url.query_pairs_mut().append_pair("listen", "true");
                Wait::ForAPerson
            }
        };
        let answered: Answered = self.get(url, wait).await?.json()?;
        self.link_token_of(answered)
    }

    fn link_token_of(&self, answered: Answered) -> Result<LinkToken, ClientError> {
        let Answered { access_token, token_extra, url, kind, username, password } = answered;
        let empty = || Secret::new(String::new());
        match access_token.filter(|token| !token.expose().is_empty()) {
            Some(access_token) => Ok(LinkToken::Linked(Box::new(LentToken {
                access_token,
                extra: token_extra.unwrap_or_default(),
                kind,
                username: username.unwrap_or_else(empty),
                password: password.unwrap_or_else(empty),
            }))),
            None => match Url::parse(&url) {
                Ok(url) => Ok(LinkToken::NotLinked { url }),
                Err(_) => Err(self.not_understood("neither a token nor where to link")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lent(extra: Value) -> LentToken {
        let secret = || Secret::new("s".to_owned());
        let Value::Object(extra) = extra else { panic!("an object") };
        LentToken {
            access_token: secret(),
            extra,
            kind: "github".to_owned(),
            username: secret(),
            password: secret(),
        }
    }

    #[test]
    fn a_path_leads_through_objects_and_lists() {
        let token = lent(json!({ "scope": "repo", "user": { "teams": [{ "name": "core" }] } }));
        assert_eq!(token.extra_at("scope"), Some(&json!("repo")));
        assert_eq!(token.extra_at("user.teams.0.name"), Some(&json!("core")));
        for path in ["", "scop", "scope.x", "user.teams.1", "user.teams.name", "user..teams"] {
            assert_eq!(token.extra_at(path), None, "{path:?}");
        }
    }

    #[test]
    fn the_expiry_is_told_where_it_is_known() {
        let at = lent(json!({ "expires_at": "2026-11-22T12:00:00Z" })).expires_at();
        assert_eq!(at.map(|at| at.timestamp()), Some(1_795_348_800));
        for extra in [json!({}), json!({ "expires_at": "soon" }), json!({ "expires_at": 1 })] {
            assert_eq!(lent(extra).expires_at(), None);
        }
    }
}
