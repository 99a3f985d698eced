//! Deleting an authorization: it is gone at once, and its tokens live on only in a revocation.

use std::sync::Arc;

use super::{Authorization, AuthorizationStore, if_own};
use crate::accounts::Caller;
use crate::audit::{AuditAction, AuditEntry};
use crate::ids::{AuthorizationId, RevocationId};
use crate::providers::Provider;
use crate::revocations::Revocation;
use crate::sealing::TokenSealer;
use crate::services::{Clock, Random};
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// Deletes authorizations.
pub struct DeleteAuthorization {
    /// Reads them.
    pub authorizations: Arc<dyn AuthorizationStore>,
    /// Moves their tokens.
    pub sealer: Arc<dyn TokenSealer>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Dates it.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub random: Arc<dyn Random>,
}

/// Why an authorization was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteAuthorizationError {
    /// Not there, or another user's.
    #[error("there is no such authorization")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DeleteAuthorization {
    /// Deletes one of the caller's own. What becomes of its tokens is told by the revocation that this gives the id of.
    pub async fn run(
        &self,
        caller: &Caller,
        id: AuthorizationId,
    ) -> Result<RevocationId, DeleteAuthorizationError> {
        loop {
            let found = self.authorizations.authorization(caller.organization_id, id).await?;
            let (authorization, provider) =
                if_own(found, caller).ok_or(DeleteAuthorizationError::NotFound)?;
            let audit =
                AuditEntry::by(caller, AuditAction::AuthorizationDeleted, &*self.random, self.clock.now());
            match self.detach(authorization, &provider, audit).await {
                // It was refreshed at the same time: the new tokens have to go as well.
                Err(DetachError::Conflict) => {}
                Err(DetachError::Store(error)) => return Err(error.into()),
                Ok(revocation) => return Ok(revocation),
            }
        }
    }

    /// Removes an authorization and queues the revocation of its tokens, in one commit.
    pub(crate) async fn detach(
        &self,
        authorization: Authorization,
        provider: &Provider,
        audit: AuditEntry,
    ) -> Result<RevocationId, DetachError> {
        let now = self.clock.now();
        let revocation = Revocation::moving(&authorization, &*self.sealer, &*self.random, now).await;
        let mut revocation = revocation.map_err(DetachError::Store)?;
        revocation.settings_url.clone_from(&provider.endpoints.settings_url);
        let receipt = revocation.id;
        let audit = audit.about_provider(authorization.provider_id).about_authorization(authorization.id);
        let changes = vec![Change::insert(revocation), Change::delete(authorization), Change::Audit(audit)];
        match self.store.commit(changes).await {
            Ok(()) => Ok(receipt),
            Err(CommitError::Conflict) => Err(DetachError::Conflict),
            Err(error) => Err(DetachError::Store(error.into_store_error())),
        }
    }
}

/// Why an authorization was not detached.
#[derive(Debug)]
pub(crate) enum DetachError {
    /// It has changed since it was read.
    Conflict,
    /// The store failed.
    Store(StoreError),
}

#[cfg(test)]
mod tests;
