//! Beginning a login by device code.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use url::Url;

use super::{DevicePoll, LoginError, LoginProviders, LoginRoute, LoginStage};
use crate::authorizations::{DeviceCodes, LONGEST_DEVICE_FLOW, PollPace, Scopes};
use crate::ids::LoginId;
use crate::login::Login;
use crate::providers::{AuthorizeDevices, DeviceAuthorization, Provider, ProviderClients};
use crate::sealing::TokenSealer;
use crate::secret::SecretHash;
use crate::services::{Clock, Random};
use crate::tokens::{TokenSettings, time_delta};
use crate::{Change, CommitError, Secret, UnitOfWork, Version};

/// Begins a login by device code (RFC 8628, 3.1), at the provider that the configuration names for it.
pub struct BeginDeviceLogin {
    /// Finds the provider.
    pub providers: Arc<LoginProviders>,
    /// Asks the provider.
    pub clients: Arc<dyn ProviderClients>,
    /// Opens the client secret, seals the device code.
    pub sealer: Arc<dyn TokenSealer>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids and the handle.
    pub random: Arc<dyn Random>,
    /// How long the client waits.
    pub settings: TokenSettings,
}

/// A login that was begun: what its client shows to the person, and waits with.
pub struct BegunDeviceLogin {
    /// Stands for the provider's device code, which nobody gets.
    pub handle: Secret,
    /// What the person types, and can compare.
    pub user_code: String,
    /// Where the person types it.
    pub url: Url,
    /// When the codes are no longer good.
    pub expires_at: DateTime<Utc>,
}

impl BeginDeviceLogin {
    /// Begins one. Its codes live as long as the provider says, but no longer than [`LONGEST_DEVICE_FLOW`].
    pub async fn run(&self) -> Result<BegunDeviceLogin, LoginError> {
        let off = LoginError::NotAllowed { reason: LoginError::OFF };
        let name = self.providers.settings.device_provider.as_deref().ok_or(off)?;
        let (rules, provider) = self.providers.named(name).await?;
        let scopes = rules.scopes_at(&provider);
        let unable = LoginError::NotAllowed { reason: LoginError::NOT_AVAILABLE };
        let device =
            provider.device_flow_of(&*self.clients).filter(|_| provider.device_flow).ok_or(unable)?;
        let begun = self.codes(&provider, &*device, &scopes).await?;
        self.keep(name, &provider, scopes, begun).await
    }

    async fn codes(
        &self,
        provider: &Provider,
        device: &dyn AuthorizeDevices,
        scopes: &Scopes,
    ) -> Result<DeviceAuthorization, LoginError> {
        let codes = DeviceCodes {
            provider,
            sealer: &*self.sealer,
            store: &*self.store,
            clock: &self.clock,
            random: &*self.random,
            settings: self.settings,
        };
        match codes.ask(device, scopes).await? {
            Ok(begun) => Ok(begun),
            Err(error) => {
                tracing::warn!(reason = error.reason(), "no device code to sign in with");
                // Anybody may begin, and the audit log is kept for good: it is not told of each that was refused.
                codes.refused(&error, None).await?;
                // Nobody has said anything yet: whatever is wrong, it is not the person's.
                Err(LoginError::Unavailable { reason: error.reason().to_owned() })
            }
        }
    }

    async fn keep(
        &self,
        name: &str,
        provider: &Provider,
        scopes: Scopes,
        begun: DeviceAuthorization,
    ) -> Result<BegunDeviceLogin, LoginError> {
        let now = self.clock.now();
        let id = LoginId::generate(&*self.random, now);
        let handle = self.random.token();
        let place = Login::device_code_place(provider.organization_id, id);
        let expires_at = now + time_delta(begun.expires_in).min(LONGEST_DEVICE_FLOW);
        let poll = DevicePoll {
            handle_hash: SecretHash::of(handle.expose()),
            device_code: self.sealer.seal(place, &begun.device_code).await?,
            pace: PollPace::named(begun.interval, now),
        };
        let login = Login {
            id,
            organization_id: provider.organization_id,
            provider_id: provider.id,
            provider_name: name.to_owned(),
            route: LoginRoute::Device(poll),
            scopes,
            endpoints: provider.endpoints.digest(),
            browser_hash: None,
            stage: LoginStage::Pending,
            created_at: now,
            expires_at,
            version: Version::FIRST,
        };
        self.store.commit(vec![Change::insert(login)]).await.map_err(CommitError::into_store_error)?;
        let url = begun.verification_uri_complete.unwrap_or(begun.verification_uri);
        Ok(BegunDeviceLogin { handle, user_code: begun.user_code, url, expires_at })
    }
}

#[cfg(test)]
mod tests;
