//! Signing in with an access token that a client has already.

use std::sync::Arc;

use super::{AdmitPerson, LoginError, LoginProviderSettings, LoginProviders, Person, ReleaseToken};
use crate::accounts::IssuedToken;
use crate::audit::{Actor, AuditAction, AuditEntry, AuditOutcome};
use crate::persist::TRIES;
use crate::providers::{
    ExpectedUser, Provider, ProviderClient, ProviderClients, ProviderConnection, TokenAudience, UpstreamError,
};
use crate::sealing::TokenSealer;
use crate::services::{Clock, Random, within};
use crate::tokens::TokenSettings;
use crate::{Change, CommitError, Secret, StoreError, UnitOfWork};

/// Signs somebody in who brings an access token of a provider: only one that was issued to our own client, or any program
/// that holds a token of theirs could sign in as them (RFC 9700, 4.9.3; OpenID Connect Core, 16.11).
pub struct SignInWithToken {
    /// Finds the provider.
    pub providers: Arc<LoginProviders>,
    /// Asks the provider.
    pub clients: Arc<dyn ProviderClients>,
    /// Opens the client secret.
    pub sealer: Arc<dyn TokenSealer>,
    /// Leads people to their accounts.
    pub admit: Arc<AdmitPerson>,
    /// Makes tokens.
    pub(crate) release: Arc<ReleaseToken>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Makes the ids of audit entries.
    pub random: Arc<dyn Random>,
    /// How long the client waits.
    pub settings: TokenSettings,
}

impl SignInWithToken {
    /// Signs them in.
    pub async fn run(
        &self,
        name: &str,
        access_token: &Secret,
        request_id: Option<&str>,
    ) -> Result<IssuedToken, LoginError> {
        let (rules, provider) = self.providers.named(name).await?;
        let asking = self.identify(rules, &provider, access_token);
        let timeout = || Err(UpstreamError::timeout().into());
        let person = within(&self.clock, self.settings.caller_wait, Box::pin(asking)).await;
        let signed_in = match person.unwrap_or_else(timeout) {
            Ok(person) => self.release_to(rules, &provider, &person, request_id).await,
            Err(error) => Err(error),
        };
        match &signed_in {
            Err(LoginError::NotAllowed { reason }) => {
                self.note_refusal(&provider, reason, request_id).await?;
            }
            // Anybody can bring a token that is none: that goes to the log, and not into the audit log, which is kept for good.
            Err(LoginError::Refused { reason } | LoginError::Unavailable { reason }) => {
                tracing::info!(provider = %provider.id, reason, "a token let nobody in");
            }
            _ => {}
        }
        signed_in
    }

    async fn identify(
        &self,
        rules: &LoginProviderSettings,
        provider: &Provider,
        access_token: &Secret,
    ) -> Result<Person, LoginError> {
        let client = self.clients.client(provider.kind).ok_or(UpstreamError::NotSupported)?;
        let connection = provider.connect(&*self.sealer).await?;
        match audience(&*client, &connection, access_token).await {
            Ok(TokenAudience::Ours) => {}
            Ok(TokenAudience::Another) => return Err(LoginError::refused("wrong_audience")),
            Ok(TokenAudience::Nobody) | Err(UpstreamError::NotSupported) => {
                if !rules.foreign_tokens {
                    return Err(LoginError::ForeignToken);
                }
            }
            Err(error) => return Err(error.into()),
        }
        let scopes = rules.scopes_at(provider);
        let identify = client.identify(&scopes);
        let nobody = None::<ExpectedUser<'_>>;
        match identify.identify_user(&connection, access_token, nobody).await {
            Ok(identity) => Ok(identity.into()),
            // It tells only whether somebody whom we know already is meant (Microsoft).
            Err(UpstreamError::NotSupported) => Err(LoginError::ForeignToken),
            Err(error) => Err(error.into()),
        }
    }

    async fn release_to(
        &self,
        rules: &LoginProviderSettings,
        provider: &Provider,
        person: &Person,
        request_id: Option<&str>,
    ) -> Result<IssuedToken, LoginError> {
        for _ in 0..TRIES {
            let admitted = self.admit.run(provider.organization_id, rules, person).await?;
            let new = self.release.token(&admitted.account, request_id);
            let mut changes = admitted.changes;
            changes.extend(new.changes);
            let actor = Actor::ServiceFor { account_id: admitted.account.id };
            changes.push(Change::Audit(self.finished(provider, actor, request_id)));
            match self.store.commit(changes).await {
                Ok(()) => return Ok(new.issued),
                // Two first sign-ins of one person at once.
                Err(CommitError::Duplicate(_)) => {}
                Err(error) => return Err(error.into_store_error().into()),
            }
        }
        Err(StoreError::Unexpected("the same person signs in for the first time again and again".into())
            .into())
    }

    async fn note_refusal(
        &self,
        provider: &Provider,
        reason: &str,
        request_id: Option<&str>,
    ) -> Result<(), LoginError> {
        let audit = self.finished(provider, Actor::Service, request_id);
        let audit = audit.ending(AuditOutcome::Refused, reason);
        let noted = self.store.commit(vec![Change::Audit(audit)]).await;
        Ok(noted.map_err(CommitError::into_store_error)?)
    }

    fn finished(&self, provider: &Provider, actor: Actor, request_id: Option<&str>) -> AuditEntry {
        let now = self.clock.now();
        let action = AuditAction::LoginFinished;
        let mut audit = AuditEntry::new(provider.organization_id, actor, action, &*self.random, now)
            .about_provider(provider.id);
        audit.request_id = request_id.map(str::to_owned);
        audit
    }
}

async fn audience(
    client: &dyn ProviderClient,
    connection: &ProviderConnection,
    access_token: &Secret,
) -> Result<TokenAudience, UpstreamError> {
    let check = client.audience(&connection.client.endpoints).ok_or(UpstreamError::NotSupported)?;
    check.check_audience(connection, access_token).await
}

#[cfg(test)]
mod tests;
