//! Refresh leases.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::MemoryStore;
use crate::StoreError;
use crate::ids::AuthorizationId;
use crate::tokens::{RefreshLease, RefreshLeases};

/// The last lease of an authorization. It stays after its release, since its fence must go on growing.
pub(super) struct LeaseRow {
    lease: RefreshLease,
    released: bool,
}

impl LeaseRow {
    fn keeps_out(&self, holder: &str, now: DateTime<Utc>) -> bool {
        !self.released && self.lease.holder != holder && now < self.lease.until
    }
}

#[async_trait]
impl RefreshLeases for MemoryStore {
    async fn take_lease<'a>(
        &self,
        authorization: AuthorizationId,
        holder: &'a str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<RefreshLease>, StoreError> {
        let mut state = self.state();
        let last = state.leases.get(&authorization);
        if last.is_some_and(|row| row.keeps_out(holder, now)) {
            return Ok(None);
        }
        let fence = last.map_or(1, |row| row.lease.fence + 1);
        let lease = RefreshLease { authorization_id: authorization, holder: holder.to_owned(), until, fence };
        state.leases.insert(authorization, LeaseRow { lease: lease.clone(), released: false });
        Ok(Some(lease))
    }

    async fn release_lease(&self, lease: &RefreshLease) -> Result<(), StoreError> {
        if let Some(row) = self.state().leases.get_mut(&lease.authorization_id)
            && row.lease.fence == lease.fence
        {
            row.released = true;
        }
        Ok(())
    }

    async fn purge_leases(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut state = self.state();
        let state = &mut *state;
        let count = state.leases.len();
        state.leases.retain(|authorization, row| {
            row.lease.until >= before || state.authorizations.contains_key(authorization)
        });
        Ok((count - state.leases.len()) as u64)
    }
}
