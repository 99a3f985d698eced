//! What is known of the authorization endpoint, and of the way back from it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What a plain sign-in asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignInRow {
    pub(crate) scope: String,
    /// What else the authorization request says, so that a refresh token is issued.
    #[serde(default)]
    pub(crate) params: BTreeMap<String, String>,
}

/// The authorization endpoint.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthorizeRow {
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) response_type_optional: bool,
    /// In seconds, to the second.
    pub(crate) code_lifetime: Option<i64>,
    /// The longest code, in characters.
    pub(crate) code_at_most: Option<usize>,
}

/// The way back to the client.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallbackRow {
    pub(crate) iss: Iss,
    #[serde(default)]
    pub(crate) also: Vec<String>,
}

/// The parameter `iss` of the way back (RFC 9207).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Iss {
    Absent,
    Is(String),
    /// Sent or not; the facts do not tell.
    Unknown,
}

/// Proof keys (RFC 7636).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PkceRow {
    /// Empty where the parameters are ignored.
    pub(crate) methods: Vec<String>,
    /// Methods that are refused.
    #[serde(default)]
    pub(crate) refused: Vec<String>,
}
