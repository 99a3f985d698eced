//! Token revocation (RFC 7009).

use super::clients::Client;
use super::{ErrorCode, OAuthError, PresentedClient, Provider};
use crate::params::Params;
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
        self.record_revoke_call(params, answer.map_or_else(|error| error.code.as_str(), |()| "ok"));
        answer
    }

    /// Records a call that a fault keeps from being handled.
    pub(crate) fn revoke_hindered(&mut self, params: &Params) {
        self.record_revoke_call(params, "fault");
    }

    fn revoke_token(
        &mut self,
        client: Result<&PresentedClient, OAuthError>,
        params: &Params,
    ) -> Result<(), OAuthError> {
        let client = client?.authenticate()?;
        if params.repeats_any() {
            return Err(OAuthError::invalid_request("a parameter comes more than once"));
        }
        let token = params.get("token").ok_or(OAuthError::invalid_request("token is missing"))?;
        self.check_owner(&client, token)?;
        match self.families.refresh_token(token) {
            _ if self.cannot_revoke(token, params.get("token_type_hint")) => {
                Err(OAuthError::new(ErrorCode::UnsupportedTokenType, "refresh tokens cannot be revoked"))
            }
            Some(refresh_token) => {
                self.families.kill(refresh_token.family);
                Ok(())
            }
            None => {
                self.families.revoke_access_token(token);
                Ok(())
            }
        }
    }

    /// Clients revoke only what they were given (RFC 7009 section 2.1).
    fn check_owner(&self, client: &Client, token: &str) -> Result<(), OAuthError> {
        let Some(family) = self.families.of_token(token) else {
            return client.confidential().map(drop);
        };
        let authorization = &self.families.get(family).authorization;
        if authorization.client_id != client.id {
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

    fn record_revoke_call(&mut self, params: &Params, outcome: &str) {
        let family = params.get("token").and_then(|token| self.families.of_token(token));
        let call = RevokeCall {
            at: self.now(),
            token_type_hint: params.get("token_type_hint").map(str::to_owned),
            family: family.map(|family| family.to_string()),
            outcome: outcome.to_owned(),
        };
        self.calls.revoke_calls.push(call);
    }
}

#[cfg(test)]
mod tests {
    use crate::state::testing::bench;

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
}
