//! What is known of the tokens themselves, and of their end.

use serde::Deserialize;

use super::{ExpectedError, Way};

/// Access tokens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccessTokenRow {
    #[serde(default)]
    pub(crate) looks: Looks,
    /// In seconds; none where the tokens of a plain sign-in never expire.
    pub(crate) expires_in: Option<i64>,
    /// The same, where the documentation names no single number.
    pub(crate) expires_in_between: Option<[i64; 2]>,
    /// A resource that takes the token of a plain sign-in.
    pub(crate) probe: String,
    /// What a dead token is told there.
    pub(crate) dead: DeadToken,
}

/// What a token looks like.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Looks {
    #[serde(default)]
    pub(crate) prefix: String,
    pub(crate) length: Option<usize>,
    pub(crate) at_least: Option<usize>,
    pub(crate) at_most: Option<usize>,
}

/// What the API answers to a token that is no more.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeadToken {
    pub(crate) status: u16,
    pub(crate) message: Option<String>,
    /// How the header begins.
    pub(crate) www_authenticate: Option<String>,
}

/// Refresh tokens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshTokenRow {
    #[serde(default)]
    pub(crate) looks: Looks,
    /// What has to be asked for to get one, if more than at a plain sign-in.
    pub(crate) scope: Option<String>,
    /// Scopes that come without one.
    #[serde(default)]
    pub(crate) none_for_scopes: Vec<String>,
    /// The lifetime of the access token beside it, where it differs from that of a plain sign-in.
    pub(crate) expires_in: Option<i64>,
    /// `refresh_token_expires_in`.
    pub(crate) told_lifetime: Option<i64>,
    /// In seconds of not being used, to the second.
    pub(crate) lifetime: Option<i64>,
    /// The same, where the documentation speaks of months.
    pub(crate) lifetime_between: Option<[i64; 2]>,
    /// Whether the answer to a refresh has another one.
    pub(crate) rotates: bool,
    pub(crate) old_refresh_token: Old,
    pub(crate) old_access_token: Old,
    /// For [`Old::DiesAfterGrace`], in seconds.
    pub(crate) grace: Option<i64>,
}

/// What becomes of an old token when a new one is issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Old {
    Dies,
    Stays,
    DiesAfterGrace,
    Unknown,
}

/// How many tokens live at once for one user, client and scope; the oldest dies of one more.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LiveTokensRow {
    pub(crate) most: usize,
    pub(crate) of: Token,
    /// Whether another set of scopes has a count of its own.
    pub(crate) by_scope: bool,
}

/// A kind of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Token {
    AccessToken,
    RefreshToken,
}

/// A way to revoke.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevocationRow {
    pub(crate) call: TokenCall,
    pub(crate) takes: Vec<Token>,
    pub(crate) answer: Option<String>,
    /// The status for a token that nobody issued.
    pub(crate) unknown: Option<u16>,
    /// What a client with a wrong secret is told, if that is known; it is refused in any case.
    pub(crate) bad_client: Option<ExpectedError>,
    pub(crate) kills: Vec<Token>,
    #[serde(default)]
    pub(crate) spares: Vec<Token>,
    /// Whether the other grants of the same user to the same client die, too.
    pub(crate) other_grants: Old,
    /// Whether the grants of the same user to other clients die, too.
    pub(crate) other_clients: Old,
}

/// A call that carries a token in its body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenCall {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) client_authentication: Way,
    pub(crate) carries: Carries,
    /// The status of a success.
    pub(crate) success: u16,
}

/// Where such a call has its token.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Carries {
    /// `{"access_token":"…"}`.
    JsonAccessToken,
    /// `{"credentials":["…"]}`.
    JsonCredentials,
    /// `token=…`.
    Form,
    /// `Authorization: Bearer …`.
    Bearer,
}

/// A way to ask whether a token is alive.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntrospectionRow {
    pub(crate) call: TokenCall,
    /// JSON pointers.
    pub(crate) members: Vec<String>,
    /// The status for a dead token.
    pub(crate) dead: u16,
}
