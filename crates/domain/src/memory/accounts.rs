//! Organizations, accounts and API tokens, and what deleting them takes.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::noun::Noun;
use super::{MemoryStore, State, rows};
use crate::accounts::{Account, AccountStore, ApiToken, ApiTokenStore, DeletionStore, Organization};
use crate::authorizations::{Authorization, DeviceFlow, DeviceStage, Flow, FlowStage};
use crate::ids::{AccountId, ApiTokenId, OrganizationId};
use crate::jobs::Job;
use crate::login::{Login, LoginIdentity};
use crate::providers::Provider;
use crate::secret::SecretHash;
use crate::{StoreError, Unique};

#[async_trait]
impl AccountStore for MemoryStore {
    async fn organization(&self, id: OrganizationId) -> Result<Option<Organization>, StoreError> {
        Ok(self.state().row(id).cloned())
    }

    async fn organization_named(&self, name: &str) -> Result<Option<Organization>, StoreError> {
        Ok(self.state().find(|row: &Organization| row.name.as_str() == name).cloned())
    }

    async fn organizations(&self) -> Result<Vec<Organization>, StoreError> {
        Ok(self.state().oldest_first(|_| true).into_iter().cloned().collect())
    }

    async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        Ok(self.state().row(id).cloned())
    }

    async fn accounts_with_email(&self, email: &str) -> Result<Vec<Account>, StoreError> {
        let state = self.state();
        Ok(state.oldest_first(|row: &Account| row.email.as_str() == email).into_iter().cloned().collect())
    }

    async fn accounts_in(&self, organization: OrganizationId) -> Result<Vec<Account>, StoreError> {
        let state = self.state();
        let found = state.oldest_first(|row: &Account| row.organization_id == organization);
        Ok(found.into_iter().cloned().collect())
    }
}

#[async_trait]
impl ApiTokenStore for MemoryStore {
    async fn token_by_hash(&self, hash: &SecretHash) -> Result<Option<(ApiToken, Account)>, StoreError> {
        let state = self.state();
        let found = state.find(|row: &ApiToken| row.hash == *hash);
        Ok(found.and_then(|token| Some((token.clone(), state.row::<Account>(token.account_id)?.clone()))))
    }

    async fn token(&self, id: ApiTokenId) -> Result<Option<ApiToken>, StoreError> {
        Ok(self.state().row(id).cloned())
    }

    async fn tokens_of(&self, account: AccountId) -> Result<Vec<ApiToken>, StoreError> {
        let state = self.state();
        Ok(state.oldest_first(|row: &ApiToken| row.account_id == account).into_iter().cloned().collect())
    }

    async fn purge_expired_tokens(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        Ok(self.state().purge(|row: &ApiToken| row.expires_at.is_some_and(|end| end < before)))
    }
}

#[async_trait]
impl DeletionStore for MemoryStore {
    async fn some_authorizations_of(
        &self,
        account: AccountId,
        limit: u32,
    ) -> Result<Vec<(Authorization, Provider)>, StoreError> {
        let state = self.state();
        let found = state.authorizations.values().filter(|row| row.account_id == account);
        Ok(found.filter_map(|row| state.with_provider(row)).take(rows(limit)).collect())
    }

    async fn exchanges_of(&self, account: AccountId, since: DateTime<Utc>) -> Result<u64, StoreError> {
        let state = self.state();
        let exchanging = state.flows.values().filter(|row| {
            row.account_id == account
                && matches!(&row.stage, FlowStage::Exchanging(code) if code.since >= since)
        });
        let polling = state.device_flows.values().filter(|row| {
            row.account_id == account
                && matches!(row.stage, DeviceStage::Polling { since: began } if began >= since)
        });
        Ok((exchanging.count() + polling.count()) as u64)
    }

    async fn remove_belongings(&self, account: AccountId) -> Result<u64, StoreError> {
        let mut state = self.state();
        Ok(state.purge(|row: &Flow| row.account_id == account)
            + state.purge(|row: &DeviceFlow| row.account_id == account)
            + state.purge(|row: &Login| row.account_id() == Some(account))
            + state.purge(|row: &LoginIdentity| row.account_id == account)
            + state.purge(|row: &ApiToken| row.account_id == account))
    }

    async fn remove_remains(&self, organization: OrganizationId) -> Result<u64, StoreError> {
        let mut state = self.state();
        let jobs = state.purge(|row: &Job| row.organization_id == organization);
        let keys = state.data_keys.len();
        state.data_keys.retain(|_, key| key.organization_id != organization);
        Ok(jobs + (keys - state.data_keys.len()) as u64)
    }
}

impl Noun for Organization {
    fn duplicate_in(&self, state: &State) -> Option<Unique> {
        let twin = state.find(|row: &Self| row.id != self.id && row.name == self.name);
        twin.map(|_| Unique::OrganizationName)
    }

    fn missing_in(&self, _state: &State) -> Option<&'static str> {
        None
    }

    fn needed_in(&self, state: &State) -> Option<&'static str> {
        let id = self.id;
        state
            .has("accounts", |row: &Account| row.organization_id == id)
            .or_else(|| state.has("providers", |row: &Provider| row.organization_id == id))
            .or_else(|| state.has("jobs", |row: &Job| row.organization_id == id))
            .or_else(|| state.data_keys.values().any(|key| key.organization_id == id).then_some("data keys"))
    }
}

impl Noun for Account {
    fn duplicate_in(&self, state: &State) -> Option<Unique> {
        let twin = state.find(|row: &Self| {
            row.id != self.id && row.organization_id == self.organization_id && row.email == self.email
        });
        twin.map(|_| Unique::AccountEmail)
    }

    fn missing_in(&self, state: &State) -> Option<&'static str> {
        state.lacks::<Organization>(self.organization_id, "organization")
    }

    fn needed_in(&self, state: &State) -> Option<&'static str> {
        state
            .has("API tokens", |row: &ApiToken| row.account_id == self.id)
            .or_else(|| state.has("authorizations", |row: &Authorization| row.account_id == self.id))
            .or_else(|| state.has("flows", |row: &Flow| row.account_id == self.id))
            .or_else(|| state.has("device flows", |row: &DeviceFlow| row.account_id == self.id))
            .or_else(|| state.has("logins", |row: &Login| row.account_id() == Some(self.id)))
            .or_else(|| state.has("identities", |row: &LoginIdentity| row.account_id == self.id))
    }
}

impl Noun for ApiToken {
    fn duplicate_in(&self, state: &State) -> Option<Unique> {
        let twin = state.find(|row: &Self| row.id != self.id && row.hash == self.hash);
        twin.map(|_| Unique::TokenHash)
    }

    fn missing_in(&self, state: &State) -> Option<&'static str> {
        state
            .lacks::<Organization>(self.organization_id, "organization")
            .or_else(|| state.lacks::<Account>(self.account_id, "account"))
    }
}
