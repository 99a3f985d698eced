//! Authorizations.

use std::cmp::Reverse;
use std::ops::Bound;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::commit::Transaction;
use super::leases::RefreshRow;
use super::noun::Noun;
use super::{MemoryStore, State, rows};
use crate::accounts::{Account, Organization};
use crate::authorizations::{Authorization, AuthorizationStore};
use crate::ids::{AccountId, AuthorizationId, OrganizationId, ProviderId};
use crate::providers::Provider;
use crate::{StoreError, Unique};

#[async_trait]
impl AuthorizationStore for MemoryStore {
    async fn authorization(
        &self,
        organization: OrganizationId,
        id: AuthorizationId,
    ) -> Result<Option<(Authorization, Arc<Provider>)>, StoreError> {
        let state = self.state();
        let found = state.row::<Authorization>(id).filter(|row| row.organization_id == organization);
        let found = found.and_then(|row| state.with_provider(row));
        Ok(found.map(|(authorization, provider)| (authorization, Arc::new(provider))))
    }

    async fn authorizations_of(
        &self,
        account: AccountId,
    ) -> Result<Vec<(Authorization, Provider)>, StoreError> {
        let state = self.state();
        let rows = state.oldest_first(|row: &Authorization| row.account_id == account);
        Ok(rows.into_iter().filter_map(|row| state.with_provider(row)).collect())
    }

    async fn authorized_since(
        &self,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<(AccountId, ProviderId, DateTime<Utc>)>, StoreError> {
        let state = self.state();
        let mut found: Vec<_> =
            state.authorizations.values().filter(|row| row.authorized_at >= since).collect();
        found.sort_by_key(|row| Reverse((row.authorized_at, row.id)));
        let news = |row: &Authorization| (row.account_id, row.provider_id, row.authorized_at);
        Ok(found.into_iter().take(rows(limit)).map(news).collect())
    }

    async fn authorization_for_identity<'a>(
        &self,
        account: AccountId,
        provider: ProviderId,
        issuer: &'a str,
        subject: &'a str,
    ) -> Result<Option<Authorization>, StoreError> {
        let identity = (account, provider, issuer, subject);
        Ok(self.state().find(|row| identity_of(row) == identity).cloned())
    }

    async fn authorizations_at(
        &self,
        provider: ProviderId,
        after: Option<AuthorizationId>,
        limit: u32,
    ) -> Result<Vec<Authorization>, StoreError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.state();
        let later = state.authorizations.range((from, Bound::Unbounded)).map(|(_, row)| row);
        Ok(later.filter(|row| row.provider_id == provider).take(rows(limit)).cloned().collect())
    }
}

impl State {
    pub(super) fn with_provider(&self, row: &Authorization) -> Option<(Authorization, Provider)> {
        Some((row.clone(), self.row::<Provider>(row.provider_id)?.clone()))
    }
}

impl Noun for Authorization {
    fn duplicate_in(&self, state: &State) -> Option<Unique> {
        let identity = identity_of(self);
        // Going through all of them at each refresh is not worth it: that leaves the identity as it is.
        if state.row::<Self>(self.id).is_some_and(|stored| identity_of(stored) == identity) {
            return None;
        }
        let twin = state.find(|row: &Self| identity_of(row) == identity && row.id != self.id);
        twin.map(|_| Unique::Identity)
    }

    fn missing_in(&self, state: &State) -> Option<&'static str> {
        state
            .lacks::<Organization>(self.organization_id, "organization")
            .or_else(|| state.lacks::<Account>(self.account_id, "account"))
            .or_else(|| state.lacks::<Provider>(self.provider_id, "provider"))
    }

    fn bring_along(&self, transaction: &mut Transaction<'_>) {
        transaction.set_refresh(self.id, Some(RefreshRow::default()));
    }

    fn take_along(&self, transaction: &mut Transaction<'_>) {
        transaction.set_refresh(self.id, None);
    }
}

fn identity_of(row: &Authorization) -> (AccountId, ProviderId, &str, &str) {
    (row.account_id, row.provider_id, &row.issuer, &row.subject)
}
