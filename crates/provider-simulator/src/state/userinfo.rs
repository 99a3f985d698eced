//! The userinfo endpoint (OpenID Connect Core section 5.3).

use serde_json::{Map, Value, json};

use super::{Provider, User, scopes};
use crate::stats::UserinfoCall;

/// Why userinfo tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UserinfoRefusal {
    /// There is no bearer token (RFC 6750 section 3.1: then no error code either).
    NoToken,
    /// It is expired, revoked or unknown.
    InvalidToken,
}

impl Provider {
    /// The claims that the scopes of the token allow (OpenID Connect Core section 5.4), and records the call.
    pub(crate) fn userinfo(&mut self, access_token: Option<&str>) -> Result<Value, UserinfoRefusal> {
        let answer = self.claims_for(access_token);
        self.record_userinfo_call(match answer {
            Ok(_) => "ok",
            Err(UserinfoRefusal::NoToken) => "invalid_request",
            Err(UserinfoRefusal::InvalidToken) => "invalid_token",
        });
        answer
    }

    /// Records a call that a fault keeps from being handled.
    pub(crate) fn userinfo_hindered(&mut self) {
        self.record_userinfo_call("fault");
    }

    fn claims_for(&self, access_token: Option<&str>) -> Result<Value, UserinfoRefusal> {
        let token = access_token.ok_or(UserinfoRefusal::NoToken)?;
        let (authorization, scopes) =
            self.families.live(token, self.now()).ok_or(UserinfoRefusal::InvalidToken)?;
        let mut claims = authorization.user.claims(scopes);
        if let Some(sub) = &self.settings.userinfo_sub {
            claims.insert("sub".to_owned(), json!(sub));
        }
        Ok(claims.into())
    }

    fn record_userinfo_call(&mut self, outcome: &str) {
        let at = self.now();
        self.calls.userinfo_calls.push(UserinfoCall { at, outcome: outcome.to_owned() });
    }
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
