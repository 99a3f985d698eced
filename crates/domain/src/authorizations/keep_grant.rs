//! Keeping what a provider granted: in the authorization of its identity, or as a revocation where nobody may have it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Authorization, AuthorizationStore, FlowOutcome, GrantState, Scopes};
use crate::accounts::{AccountStore, Standing};
use crate::audit::{Actor, AuditAction, AuditEntry, AuditOutcome};
use crate::ids::{AccountId, AuthorizationId, CredentialId, LoginId, OrganizationId, ProviderId};
use crate::persist::Persistence;
use crate::providers::{
    IdentifyUser, Identity, Provider, ProviderCatalog, ProviderClient, ProviderClients, ProviderConnection,
    ProviderStatus, RevocationScope, TokenSet, UpstreamError,
};
use crate::revocations::{ResourceOwner, Revocation};
use crate::sealing::{SealError, SealedSecret, SecretPlace, TokenSealer};
use crate::services::{Clock, Random, within};
use crate::tokens::{Schedule, TokenSettings};
use crate::{Change, CommitError, Secret, StoreError, UnitOfWork, Version};

/// How long to wait before a profile is asked for again, where the provider names no time.
const PAUSE: Duration = Duration::from_secs(1);

/// Keeps the tokens that a flow brought.
pub struct KeepGrant {
    /// Reads the authorization that may exist for the identity.
    pub authorizations: Arc<dyn AuthorizationStore>,
    /// Reads the account again before something is kept for it.
    pub accounts: Arc<dyn AccountStore>,
    /// Reads the provider again before something is kept for it.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Tells what a revocation would take away.
    pub clients: Arc<dyn ProviderClients>,
    /// Seals the tokens.
    pub sealer: Arc<dyn TokenSealer>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub random: Arc<dyn Random>,
    /// How long the provider may take to tell who the user is.
    pub settings: TokenSettings,
}

/// For whom a flow asks, and for what.
pub(super) struct Errand {
    pub(super) organization_id: OrganizationId,
    pub(super) account_id: AccountId,
    pub(super) provider_id: ProviderId,
    pub(super) scopes: Scopes,
    pub(super) redirect_uri: Option<String>,
    /// The flow, for the audit log.
    pub(super) flow: String,
    pub(super) request_id: Option<String>,
}

/// What the provider made of a code.
pub(crate) enum Answered {
    /// Tokens, and whose they are.
    Tokens(Box<Granted>),
    /// Tokens that nobody may have, because it is not certain whose they are: they have to be revoked.
    Orphaned(Box<TokenSet>, UpstreamError),
    /// No tokens.
    Failed(UpstreamError),
}

/// What a code was worth.
pub(crate) struct Granted {
    pub(crate) tokens: TokenSet,
    pub(crate) identity: Identity,
    /// When the provider was asked: lives count from here.
    asked: DateTime<Utc>,
}

/// What is to become of the row of a flow when it ends.
pub(super) enum FlowEnd {
    /// It is written, together with all the rest.
    Change(Box<Change>),
    /// It is gone, with its provider. What came of it must not be.
    Gone,
    /// It has ended already: the commit that seemed to fail had been made, or another process has taken over.
    Ended(FlowOutcome),
}

/// A flow that can be brought to its end.
#[async_trait]
pub(super) trait EndFlow: Sync {
    /// How its row stands now, and what this outcome makes of it.
    async fn end(&self, outcome: &FlowOutcome) -> Result<FlowEnd, StoreError>;
}

impl KeepGrant {
    /// Finds out whose tokens these are. They were asked for at `asked`, with these scopes.
    pub(super) async fn attribute(
        &self,
        client: &dyn ProviderClient,
        connection: &ProviderConnection,
        scopes: &Scopes,
        tokens: TokenSet,
        asked: DateTime<Utc>,
    ) -> Answered {
        match self.identify(client, connection, scopes, &tokens, asked).await {
            Ok(identity) => Answered::Tokens(Box::new(Granted { tokens, identity, asked })),
            Err(error) => Answered::Orphaned(Box::new(tokens), error),
        }
    }

