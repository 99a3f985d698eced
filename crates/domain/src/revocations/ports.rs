//! The port of the revocation queue.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Revocation;
use crate::Lease;
use crate::ids::ProviderId;
use crate::store::StoreError;

/// Reads revocations, and lets exactly one worker have each.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait RevocationQueue: Send + Sync {
    /// Takes at most `limit` revocations, oldest `next_attempt_at` first: with a provider all of that provider's
    /// ([`Revocation::is_claimable`] in a hurry), else those that are due. They are stored as
    /// [`Revocation::claimed`] and returned. MUST be atomic: no two callers get one revocation.
    async fn claim_revocations(
        &self,
        of: Option<ProviderId>,
        lease: Lease,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Revocation>, StoreError>;

    /// All revocations of a provider, oldest first: the receipts.
    async fn revocations_of(&self, provider: ProviderId) -> Result<Vec<Revocation>, StoreError>;

    /// Removes revocations that ended before that time; returns how many.
    async fn purge_revocations(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;
}
