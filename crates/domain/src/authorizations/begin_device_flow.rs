//! Beginning a device flow.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::{DeviceCodes, DeviceFlow, DeviceStage, LONGEST_DEVICE_FLOW, PollPace};
use crate::accounts::Caller;
use crate::audit::{AuditAction, AuditEntry, AuditOutcome};
use crate::ids::{DeviceFlowId, ProviderId};
use crate::providers::{
    DeviceAuthorization, Provider, ProviderCatalog, ProviderClients, ProviderStatus, UpstreamError,
};
use crate::sealing::{SealError, TokenSealer};
use crate::secret::SecretHash;
use crate::services::{Clock, Random};
use crate::tokens::{TokenSettings, time_delta};
use crate::{Change, CommitError, Secret, StoreError, UnitOfWork, Version};

/// Begins a device flow for a caller (RFC 8628, 3.1).
pub struct BeginDeviceFlow {
    /// Reads the provider.
    pub catalog: Arc<dyn ProviderCatalog>,
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
    /// How long the caller waits.
    pub settings: TokenSettings,
}

/// A device flow that was begun: what its caller shows to the person, and polls with.
pub struct BegunDeviceFlow {
    /// Stands for the provider's device code, which nobody gets.
    pub handle: Secret,
    /// What the person types.
    pub user_code: String,
    /// Where the person types it.
    pub verification_uri: Url,
    /// The same with the user code in it, where the provider has such an address.
    pub verification_uri_complete: Option<Url>,
    /// How long the codes live.
    pub expires_in: Duration,
    /// How long to wait between two polls.
    pub interval: Duration,
}

/// Why no device flow was begun.
#[derive(Debug, thiserror::Error)]
pub enum BeginDeviceFlowError {
    /// Not there, or not the caller's.
    #[error("there is no such provider")]
    ProviderNotFound,
    /// Paused, disabled or failed to be deleted.
    #[error("the provider is not active")]
    NotActive,
    /// The provider has no device flow, or it is switched off.
    #[error("the provider has no device flow, or it is not switched on")]
    NotOffered,
    /// The provider limits us.
    #[error("the provider limits the rate; try again later")]
    RateLimited {
        /// When to come back.
        retry_after: Option<Duration>,
    },
    /// The provider has refused, or not answered sensibly.
    #[error("the provider gave no device code ({reason})")]
    Unavailable {
        /// What happened, as a code.
        reason: String,
    },
    /// Secrets could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BeginDeviceFlow {
    /// Begins one. Its codes live as long as the provider says, but no longer than [`LONGEST_DEVICE_FLOW`].
    pub async fn run(
        &self,
        caller: &Caller,
        id: ProviderId,
    ) -> Result<BegunDeviceFlow, BeginDeviceFlowError> {
        let provider = self.catalog.provider(caller.organization_id, id).await?;
        let provider = provider.filter(Provider::is_visible).ok_or(BeginDeviceFlowError::ProviderNotFound)?;
        if provider.status != ProviderStatus::Active {
            return Err(BeginDeviceFlowError::NotActive);
        }
        let device = provider.device_flow_of(&*self.clients).filter(|_| provider.device_flow);
        let device = device.ok_or(BeginDeviceFlowError::NotOffered)?;
        let codes = DeviceCodes {
            provider: &provider,
            sealer: &*self.sealer,
            store: &*self.store,
            clock: &self.clock,
            random: &*self.random,
            settings: self.settings,
        };
        match codes.ask(&*device, &provider.scopes).await? {
            Ok(begun) => self.keep(caller, &provider, begun).await,
            Err(error) => {
                let audit = self.audit(caller, &provider).ending(AuditOutcome::Failed, error.reason());
                codes.refused(&error, Some(audit)).await?;
                Err(error.into())
            }
        }
    }

    async fn keep(
        &self,
        caller: &Caller,
        provider: &Provider,
        begun: DeviceAuthorization,
    ) -> Result<BegunDeviceFlow, BeginDeviceFlowError> {
        let now = self.clock.now();
        let id = DeviceFlowId::generate(&*self.random, now);
        let organization_id = caller.organization_id;
        let place = DeviceFlow::device_code_place(organization_id, id);
        let handle = self.random.token();
        let PollPace { interval, next_poll_at } = PollPace::named(begun.interval, now);
        let lives = time_delta(begun.expires_in).min(LONGEST_DEVICE_FLOW);
        let flow = DeviceFlow {
            id,
            organization_id,
            account_id: caller.account_id,
            provider_id: provider.id,
            handle_hash: SecretHash::of(handle.expose()),
            device_code: self.sealer.seal(place, &begun.device_code).await?,
            scopes: provider.scopes.clone(),
            endpoints: provider.endpoints.digest(),
            interval,
            next_poll_at,
            stage: DeviceStage::Pending,
            unattended: false,
            created_at: now,
            expires_at: now + lives,
            version: Version::FIRST,
        };
        let audit = self.audit(caller, provider).about(id);
        let changes = vec![Change::insert(flow), Change::Audit(audit)];
        self.store.commit(changes).await.map_err(CommitError::into_store_error)?;
        Ok(BegunDeviceFlow {
            handle,
            user_code: begun.user_code,
            verification_uri: begun.verification_uri,
            verification_uri_complete: begun.verification_uri_complete,
            expires_in: lives.to_std().unwrap_or_default(),
            interval: interval.to_std().unwrap_or_default(),
        })
    }

    fn audit(&self, caller: &Caller, provider: &Provider) -> AuditEntry {
        AuditEntry::by(caller, AuditAction::FlowStarted, &*self.random, self.clock.now())
            .about_provider(provider.id)
    }
}

impl From<UpstreamError> for BeginDeviceFlowError {
    fn from(error: UpstreamError) -> Self {
        match error {
            UpstreamError::NotSupported => Self::NotOffered,
            UpstreamError::RateLimited { retry_after } => Self::RateLimited { retry_after },
            UpstreamError::GrantRefused { .. }
            | UpstreamError::ClientRefused { .. }
            | UpstreamError::Misconfigured { .. }
            | UpstreamError::InteractionRequired { .. }
            | UpstreamError::TokenRefused
            | UpstreamError::Untrusted { .. }
            | UpstreamError::Unavailable { .. } => Self::Unavailable { reason: error.reason().to_owned() },
        }
    }
}

#[cfg(test)]
mod tests;
