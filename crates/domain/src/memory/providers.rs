//! Providers.

use async_trait::async_trait;

use super::commit::Transaction;
use super::noun::Noun;
use super::{MemoryStore, State};
use crate::accounts::Organization;
use crate::authorizations::{Authorization, DeviceFlow, Flow};
use crate::ids::{OrganizationId, ProviderId};
use crate::login::Login;
use crate::providers::{Provider, ProviderCatalog};
use crate::{StoreError, Unique};

#[async_trait]
impl ProviderCatalog for MemoryStore {
    async fn provider(
        &self,
        organization: OrganizationId,
        id: ProviderId,
    ) -> Result<Option<Provider>, StoreError> {
        Ok(self.state().row(id).filter(|row: &&Provider| row.organization_id == organization).cloned())
    }

    async fn provider_anywhere(&self, id: ProviderId) -> Result<Option<Provider>, StoreError> {
        Ok(self.state().row(id).cloned())
    }

    async fn providers(&self, organization: OrganizationId) -> Result<Vec<Provider>, StoreError> {
        let state = self.state();
        let rows = state.oldest_first(|row: &Provider| row.organization_id == organization);
        Ok(rows.into_iter().cloned().collect())
    }
}

impl Noun for Provider {
    fn duplicate_in(&self, state: &State) -> Option<Unique> {
        let slug = self.slug.as_ref()?;
        let twin = state.find(|row: &Self| {
            row.id != self.id
                && row.organization_id == self.organization_id
                && row.slug.as_ref() == Some(slug)
        });
        twin.map(|_| Unique::ProviderSlug)
    }

    fn missing_in(&self, state: &State) -> Option<&'static str> {
        state.lacks::<Organization>(self.organization_id, "organization")
    }

    fn needed_in(&self, state: &State) -> Option<&'static str> {
        state.has("authorizations", |row: &Authorization| row.provider_id == self.id)
    }

    /// Nothing can come of its flows any more.
    fn take_along(&self, transaction: &mut Transaction<'_>) {
        for flow in transaction.ids(|row: &Flow| row.provider_id == self.id) {
            transaction.remove::<Flow>(flow);
        }
        for flow in transaction.ids(|row: &DeviceFlow| row.provider_id == self.id) {
            transaction.remove::<DeviceFlow>(flow);
        }
        for login in transaction.ids(|row: &Login| row.provider_id == self.id) {
            transaction.remove::<Login>(login);
        }
    }
}
