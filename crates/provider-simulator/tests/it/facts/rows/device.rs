//! What is known of the device grant.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::ExpectedError;

/// The device grant (RFC 8628).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceRow {
    pub(crate) path: String,
    pub(crate) scope: String,
    /// Polls go to the token endpoint.
    pub(crate) poll_needs_secret: bool,
    pub(crate) members: Vec<String>,
    #[serde(default)]
    pub(crate) absent: Vec<String>,
    pub(crate) values: Map<String, Value>,
    pub(crate) device_code_length: Option<usize>,
    pub(crate) user_code: UserCode,
    /// The member with the page's address, and how the address ends.
    pub(crate) page_member: String,
    pub(crate) page_ends_with: String,
    pub(crate) pending: ExpectedError,
    pub(crate) slow_down: Option<ExpectedError>,
    pub(crate) denied: ExpectedError,
    pub(crate) expired: Option<ExpectedError>,
    pub(crate) bad_code: Option<ExpectedError>,
    /// What a client is told that may not use it, at the first request or at the poll.
    pub(crate) off: Option<ExpectedError>,
    pub(crate) secret_missing: Option<ExpectedError>,
    /// Whether tokens come with a refresh token; not checked if nothing is said.
    pub(crate) refresh_token: Option<bool>,
}

/// How a user code looks.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UserCode {
    /// `WDJB-MJHT`.
    EightWithHyphen,
    /// `0A44L90H`.
    Eight,
    /// Printable ASCII, at most 15 characters.
    PrintableUpTo15,
    /// Any text.
    Text,
}
