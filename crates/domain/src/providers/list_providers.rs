//! Listing providers.

use std::sync::Arc;

use super::{Provider, ProviderCatalog, ProviderClients, ProviderFilter, ProviderView};
use crate::StoreError;
use crate::accounts::Caller;

/// Lists the providers of the caller's organization.
pub struct ListProviders {
    /// Reads them.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Tells what they can do.
    pub clients: Arc<dyn ProviderClients>,
}

impl ListProviders {
    /// Those the filter lets through; oldest first unless it says otherwise. An organization has a handful of
    /// providers, so they are filtered here and not in each store.
    pub async fn run(
        &self,
        caller: &Caller,
        filter: &ProviderFilter,
    ) -> Result<Vec<ProviderView>, StoreError> {
        let mut providers = self.catalog.providers(caller.organization_id).await?;
        providers.retain(|provider| provider.is_visible() && filter.admits(provider));
        if filter.newest_first {
            providers.reverse();
        }
        Ok(providers.into_iter().map(|provider| ProviderView::of(provider, &*self.clients)).collect())
    }
}

impl ProviderFilter {
    fn admits(&self, provider: &Provider) -> bool {
        fn any<T>(wanted: &[T], is: impl Fn(&T) -> bool) -> bool {
            wanted.is_empty() || wanted.iter().any(is)
        }
        any(&self.ids, |id| *id == provider.id)
            && any(&self.kinds, |kind| *kind == provider.kind)
            && any(&self.hosts, |host| provider.is_at(host))
    }
}

impl Provider {
    /// Whether it was registered at that host: the URL as it was given, or the bare host name of its issuer.
    fn is_at(&self, host: &str) -> bool {
        self.host.as_deref() == Some(host.trim_end_matches('/'))
            || self.host_name().is_some_and(|name| name == host)
    }

    /// The host name of the provider: of what it was registered with, else of its authorization page.
    pub fn host_name(&self) -> Option<String> {
        let registered = self.host.as_deref().and_then(|host| url::Url::parse(host).ok());
        registered.as_ref().unwrap_or(&self.endpoints.authorization).host_str().map(str::to_owned)
    }
}
