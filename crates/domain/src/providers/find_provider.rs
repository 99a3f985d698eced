//! Finding a provider by what people and programs call it.

use std::sync::Arc;

use super::{Provider, ProviderCatalog, ProviderNotFound};
use crate::StoreError;
use crate::accounts::Caller;
use crate::ids::{OrganizationId, ProviderId};

/// Finds a provider of the caller's organization by its id or its slug.
pub struct FindProvider {
    /// Reads them.
    pub catalog: Arc<dyn ProviderCatalog>,
}

impl FindProvider {
    /// The provider with that id, else the one with that slug: a slug that looks like another provider's id must not take
    /// what is meant for that one.
    pub async fn run(&self, caller: &Caller, id_or_slug: &str) -> Result<Provider, ProviderNotFound> {
        let found = self.in_organization(caller.organization_id, id_or_slug).await?;
        found.ok_or(ProviderNotFound::NotFound)
    }

    /// The same, of an organization.
    pub async fn in_organization(
        &self,
        organization: OrganizationId,
        id_or_slug: &str,
    ) -> Result<Option<Provider>, StoreError> {
        let found = match self.by_id(organization, id_or_slug).await? {
            Some(provider) => Some(provider),
            None => self.by_slug(organization, id_or_slug).await?,
        };
        Ok(found.filter(Provider::is_visible))
    }

    async fn by_id(&self, organization: OrganizationId, id: &str) -> Result<Option<Provider>, StoreError> {
        match id.parse::<ProviderId>() {
            Ok(id) => self.catalog.provider(organization, id).await,
            Err(_) => Ok(None),
        }
    }

    /// An organization has a handful of providers, so they are searched here and not in each store.
    async fn by_slug(
        &self,
        organization: OrganizationId,
        slug: &str,
    ) -> Result<Option<Provider>, StoreError> {
        let providers = self.catalog.providers(organization).await?;
        let has_slug = |provider: &Provider| provider.slug.as_ref().is_some_and(|its| its.as_str() == slug);
        Ok(providers.into_iter().find(has_slug))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{caller, provider, uuid};
    use crate::providers::{MockProviderCatalog, ProviderStatus, Slug};

    fn named(number: u128, slug: Option<&str>) -> Provider {
        let slug = slug.map(|slug| Slug::parse(slug).unwrap());
        Provider { id: ProviderId::from_uuid(uuid(number)), slug, ..provider() }
    }

    async fn found(providers: Vec<Provider>, id_or_slug: &str) -> Option<ProviderId> {
        let mut catalog = MockProviderCatalog::new();
        let all = providers.clone();
        catalog.expect_provider().returning(move |organization, id| {
            let is_it = |provider: &&Provider| (provider.organization_id, provider.id) == (organization, id);
            Ok(all.iter().find(is_it).cloned())
        });
        catalog.expect_providers().returning(move |organization| {
            let own = providers.iter().filter(|provider| provider.organization_id == organization);
            Ok(own.cloned().collect())
        });
        match (FindProvider { catalog: Arc::new(catalog) }).run(&caller(), id_or_slug).await {
            Ok(provider) => Some(provider.id),
            Err(ProviderNotFound::NotFound) => None,
            Err(ProviderNotFound::Store(error)) => panic!("{error}"),
        }
    }

    #[tokio::test]
    async fn a_provider_is_found_by_id_and_by_slug() {
        let (first, second) = (named(1, Some("github")), named(2, Some("gitlab")));
        let all = vec![first.clone(), second.clone()];
        assert_eq!(found(all.clone(), "gitlab").await, Some(second.id));
        assert_eq!(found(all.clone(), &first.id.to_string()).await, Some(first.id));
        for other in ["", "git", "GitLab", "gitlab ", "019b76da-a87b-7cdf-8584-cac45c6cb651"] {
            assert_eq!(found(all.clone(), other).await, None, "{other:?}");
        }
    }

    #[tokio::test]
    async fn a_slug_does_not_pass_for_another_providers_id() {
        let first = named(1, None);
        let second = named(2, Some(&first.id.to_string()));
        assert_eq!(found(vec![second.clone(), first.clone()], &first.id.to_string()).await, Some(first.id));
        assert_eq!(found(vec![second.clone()], &first.id.to_string()).await, Some(second.id));
    }

    #[tokio::test]
    async fn a_provider_that_is_being_deleted_is_not_found() {
        let deleting = Provider { status: ProviderStatus::Deleting, ..named(1, Some("github")) };
        assert_eq!(found(vec![deleting.clone()], &deleting.id.to_string()).await, None);
        assert_eq!(found(vec![deleting], "github").await, None);
    }
}
