//! Redeeming a code and keeping what comes of it. Runs detached: it commits with nobody waiting.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Authorization, AuthorizationStore, Flow, FlowOutcome, FlowStore, GrantState};
use crate::audit::{Actor, AuditAction, AuditEntry, AuditOutcome};
use crate::ids::{AuthorizationId, CredentialId};
use crate::persist::Persistence;
use crate::providers::{
    CodeExchange, Identity, Provider, ProviderCatalog, ProviderClient, ProviderClients, ProviderConnection,
    ProviderStatus, TokenSet, UpstreamError,
};
use crate::revocations::Revocation;
use crate::sealing::{SealError, SealedSecret, TokenSealer};
use crate::services::{Clock, Random, within};
use crate::tokens::TokenSettings;
use crate::{Change, CommitError, Secret, StoreError, UnitOfWork, Version};

/// Redeems a code whose flow is used up.
pub struct ExchangeCode {
    /// Reads the authorization that may exist for the identity.
    pub authorizations: Arc<dyn AuthorizationStore>,
    /// Tells whether the flow is still there.
    pub flows: Arc<dyn FlowStore>,
    /// Reads the provider again before something is kept for it.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Asks the provider.
    pub clients: Arc<dyn ProviderClients>,
    /// Opens the flow's secrets, seals the tokens.
    pub sealer: Arc<dyn TokenSealer>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub random: Arc<dyn Random>,
    /// How long the provider may take.
    pub settings: TokenSettings,
}

/// What the provider made of the code.
enum Exchanged {
    /// Tokens, and whose they are.
    Tokens(Box<Granted>),
    /// Tokens that nobody may have, because it is not certain whose they are: they have to be revoked.
    Orphaned(Box<TokenSet>, UpstreamError),
    /// No tokens.
    Failed(UpstreamError),
}

/// What a code was worth.
struct Granted {
    tokens: TokenSet,
    identity: Identity,
    /// When the code was sent: lives count from here.
    asked: DateTime<Utc>,
}

impl ExchangeCode {
    /// Redeems the code; the outcome is in the store when this returns.
    pub async fn run(
        &self,
        flow: Flow,
        provider: Provider,
        code: Secret,
        request_id: Option<String>,
    ) -> Result<FlowOutcome, StoreError> {
        let exchanged = match self.ask(&flow, &provider, code).await {
            Ok(exchanged) => exchanged,
            Err(SealError::Store(error)) => return Err(error),
            Err(error) => Exchanged::Failed(error.into_upstream_error()),
        };
        let outcome = self.keep(&flow, provider, exchanged, request_id).await;
        if let Err(error) = &outcome {
            let error = error as &dyn std::error::Error;
            tracing::error!(flow = %flow.id, error, "the outcome of a code exchange could not be kept");
        }
        outcome
    }

    async fn ask(&self, flow: &Flow, provider: &Provider, code: Secret) -> Result<Exchanged, SealError> {
        let Some(client) = self.clients.client(provider.kind) else {
            return Ok(Exchanged::Failed(UpstreamError::NotSupported));
        };
        let connection = provider.connect(&*self.sealer).await?;
        let exchange = self.code_exchange(flow, code).await?;
        let asked = self.clock.now();
        let answer = client.exchange_code(&connection, &exchange);
        let answer = within(&self.clock, self.settings.upstream_limit, answer).await;
        let tokens = match answer.unwrap_or(Err(UpstreamError::timeout())) {
            Ok(tokens) => tokens,
            Err(error) => return Ok(Exchanged::Failed(error)),
        };
        Ok(match self.identify(&*client, &connection, &tokens).await {
            Ok(identity) => Exchanged::Tokens(Box::new(Granted { tokens, identity, asked })),
            Err(error) => Exchanged::Orphaned(Box::new(tokens), error),
        })
    }

    async fn code_exchange(&self, flow: &Flow, code: Secret) -> Result<CodeExchange, SealError> {
        let organization = flow.organization_id;
        let pkce_verifier = match &flow.pkce_verifier {
            Some(sealed) => {
                Some(self.sealer.open(Flow::verifier_place(organization, flow.id), sealed).await?)
            }
            None => None,
        };
        let nonce = self.sealer.open(Flow::nonce_place(organization, flow.id), &flow.nonce).await?;
        Ok(CodeExchange { code, redirect_uri: flow.redirect_uri.clone(), pkce_verifier, nonce: Some(nonce) })
    }

