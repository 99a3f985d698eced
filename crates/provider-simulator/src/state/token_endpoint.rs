//! The token endpoint: which grant, by whom, and what is recorded of it (RFC 6749 section 3.2).

use super::code_grant::PresentedCode;
use super::families::FamilyId;
use super::{ErrorCode, OAuthError, PresentedClient, Provider, TokenAnswer};
use crate::params::Params;
use crate::stats::TokenCall;

/// The `grant_type` of polls with a device code (RFC 8628 section 3.4).
pub(crate) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The outcome of calls that a fault kept from being handled.
const FAULT: &str = "fault";

/// What a client presents for tokens.
enum Grant<'a> {
    Code { code: &'a str, redirect_uri: Option<&'a str>, verifier: Option<&'a str> },
    RefreshToken { token: &'a str, scope: Option<&'a str>, redirect_uri: Option<&'a str> },
    DeviceCode { code: &'a str },
}

impl<'a> Grant<'a> {
    fn from_params(params: &'a Params, needs_grant_type: bool) -> Result<Self, OAuthError> {
        if params.repeats_any() {
            return Err(OAuthError::invalid_request("a parameter comes more than once"));
        }
        let required = |name, missing| params.get(name).ok_or(OAuthError::invalid_request(missing));
        let usual = (!needs_grant_type).then_some("authorization_code");
        let missing = OAuthError::invalid_request("grant_type is missing");
        match params.get("grant_type").or(usual).ok_or(missing)? {
            "authorization_code" => Ok(Self::Code {
                code: required("code", "code is missing")?,
                redirect_uri: params.get("redirect_uri"),
                verifier: params.get("code_verifier"),
            }),
            "refresh_token" => Ok(Self::RefreshToken {
                token: required("refresh_token", "refresh_token is missing")?,
                scope: params.get("scope"),
                redirect_uri: params.get("redirect_uri"),
            }),
            DEVICE_CODE => Ok(Self::DeviceCode { code: required("device_code", "device_code is missing")? }),
            _ => Err(OAuthError::new(ErrorCode::UnsupportedGrantType, "unknown grant_type")),
        }
    }
}

impl Provider {
    /// Answers and records a token request. `client` is who it claims to come from, or why that cannot be read.
    pub(crate) fn token(
        &mut self,
        client: Result<&PresentedClient, OAuthError>,
        params: &Params,
    ) -> Result<TokenAnswer, OAuthError> {
        let answer = self.grant(client, params);
        self.record_token_call(params, answer.as_ref().map_or_else(|error| error.code.as_str(), |_| "ok"));
        answer
    }

    /// Records a token request that a fault keeps from being handled.
    pub(crate) fn token_hindered(&mut self, params: &Params) {
        self.record_token_call(params, FAULT);
    }

    fn grant(
        &mut self,
        client: Result<&PresentedClient, OAuthError>,
        params: &Params,
    ) -> Result<TokenAnswer, OAuthError> {
        let client = client?.authenticate(self.settings.client_authentication)?;
        match Grant::from_params(params, self.dialect.needs_grant_type)? {
            Grant::Code { code, redirect_uri, verifier } => {
                let pkce = self.settings.pkce;
                self.redeem_code(&client, &PresentedCode { code, redirect_uri, verifier, pkce })
            }
            Grant::RefreshToken { token, scope, redirect_uri } => {
                self.refresh(&client, token, scope, redirect_uri)
            }
            Grant::DeviceCode { code } => self.poll(&client, code),
        }
    }

    fn record_token_call(&mut self, params: &Params, outcome: &str) {
        let grant = Grant::from_params(params, self.dialect.needs_grant_type);
        let presented = grant.ok().and_then(|grant| self.credential(&grant));
        let call = TokenCall {
            at: self.now(),
            grant: params.get("grant_type").map(str::to_owned),
            family: presented.map(|(family, _)| family.to_string()),
            generation: presented.map(|(_, generation)| generation),
            outcome: outcome.to_owned(),
        };
        self.calls.token_calls.push(call);
    }

    /// The family and the generation of what is presented, as far as known.
    fn credential(&self, grant: &Grant<'_>) -> Option<(FamilyId, u32)> {
        match grant {
            Grant::Code { code, .. } => self.codes.get(*code)?.family().map(|family| (family, 0)),
            Grant::RefreshToken { token, .. } => {
                self.families.refresh_token(token).map(|token| (token.family, token.generation))
            }
            Grant::DeviceCode { code } => self.devices.family(code).map(|family| (family, 0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::bench;

    #[test]
    fn incomplete_requests_are_refused() {
        let mut bench = bench();
        for (params, error) in [
            (&[][..], "invalid_request"),
            (&[("grant_type", "password")], "unsupported_grant_type"),
            (&[("grant_type", "authorization_code")], "invalid_request"),
            (&[("grant_type", "refresh_token")], "invalid_request"),
            (&[("grant_type", DEVICE_CODE)], "invalid_request"),
            (
                &[("grant_type", "refresh_token"), ("refresh_token", "a"), ("refresh_token", "b")],
                "invalid_request",
            ),
        ] {
            assert_eq!(bench.token(params).err(), Some(error), "{params:?}");
        }
    }

    #[test]
    fn hindered_calls_are_recorded_and_change_nothing() {
        let mut bench = bench();
        let tokens = bench.tokens("profile");
        let params = Params::from([("grant_type", "refresh_token"), ("refresh_token", tokens.refresh())]);
        bench.provider.token_hindered(&params);
        let calls = bench.provider.stats().token_calls;
        assert_eq!(
            calls.last().map(|call| (call.outcome.as_str(), call.generation)),
            Some(("fault", Some(1)))
        );
        assert!(bench.refresh(tokens.refresh()).is_ok());
    }
}
