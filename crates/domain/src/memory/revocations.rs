//! The revocation queue, and who lives by a grant.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::noun::Noun;
use super::{MemoryStore, State, rows};
use crate::Lease;
use crate::StoreError;
use crate::authorizations::{Authorization, GrantState};
use crate::ids::{AccountId, OrganizationId, ProviderId, RevocationId};
use crate::revocations::{
    ClaimedRevocations, ResourceOwner, Revocation, RevocationFilter, RevocationQueue, SharedGrants,
};

#[async_trait]
impl RevocationQueue for MemoryStore {
    async fn claim_revocations(
        &self,
        which: ClaimedRevocations,
        lease: Lease,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Revocation>, StoreError> {
        let mut state = self.state();
        let is_meant = |row: &Revocation| match which {
            ClaimedRevocations::Due => true,
            ClaimedRevocations::Of(provider) => row.provider_id == provider,
            ClaimedRevocations::One(id) => row.id == id,
        };
        let matches = |row: &Revocation| is_meant(row) && row.is_claimable(which.is_hurried(), now);
        let mut due = state.oldest_first(matches);
        // Stable: among those that are due together the oldest stays first.
        due.sort_by_key(|row| row.next_attempt_at);
        let claimed: Vec<_> =
            due.into_iter().take(rows(limit)).map(|row| row.clone().claimed(lease.clone())).collect();
        for row in &claimed {
            state.revocations.insert(row.id, row.clone());
        }
        Ok(claimed)
    }

    async fn revocations_of(&self, provider: ProviderId) -> Result<Vec<Revocation>, StoreError> {
        let state = self.state();
        let rows = state.oldest_first(|row: &Revocation| row.provider_id == provider);
        Ok(rows.into_iter().cloned().collect())
    }

    async fn revocation(
        &self,
        organization: OrganizationId,
        id: RevocationId,
    ) -> Result<Option<Revocation>, StoreError> {
        let state = self.state();
        Ok(state.row(id).filter(|row: &&Revocation| row.organization_id == organization).cloned())
    }

    async fn newest_revocations(
        &self,
        organization: OrganizationId,
        account: Option<AccountId>,
        filter: &RevocationFilter,
        limit: u32,
    ) -> Result<Vec<Revocation>, StoreError> {
        let matches = |row: &Revocation| {
            row.organization_id == organization
                && account.is_none_or(|account| row.account_id == account)
                && filter.authorization_id.is_none_or(|id| row.authorization_id == id)
                && filter.provider_id.is_none_or(|id| row.provider_id == id)
                && filter.status.is_none_or(|status| row.status == status)
        };
        Ok(self.state().oldest_first(matches).into_iter().rev().take(rows(limit)).cloned().collect())
    }

    async fn purge_revocations(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        Ok(self.state().purge(|row: &Revocation| row.finished_at.is_some_and(|end| end < before)))
    }
}

#[async_trait]
impl SharedGrants for MemoryStore {
    async fn has_live_authorization(
        &self,
        provider: ProviderId,
        owner: &ResourceOwner,
    ) -> Result<bool, StoreError> {
        let is_theirs = |row: &Authorization| {
            row.provider_id == provider
                && row.issuer == owner.issuer
                && row.subject == owner.subject
                && row.grant == GrantState::Live
        };
        Ok(self.state().find(is_theirs).is_some())
    }
}

impl Noun for Revocation {
    /// Whatever it is about may be gone: this is what outlives it.
    fn missing_in(&self, _state: &State) -> Option<&'static str> {
        None
    }
}