    /// Whose tokens are these? A verified ID token is enough where the profile cannot be had just now; a profile of
    /// somebody else is not (OpenID Connect Core, 5.3.2).
    async fn identify(
        &self,
        client: &dyn ProviderClient,
        connection: &ProviderConnection,
        scopes: &Scopes,
        tokens: &TokenSet,
        asked: DateTime<Utc>,
    ) -> Result<Identity, UpstreamError> {
        if let Some(distrust) = &tokens.distrust {
            return Err(distrust.clone());
        }
        let Some(told) = &tokens.identity else {
            let identify = client.identify(scopes);
            return self.identify_by_profile_alone(&*identify, connection, &tokens.access_token, asked).await;
        };
        let identify = client.identify(scopes);
        let answer = identify.identify_user(connection, &tokens.access_token, Some(told.as_expected()));
        // Half of the caller's patience, so that the ID token is still of use to them when the profile is not there.
        let answer = within(&self.clock, self.settings.caller_wait / 2, answer).await;
        match answer.unwrap_or(Err(UpstreamError::timeout())) {
            Ok(identity) => Ok(Identity { user: identity.user.filled_from(&told.user), ..identity }),
            Err(error @ UpstreamError::Untrusted { .. }) => Err(error),
            Err(_) => Ok(told.clone()),
        }
    }

    /// Where nothing else tells whose tokens these are, a bad moment of the profile must not cost the person what they have
    /// just granted: it is asked again for as long as the provider may take in all, and once at least.
    async fn identify_by_profile_alone(
        &self,
        identify: &dyn IdentifyUser,
        connection: &ProviderConnection,
        access_token: &Secret,
        asked: DateTime<Utc>,
    ) -> Result<Identity, UpstreamError> {
        let spent = (self.clock.now() - asked).to_std().unwrap_or_default();
        let left_in_all = self.settings.upstream_limit.saturating_sub(spent);
        let give_up = self.clock.monotonic() + left_in_all.max(self.settings.caller_wait);
        loop {
            let left = give_up.saturating_sub(self.clock.monotonic());
            let answer = identify.identify_user(connection, access_token, None);
            let answer = within(&self.clock, left, answer).await.unwrap_or(Err(UpstreamError::timeout()));
            let Err(error @ (UpstreamError::Unavailable { .. } | UpstreamError::RateLimited { .. })) = answer
            else {
                return answer;
            };
            // A provider that says "at once", or whose clock is behind, must not be asked without end.
            let pause = error.retry_after().unwrap_or_default().max(PAUSE);
            if self.clock.monotonic().saturating_add(pause) >= give_up {
                return Err(error);
            }
            self.clock.sleep(pause).await;
        }
    }

    /// Commits what came of a flow, together with the flow's end. `provider` is as it was when it was asked.
    pub(super) async fn keep(
        &self,
        errand: &Errand,
        provider: &Provider,
        answered: &Answered,
        flow: &dyn EndFlow,
    ) -> Result<FlowOutcome, StoreError> {
        let mut persistence = Persistence::new(&self.clock);
        let kept = loop {
            match self.try_to_keep(errand, provider, answered, flow).await {
                Ok(outcome) => break Ok(outcome),
                // The same identity was authorized, refreshed or deleted at the same time: it is decided anew.
                Err(error) => {
                    if let Err(error) = persistence.after(error).await {
                        break Err(error);
                    }
                }
            }
        };
        if let Err(error) = &kept {
            let error = error as &dyn std::error::Error;
            tracing::error!(flow = errand.flow, error, "the outcome of a flow could not be kept");
        }
        kept
    }

    async fn try_to_keep(
        &self,
        errand: &Errand,
        provider: &Provider,
        answered: &Answered,
        flow: &dyn EndFlow,
    ) -> Result<FlowOutcome, CommitError> {
        let (outcome, mut changes) = self.outcome(errand, provider, answered).await?;
        match flow.end(&outcome).await? {
            FlowEnd::Change(change) => changes.push(*change),
            FlowEnd::Gone => {}
            FlowEnd::Ended(stored) => {
                if stored != outcome {
                    self.give_up(errand, provider, answered).await?;
                }
                return Ok(stored);
            }
        }
        self.store.commit(changes).await?;
        Ok(outcome)
    }

