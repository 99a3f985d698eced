//! Logins, and who signs in as whom.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::noun::Noun;
use super::{MemoryStore, State};
use crate::accounts::{Account, Organization};
use crate::ids::{AccountId, LoginId, OrganizationId, ProviderId};
use crate::login::{Login, LoginIdentity, LoginStore};
use crate::providers::Provider;
use crate::secret::SecretHash;
use crate::{StoreError, Unique};

#[async_trait]
impl LoginStore for MemoryStore {
    async fn login(&self, id: LoginId) -> Result<Option<Login>, StoreError> {
        Ok(self.state().row(id).cloned())
    }

    async fn login_by_handle(&self, handle: &SecretHash) -> Result<Option<Login>, StoreError> {
        Ok(self.state().find(|row: &Login| row.handle_hash() == Some(handle)).cloned())
    }

    async fn login_by_state(
        &self,
        provider: ProviderId,
        state: &SecretHash,
    ) -> Result<Option<Login>, StoreError> {
        let matches = |row: &Login| {
            row.provider_id == provider && row.grant().is_some_and(|grant| grant.state_hash == *state)
        };
        Ok(self.state().find(matches).cloned())
    }

    async fn identified<'a>(
        &self,
        organization: OrganizationId,
        issuer: &'a str,
        subject: &'a str,
    ) -> Result<Option<(LoginIdentity, Account)>, StoreError> {
        let state = self.state();
        let found = state.find(|row: &LoginIdentity| row.is_of(organization, issuer, subject));
        Ok(found.and_then(|row| Some((row.clone(), state.row::<Account>(row.account_id)?.clone()))))
    }

    async fn identities_of(&self, account: AccountId) -> Result<Vec<LoginIdentity>, StoreError> {
        let state = self.state();
        let found = state.oldest_first(|row: &LoginIdentity| row.account_id == account);
        Ok(found.into_iter().cloned().collect())
    }

    async fn purge_logins(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        Ok(self.state().purge(|row: &Login| row.expires_at < before))
    }
}

impl LoginIdentity {
    fn is_of(&self, organization: OrganizationId, issuer: &str, subject: &str) -> bool {
        self.organization_id == organization && self.issuer == issuer && self.subject == subject
    }
}

impl Noun for Login {
    fn duplicate_in(&self, state: &State) -> Option<Unique> {
        let handle = self.handle_hash()?;
        let twin = state.find(|row: &Self| row.id != self.id && row.handle_hash() == Some(handle));
        twin.map(|_| Unique::LoginHandle)
    }

    fn missing_in(&self, state: &State) -> Option<&'static str> {
        state
            .lacks::<Organization>(self.organization_id, "organization")
            .or_else(|| state.lacks::<Provider>(self.provider_id, "provider"))
            .or_else(|| self.account_id().and_then(|account| state.lacks::<Account>(account, "account")))
    }
}

impl Noun for LoginIdentity {
    fn duplicate_in(&self, state: &State) -> Option<Unique> {
        let is_same =
            |row: &Self| row.id != self.id && row.is_of(self.organization_id, &self.issuer, &self.subject);
        state.find(is_same).map(|_| Unique::LoginIdentity)
    }

    fn missing_in(&self, state: &State) -> Option<&'static str> {
        state
            .lacks::<Organization>(self.organization_id, "organization")
            .or_else(|| state.lacks::<Account>(self.account_id, "account"))
    }
}
