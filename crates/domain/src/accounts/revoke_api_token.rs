//! Revoking API tokens, and the browser sessions that were opened with them.

use std::sync::Arc;

use super::{ApiToken, ApiTokenStore, Caller, TokenPurpose};
use crate::audit::{Actor, AuditAction, AuditEntry};
use crate::ids::ApiTokenId;
use crate::services::{Clock, Random};
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// Revokes API tokens: an operator any, a caller those of their own account, and by signing out the one they called with.
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
    /// No such token, or not the caller's.
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
    /// An operator revokes a token; one that is revoked already stays as it is.
    pub async fn run(&self, id: ApiTokenId) -> Result<ApiToken, RevokeApiTokenError> {
        let token = self.tokens.token(id).await?.ok_or(RevokeApiTokenError::NotFound)?;
        let now = self.clock.now();
        let action = AuditAction::ApiTokenRevoked;
        let audit = AuditEntry::new(token.organization_id, Actor::Operator, action, &*self.random, now);
        self.revoke(token, audit).await
    }

    /// A caller revokes a token of their own account.
    pub async fn of_caller(&self, caller: &Caller, id: ApiTokenId) -> Result<ApiToken, RevokeApiTokenError> {
        let token = self.tokens.token(id).await?.filter(|token| token.account_id == caller.account_id);
        let token = token.ok_or(RevokeApiTokenError::NotFound)?;
        let audit = AuditEntry::by(caller, AuditAction::ApiTokenRevoked, &*self.random, self.clock.now());
        self.revoke(token, audit).await
    }

    async fn revoke(&self, token: ApiToken, audit: AuditEntry) -> Result<ApiToken, RevokeApiTokenError> {
        if token.revoked_at.is_some() {
            return Ok(token);
        }
        let (id, now) = (token.id, self.clock.now());
        let sessions = self.tokens.tokens_of(token.account_id).await?.into_iter().filter(|other| {
            other.id != id
                && other.purpose == TokenPurpose::Session { opened_with: id }
                && other.is_usable(now)
        });
        let revoke = |token: ApiToken| Change::update(ApiToken { revoked_at: Some(now), ..token });
        let mut changes: Vec<Change> = sessions.map(revoke).collect();
        changes.push(revoke(token.clone()));
        changes.push(Change::Audit(audit.about(id)));
        match self.store.commit(changes).await {
            Ok(()) => Ok(ApiToken { revoked_at: Some(now), version: token.version.next(), ..token }),
            Err(CommitError::Conflict) => Err(RevokeApiTokenError::Conflict),
            Err(error) => Err(error.into_store_error().into()),
        }
    }
}

#[cfg(test)]
mod tests;
