//! Token revocation (RFC 7009).

use super::clients::Client;
use super::families::FamilyId;
use super::{ErrorCode, OAuthError, PresentedClient, Provider};
use crate::params::Params;
use crate::settings::RevokeScope;
use crate::stats::RevokeCall;

impl Provider {
    /// Revokes a token and records the call. A refresh token takes its whole family along, an access token nothing
    /// but itself; unknown tokens are no error (RFC 7009 section 2.2).
    pub(crate) fn revoke(
        &mut self,
        client: Result<&PresentedClient, OAuthError>,
        params: &Params,
    ) -> Result<(), OAuthError> {
        let answer = self.revoke_token(client, params);
        self.record_sent(params, answer.map_or_else(|error| error.code.as_str(), |()| "ok"));
        answer
    }

    /// Records a call that a fault keeps from being handled.
    pub(crate) fn revoke_hindered(&mut self, params: &Params) {
        self.record_sent(params, "fault");
    }

    /// Ends a token and what the scope takes along with it, for whoever may do that, and records the call. False when
    /// nobody knows the token.
    pub(crate) fn revoke_for(&mut self, token: &str, scope: RevokeScope) -> bool {
        let known = self.end(token, scope);
        self.record_revoke_call(Some(token), None, if known { "ok" } else { "invalid_token" });
        known
    }

    /// Records a call that ended nothing.
    pub(crate) fn note_revocation(&mut self, token: &str, outcome: &str) {
        self.record_revoke_call(Some(token), None, outcome);
    }

    fn revoke_token(
        &mut self,
        client: Result<&PresentedClient, OAuthError>,
        params: &Params,
    ) -> Result<(), OAuthError> {
        let client = match client {
            _ if !self.dialect.revocation_needs_client => None,
            client => Some(client?.authenticate(self.settings.client_authentication)?),
        };
        if params.repeats_any() {
            return Err(OAuthError::invalid_request("a parameter comes more than once"));
        }
        let token = params.get("token").ok_or(OAuthError::invalid_request("token is missing"))?;
        if let Some(client) = client {
            self.check_owner(&client, token)?;
        }
        if self.cannot_revoke(token, params.get("token_type_hint")) {
            return Err(OAuthError::new(ErrorCode::UnsupportedTokenType, "refresh tokens cannot be revoked"));
        }
        if !self.end(token, self.settings.revoke_scope) && self.dialect.revocation_knows_tokens {
            return Err(OAuthError::new(ErrorCode::UnknownToken, "the token is unknown or revoked"));
        }
        Ok(())
    }

    /// Ends a token and what goes with it; false when it did not live.
    fn end(&mut self, token: &str, scope: RevokeScope) -> bool {
        let Some(id) = self.families.of_token(token).filter(|id| self.families.get(*id).alive) else {
            return false;
        };
        match scope {
            RevokeScope::Token if self.families.refresh_token(token).is_none() => {
                self.families.revoke_access_token(token);
            }
            RevokeScope::Token | RevokeScope::Pair => self.families.kill(id),
            RevokeScope::Grant => self.end_grants(id, true),
            RevokeScope::Project => self.end_grants(id, false),
        }
        true
    }

    /// Ends what the user of a family has given its client, or any client.
    fn end_grants(&mut self, id: FamilyId, same_client: bool) {
        let ended = self.families.get(id).authorization.clone();
        self.families.kill_all(|other| {
            other.user == ended.user && (!same_client || other.client_id == ended.client_id)
        });
    }

    /// Clients revoke only what they were given (RFC 7009 section 2.1).
    fn check_owner(&self, client: &Client, token: &str) -> Result<(), OAuthError> {
        let Some(family) = self.families.of_token(token) else {
            return client.confidential().map(drop);
        };
        let authorization = &self.families.get(family).authorization;
        if !authorization.is_of(&client.id) {
            return Err(OAuthError::invalid_grant("the token was issued to another client"));
        }
        if authorization.public_client { Ok(()) } else { client.confidential().map(drop) }
    }

    /// Whether the settings forbid it; for unknown tokens the hint counts.
    fn cannot_revoke(&self, token: &str, hint: Option<&str>) -> bool {
        let is_refresh_token = match self.families.of_token(token) {
            Some(_) => self.families.refresh_token(token).is_some(),
            None => hint == Some("refresh_token"),
        };
        self.settings.revoke_unsupported_token_type && is_refresh_token
    }

    fn record_sent(&mut self, params: &Params, outcome: &str) {
        self.record_revoke_call(params.get("token"), params.get("token_type_hint"), outcome);
    }

    fn record_revoke_call(&mut self, token: Option<&str>, hint: Option<&str>, outcome: &str) {
        let family = token.and_then(|token| self.families.of_token(token));
        let call = RevokeCall {
            at: self.now(),
            token_type_hint: hint.map(str::to_owned),
            family: family.map(|family| family.to_string()),
            outcome: outcome.to_owned(),
        };
        self.calls.revoke_calls.push(call);
    }
}

