//! The ports of the revocation queue, and of what a revocation must not take along.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{ResourceOwner, Revocation, RevocationStatus};
use crate::Lease;
use crate::ids::{AccountId, AuthorizationId, OrganizationId, ProviderId, RevocationId};
use crate::store::StoreError;

/// Which receipts are wanted; `None`: any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RevocationFilter {
    /// Of this authorization.
    pub authorization_id: Option<AuthorizationId>,
    /// At this provider.
    pub provider_id: Option<ProviderId>,
    /// That stand so.
    pub status: Option<RevocationStatus>,
}

/// Which revocations are claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimedRevocations {
    /// Whichever are due.
    Due,
    /// All of a provider, before their time too: somebody waits for them.
    Of(ProviderId),
    /// This one, before its time too: somebody waits for it.
    One(RevocationId),
}

impl ClaimedRevocations {
    /// Whether somebody waits, so that they are taken before their time.
    pub const fn is_hurried(self) -> bool {
        match self {
            Self::Due => false,
            Self::Of(_) | Self::One(_) => true,
        }
    }
}

/// Reads revocations, and lets exactly one worker have each.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait RevocationQueue: Send + Sync {
    /// Takes at most `limit` of those revocations, oldest `next_attempt_at` first: of those that are not waited for, only what is
    /// due ([`Revocation::is_claimable`]). They are stored as [`Revocation::claimed`] and returned. MUST be atomic: no two
    /// callers get one revocation.
    async fn claim_revocations(
        &self,
        which: ClaimedRevocations,
        lease: Lease,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Revocation>, StoreError>;

    /// All revocations of a provider, oldest first: the receipts.
    async fn revocations_of(&self, provider: ProviderId) -> Result<Vec<Revocation>, StoreError>;

    /// A revocation of an organization.
    async fn revocation(
        &self,
        organization: OrganizationId,
        id: RevocationId,
    ) -> Result<Option<Revocation>, StoreError>;

    /// The revocations of an organization, or of one account in it, that the filter lets through: newest first, at most
    /// `limit`.
    async fn newest_revocations(
        &self,
        organization: OrganizationId,
        account: Option<AccountId>,
        filter: &RevocationFilter,
        limit: u32,
    ) -> Result<Vec<Revocation>, StoreError>;

    /// Removes revocations that ended before that time; returns how many.
    async fn purge_revocations(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;
}

/// Tells who else lives by a grant.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait SharedGrants: Send + Sync {
    /// Whether any authorization at the provider, of whatever account, is of this person and
    /// [`GrantState::Live`](crate::authorizations::GrantState::Live).
    async fn has_live_authorization(
        &self,
        provider: ProviderId,
        owner: &ResourceOwner,
    ) -> Result<bool, StoreError>;
}
