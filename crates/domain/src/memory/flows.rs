//! Flows.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::noun::Noun;
use super::{MemoryStore, State};
use crate::StoreError;
use crate::accounts::{Account, Organization};
use crate::authorizations::{Flow, FlowStage, FlowStore};
use crate::ids::{AccountId, FlowId, ProviderId};
use crate::providers::Provider;
use crate::secret::SecretHash;

#[async_trait]
impl FlowStore for MemoryStore {
    async fn flow(&self, id: FlowId) -> Result<Option<Flow>, StoreError> {
        Ok(self.state().row(id).cloned())
    }

    async fn flow_by_state(
        &self,
        provider: ProviderId,
        state: &SecretHash,
        account: Option<AccountId>,
    ) -> Result<Option<Flow>, StoreError> {
        let matches = |row: &Flow| {
            row.provider_id == provider
                && row.state_hash.as_ref() == Some(state)
                && account.is_none_or(|account| row.account_id == account)
        };
        Ok(self.state().oldest_first(matches).pop().cloned())
    }

    async fn use_up(
        &self,
        id: FlowId,
        code: &SecretHash,
        now: DateTime<Utc>,
    ) -> Result<Option<Flow>, StoreError> {
        let mut state = self.state();
        let Some(flow) = state.flows.get_mut(&id).filter(|flow| flow.is_usable(now)) else {
            return Ok(None);
        };
        *flow = flow.clone().exchanging(code.clone(), now);
        Ok(Some(flow.clone()))
    }

    async fn exchanges_under_way(
        &self,
        provider: ProviderId,
        since: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let is_one = |row: &Flow| {
            row.provider_id == provider
                && matches!(&row.stage, FlowStage::Exchanging(code) if code.since >= since)
        };
        Ok(self.state().oldest_first(is_one).len() as u64)
    }

    async fn purge_flows(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        Ok(self.state().purge(|row: &Flow| row.expires_at < before))
    }
}

impl Noun for Flow {
    fn missing_in(&self, state: &State) -> Option<&'static str> {
        state
            .lacks::<Organization>(self.organization_id, "organization")
            .or_else(|| state.lacks::<Account>(self.account_id, "account"))
            .or_else(|| state.lacks::<Provider>(self.provider_id, "provider"))
    }
}
