//! Writing down that a sealed secret did not open: it was tampered with, moved, or its key is missing.

use std::sync::Arc;

use async_trait::async_trait;

use super::{SealError, SealedSecret, SecretColumn, SecretPlace, TokenSealer};
use crate::audit::{Actor, AuditAction, AuditEntry, AuditOutcome};
use crate::ids::{AuthorizationId, ProviderId};
use crate::services::{Clock, Random};
use crate::{Change, Secret, UnitOfWork};

/// A sealer that leaves an audit entry for every secret that does not open.
pub struct AuditedSealer {
    /// Seals and opens.
    pub sealer: Arc<dyn TokenSealer>,
    /// Writes the entry.
    pub store: Arc<dyn UnitOfWork>,
    /// Dates it.
    pub clock: Arc<dyn Clock>,
    /// Makes its id.
    pub random: Arc<dyn Random>,
}

#[async_trait]
impl TokenSealer for AuditedSealer {
    async fn seal(&self, place: SecretPlace, secret: &Secret) -> Result<SealedSecret, SealError> {
        self.sealer.seal(place, secret).await
    }

    async fn open(&self, place: SecretPlace, sealed: &SealedSecret) -> Result<Secret, SealError> {
        let opened = self.sealer.open(place, sealed).await;
        match &opened {
            Ok(_) | Err(SealError::Store(_)) => {}
            Err(error @ (SealError::UnknownFormat | SealError::UnknownKey | SealError::Tampered)) => {
                self.write_down(place, error).await;
            }
        }
        opened
    }
}

impl AuditedSealer {
    async fn write_down(&self, place: SecretPlace, error: &SealError) {
        let column = place.column.as_str();
        tracing::error!(column, row = %place.row, %error, "a sealed secret does not open");
        let (now, action) = (self.clock.now(), AuditAction::SecretRejected);
        let audit = AuditEntry::new(place.organization_id, Actor::Service, action, &*self.random, now)
            .ending(AuditOutcome::Failed, column);
        let audit = match place.column {
            SecretColumn::ClientSecret => audit.about_provider(ProviderId::from_uuid(place.row)),
            SecretColumn::AccessToken | SecretColumn::RefreshToken => {
                audit.about_authorization(AuthorizationId::from_uuid(place.row))
            }
            SecretColumn::PkceVerifier
            | SecretColumn::Nonce
            | SecretColumn::DeviceCode
            | SecretColumn::LoginPkceVerifier
            | SecretColumn::LoginNonce
            | SecretColumn::LoginDeviceCode
            | SecretColumn::RevokedAccessToken
            | SecretColumn::RevokedRefreshToken => audit.about(place.row),
        };
        if let Err(error) = self.store.commit(vec![Change::Audit(audit)]).await {
            tracing::error!(%error, "and the audit log could not be written");
        }
    }
}

#[cfg(test)]
mod tests;
