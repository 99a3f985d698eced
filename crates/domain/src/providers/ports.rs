//! The port that reads providers.

use async_trait::async_trait;

use super::{Provider, ProviderKind};
use crate::ids::{OrganizationId, ProviderId};
use crate::store::StoreError;

/// Reads providers.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait ProviderCatalog: Send + Sync {
    /// A provider of an organization, whatever its status.
    async fn provider(
        &self,
        organization: OrganizationId,
        id: ProviderId,
    ) -> Result<Option<Provider>, StoreError>;

    /// A provider of whatever organization: for the callback, which has nothing but the id in its path.
    async fn provider_anywhere(&self, id: ProviderId) -> Result<Option<Provider>, StoreError>;

    /// All providers of an organization, whatever their status, oldest first (by `created_at`, then `id`).
    async fn providers(&self, organization: OrganizationId) -> Result<Vec<Provider>, StoreError>;
}

/// What a list of providers is narrowed to; an empty list does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderFilter {
    /// These ids only; unknown ones are skipped.
    pub ids: Vec<ProviderId>,
    /// These types only.
    pub kinds: Vec<ProviderKind>,
    /// These hosts only: as registered, or the bare host name.
    pub hosts: Vec<String>,
    /// Newest first, instead of oldest first.
    pub newest_first: bool,
}
