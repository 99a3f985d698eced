//! The revocation queue.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::noun::Noun;
use super::{MemoryStore, State, rows};
use crate::Lease;
use crate::StoreError;
use crate::accounts::Organization;
use crate::ids::ProviderId;
use crate::revocations::{Revocation, RevocationQueue};

#[async_trait]
impl RevocationQueue for MemoryStore {
    async fn claim_revocations(
        &self,
        of: Option<ProviderId>,
        lease: Lease,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Revocation>, StoreError> {
        let mut state = self.state();
        let matches = |row: &Revocation| {
            of.is_none_or(|provider| row.provider_id == provider) && row.is_claimable(of.is_some(), now)
        };
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

    async fn purge_revocations(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        Ok(self.state().purge(|row: &Revocation| row.finished_at.is_some_and(|end| end < before)))
    }
}

impl Noun for Revocation {
    /// Authorization and provider may be gone: this is what outlives them.
    fn missing_in(&self, state: &State) -> Option<&'static str> {
        state.lacks::<Organization>(self.organization_id, "organization")
    }
}
