//! Identities that lead to accounts.

use chrono::{DateTime, Utc};

use crate::Version;
use crate::ids::{AccountId, LoginIdentityId, OrganizationId};

/// Somebody at a provider who signs in as an account; (organization, issuer, subject) once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginIdentity {
    /// Its id.
    pub id: LoginIdentityId,
    /// Where the account belongs.
    pub organization_id: OrganizationId,
    /// Whom they sign in as.
    pub account_id: AccountId,
    /// The issuer or base URL.
    pub issuer: String,
    /// The provider's stable id of the user.
    pub subject: String,
    /// When it was linked to the account.
    pub created_at: DateTime<Utc>,
    /// How often it was written.
    pub version: Version,
}
