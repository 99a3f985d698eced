//! The userinfo endpoint (OpenID Connect Core section 5.3).

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::families::IssuedToken;
use super::{Provider, User, scopes};
use crate::stats::UserinfoCall;

/// Why an endpoint tells nothing about the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UserinfoRefusal {
    /// There is no bearer token (RFC 6750 section 3.1: then no error code either).
    NoToken,
    /// It is expired, revoked or unknown.
    InvalidToken,
    /// It works, but not for this.
    InsufficientScope,
}

/// What an access token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Access {
    /// Who agreed to it.
    pub(crate) user: User,
    /// The user's identifier at this provider.
    pub(crate) sub: String,
    /// What it is good for.
    pub(crate) scopes: Vec<String>,
    /// The client that it was issued to; `None`: the user made it by hand, for no client.
    pub(crate) client_id: Option<String>,
    /// The directory of the account, where a provider has several.
    pub(crate) directory: Option<&'static str>,
    /// When it was issued.
    pub(crate) issued_at: DateTime<Utc>,
    /// When it expires, if ever.
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

impl Access {
    /// Whether it was issued to this client.
    pub(crate) fn is_of(&self, client_id: &str) -> bool {
        self.client_id.as_deref() == Some(client_id)
    }

    /// Whether it has this scope.
    pub(crate) fn has(&self, scope: &str) -> bool {
        scopes::contains(&self.scopes, scope)
    }
}

impl Provider {
    /// The claims that the scopes of the token allow (OpenID Connect Core section 5.4), and records the call.
    #[cfg(test)]
    pub(crate) fn userinfo(&mut self, access_token: Option<&str>) -> Result<Value, UserinfoRefusal> {
        self.access(access_token, |_| true).map(|access| claims(&access))
    }

    /// What the access token of a call stands for, and records the call.
    pub(crate) fn access(
        &mut self,
        access_token: Option<&str>,
        suffices: impl Fn(&Access) -> bool,
    ) -> Result<Access, UserinfoRefusal> {
        let answer = self.checked(access_token).and_then(|access| {
            if suffices(&access) { Ok(access) } else { Err(UserinfoRefusal::InsufficientScope) }
        });
        self.record_userinfo_call(match answer {
            Ok(_) => "ok",
            Err(UserinfoRefusal::NoToken) => "invalid_request",
            Err(UserinfoRefusal::InvalidToken) => "invalid_token",
            Err(UserinfoRefusal::InsufficientScope) => "insufficient_scope",
        });
        answer
    }

    /// What an access token stands for, if it works. No call of the user's data, so none is recorded.
    pub(crate) fn known(&self, access_token: &str) -> Option<Access> {
        self.families.live(access_token, self.now()).map(|token| self.stands_for(&token))
    }

    /// What an access token stands for.
    pub(super) fn stands_for(&self, token: &IssuedToken<'_>) -> Access {
        let authorization = token.authorization;
        let wrong = self.settings.userinfo_sub.clone();
        Access {
            sub: wrong.unwrap_or_else(|| (self.dialect.subject)(&authorization.user.sub)),
            user: authorization.user.clone(),
            scopes: token.scopes.to_vec(),
            client_id: authorization.client_id.clone(),
            directory: authorization.directory,
            issued_at: token.issued_at,
            expires_at: token.expires_at,
        }
    }

    /// Records a call that a fault keeps from being handled.
    pub(crate) fn userinfo_hindered(&mut self) {
        self.record_userinfo_call("fault");
    }

    fn checked(&mut self, access_token: Option<&str>) -> Result<Access, UserinfoRefusal> {
        let token = access_token.ok_or(UserinfoRefusal::NoToken)?;
        if self.families.lags(token) {
            return Err(UserinfoRefusal::InvalidToken);
        }
        self.known(token).ok_or(UserinfoRefusal::InvalidToken)
    }

    fn record_userinfo_call(&mut self, outcome: &str) {
        let at = self.now();
        self.calls.userinfo_calls.push(UserinfoCall { at, outcome: outcome.to_owned() });
    }
}

/// The standard claims (OpenID Connect Core section 5.1) that the scopes allow (section 5.4).
pub(crate) fn claims(access: &Access) -> Value {
    let mut claims = access.user.claims(&access.scopes);
    claims.insert("sub".to_owned(), json!(access.sub));
    claims.into()
}

impl User {
    fn claims(&self, granted: &[String]) -> Map<String, Value> {
        let mut claims = Map::from_iter([("sub".to_owned(), json!(self.sub))]);
        if scopes::contains(granted, "profile") {
            claims.insert("name".to_owned(), json!(self.name));
            claims.insert("preferred_username".to_owned(), json!(self.sub));
            if let Some((given_name, family_name)) = self.name.split_once(' ') {
                claims.insert("given_name".to_owned(), json!(given_name));
                claims.insert("family_name".to_owned(), json!(family_name));
            }
        }
        if scopes::contains(granted, "email") {
            claims.insert("email".to_owned(), json!(self.email));
            claims.insert("email_verified".to_owned(), json!(true));
        }
        claims
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::bench;

    #[test]
    fn claims_follow_the_scopes() {
        let mut bench = bench();
        let claims = |scope: &str| {
            let mut bench = super::super::testing::bench();
            let tokens = bench.tokens(scope);
            bench.provider.userinfo(Some(&tokens.access_token)).expect("claims")
        };
        assert_eq!(claims("calendar"), json!({"sub": "1001"}));
        assert_eq!(
            claims("email"),
            json!({"sub": "1001", "email": "ada@example.test", "email_verified": true})
        );
        assert_eq!(claims("profile")["name"], "Ada Example");
        assert_eq!(bench.provider.userinfo(None), Err(UserinfoRefusal::NoToken));
        assert_eq!(bench.provider.userinfo(Some("sim_at_x")), Err(UserinfoRefusal::InvalidToken));
    }

    #[test]
    fn the_sub_can_be_somebody_elses() {
        let mut bench = bench();
        bench.provider.settings.userinfo_sub = Some("someone-else".to_owned());
        let tokens = bench.tokens("profile");
        assert_eq!(bench.sub_of(&tokens.access_token).as_deref(), Some("someone-else"));
    }
}