    /// Another process took this one for dead and has ended the flow in its own way: what came of it here is nobody's.
    async fn give_up(
        &self,
        errand: &Errand,
        provider: &Provider,
        answered: &Answered,
    ) -> Result<(), CommitError> {
        let (tokens, owner) = match answered {
            Answered::Tokens(granted) => (&granted.tokens, Some(ResourceOwner::from(&granted.identity))),
            Answered::Orphaned(tokens, _) => (&**tokens, None),
            Answered::Failed(_) => return Ok(()),
        };
        let ended = UpstreamError::Untrusted { reason: "flow_ended" };
        self.store.commit(self.revoke_orphan(errand, provider, (tokens, owner), &ended).await?).await
    }

    async fn outcome(
        &self,
        errand: &Errand,
        provider: &Provider,
        answered: &Answered,
    ) -> Result<(FlowOutcome, Vec<Change>), StoreError> {
        match answered {
            Answered::Tokens(granted) => self.authorized(errand, granted).await,
            Answered::Orphaned(tokens, error) => {
                let outcome = flow_outcome(error);
                Ok((outcome, self.revoke_orphan(errand, provider, (tokens, None), error).await?))
            }
            Answered::Failed(error @ UpstreamError::ClientRefused { .. }) => {
                let mut changes = vec![self.finished(errand, error)];
                changes.extend(self.disable(provider).await?);
                Ok((FlowOutcome::Refused(error.reason().to_owned()), changes))
            }
            Answered::Failed(error) => Ok((flow_outcome(error), vec![self.finished(errand, error)])),
        }
    }

    /// The tokens are kept: in the authorization of this identity where there is one, else in a new one.
    async fn authorized(
        &self,
        errand: &Errand,
        granted: &Granted,
    ) -> Result<(FlowOutcome, Vec<Change>), StoreError> {
        let Granted { tokens, identity, asked } = granted;
        let now = self.clock.now();
        let current = self.catalog.provider(errand.organization_id, errand.provider_id).await?;
        let place = match current.filter(Provider::takes_authorizations) {
            None => Err("provider_deleted"),
            Some(_) if !self.has_account(errand.account_id).await? => Err("account_deleted"),
            Some(current) => Ok(current),
        };
        let current = match place {
            Ok(current) => current,
            Err(reason) => {
                let deleted = UpstreamError::Untrusted { reason };
                let owner = Some(ResourceOwner::from(identity));
                let changes =
                    vec![self.revocation(errand, tokens, owner).await?, self.finished(errand, &deleted)];
                return Ok((flow_outcome(&deleted), changes));
            }
        };
        let existing = self
            .authorizations
            .authorization_for_identity(
                errand.account_id,
                errand.provider_id,
                &identity.issuer,
                &identity.subject,
            )
            .await?;
        let superseded = match &existing {
            Some(existing) => self.superseded(&current, existing, tokens).await?,
            None => None,
        };
        let is_new = existing.is_none();
        let mut authorization = existing.unwrap_or_else(|| self.new_authorization(errand, identity));
        if tokens.refresh_token.is_some() {
            // It belongs to the refresh token: one that stays has to be redeemed with its own.
            authorization.redirect_uri.clone_from(&errand.redirect_uri);
        }
        authorization.requested_scopes.clone_from(&errand.scopes);
        authorization.granted_scopes.clone_from(&errand.scopes);
        authorization.user.clone_from(&identity.user);
        authorization.grant = GrantState::Live;
        authorization.grant_since = now;
        authorization.authorized_at = now;
        authorization.used_at = now;
        let authorization = authorization
            .with_tokens(tokens, *asked, &*self.sealer)
            .await
            .map_err(SealError::into_store_error)?;
        let id = authorization.id;
        let due = self.schedule().next(&authorization, &current, Some(now), now).at();
        let audited = self.audit(errand, AuditAction::AuthorizationGranted).about_authorization(id);
        let finished =
            self.audit(errand, AuditAction::FlowFinished).about_authorization(id).about(&errand.flow);
        let mut changes = vec![
            if is_new { Change::insert(authorization) } else { Change::update(authorization) },
            Change::ScheduleRefresh(id, due),
            Change::Audit(audited.about_token(tokens.access_token.fingerprint())),
            Change::Audit(finished),
        ];
        if tokens.refresh_token.is_some() {
            changes.push(Change::ForgetRequests(id));
        }
        changes.extend(superseded.map(Change::insert));
        Ok((FlowOutcome::Authorized(id), changes))
    }

