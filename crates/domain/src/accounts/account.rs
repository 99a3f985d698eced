//! Accounts.

use chrono::{DateTime, Utc};

use super::Standing;
use crate::Version;
use crate::ids::{AccountId, OrganizationId};

/// A user of one organization. What users authorize belongs to them, not to the token they called with.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Its id: `userId` on the wire.
    pub id: AccountId,
    /// Where it belongs.
    pub organization_id: OrganizationId,
    /// Its e-mail address: a label for people, never a key to anything.
    pub email: Email,
    /// What it may do.
    pub role: Role,
    /// Whether it is in use.
    pub standing: Standing,
    /// Since when an operator keeps it from doing anything; `None`: it may.
    pub suspended_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// How often it was written.
    pub version: Version,
}

impl Account {
    /// Whether anybody gets in as it.
    pub fn may_act(&self) -> bool {
        self.standing == Standing::Active && self.suspended_at.is_none()
    }
}

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Registers, changes and deletes providers and sees jobs; and all that a member does.
    Admin,
    /// Lists providers and authorizes.
    Member,
}

impl Role {
    /// `admin` or `member`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    /// The role of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "admin" => Some(Self::Admin),
            "member" => Some(Self::Member),
            _ => None,
        }
    }
}

/// An e-mail address: one `@` with text on both sides, at most 254 characters (RFC 5321, 4.5.3.1), no white space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Checks and takes an address. The domain is folded to lower case; the local part is kept.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError)?;
        let odd = |c: char| c.is_whitespace() || c.is_control() || c == '@';
        if local.is_empty()
            || domain.is_empty()
            || text.len() > 254
            || local.contains(odd)
            || domain.contains(odd)
        {
            return Err(EmailError);
        }
        Ok(Self(format!("{local}@{}", domain.to_lowercase())))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Not an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an e-mail address looks like name@example.com")]
pub struct EmailError;
