//! What is known of the API, and of the metadata.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// Something about the user.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DocumentRow {
    pub(crate) path: String,
    pub(crate) scope: String,
    /// Where in the answer the members are, as a JSON pointer.
    #[serde(default)]
    pub(crate) at: String,
    pub(crate) members: Vec<String>,
    /// Where the user's identifier is, and how it looks.
    pub(crate) subject: Option<String>,
    pub(crate) shape: Option<Shape>,
    /// Headers of the answer.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) header_names: Vec<String>,
    pub(crate) without_scope: Option<WithoutScope>,
    pub(crate) hidden: Option<Hidden>,
    /// Headers the request must have, with the status without them.
    #[serde(default)]
    pub(crate) needs: BTreeMap<String, u16>,
}

/// How an identifier looks.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shape {
    /// A JSON number.
    Number,
    /// A string of digits.
    Digits,
    /// A string of 21 digits.
    Digits21,
    BracedUuid,
    Uuid,
    /// Any text.
    Text,
}

/// What somebody is told who was not granted enough.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithoutScope {
    pub(crate) scope: String,
    /// Any of these.
    pub(crate) status: Vec<u16>,
}

/// What is left out for somebody who was granted less.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hidden {
    pub(crate) scope: String,
    pub(crate) members: Vec<String>,
}

/// How the API says that calls come too often.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RateLimitRow {
    /// The value of the simulator's setting `rateLimit`.
    pub(crate) setting: String,
    /// Any of these.
    pub(crate) status: Vec<u16>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) header_names: Vec<String>,
    #[serde(default)]
    pub(crate) without_headers: Vec<String>,
    /// A header with an instant to come, in epoch seconds.
    pub(crate) reset: Option<String>,
    #[serde(default)]
    pub(crate) body: Map<String, Value>,
}

/// A metadata document (OpenID Connect Discovery, RFC 8414).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetadataRow {
    pub(crate) path: String,
    pub(crate) issuer: String,
    /// Their paths: whoever follows them stays at the simulator.
    pub(crate) endpoints: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) contains: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(crate) absent: Vec<String>,
}

/// ID tokens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdTokenRow {
    pub(crate) scope: String,
    pub(crate) iss: Vec<String>,
    pub(crate) jwks: String,
    pub(crate) claims: Vec<String>,
}

/// What the provider does not have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NothingRow {
    pub(crate) paths: Vec<String>,
}
