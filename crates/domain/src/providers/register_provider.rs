//! Registering a provider.

use std::sync::Arc;

use super::{
    GitHosts, Provider, ProviderCatalog, ProviderClients, ProviderKind, ProviderStatus, ProviderView,
    Registered, Registration, RegistrationError, Slug,
};
use crate::accounts::{Caller, Forbidden};
use crate::audit::{AuditAction, AuditEntry};
use crate::authorizations::Scopes;
use crate::ids::{CredentialId, OrganizationId, ProviderId};
use crate::sealing::{SealError, SealedSecret, TokenSealer};
use crate::services::{Clock, Random, within};
use crate::tokens::TokenSettings;
use crate::{Change, CommitError, Secret, StoreError, Unique, UnitOfWork, Version};

/// Registers a provider for the caller's organization.
pub struct RegisterProvider {
    /// Reads the slugs that are taken.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Learns the endpoints.
    pub clients: Arc<dyn ProviderClients>,
    /// Seals the client secret.
    pub sealer: Arc<dyn TokenSealer>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Dates it.
    pub clock: Arc<dyn Clock>,
    /// Makes its ids.
    pub random: Arc<dyn Random>,
    /// How long the caller waits for the provider.
    pub settings: TokenSettings,
}

/// What is to be registered.
pub struct NewProvider {
    /// Its type.
    pub kind: ProviderKind,
    /// Its name.
    pub name: String,
    /// The client id at the provider.
    pub client_id: String,
    /// The client secret.
    pub client_secret: Secret,
    /// The short id; by default made from the name.
    pub slug: Option<Slug>,
    /// The host or issuer.
    pub host: Option<String>,
    /// The scopes to ask for; by default those of the type.
    pub scopes: Option<Scopes>,
    /// Whether people may authorize by device code.
    pub device_flow: bool,
    /// The slug of a GitHub App.
    pub app_slug: Option<String>,
    /// Where its repositories are; by default where the type and the host tell.
    pub git_hosts: GitHosts,
    /// Whether flows leave out what forces the provider's consent page.
    pub skip_consent: Option<bool>,
    /// Whether refresh tokens that nobody uses are kept from dying of it; by default they are.
    pub keep_alive: Option<bool>,
}

/// Why a provider was not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterProviderError {
    /// Not an administrator.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// A field is at fault.
    #[error(transparent)]
    Invalid(#[from] RegistrationError),
    /// The secret could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How many numbers are tried behind a slug that is made from a name.
const SLUG_TRIES: u32 = 1000;

impl RegisterProvider {
    /// Registers it, after its endpoints were found.
    pub async fn run(
        &self,
        caller: &Caller,
        new: NewProvider,
    ) -> Result<ProviderView, RegisterProviderError> {
        caller.require_admin()?;
        let client = self.clients.client(new.kind).ok_or_else(|| not_offered(new.kind))?;
        let registration = Registration {
            client_id: new.client_id.clone(),
            host: new.host.clone(),
            app_slug: new.app_slug.clone(),
            scopes: new.scopes,
        };
        let registered = within(&self.clock, self.settings.caller_wait, client.register(&registration)).await;
        let Registered { endpoints, scopes } =
            registered.unwrap_or_else(|| Err(invalid("host", "did not answer in time; try again")))?;
        if new.device_flow && client.device(&endpoints).is_none() {
            return Err(invalid("deviceFlow", "this provider has no device flow").into());
        }
        let now = self.clock.now();
        let mut provider = Provider {
            id: ProviderId::generate(&*self.random, now),
            organization_id: caller.organization_id,
            slug: None,
            name: new.name,
            kind: new.kind,
            status: ProviderStatus::Active,
            client_id: new.client_id,
            client_secret: SealedSecret::from_bytes(Vec::new()),
            credential_id: CredentialId::generate(&*self.random, now),
            host: new.host,
            endpoints,
            scopes,
            device_flow: new.device_flow,
            app_slug: new.app_slug,
            git_hosts: new.git_hosts,
            skip_consent: new.skip_consent,
            keep_alive: new.keep_alive.unwrap_or(true),
            created_at: now,
            updated_at: now,
            version: Version::FIRST,
        };
        provider.client_secret = self.sealer.seal(provider.secret_place(), &new.client_secret).await?;
        let provider = match new.slug {
            Some(slug) => {
                provider.slug = Some(slug);
                self.insert(caller, &provider).await?.ok_or_else(slug_taken)?
            }
            None => self.insert_with_free_slug(caller, provider).await?,
        };
        Ok(ProviderView::of(provider, &*self.clients))
    }

    /// Takes the first slug made from the name that is free, also when others take slugs at the same time.
    async fn insert_with_free_slug(
        &self,
        caller: &Caller,
        mut provider: Provider,
    ) -> Result<Provider, RegisterProviderError> {
        let base = Slug::from_name(&provider.name);
        let taken = self.taken_slugs(caller.organization_id).await?;
        let numbered = (2..SLUG_TRIES).map(|number| base.numbered(number));
        for slug in std::iter::once(base.clone()).chain(numbered).filter(|slug| !taken.contains(slug)) {
            provider.slug = Some(slug);
            if let Some(provider) = self.insert(caller, &provider).await? {
                return Ok(provider);
            }
        }
        Err(slug_taken().into())
    }

    async fn taken_slugs(&self, organization: OrganizationId) -> Result<Vec<Slug>, StoreError> {
        let providers = self.catalog.providers(organization).await?;
        Ok(providers.into_iter().filter_map(|provider| provider.slug).collect())
    }

    /// `None` when the slug is taken.
    async fn insert(&self, caller: &Caller, provider: &Provider) -> Result<Option<Provider>, StoreError> {
        let audit =
            AuditEntry::by(caller, AuditAction::ProviderRegistered, &*self.random, provider.created_at)
                .about_provider(provider.id);
        match self.store.commit(vec![Change::insert(provider.clone()), Change::Audit(audit)]).await {
            Ok(()) => Ok(Some(provider.clone())),
            Err(CommitError::Duplicate(Unique::ProviderSlug)) => Ok(None),
            Err(error) => Err(error.into_store_error()),
        }
    }
}

fn invalid(field: &'static str, message: &str) -> RegistrationError {
    RegistrationError { field, message: message.to_owned() }
}

fn not_offered(kind: ProviderKind) -> RegistrationError {
    RegistrationError {
        field: "type",
        message: format!("providers of type {} are not offered by this installation", kind.as_str()),
    }
}

fn slug_taken() -> RegistrationError {
    invalid("slug", "another provider of the organization has this slug")
}

#[cfg(test)]
mod tests;