    /// Whose tokens are these? A verified ID token is enough where the profile cannot be had just now; a profile of
    /// somebody else is not (OpenID Connect Core, 5.3.2).
    async fn identify(
        &self,
        client: &dyn ProviderClient,
        connection: &ProviderConnection,
        tokens: &TokenSet,
    ) -> Result<Identity, UpstreamError> {
        if let Some(distrust) = &tokens.distrust {
            return Err(distrust.clone());
        }
        let expected = tokens.identity.as_ref().map(|identity| identity.subject.as_str());
        let identify = client.identify();
        let answer = identify.identify_user(connection, &tokens.access_token, expected);
        // Half of the caller's patience, so that the ID token is still of use to them when the profile is not there.
        let answer = within(&self.clock, self.settings.caller_wait / 2, answer).await;
        let answer = answer.unwrap_or(Err(UpstreamError::timeout()));
        match (answer, &tokens.identity) {
            (Ok(identity), _) => Ok(identity),
            (Err(error @ UpstreamError::Untrusted { .. }), _) | (Err(error), None) => Err(error),
            (Err(_), Some(identity)) => Ok(identity.clone()),
        }
    }

    async fn keep(
        &self,
        flow: &Flow,
        provider: Provider,
        exchanged: Exchanged,
        request_id: Option<String>,
    ) -> Result<FlowOutcome, StoreError> {
        let mut persistence = Persistence::new(&self.clock);
        loop {
            match self.try_to_keep(flow, &provider, &exchanged, request_id.as_deref()).await {
                Ok(outcome) => return Ok(outcome),
                // The same identity was authorized, refreshed or deleted at the same time: it is decided anew.
                Err(error) => persistence.after(error).await?,
            }
        }
    }

    async fn try_to_keep(
        &self,
        flow: &Flow,
        provider: &Provider,
        exchanged: &Exchanged,
        request_id: Option<&str>,
    ) -> Result<FlowOutcome, CommitError> {
        let (outcome, mut changes) = self.outcome(flow, provider, exchanged).await?;
        // A flow goes with its provider; what came of it must not.
        if self.flows.flow(flow.id).await?.is_some() {
            changes.push(Change::update(flow.clone().finished(outcome.clone(), self.clock.now())));
        }
        for change in &mut changes {
            if let Change::Audit(entry) = change {
                entry.request_id = request_id.map(str::to_owned);
            }
        }
        self.store.commit(changes).await?;
        Ok(outcome)
    }

    async fn outcome(
        &self,
        flow: &Flow,
        provider: &Provider,
        exchanged: &Exchanged,
    ) -> Result<(FlowOutcome, Vec<Change>), StoreError> {
        match exchanged {
            Exchanged::Tokens(granted) => self.authorized(flow, granted).await,
            Exchanged::Orphaned(tokens, error) => {
                let outcome = flow_outcome(error);
                Ok((outcome, self.revoke_orphan(flow, tokens, error).await?))
            }
            Exchanged::Failed(error @ UpstreamError::ClientRefused { .. }) => {
                let mut changes = vec![self.finished(flow, error)];
                changes.extend(self.disable(provider).await?);
                Ok((FlowOutcome::Refused(error.reason().to_owned()), changes))
            }
            Exchanged::Failed(error) => Ok((flow_outcome(error), vec![self.finished(flow, error)])),
        }
    }

    /// The tokens are kept: in the authorization of this identity where there is one, else in a new one.
    async fn authorized(
        &self,
        flow: &Flow,
        granted: &Granted,
    ) -> Result<(FlowOutcome, Vec<Change>), StoreError> {
        let Granted { tokens, identity, asked } = granted;
        let now = self.clock.now();
        let provider = self.catalog.provider(flow.organization_id, flow.provider_id).await?;
        if !provider.as_ref().is_some_and(Provider::takes_authorizations) {
            let deleted = UpstreamError::Untrusted { reason: "provider_deleted" };
            let changes = self.revoke_orphan(flow, tokens, &deleted).await?;
            return Ok((flow_outcome(&deleted), changes));
        }
        let existing = self
            .authorizations
            .authorization_for_identity(
                flow.account_id,
                flow.provider_id,
                &identity.issuer,
                &identity.subject,
            )
            .await?;
        let is_new = existing.is_none();
        let mut authorization = existing.unwrap_or_else(|| self.new_authorization(flow, identity));
        if authorization.grant != GrantState::Live {
            // What is left of a dead grant is dead too.
            authorization.refresh_token = None;
            authorization.refresh_token_expires_at = None;
        }
        authorization.requested_scopes.clone_from(&flow.scopes);
        authorization.granted_scopes.clone_from(&flow.scopes);
        authorization.user.clone_from(&identity.user);
        authorization.grant = GrantState::Live;
        authorization.grant_since = now;
        let authorization = authorization
            .with_tokens(tokens, *asked, &*self.sealer)
            .await
            .map_err(SealError::into_store_error)?;
        let id = authorization.id;
        let audited = self.audit(flow, AuditAction::AuthorizationGranted).about_authorization(id);
        let finished = self.audit(flow, AuditAction::FlowFinished).about_authorization(id).about(flow.id);
        let changes = vec![
            if is_new { Change::insert(authorization) } else { Change::update(authorization) },
            Change::Audit(audited.about_token(tokens.access_token.fingerprint())),
            Change::Audit(finished),
        ];
        Ok((FlowOutcome::Authorized(id), changes))
    }

