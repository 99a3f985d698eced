//! Redeeming a code and keeping what comes of it. Runs detached: it commits with nobody waiting.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Authorization, AuthorizationStore, Flow, FlowOutcome, GrantState};
use crate::audit::{Actor, AuditAction, AuditEntry, AuditOutcome};
use crate::ids::{AuthorizationId, CredentialId};
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
    Tokens {
        tokens: TokenSet,
        identity: Identity,
        /// When the code was sent: lives count from here.
        asked: DateTime<Utc>,
    },
    /// Tokens that nobody may have, because it is not certain whose they are: they have to be revoked.
    Orphaned(TokenSet, UpstreamError),
    /// No tokens.
    Failed(UpstreamError),
}

/// How often a commit is tried anew after somebody else wrote first.
const COMMIT_TRIES: u32 = 10;

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
            Err(error) => {
                tracing::error!(flow = %flow.id, %error, "the secrets of a flow do not open");
                Exchanged::Failed(UpstreamError::Unavailable { reason: "secret_rejected", retry_after: None })
            }
        };
        let outcome = self.keep(&flow, provider, exchanged, request_id).await;
        if let Err(error) = &outcome {
            tracing::error!(flow = %flow.id, %error, "the outcome of a code exchange could not be kept");
        }
        outcome
    }

    async fn ask(&self, flow: &Flow, provider: &Provider, code: Secret) -> Result<Exchanged, SealError> {
        let Some(client) = self.clients.client(provider.kind) else {
            return Ok(Exchanged::Failed(UpstreamError::Unavailable { reason: "not_offered", retry_after: None }));
        };
        let connection = provider.connect(&*self.sealer).await?;
        let exchange = self.code_exchange(flow, code).await?;
        let asked = self.clock.now();
        let answer = client.exchange_code(&connection, &exchange);
        let answer = within(&self.clock, self.settings.upstream_limit, answer).await;
        let tokens = match answer.unwrap_or(Err(too_slow())) {
            Ok(tokens) => tokens,
            Err(error) => return Ok(Exchanged::Failed(error)),
        };
        Ok(match self.identify(&*client, &connection, &tokens).await {
            Ok(identity) => Exchanged::Tokens { tokens, identity, asked },
            Err(error) => Exchanged::Orphaned(tokens, error),
        })
    }

    async fn code_exchange(&self, flow: &Flow, code: Secret) -> Result<CodeExchange, SealError> {
        let organization = flow.organization_id;
        let pkce_verifier = match &flow.pkce_verifier {
            Some(sealed) => Some(self.sealer.open(Flow::verifier_place(organization, flow.id), sealed).await?),
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
        let expected = tokens.identity.as_ref().map(|identity| identity.subject.as_str());
        let identify = client.identify();
        let answer = identify.identify_user(connection, &tokens.access_token, expected);
        let answer = within(&self.clock, self.settings.caller_wait, answer).await.unwrap_or(Err(too_slow()));
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
        for _ in 0..COMMIT_TRIES {
            let (outcome, mut changes) = self.outcome(flow, &provider, &exchanged).await?;
            changes.push(Change::update(flow.clone().finished(outcome.clone(), self.clock.now())));
            for change in &mut changes {
                if let Change::Audit(entry) = change {
                    entry.request_id.clone_from(&request_id);
                }
            }
            match self.store.commit(changes).await {
                Ok(()) => return Ok(outcome),
                // The same identity was authorized, refreshed or deleted at the same time: decide anew.
                Err(CommitError::Conflict | CommitError::Duplicate(_)) => {}
                Err(CommitError::Store(error)) => return Err(error),
            }
        }
        Err(CommitError::Conflict.into_store_error())
    }

    async fn outcome(
        &self,
        flow: &Flow,
        provider: &Provider,
        exchanged: &Exchanged,
    ) -> Result<(FlowOutcome, Vec<Change>), StoreError> {
        match exchanged {
            Exchanged::Tokens { tokens, identity, asked } => {
                self.authorized(flow, tokens, identity, *asked).await
            }
            Exchanged::Orphaned(tokens, error) => {
                let outcome = flow_outcome(error);
                Ok((outcome, self.revoke_orphan(flow, tokens, error.reason()).await?))
            }
            Exchanged::Failed(error @ UpstreamError::ClientRefused { .. }) => {
                let mut changes = vec![self.finished(flow, error.reason())];
                changes.extend(self.disable(provider).await?);
                Ok((FlowOutcome::Refused(error.reason().to_owned()), changes))
            }
            Exchanged::Failed(error) => Ok((flow_outcome(error), vec![self.finished(flow, error.reason())])),
        }
    }

    /// The tokens are kept: in the authorization of this identity where there is one, else in a new one.
    async fn authorized(
        &self,
        flow: &Flow,
        tokens: &TokenSet,
        identity: &Identity,
        asked: DateTime<Utc>,
    ) -> Result<(FlowOutcome, Vec<Change>), StoreError> {
        let now = self.clock.now();
        let provider = self.catalog.provider(flow.organization_id, flow.provider_id).await?;
        if !provider.as_ref().is_some_and(Provider::takes_authorizations) {
            let reason = "provider_deleted";
            let changes = self.revoke_orphan(flow, tokens, reason).await?;
            return Ok((FlowOutcome::Refused(reason.to_owned()), changes));
        }
        let existing = self
            .authorizations
            .authorization_for_identity(flow.account_id, flow.provider_id, &identity.issuer, &identity.subject)
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
        let authorization = authorization.with_tokens(tokens, asked, &*self.sealer).await.map_err(SealError::into_store_error)?;
        let id = authorization.id;
        let granted = self.audit(flow, AuditAction::AuthorizationGranted).about_authorization(id);
        let finished = self.audit(flow, AuditAction::FlowFinished).about_authorization(id).about(flow.id);
        let changes = vec![
            if is_new { Change::insert(authorization) } else { Change::update(authorization) },
            Change::Audit(granted.about_token(tokens.access_token.fingerprint())),
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
        reason: &str,
    ) -> Result<Vec<Change>, StoreError> {
        let now = self.clock.now();
        let id = AuthorizationId::generate(&*self.random, now);
        let revocation = Revocation::new(flow.organization_id, flow.provider_id, id, flow.account_id, &*self.random, now)
            .with_tokens(Some(&tokens.access_token), tokens.refresh_token.as_ref(), &*self.sealer)
            .await
            .map_err(SealError::into_store_error)?;
        Ok(vec![Change::insert(revocation), self.finished(flow, reason)])
    }

    /// The provider refuses our client: the operator has to know, and nobody should be sent there until then.
    async fn disable(&self, provider: &Provider) -> Result<Vec<Change>, StoreError> {
        let current = self.catalog.provider(provider.organization_id, provider.id).await?;
        let unchanged = current
            .filter(|now| now.status == ProviderStatus::Active && now.client_secret == provider.client_secret);
        Ok(unchanged.map_or_else(Vec::new, |provider| provider.disable(&*self.random, self.clock.now())))
    }

    fn finished(&self, flow: &Flow, reason: &str) -> Change {
        let audit = self.audit(flow, AuditAction::FlowFinished).about(flow.id);
        Change::Audit(audit.ending(AuditOutcome::Refused, reason))
    }

    fn audit(&self, flow: &Flow, action: AuditAction) -> AuditEntry {
        let now = self.clock.now();
        AuditEntry::new(flow.organization_id, Actor::Service, action, &*self.random, now)
            .about_provider(flow.provider_id)
    }
}

fn too_slow() -> UpstreamError {
    UpstreamError::Unavailable { reason: "timeout", retry_after: None }
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
        UpstreamError::RateLimited { .. } | UpstreamError::Unavailable { .. } => FlowOutcome::Unavailable(reason),
    }
}
