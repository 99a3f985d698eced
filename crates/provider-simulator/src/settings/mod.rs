//! How the simulated provider behaves: each setting reproduces something that real providers do.

mod values;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use values::{
    AccessTokensExpire, CallbackIss, ClientAuthentication, ErrorsStatus, ExpiresIn, IdTokenForgery, Pkce,
    RateLimit, RevokeScope, Rotation, ScopeField, ScopeSeparator, TokenFormat,
};

/// The longest token that can be asked for, in characters: far beyond what providers document.
const LONGEST_TOKEN: usize = 64 * 1024;

/// The switches of the simulated provider, in JSON as `camelCase`. The default is a plain, correct OpenID provider.
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each with its own name in JSON")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Settings {
    /// Lifetime of access tokens in seconds.
    pub access_token_lifetime: u32,
    /// Which access tokens expire at all.
    pub access_tokens_expire: AccessTokensExpire,
    /// The `expires_in` that clients are told when it is not the truth, in seconds.
    pub told_lifetime: Option<u32>,
    /// For how many seconds a refresh token works without being used; `None`: for ever.
    pub refresh_token_lifetime: Option<u32>,
    /// Lifetime of authorization codes in seconds.
    pub code_lifetime: u32,
    /// Lifetime of device codes and user codes in seconds.
    pub device_code_lifetime: u32,
    /// Seconds to wait between two polls with a device code; `None`: 5, or 1 under automatic consent.
    pub device_interval: Option<u32>,
    /// What becomes of a refresh token that was used.
    pub rotation: Rotation,
    /// With [`Rotation::Grace`]: for how many seconds a replaced refresh token still works.
    pub grace_seconds: u32,
    /// A refresh token that was replaced and comes again takes the whole family along (RFC 9700 section 4.14.2).
    /// Otherwise it is refused, and that is all.
    pub reuse_kills_family: bool,
    /// A refresh ends the access token before it: at once, or with [`Rotation::Grace`] when the grace ends.
    pub old_access_token_dies: bool,
    /// How many grants a user can have given a client; the oldest one dies without a word (as at GitHub and Google).
    pub max_grants_per_user: Option<u32>,
    /// Answers to a refresh carry no refresh token; the old one stays in use whatever `rotation` says (as at Google).
    pub refresh_omits_refresh_token: bool,
    /// Refresh tokens also without the scope `offline_access` (OpenID Connect Core section 11).
    pub always_refresh_token: bool,
    /// Refresh tokens come out of the device grant, too.
    pub device_refresh_token: bool,
    /// Whether there is a device grant for the client.
    pub device_grant: bool,
    /// So many polls from now are answered `slow_down` (RFC 8628 section 3.5); each takes one off.
    pub slow_down_polls: u32,
    /// How clients may authenticate (RFC 6749 section 2.3.1).
    pub client_authentication: ClientAuthentication,
    /// Which proofs for a code are known (RFC 7636).
    pub pkce: Pkce,
    /// The HTTP status of errors at the token endpoint and at the device authorization endpoint.
    pub errors_status: ErrorsStatus,
    /// The format of answers of the token endpoint.
    pub token_format: TokenFormat,
    /// Under which name answers of the token endpoint tell the scopes.
    pub scope_field: ScopeField,
    /// What stands between two scopes in answers of the token endpoint.
    pub scope_separator: ScopeSeparator,
    /// How answers of the token endpoint say `expires_in`.
    pub expires_in: ExpiresIn,
    /// Access and refresh tokens are padded to this many characters.
    pub token_length: Option<usize>,
    /// The `iss` parameter of the authorization response (RFC 9207).
    pub callback_iss: CallbackIss,
    /// Whether the metadata announce that parameter (RFC 9207 section 3).
    pub announce_iss: bool,
    /// Scopes granted whatever was asked for: partial consent, or more than was wanted. Answers name them as the
    /// provider does.
    pub granted_scopes: Option<Vec<String>>,
    /// Who agrees where nobody is asked and the request has no `login_hint`; `deny` refuses.
    pub account: Option<String>,
    /// The `sub` that userinfo tells instead of the right one (OpenID Connect Core section 5.3.2).
    pub userinfo_sub: Option<String>,
    /// Refresh tokens cannot be revoked: `unsupported_token_type` (RFC 7009 section 2.2.1). Access tokens can.
    pub revoke_unsupported_token_type: bool,
    /// What a revocation ends.
    pub revoke_scope: RevokeScope,
    /// What is wrong with the ID tokens.
    pub id_token: IdTokenForgery,
    /// By how many seconds the provider's clock is ahead of the right one, or behind it when negative.
    pub clock_skew: i32,
    /// So many calls with a new access token are refused before all servers of the provider know it.
    pub replica_lag: u32,
    /// How calls are told that there were too many, as long as this is not off.
    pub rate_limit: RateLimit,
    /// At the sites of GitHub: the client is a GitHub App and not an OAuth App. Its tokens begin with `ghu_`, expire
    /// and have no scopes.
    pub github_app: bool,
    /// At the sites of GitHub: how many installations of the app each user can reach.
    pub installations: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access_token_lifetime: 3600,
            access_tokens_expire: AccessTokensExpire::Always,
            told_lifetime: None,
            refresh_token_lifetime: None,
            code_lifetime: 60,
            device_code_lifetime: 900,
            device_interval: None,
            rotation: Rotation::Immediate,
            grace_seconds: 60,
            reuse_kills_family: true,
            old_access_token_dies: false,
            max_grants_per_user: None,
            refresh_omits_refresh_token: false,
            always_refresh_token: true,
            device_refresh_token: true,
            device_grant: true,
            slow_down_polls: 0,
            client_authentication: ClientAuthentication::Both,
            pkce: Pkce::S256,
            errors_status: ErrorsStatus::BadRequest,
            token_format: TokenFormat::Json,
            scope_field: ScopeField::Scope,
            scope_separator: ScopeSeparator::Space,
            expires_in: ExpiresIn::Number,
            token_length: None,
            callback_iss: CallbackIss::Correct,
            announce_iss: true,
            granted_scopes: None,
            account: None,
            userinfo_sub: None,
            revoke_unsupported_token_type: false,
            revoke_scope: RevokeScope::Token,
            id_token: IdTokenForgery::Ok,
            clock_skew: 0,
            replica_lag: 0,
            rate_limit: RateLimit::Off,
            github_app: false,
            installations: 3,
        }
    }
}

