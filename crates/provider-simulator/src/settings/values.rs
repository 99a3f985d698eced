//! The values of settings that are neither numbers nor yes or no.

use serde::{Deserialize, Serialize};

/// What becomes of a refresh token that was used (RFC 9700 section 4.14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rotation {
    /// A new one replaces it, and the old one works no more.
    Immediate,
    /// It stays the one in use.
    None,
    /// As `Immediate`, but for `grace_seconds` the replaced one still gets the answer that its first use got: a new
    /// access token and the refresh token now in use.
    Grace,
    /// A new one comes with every answer, and all of them work (as at Microsoft).
    Tolerant,
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
    /// `application/x-www-form-urlencoded`.
    Form,
    /// A form unless the header `Accept` names JSON, as at GitHub.
    #[serde(rename = "form_unless_accept_json")]
    FormUnlessAcceptJson,
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
    /// The issuer, twice (RFC 6749 section 3.1 forbids it).
    Duplicate,
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

/// Which access tokens expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessTokensExpire {
    /// All.
    Always,
    /// Those that come with a refresh token, as at GitHub.
    WithRefreshToken,
    /// None.
    Never,
}

/// How clients may authenticate (RFC 6749 section 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// By HTTP Basic or in the body.
    Both,
    /// In the body.
    Post,
    /// By HTTP Basic.
    Basic,
}

/// Which proofs for a code are known (RFC 7636 section 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    /// None: challenges and verifiers are ignored.
    Ignored,
    /// `S256`.
    S256,
    /// `S256` and `plain`.
    S256AndPlain,
}

/// Under which name answers of the token endpoint tell the scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeField {
    /// `scope` (RFC 6749 section 5.1).
    Scope,
    /// `scopes`, as Bitbucket Cloud did until 2026.
    Scopes,
    /// Not at all, as at Box.
    Absent,
}

/// What a revocation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokeScope {
    /// A refresh token takes its family along, an access token nothing but itself (RFC 7009 section 2.1).
    Token,
    /// Either takes the other along, as at GitLab and Box.
    Pair,
    /// All that this user has given this client, as the grant of GitHub.
    Grant,
    /// All that this user has given any client, as if they belonged to one project of Google.
    Project,
}

/// How calls are told that there were too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RateLimit {
    /// They are not.
    Off,
    /// 429 with `Retry-After` (RFC 6585 section 4), as at Box, GitLab and Microsoft.
    RetryAfter,
    /// 403 with `x-ratelimit-remaining: 0` and the time of `x-ratelimit-reset`, as at GitHub.
    Github403,
    /// 429 that does not say when to come again, as at Bitbucket Cloud.
    Bare429,
}
