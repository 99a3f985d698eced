//! Changing a provider.

use std::sync::Arc;

use super::{
    GitHosts, Provider, ProviderCatalog, ProviderClients, ProviderStatus, ProviderView, RegistrationError,
};
use crate::accounts::{Caller, Forbidden};
use crate::audit::{AuditAction, AuditEntry};
use crate::authorizations::Scopes;
use crate::ids::ProviderId;
use crate::sealing::{SealError, TokenSealer};
use crate::services::{Clock, Random};
use crate::{Change, CommitError, Secret, StoreError, UnitOfWork};

/// Changes a provider.
pub struct UpdateProvider {
    /// Reads it.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Tells what it can do.
    pub clients: Arc<dyn ProviderClients>,
    /// Seals a new client secret.
    pub sealer: Arc<dyn TokenSealer>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Dates it.
    pub clock: Arc<dyn Clock>,
    /// Makes the id of the audit entry.
    pub random: Arc<dyn Random>,
}

/// What is to be changed; what is `None` stays.
#[derive(Default)]
pub struct ProviderUpdate {
    /// A new name.
    pub name: Option<String>,
    /// A new client secret; makes a disabled provider active again.
    pub client_secret: Option<Secret>,
    /// Whether flows leave out what forces the provider's consent page.
    pub skip_consent: Option<bool>,
    /// A new status; it beats what a new client secret does.
    pub status: Option<RequestedStatus>,
    /// New scopes; they are asked for from the next flow on.
    pub scopes: Option<Scopes>,
    /// Where its repositories are; empty: where the type and the host tell.
    pub git_hosts: Option<GitHosts>,
    /// Whether people may authorize by device code.
    pub device_flow: Option<bool>,
    /// Whether refresh tokens that nobody uses are kept from dying of it. Takes effect when they come up next.
    pub keep_alive: Option<bool>,
}

/// The statuses that an administrator may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestedStatus {
    /// In use.
    Active,
    /// Paused.
    Inactive,
    /// As if the provider refused the client credentials.
    Disabled,
}

/// Why a provider was not changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateProviderError {
    /// Not an administrator.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Not there, or not the caller's.
    #[error("there is no such provider")]
    NotFound,
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

impl UpdateProvider {
    /// Changes a provider of the caller's organization.
    pub async fn run(
        &self,
        caller: &Caller,
        id: ProviderId,
        update: ProviderUpdate,
    ) -> Result<ProviderView, UpdateProviderError> {
        caller.require_admin()?;
        loop {
            let provider = self.catalog.provider(caller.organization_id, id).await?;
            let provider = provider.filter(Provider::is_visible).ok_or(UpdateProviderError::NotFound)?;
            let changed = self.apply(provider, &update).await?;
            let audit =
                AuditEntry::by(caller, AuditAction::ProviderChanged, &*self.random, changed.updated_at)
                    .about_provider(id);
            match self.store.commit(vec![Change::update(changed.clone()), Change::Audit(audit)]).await {
                Ok(()) => {
                    let changed = Provider { version: changed.version.next(), ..changed };
                    return Ok(ProviderView::of(changed, &*self.clients));
                }
                // Somebody else's change is kept, and this one is put on top of it.
                Err(CommitError::Conflict) => {}
                Err(error) => return Err(error.into_store_error().into()),
            }
        }
    }

    async fn apply(
        &self,
        mut provider: Provider,
        update: &ProviderUpdate,
    ) -> Result<Provider, UpdateProviderError> {
        if provider.status == ProviderStatus::DeletionFailed {
            let message =
                "the deletion of this provider failed; it takes nothing but another DELETE".to_owned();
            return Err(RegistrationError { field: "status", message }.into());
        }
        if let Some(name) = &update.name {
            provider.name.clone_from(name);
        }
        if let Some(secret) = &update.client_secret {
            provider.client_secret = self.sealer.seal(provider.secret_place(), secret).await?;
            if provider.status == ProviderStatus::Disabled {
                provider.status = ProviderStatus::Active;
            }
        }
        provider.skip_consent = update.skip_consent.or(provider.skip_consent);
        provider.keep_alive = update.keep_alive.unwrap_or(provider.keep_alive);
        provider.status = update.status.map_or(provider.status, ProviderStatus::from);
        if let Some(scopes) = &update.scopes {
            provider.scopes = self.checked_scopes(&provider, scopes)?;
        }
        if let Some(hosts) = &update.git_hosts {
            provider.git_hosts.clone_from(hosts);
        }
        provider.device_flow = update.device_flow.unwrap_or(provider.device_flow);
        if update.device_flow == Some(true) && provider.device_flow_of(&*self.clients).is_none() {
            let message = "this provider has no device flow".to_owned();
            return Err(RegistrationError { field: "deviceFlow", message }.into());
        }
        provider.updated_at = self.clock.now();
        Ok(provider)
    }

    fn checked_scopes(&self, provider: &Provider, scopes: &Scopes) -> Result<Scopes, RegistrationError> {
        if let Some(client) = self.clients.client(provider.kind) {
            client.check_scopes(&provider.endpoints, provider.app_slug.as_deref(), scopes)?;
        }
        Ok(scopes.clone())
    }
}

impl From<RequestedStatus> for ProviderStatus {
    fn from(status: RequestedStatus) -> Self {
        match status {
            RequestedStatus::Active => Self::Active,
            RequestedStatus::Inactive => Self::Inactive,
            RequestedStatus::Disabled => Self::Disabled,
        }
    }
}

#[cfg(test)]
mod tests;