#[cfg(test)]
mod tests {
    use crate::dialect::{Dialect, PLAIN};
    use crate::settings::RevokeScope;
    use crate::state::testing::bench;

    /// Which of these still work after a revocation of the first one's access token: its refresh token, another
    /// sign-in with the same client, one with another client.
    fn survivors(scope: RevokeScope) -> [bool; 3] {
        let mut bench = bench();
        bench.provider.settings.revoke_scope = scope;
        let [revoked, same_client] = [(); 2].map(|()| bench.tokens("profile"));
        bench.client_id = "another".to_owned();
        let other_client = bench.tokens("profile");
        bench.client_id = "client".to_owned();
        assert_eq!(bench.revoke(&revoked.access_token, None), Ok(()));
        assert_eq!(bench.sub_of(&revoked.access_token), None);
        [
            bench.refresh(revoked.refresh()).is_ok(),
            bench.sub_of(&same_client.access_token).is_some(),
            bench.sub_of(&other_client.access_token).is_some(),
        ]
    }

    #[test]
    fn a_revocation_takes_along_what_the_setting_says() {
        assert_eq!(survivors(RevokeScope::Token), [true, true, true]);
        assert_eq!(survivors(RevokeScope::Pair), [false, true, true]);
        assert_eq!(survivors(RevokeScope::Grant), [false, false, true]);
        assert_eq!(survivors(RevokeScope::Project), [false, false, false]);
    }

    #[test]
    fn a_refresh_token_takes_its_family_along() {
        let mut bench = bench();
        let tokens = bench.tokens("profile");
        assert_eq!(bench.revoke(tokens.refresh(), Some("refresh_token")), Ok(()));
        assert_eq!(bench.sub_of(&tokens.access_token), None);
        assert_eq!(bench.refresh(tokens.refresh()).err(), Some("invalid_grant"));
        assert!(!bench.provider.stats().families["family-1"].alive);
    }

    #[test]
    fn an_access_token_dies_alone() {
        let mut bench = bench();
        let tokens = bench.tokens("profile");
        assert_eq!(bench.revoke(&tokens.access_token, None), Ok(()));
        assert_eq!(bench.sub_of(&tokens.access_token), None);
        let refreshed = bench.refresh(tokens.refresh()).expect("alive");
        assert!(bench.sub_of(&refreshed.access_token).is_some());
    }

    #[test]
    fn unknown_tokens_are_no_error_but_a_missing_one_is() {
        let mut bench = bench();
        assert_eq!(bench.revoke("unknown", None), Ok(()));
        assert_eq!(bench.revoke("", None), Err("invalid_request"));
        bench.secret = None;
        assert_eq!(bench.revoke("unknown", None), Err("invalid_client"));
    }

    #[test]
    fn another_client_or_none_cannot_revoke() {
        let mut bench = bench();
        let tokens = bench.tokens("profile");
        bench.client_id = "another".to_owned();
        assert_eq!(bench.revoke(tokens.refresh(), None), Err("invalid_grant"));
        bench.client_id = "client".to_owned();
        bench.secret = None;
        assert_eq!(bench.revoke(tokens.refresh(), None), Err("invalid_client"));
        assert!(bench.sub_of(&tokens.access_token).is_some());
    }

    #[test]
    fn some_providers_revoke_access_tokens_only() {
        let mut bench = bench();
        bench.provider.settings.revoke_unsupported_token_type = true;
        let tokens = bench.tokens("profile");
        assert_eq!(bench.revoke(tokens.refresh(), None), Err("unsupported_token_type"));
        assert_eq!(bench.revoke("unknown", Some("refresh_token")), Err("unsupported_token_type"));
        assert_eq!(bench.revoke(&tokens.access_token, Some("refresh_token")), Ok(()));
        assert_eq!(bench.sub_of(&tokens.access_token), None);
        let outcomes: Vec<_> =
            bench.provider.stats().revoke_calls.into_iter().map(|call| call.outcome).collect();
        assert_eq!(outcomes, ["unsupported_token_type", "unsupported_token_type", "ok"]);
    }

    #[test]
    fn some_providers_ask_no_client_and_know_which_tokens_live() {
        const OPEN: Dialect =
            Dialect { revocation_needs_client: false, revocation_knows_tokens: true, ..PLAIN };
        let mut bench = bench();
        bench.provider.dialect = &OPEN;
        let tokens = bench.tokens("profile");
        bench.secret = Some("wrong-secret".to_owned());
        assert_eq!(bench.revoke(tokens.refresh(), None), Ok(()));
        assert_eq!(bench.revoke(tokens.refresh(), None), Err("invalid_token"));
        assert_eq!(bench.revoke("unknown", None), Err("invalid_token"));
    }
}