    /// Whether there is somebody to keep a grant for: not where the account is being deleted. One that is suspended may come
    /// back.
    pub(super) async fn has_account(&self, id: AccountId) -> Result<bool, StoreError> {
        let account = self.accounts.account(id).await?;
        Ok(account.is_some_and(|account| account.standing == Standing::Active))
    }

    fn schedule(&self) -> Schedule<'_> {
        Schedule { clients: &*self.clients, random: &*self.random, settings: &self.settings }
    }

    fn new_authorization(&self, errand: &Errand, identity: &Identity) -> Authorization {
        let now = self.clock.now();
        Authorization {
            id: AuthorizationId::generate(&*self.random, now),
            organization_id: errand.organization_id,
            account_id: errand.account_id,
            provider_id: errand.provider_id,
            credential_id: CredentialId::generate(&*self.random, now),
            issuer: identity.issuer.clone(),
            subject: identity.subject.clone(),
            user: identity.user.clone(),
            redirect_uri: errand.redirect_uri.clone(),
            requested_scopes: errand.scopes.clone(),
            granted_scopes: errand.scopes.clone(),
            access_token: SealedSecret::from_bytes(Vec::new()),
            issued_at: now,
            expires_at: None,
            refresh_token: None,
            refresh_token_expires_at: None,
            grant: GrantState::Live,
            grant_since: now,
            lost_refresh: None,
            last_failure: None,
            failing_since: None,
            next_attempt_at: None,
            last_refreshed_at: None,
            created_at: now,
            authorized_at: now,
            used_at: now,
            version: Version::FIRST,
        }
    }

    /// The revocation of the tokens that are replaced, where it takes nothing else away: nobody would have them any more, and
    /// they would be good for as long as the provider likes.
    async fn superseded(
        &self,
        provider: &Provider,
        existing: &Authorization,
        tokens: &TokenSet,
    ) -> Result<Option<Revocation>, StoreError> {
        let scope = provider.revocation_scope(&*self.clients);
        let is_fine = scope.is_some_and(RevocationScope::leaves_others_alone);
        let one_stays = existing.refresh_token.is_some() && tokens.refresh_token.is_none();
        let is_dead = existing.grant != GrantState::Live && existing.refresh_token.is_none();
        if !is_fine || one_stays || is_dead {
            return Ok(None);
        }
        let access = (existing.access_token_place(), Some(&existing.access_token));
        let refresh = (existing.refresh_token_place(), existing.refresh_token.as_ref());
        // The provider may have given a token again.
        if self.is_same(access, Some(&tokens.access_token)).await?
            || self.is_same(refresh, tokens.refresh_token.as_ref()).await?
        {
            return Ok(None);
        }
        Revocation::moving(existing, &*self.sealer, &*self.random, self.clock.now()).await.map(Some)
    }

    async fn is_same(
        &self,
        (place, sealed): (SecretPlace, Option<&SealedSecret>),
        token: Option<&Secret>,
    ) -> Result<bool, StoreError> {
        let (Some(sealed), Some(token)) = (sealed, token) else {
            return Ok(false);
        };
        match self.sealer.open(place, sealed).await {
            Ok(known) => Ok(known.expose() == token.expose()),
            Err(SealError::Store(error)) => Err(error),
            Err(SealError::UnknownFormat | SealError::UnknownKey | SealError::Tampered) => Ok(false),
        }
    }

    /// Ends a flow whose tokens nobody may have. They are revoked, but not where that would take away what the person granted
    /// to others, for the sake of tokens that nobody keeps.
    async fn revoke_orphan(
        &self,
        errand: &Errand,
        provider: &Provider,
        (tokens, owner): (&TokenSet, Option<ResourceOwner>),
        error: &UpstreamError,
    ) -> Result<Vec<Change>, StoreError> {
        let finished = self.finished(errand, error);
        let is_transient =
            matches!(error, UpstreamError::Unavailable { .. } | UpstreamError::RateLimited { .. });
        let takes_more = match provider.revocation_scope(&*self.clients) {
            Some(RevocationScope::Project) => true,
            Some(RevocationScope::Grant) => is_transient,
            Some(RevocationScope::Token | RevocationScope::Pair) | None => false,
        };
        if takes_more {
            tracing::warn!(flow = errand.flow, reason = error.reason(), "tokens were forgotten, not revoked");
            return Ok(vec![finished]);
        }
        Ok(vec![self.revocation(errand, tokens, owner).await?, finished])
    }

    async fn revocation(
        &self,
        errand: &Errand,
        tokens: &TokenSet,
        resource_owner: Option<ResourceOwner>,
    ) -> Result<Change, StoreError> {
        let now = self.clock.now();
        let Errand { organization_id, account_id, provider_id, .. } = *errand;
        let id = AuthorizationId::generate(&*self.random, now);
        let revocation = Revocation::new(organization_id, provider_id, id, account_id, &*self.random, now)
            .with_tokens(Some(&tokens.access_token), tokens.refresh_token.as_ref(), &*self.sealer)
            .await
            .map_err(SealError::into_store_error)?;
        Ok(Change::insert(Revocation { resource_owner, ..revocation }))
    }

    /// The revocation of tokens that came of signing in, where it takes nothing else away: nobody keeps them, and some
    /// providers end older tokens of the same person when there are too many. `None` where they are only forgotten.
    pub(crate) async fn revocation_of_login(
        &self,
        login: LoginId,
        provider: &Provider,
        tokens: &TokenSet,
        account: Option<AccountId>,
    ) -> Result<Option<Change>, StoreError> {
        let scope = provider.revocation_scope(&*self.clients);
        if !scope.is_some_and(RevocationScope::leaves_others_alone) {
            return Ok(None);
        }
        let errand = Errand {
            organization_id: provider.organization_id,
            account_id: account.unwrap_or_else(|| AccountId::generate(&*self.random, self.clock.now())),
            provider_id: provider.id,
            scopes: provider.scopes.clone(),
            redirect_uri: None,
            flow: login.to_string(),
            request_id: None,
        };
        self.revocation(&errand, tokens, None).await.map(Some)
    }

    /// The provider refuses our client: the operator has to know, and nobody should be sent there until then.
    pub(crate) async fn disable(&self, provider: &Provider) -> Result<Vec<Change>, StoreError> {
        let current = self.catalog.provider(provider.organization_id, provider.id).await?;
        let unchanged = current.filter(|now| {
            now.status == ProviderStatus::Active && now.client_secret == provider.client_secret
        });
        Ok(unchanged.map_or_else(Vec::new, |provider| provider.disable(&*self.random, self.clock.now())))
    }

    fn finished(&self, errand: &Errand, error: &UpstreamError) -> Change {
        let outcome = match flow_outcome(error) {
            FlowOutcome::Unavailable(_) => AuditOutcome::Failed,
            FlowOutcome::Refused(_) | FlowOutcome::Authorized(_) => AuditOutcome::Refused,
        };
        let audit = self.audit(errand, AuditAction::FlowFinished).about(&errand.flow);
        Change::Audit(audit.ending(outcome, error.reason()))
    }

    fn audit(&self, errand: &Errand, action: AuditAction) -> AuditEntry {
        let now = self.clock.now();
        let actor = Actor::ServiceFor { account_id: errand.account_id };
        let mut audit = AuditEntry::new(errand.organization_id, actor, action, &*self.random, now)
            .about_provider(errand.provider_id);
        audit.request_id.clone_from(&errand.request_id);
        audit
    }
}

/// Whether the person can do something about it by starting again, or the provider has a bad moment.
fn flow_outcome(error: &UpstreamError) -> FlowOutcome {
    let reason = error.reason().to_owned();
    match error {
        UpstreamError::GrantRefused { .. }
        | UpstreamError::ClientRefused { .. }
        | UpstreamError::Misconfigured { .. }
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
