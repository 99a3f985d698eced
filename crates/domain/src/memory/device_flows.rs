//! Device flows.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::noun::Noun;
use super::{MemoryStore, State, rows};
use crate::StoreError;
use crate::accounts::{Account, Organization};
use crate::authorizations::{DeviceFlow, DeviceFlowStore, DeviceStage, MOST_UNATTENDED};
use crate::ids::{AccountId, DeviceFlowId, ProviderId};
use crate::providers::Provider;
use crate::secret::SecretHash;

#[async_trait]
impl DeviceFlowStore for MemoryStore {
    async fn device_flow(&self, id: DeviceFlowId) -> Result<Option<DeviceFlow>, StoreError> {
        Ok(self.state().row(id).cloned())
    }

    async fn device_flow_by_handle(
        &self,
        provider: ProviderId,
        handle: &SecretHash,
        account: AccountId,
    ) -> Result<Option<DeviceFlow>, StoreError> {
        let matches = |row: &DeviceFlow| {
            row.provider_id == provider && row.handle_hash == *handle && row.account_id == account
        };
        Ok(self.state().find(matches).cloned())
    }

    async fn unattended_device_flows(
        &self,
        overdue: DateTime<Utc>,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<DeviceFlow>, StoreError> {
        let state = self.state();
        let all = || state.device_flows.values();
        let is_among_newest =
            |row: &DeviceFlow| all().filter(|other| row.is_before(other)).count() < rows(MOST_UNATTENDED);
        let is_one = |row: &&DeviceFlow| row.is_unattended(overdue, now) && is_among_newest(row);
        let mut found: Vec<_> = all().filter(is_one).collect();
        found.sort_by_key(|row| (row.next_poll_at, row.id));
        Ok(found.into_iter().take(rows(limit)).cloned().collect())
    }

    async fn polls_under_way(&self, provider: ProviderId, since: DateTime<Utc>) -> Result<u64, StoreError> {
        let is_one = |row: &DeviceFlow| {
            row.provider_id == provider
                && matches!(row.stage, DeviceStage::Polling { since: began } if began >= since)
        };
        Ok(self.state().oldest_first(is_one).len() as u64)
    }

    async fn purge_device_flows(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        Ok(self.state().purge(|row: &DeviceFlow| row.expires_at < before))
    }
}

impl DeviceFlow {
    /// Whether the other one, of the same account at the same provider, is newer, and is not over.
    fn is_before(&self, other: &Self) -> bool {
        let whose = |row: &Self| (row.account_id, row.provider_id);
        let age = |row: &Self| (row.created_at, row.id);
        let is_over = matches!(other.stage, DeviceStage::Finished { .. });
        whose(self) == whose(other) && age(self) < age(other) && !is_over
    }
}

impl Noun for DeviceFlow {
    fn missing_in(&self, state: &State) -> Option<&'static str> {
        state
            .lacks::<Organization>(self.organization_id, "organization")
            .or_else(|| state.lacks::<Account>(self.account_id, "account"))
            .or_else(|| state.lacks::<Provider>(self.provider_id, "provider"))
    }
}
