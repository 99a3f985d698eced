//! The port that lets one process at a time refresh an authorization.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::ids::AuthorizationId;
use crate::store::StoreError;

/// A claim to refresh one authorization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshLease {
    /// Which authorization.
    pub authorization_id: AuthorizationId,
    /// Who holds it: a name that no other process has.
    pub holder: String,
    /// Until when it holds.
    pub until: DateTime<Utc>,
    /// Grows with every lease of the authorization, so that a later holder can be told from an earlier one.
    pub fence: i64,
}

/// Grants leases.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait RefreshLeases: Send + Sync {
    /// Takes the lease of an authorization; `None` while another holds one that has not lapsed at `now`.
    /// MUST be atomic, and MUST give each lease a greater fence than the one before.
    async fn take_lease<'a>(
        &self,
        authorization: AuthorizationId,
        holder: &'a str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<RefreshLease>, StoreError>;

    /// Gives a lease back, unless somebody else has taken it since. The fence goes on growing.
    async fn release_lease(&self, lease: &RefreshLease) -> Result<(), StoreError>;

    /// Removes leases that lapsed before that time and have no authorization any more; returns how many.
    async fn purge_leases(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;
}
