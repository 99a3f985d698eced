//! Organizations.

use chrono::{DateTime, Utc};

use super::Standing;
use crate::Version;
use crate::authorizations::RedirectAllowList;
use crate::ids::OrganizationId;

/// A tenant: it owns providers and accounts, and nothing crosses from one to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name, unique in the installation.
    pub name: OrganizationName,
    /// Where a flow that its users start may return to.
    pub redirect_uris: RedirectAllowList,
    /// Whether it is in use.
    pub standing: Standing,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// How often it was written.
    pub version: Version,
}

/// The name of an organization: 1 to 100 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationName(String);

impl OrganizationName {
    /// Checks and takes a name; space around it is dropped.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let name = text.trim();
        let length = name.chars().count();
        if length == 0 || length > 100 || name.chars().any(char::is_control) {
            return Err(NameError);
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 100 characters and no control characters")]
pub struct NameError;
