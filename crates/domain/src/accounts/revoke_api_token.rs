//! Revoking an API token, and the browser sessions that were opened with it: an operator's command.

use std::sync::Arc;

use super::{ApiToken, ApiTokenStore, TokenPurpose};
use crate::audit::{Actor, AuditAction, AuditEntry};
use crate::ids::ApiTokenId;
use crate::services::{Clock, Random};
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// Revokes an API token.
pub struct RevokeApiToken {
    /// Reads tokens.
    pub tokens: Arc<dyn ApiTokenStore>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Dates it.
    pub clock: Arc<dyn Clock>,
    /// Makes the id of the audit entry.
    pub random: Arc<dyn Random>,
}

/// Why a token was not revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeApiTokenError {
    /// No such token.
    #[error("there is no such token")]
    NotFound,
    /// Somebody changed it at the same time.
    #[error("the token was changed by somebody else at the same time; try again")]
    Conflict,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RevokeApiToken {
    /// Revokes it; a token that is revoked already stays as it is.
    pub async fn run(&self, id: ApiTokenId) -> Result<ApiToken, RevokeApiTokenError> {
        let token = self.tokens.token(id).await?.ok_or(RevokeApiTokenError::NotFound)?;
        if token.revoked_at.is_some() {
            return Ok(token);
        }
        let now = self.clock.now();
        let sessions = self.tokens.tokens_of(token.account_id).await?.into_iter().filter(|other| {
            other.purpose == TokenPurpose::Session { opened_with: id } && other.is_usable(now)
        });
        let revoke = |token: ApiToken| Change::update(ApiToken { revoked_at: Some(now), ..token });
        let audit = AuditEntry::new(
            token.organization_id,
            Actor::Operator,
            AuditAction::ApiTokenRevoked,
            &*self.random,
            now,
        )
        .about(id);
        let mut changes: Vec<Change> = sessions.map(revoke).collect();
        changes.push(revoke(token.clone()));
        changes.push(Change::Audit(audit));
        match self.store.commit(changes).await {
            Ok(()) => Ok(ApiToken { revoked_at: Some(now), version: token.version.next(), ..token }),
            Err(CommitError::Conflict) => Err(RevokeApiTokenError::Conflict),
            Err(error) => Err(error.into_store_error().into()),
        }
    }
}

#[cfg(test)]
mod tests;