impl Settings {
    /// These settings with some of them replaced; the error says which key or value is wrong.
    pub(crate) fn merged(&self, changes: Map<String, Value>) -> Result<Self, String> {
        let mut merged = serde_json::to_value(self).map_err(|error| error.to_string())?;
        if let Value::Object(fields) = &mut merged {
            fields.extend(changes);
        }
        let merged: Self = serde_json::from_value(merged).map_err(|error| error.to_string())?;
        match merged.token_length {
            Some(length) if length > LONGEST_TOKEN => Err(format!("tokenLength is at most {LONGEST_TOKEN}")),
            _ => Ok(merged),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changes(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).expect("an object")
    }

    #[test]
    fn a_partial_update_leaves_the_rest_alone() {
        let settings = Settings { grace_seconds: 7, ..Settings::default() };
        let merged = settings
            .merged(changes(
                json!({"rotation": "grace", "errorsStatus": 200, "idToken": "hs256_with_public_key"}),
            ))
            .expect("valid");
        let expected = Settings {
            rotation: Rotation::Grace,
            errors_status: ErrorsStatus::Ok,
            id_token: IdTokenForgery::Hs256WithPublicKey,
            ..settings
        };
        assert_eq!(merged, expected);
    }

    #[test]
    fn null_returns_an_optional_setting_to_absent() {
        let settings = Settings { token_length: Some(4096), ..Settings::default() };
        let merged = settings.merged(changes(json!({"tokenLength": null}))).expect("valid");
        assert_eq!(merged, Settings::default());
    }

    #[test]
    fn mistakes_are_named() {
        let refused = |value| Settings::default().merged(changes(value)).expect_err("refused");
        assert!(refused(json!({"rotatoin": "none"})).contains("rotatoin"));
        assert!(refused(json!({"rotation": "sometimes"})).contains("sometimes"));
        assert!(refused(json!({"errorsStatus": 500})).contains("400 or 200"));
        assert!(refused(json!({"tokenLength": 1_000_000})).contains("65536"));
    }
}
