//! Showing one provider.

use std::sync::Arc;

use super::{AuthorizeDevices, Provider, ProviderCatalog, ProviderClients, RevocationScope};
use crate::StoreError;
use crate::accounts::Caller;
use crate::ids::ProviderId;

/// A provider with what its type can do.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderView {
    /// The provider.
    pub provider: Provider,
    /// What a revocation takes away; `None`: this provider cannot revoke.
    pub revocation_scope: Option<RevocationScope>,
    /// Whether expired access tokens can be refreshed.
    pub refreshes: bool,
    /// Whether it can be asked whether an access token is good.
    pub validates: bool,
}

impl ProviderView {
    /// Asks the client of its type what the provider can do.
    pub fn of(provider: Provider, clients: &dyn ProviderClients) -> Self {
        let client = clients.client(provider.kind);
        let validate =
            client.as_ref().and_then(|client| client.validate(&provider.endpoints, &provider.scopes));
        Self {
            revocation_scope: provider.revocation_scope(clients),
            refreshes: client.is_some_and(|client| client.refresh().is_some()),
            validates: validate.is_some(),
            provider,
        }
    }
}

impl Provider {
    /// What a revocation takes away, as the client of its type says; `None`: this provider cannot revoke.
    pub fn revocation_scope(&self, clients: &dyn ProviderClients) -> Option<RevocationScope> {
        let revoke = clients.client(self.kind).and_then(|client| client.revoke(&self.endpoints));
        revoke.map(|revoke| revoke.scope())
    }

    /// The device flow, where the provider has one.
    pub(crate) fn device_flow_of(&self, clients: &dyn ProviderClients) -> Option<Arc<dyn AuthorizeDevices>> {
        clients.client(self.kind).and_then(|client| client.device(&self.endpoints))
    }
}

/// Shows one provider.
pub struct ViewProvider {
    /// Reads it.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Tells what it can do.
    pub clients: Arc<dyn ProviderClients>,
}

/// Why a provider is not shown.
#[derive(Debug, thiserror::Error)]
pub enum ProviderNotFound {
    /// Not there, or not the caller's: the same to the caller.
    #[error("there is no such provider")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ViewProvider {
    /// Shows a provider of the caller's organization.
    pub async fn run(&self, caller: &Caller, id: ProviderId) -> Result<ProviderView, ProviderNotFound> {
        let provider = self.catalog.provider(caller.organization_id, id).await?;
        let provider = provider.filter(Provider::is_visible).ok_or(ProviderNotFound::NotFound)?;
        Ok(ProviderView::of(provider, &*self.clients))
    }
}
