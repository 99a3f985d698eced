//! How the simulated provider behaves: each setting reproduces something that real providers do.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The longest token that can be asked for, in characters: far beyond what providers document.
const LONGEST_TOKEN: usize = 64 * 1024;

/// The switches of the simulated provider, in JSON as `camelCase`. The default is a plain, correct OpenID provider.
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each with its own name in JSON")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Settings {
    /// Lifetime of access tokens in seconds.
    pub access_token_lifetime: u32,
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
    /// Answers to a refresh carry no refresh token; the old one stays in use whatever `rotation` says (as at Google).
    pub refresh_omits_refresh_token: bool,
    /// Refresh tokens also without the scope `offline_access` (OpenID Connect Core section 11).
    pub always_refresh_token: bool,
    /// The HTTP status of errors at the token endpoint.
    pub errors_status: ErrorsStatus,
    /// The format of answers of the token endpoint.
    pub token_format: TokenFormat,
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
    /// Scopes granted whatever was asked for: partial consent, or more than was wanted.
    pub granted_scopes: Option<Vec<String>>,
    /// The `sub` that userinfo tells instead of the right one (OpenID Connect Core section 5.3.2).
    pub userinfo_sub: Option<String>,
    /// Refresh tokens cannot be revoked: `unsupported_token_type` (RFC 7009 section 2.2.1). Access tokens can.
    pub revoke_unsupported_token_type: bool,
    /// What is wrong with the ID tokens.
    pub id_token: IdTokenForgery,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access_token_lifetime: 3600,
            code_lifetime: 60,
            device_code_lifetime: 900,
            device_interval: None,
            rotation: Rotation::Immediate,
            grace_seconds: 60,
            refresh_omits_refresh_token: false,
            always_refresh_token: true,
            errors_status: ErrorsStatus::BadRequest,
            token_format: TokenFormat::Json,
            scope_separator: ScopeSeparator::Space,
            expires_in: ExpiresIn::Number,
            token_length: None,
            callback_iss: CallbackIss::Correct,
            announce_iss: true,
            granted_scopes: None,
            userinfo_sub: None,
            revoke_unsupported_token_type: false,
            id_token: IdTokenForgery::Ok,
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

/// What becomes of a refresh token that was used (RFC 9700 section 4.14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rotation {
    /// A new one replaces it; using the old one again kills the whole family.
    Immediate,
    /// It stays the one in use.
    None,
    /// As `Immediate`, but for `grace_seconds` the replaced one still gets the answer that its first use got: a new
    /// access token and the refresh token now in use.
    Grace,
}

/// The HTTP status of errors at the token endpoint, in JSON 400 or 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub enum ErrorsStatus {
    /// As RFC 6749 section 5.2 says: 400, and 401 for `invalid_client`.
    BadRequest,
    /// Always 200, as GitHub does.
    Ok,
}

impl TryFrom<u16> for ErrorsStatus {
    type Error = &'static str;

    fn try_from(status: u16) -> Result<Self, Self::Error> {
        match status {
            400 => Ok(Self::BadRequest),
            200 => Ok(Self::Ok),
            _ => Err("errorsStatus is 400 or 200"),
        }
    }
}

impl From<ErrorsStatus> for u16 {
    fn from(status: ErrorsStatus) -> Self {
        match status {
            ErrorsStatus::BadRequest => 400,
            ErrorsStatus::Ok => 200,
        }
    }
}

/// The format of answers of the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenFormat {
    /// `application/json` (RFC 6749 section 5.1).
    Json,
    /// `application/x-www-form-urlencoded`, as GitHub does when it is not asked for JSON.
    Form,
}

/// What stands between two scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScopeSeparator {
    /// A space (RFC 6749 section 3.3).
    Space,
    /// A comma, as at GitHub.
    Comma,
}

impl ScopeSeparator {
    /// The separator itself.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Space => " ",
            Self::Comma => ",",
        }
    }
}

/// How answers say `expires_in`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExpiresIn {
    /// As a JSON number.
    Number,
    /// As a JSON string of digits.
    String,
    /// Not at all.
    Absent,
}

/// The `iss` parameter of the authorization response (RFC 9207).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallbackIss {
    /// Left out.
    Absent,
    /// The issuer.
    Correct,
    /// Another issuer, as in a mix-up attack.
    Wrong,
}

/// What is wrong with the ID tokens: the corpus for the checks of OpenID Connect Core section 3.1.3.7 and RFC 8725.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdTokenForgery {
    /// Nothing.
    Ok,
    /// `alg` is `none` and there is no signature.
    AlgNone,
    /// Signed with HMAC-SHA256 under the PEM text of the public key.
    #[serde(rename = "hs256_with_public_key")]
    Hs256WithPublicKey,
    /// `iss` is another issuer.
    WrongIssuer,
    /// `aud` is another client.
    WrongAudience,
    /// `exp` is an hour ago.
    Expired,
    /// `nonce` is not the one of the authorization request.
    WrongNonce,
    /// `kid` is in no key set.
    UnknownKid,
    /// `aud` names a second client, and there is no `azp`.
    TwoAudiencesWithoutAzp,
    /// The signature is that of another token.
    BadSignature,
    /// No ID token, though the scope `openid` was granted.
    Missing,
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
