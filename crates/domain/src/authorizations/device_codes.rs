//! Asking a provider for the codes of a device flow: for whoever authorizes by one, and for whoever signs in by one.

use std::sync::Arc;

use super::Scopes;
use crate::audit::AuditEntry;
use crate::providers::{AuthorizeDevices, DeviceAuthorization, Provider, UpstreamError};
use crate::sealing::{SealError, TokenSealer};
use crate::services::{Clock, Random, within};
use crate::tokens::TokenSettings;
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// Asks one provider.
pub(crate) struct DeviceCodes<'a> {
    /// The provider.
    pub(crate) provider: &'a Provider,
    /// Opens the client secret.
    pub(crate) sealer: &'a dyn TokenSealer,
    /// Writes down that the provider refuses our client.
    pub(crate) store: &'a dyn UnitOfWork,
    /// Time.
    pub(crate) clock: &'a Arc<dyn Clock>,
    /// Makes the id of the audit entry.
    pub(crate) random: &'a dyn Random,
    /// How long somebody waits.
    pub(crate) settings: TokenSettings,
}

impl DeviceCodes<'_> {
    /// Asks (RFC 8628, 3.1).
    pub(crate) async fn ask(
        &self,
        device: &dyn AuthorizeDevices,
        scopes: &Scopes,
    ) -> Result<Result<DeviceAuthorization, UpstreamError>, SealError> {
        let connection = self.provider.connect(self.sealer).await?;
        let answer = device.begin_device(&connection, scopes);
        let answer = within(self.clock, self.settings.caller_wait, answer).await;
        Ok(answer.unwrap_or(Err(UpstreamError::timeout())))
    }

    /// What follows from a refusal: a provider that refuses our client is disabled, as everywhere. `audit` tells of the refusal,
    /// where that is to be told.
    pub(crate) async fn refused(
        &self,
        error: &UpstreamError,
        audit: Option<AuditEntry>,
    ) -> Result<(), StoreError> {
        let mut changes: Vec<_> = audit.clone().map(Change::Audit).into_iter().collect();
        if matches!(error, UpstreamError::ClientRefused { .. }) {
            changes.extend(self.provider.clone().disable(self.random, self.clock.now()));
        }
        if changes.is_empty() {
            return Ok(());
        }
        match self.store.commit(changes).await {
            Ok(()) => Ok(()),
            // Somebody has changed the provider meanwhile: the secret, it may be. That it refused is told all the same.
            Err(CommitError::Conflict) => match audit {
                Some(audit) => {
                    let told = self.store.commit(vec![Change::Audit(audit)]).await;
                    told.map_err(CommitError::into_store_error)
                }
                None => Ok(()),
            },
            Err(error) => Err(error.into_store_error()),
        }
    }
}
