//! What is known of the token endpoint: clients, answers and errors.

use serde::Deserialize;
use serde_json::{Map, Value};

/// The token endpoint and its successful answers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRow {
    pub(crate) path: String,
    pub(crate) client_authentication: Vec<Way>,
    /// Whether the ways that are not listed are refused.
    #[serde(default)]
    pub(crate) others_refused: bool,
    pub(crate) format: Format,
    /// The format of answers to `Accept: application/json`.
    pub(crate) format_on_accept: Format,
    pub(crate) token_type: Option<String>,
    pub(crate) members: Vec<String>,
    #[serde(default)]
    pub(crate) absent: Vec<String>,
    /// Members with a value that is always the same.
    #[serde(default)]
    pub(crate) values: Map<String, Value>,
    /// What stands between two scopes in an answer; none where an answer has no scope.
    pub(crate) scope_separator: Option<String>,
}

/// A way of client authentication (RFC 6749 section 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Way {
    Body,
    Basic,
    None,
}

/// The format of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Json,
    Form,
}

/// What is granted to somebody who asks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScopesRow {
    pub(crate) asked: String,
    /// In any order.
    pub(crate) granted: Vec<String>,
}

/// An error of the token endpoint, and what brings it about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErrorsRow {
    pub(crate) cases: Vec<Mistake>,
    pub(crate) answer: ExpectedError,
}

/// What a client can get wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mistake {
    RefreshTokenUnknown,
    RefreshTokenUsed,
    RefreshTokenExpired,
    RefreshTokenOfAnother,
    CodeUnknown,
    CodeUsed,
    CodeExpired,
    CodeOfAnother,
    RedirectUriOther,
    VerifierWrong,
    VerifierMissing,
    ClientSecretWrong,
    ClientSecretMissing,
    GrantTypeUnknown,
}

/// An error as it is told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedError {
    /// Any of these.
    #[serde(default)]
    pub(crate) status: Vec<u16>,
    /// Any of these; nothing is known of the word where there are none.
    #[serde(default)]
    pub(crate) error: Vec<String>,
    #[serde(default)]
    pub(crate) members: Vec<String>,
    /// Any of these.
    #[serde(default)]
    pub(crate) descriptions: Vec<String>,
    /// The new `interval` that `slow_down` may come with, in seconds.
    pub(crate) interval: Option<i64>,
}