    fn new_authorization(&self, flow: &Flow, identity: &Identity) -> Authorization {
        let now = self.clock.now();
        Authorization {
            id: AuthorizationId::generate(&*self.random, now),
            organization_id: flow.organization_id,
            account_id: flow.account_id,
            provider_id: flow.provider_id,
            credential_id: CredentialId::generate(&*self.random, now),
            issuer: identity.issuer.clone(),
            subject: identity.subject.clone(),
            user: identity.user.clone(),
            requested_scopes: flow.scopes.clone(),
            granted_scopes: flow.scopes.clone(),
            access_token: SealedSecret::from_bytes(Vec::new()),
            issued_at: now,
            expires_at: None,
            refresh_token: None,
            refresh_token_expires_at: None,
            grant: GrantState::Live,
            grant_since: now,
            last_failure: None,
            next_attempt_at: None,
            last_refreshed_at: None,
            created_at: now,
            version: Version::FIRST,
        }
    }

    async fn revoke_orphan(
        &self,
        flow: &Flow,
        tokens: &TokenSet,
        error: &UpstreamError,
    ) -> Result<Vec<Change>, StoreError> {
        let now = self.clock.now();
        let id = AuthorizationId::generate(&*self.random, now);
        let revocation =
            Revocation::new(flow.organization_id, flow.provider_id, id, flow.account_id, &*self.random, now)
                .with_tokens(Some(&tokens.access_token), tokens.refresh_token.as_ref(), &*self.sealer)
                .await
                .map_err(SealError::into_store_error)?;
        Ok(vec![Change::insert(revocation), self.finished(flow, error)])
    }

    /// The provider refuses our client: the operator has to know, and nobody should be sent there until then.
    async fn disable(&self, provider: &Provider) -> Result<Vec<Change>, StoreError> {
        let current = self.catalog.provider(provider.organization_id, provider.id).await?;
        let unchanged = current.filter(|now| {
            now.status == ProviderStatus::Active && now.client_secret == provider.client_secret
        });
        Ok(unchanged.map_or_else(Vec::new, |provider| provider.disable(&*self.random, self.clock.now())))
    }

    fn finished(&self, flow: &Flow, error: &UpstreamError) -> Change {
        let outcome = match flow_outcome(error) {
            FlowOutcome::Unavailable(_) => AuditOutcome::Failed,
            FlowOutcome::Refused(_) | FlowOutcome::Authorized(_) => AuditOutcome::Refused,
        };
        let audit = self.audit(flow, AuditAction::FlowFinished).about(flow.id);
        Change::Audit(audit.ending(outcome, error.reason()))
    }

    fn audit(&self, flow: &Flow, action: AuditAction) -> AuditEntry {
        let now = self.clock.now();
        let actor = Actor::ServiceFor { account_id: flow.account_id };
        AuditEntry::new(flow.organization_id, actor, action, &*self.random, now)
            .about_provider(flow.provider_id)
    }
}

/// Whether the person can do something about it by starting again, or the provider has a bad moment.
fn flow_outcome(error: &UpstreamError) -> FlowOutcome {
    let reason = error.reason().to_owned();
    match error {
        UpstreamError::GrantRefused { .. }
        | UpstreamError::ClientRefused { .. }
        | UpstreamError::InteractionRequired { .. }
        | UpstreamError::TokenRefused
        | UpstreamError::Untrusted { .. } => FlowOutcome::Refused(reason),
        UpstreamError::NotSupported
        | UpstreamError::RateLimited { .. }
        | UpstreamError::Unavailable { .. } => FlowOutcome::Unavailable(reason),
    }
}

#[cfg(test)]
mod tests;
