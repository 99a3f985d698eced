//! One attempt to revoke at the provider.

use std::sync::Arc;

use super::{Revocation, RevocationStatus};
use crate::audit::{Actor, AuditAction, AuditEntry, AuditOutcome};
use crate::providers::{ProviderCatalog, ProviderClients, TokenToRevoke, UpstreamError};
use crate::sealing::{SealError, TokenSealer};
use crate::services::{Clock, Random, within};
use crate::tokens::{TokenSettings, time_delta};
use crate::{Change, CommitError, Secret, StoreError, UnitOfWork};

/// Makes one attempt.
pub struct RevocationAttempt {
    /// Reads the provider.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Asks it.
    pub clients: Arc<dyn ProviderClients>,
    /// Opens the tokens.
    pub sealer: Arc<dyn TokenSealer>,
    /// Writes the receipt.
    pub store: Arc<dyn UnitOfWork>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Makes the id of the audit entry.
    pub random: Arc<dyn Random>,
    /// How long the provider may take.
    pub settings: TokenSettings,
}

/// What the provider made of it.
enum Answer {
    Revoked,
    NotSupported,
    /// It cannot be done, now or later.
    Hopeless(UpstreamError),
    /// It may work later.
    Failed(UpstreamError),
}

impl RevocationAttempt {
    /// Tries, and writes down how it went. The caller holds the lease.
    pub async fn run(&self, revocation: Revocation) -> Result<RevocationStatus, StoreError> {
        let answer = match self.ask(&revocation).await {
            Ok(answer) => answer,
            Err(SealError::Store(error)) => return Err(error),
            Err(error) => Answer::Failed(error.into_upstream_error()),
        };
        let audit = self.audit(&revocation, &answer);
        let revocation = self.after(revocation, answer);
        let status = revocation.status;
        match self.store.commit(vec![Change::update(revocation), Change::Audit(audit)]).await {
            // Overtaken: whoever took over writes the receipt.
            Ok(()) | Err(CommitError::Conflict) => Ok(status),
            Err(error) => Err(error.into_store_error()),
        }
    }

    async fn ask(&self, revocation: &Revocation) -> Result<Answer, SealError> {
        let provider = self.catalog.provider(revocation.organization_id, revocation.provider_id).await?;
        let Some(provider) = provider else {
            return Ok(Answer::NotSupported);
        };
        let client = self.clients.client(provider.kind);
        let Some(revoke) = client.and_then(|client| client.revoke(&provider.endpoints)) else {
            return Ok(Answer::NotSupported);
        };
        let connection = provider.connect(&*self.sealer).await?;
        let tokens = self.tokens(revocation).await?;
        let answer = revoke.revoke_token(&connection, &tokens);
        let answer = within(&self.clock, self.settings.upstream_limit, answer)
            .await
            .unwrap_or(Err(UpstreamError::timeout()));
        Ok(match answer {
            // RFC 7009, 2.2.1: there is no point in asking again.
            Err(UpstreamError::GrantRefused { code }) if code == "unsupported_token_type" => {
                Answer::NotSupported
            }
            // A provider that says that it does not know the token (any more) says what was wanted.
            Ok(()) | Err(UpstreamError::GrantRefused { .. } | UpstreamError::TokenRefused) => Answer::Revoked,
            // Nobody can correct the secret of a provider that is being deleted: trying again is of no use.
            Err(error @ UpstreamError::ClientRefused { .. }) if !provider.takes_authorizations() => {
                Answer::Hopeless(error)
            }
            Err(error) => Answer::Failed(error),
        })
    }

    async fn tokens(&self, revocation: &Revocation) -> Result<TokenToRevoke, SealError> {
        let open = async |place, sealed: &Option<_>| -> Result<Option<Secret>, SealError> {
            match sealed {
                Some(sealed) => self.sealer.open(place, sealed).await.map(Some),
                None => Ok(None),
            }
        };
        Ok(TokenToRevoke {
            access_token: open(revocation.access_token_place(), &revocation.access_token).await?,
            refresh_token: open(revocation.refresh_token_place(), &revocation.refresh_token).await?,
        })
    }

    fn after(&self, revocation: Revocation, answer: Answer) -> Revocation {
        let now = self.clock.now();
        match answer {
            Answer::Revoked => revocation.finished(RevocationStatus::Revoked, None, now),
            Answer::NotSupported => revocation.finished(RevocationStatus::NotSupported, None, now),
            Answer::Hopeless(error) => {
                revocation.finished(RevocationStatus::Failed, Some(error.reason().to_owned()), now)
            }
            Answer::Failed(error) => {
                revocation.put_off(error.reason().to_owned(), error.retry_after().map(time_delta), now)
            }
        }
    }

    fn audit(&self, revocation: &Revocation, answer: &Answer) -> AuditEntry {
        let now = self.clock.now();
        let action = AuditAction::TokenRevoked;
        let audit = AuditEntry::new(revocation.organization_id, Actor::Service, action, &*self.random, now)
            .about_provider(revocation.provider_id)
            .about_authorization(revocation.authorization_id)
            .about(revocation.id);
        match answer {
            Answer::Revoked => audit,
            Answer::NotSupported => audit.ending(AuditOutcome::Refused, "not_supported"),
            Answer::Hopeless(error) | Answer::Failed(error) => {
                audit.ending(AuditOutcome::Failed, error.reason())
            }
        }
    }
}

#[cfg(test)]
mod tests;
