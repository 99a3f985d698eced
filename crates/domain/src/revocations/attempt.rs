//! One attempt to revoke at the provider.

use std::sync::Arc;

use super::{Revocation, RevocationStatus, SHARED_GRANT, SharedGrants};
use crate::audit::{Actor, AuditAction, AuditEntry, AuditOutcome};
use crate::providers::{
    Provider, ProviderCatalog, ProviderClients, RevocationScope, TokenToRevoke, UpstreamError,
};
use crate::sealing::{SealError, TokenSealer};
use crate::services::{Clock, Random, within};
use crate::tokens::{TokenSettings, time_delta};
use crate::{Change, CommitError, Secret, StoreError, UnitOfWork};

/// Makes one attempt.
pub struct RevocationAttempt {
    /// Reads the provider.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Tells whether others live by the same grant.
    pub grants: Arc<dyn SharedGrants>,
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
    /// Nothing: it was not asked, for it would have taken away what another authorization needs.
    Spared,
    /// It cannot be done, now or later.
    Hopeless(UpstreamError),
    /// It may work later.
    Failed(UpstreamError),
}

impl RevocationAttempt {
    /// Tries, and writes down how it went. The caller holds the lease.
    pub async fn run(&self, mut revocation: Revocation) -> Result<RevocationStatus, StoreError> {
        let provider = self.catalog.provider(revocation.organization_id, revocation.provider_id).await?;
        let answer = match &provider {
            None => Answer::NotSupported,
            Some(provider) => match self.ask(&revocation, provider).await {
                Ok(answer) => answer,
                Err(SealError::Store(error)) => return Err(error),
                Err(error) => Answer::Failed(error.into_upstream_error()),
            },
        };
        if let Some(provider) = provider {
            // The receipt outlives the provider.
            revocation.settings_url = provider.endpoints.settings_url;
        }
        let audit = self.audit(&revocation, &answer);
        let revocation = self.after(revocation, answer);
        let status = revocation.status;
        match self.store.commit(vec![Change::update(revocation), Change::Audit(audit)]).await {
            // Overtaken: whoever took over writes the receipt.
            Ok(()) | Err(CommitError::Conflict) => Ok(status),
            Err(error) => Err(error.into_store_error()),
        }
    }

    async fn ask(&self, revocation: &Revocation, provider: &Provider) -> Result<Answer, SealError> {
        let client = self.clients.client(provider.kind);
        let Some(revoke) = client.and_then(|client| client.revoke(&provider.endpoints)) else {
            return Ok(Answer::NotSupported);
        };
        let connection = provider.connect(&*self.sealer).await?;
        let tokens = self.tokens(revocation).await?;
        if self.would_hurt_others(revocation, revoke.scope()).await? {
            return Ok(Answer::Spared);
        }
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

    /// Whether the same person has an authorization there, be it anew or of another account, that would end as well. Then
    /// the grant ends with the last of them. A person who grants anew between this look and the provider's answer may
    /// still lose that: no lock of ours reaches the provider.
    async fn would_hurt_others(
        &self,
        revocation: &Revocation,
        scope: RevocationScope,
    ) -> Result<bool, StoreError> {
        match &revocation.resource_owner {
            Some(owner) if !scope.leaves_others_alone() => {
                self.grants.has_live_authorization(revocation.provider_id, owner).await
            }
            _ => Ok(false),
        }
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
            Answer::Spared => {
                revocation.finished(RevocationStatus::NotSupported, Some(SHARED_GRANT.to_owned()), now)
            }
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
            Answer::Spared => audit.ending(AuditOutcome::Refused, SHARED_GRANT),
            Answer::Hopeless(error) | Answer::Failed(error) => {
                audit.ending(AuditOutcome::Failed, error.reason())
            }
        }
    }
}

#[cfg(test)]
mod tests;
