//! Refreshing an authorization's tokens exactly once at a time, over all callers and processes.
//!
//! Inside a process callers share one refresh (single-flight); between processes a lease decides who asks the
//! provider. The refresh runs detached from its callers, and its answer is committed before anybody sees it: a
//! rotated token is not lost because a caller left.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

use super::{RefreshLease, RefreshLeases, TokenSettings, time_delta};
use crate::audit::{Actor, AuditAction, AuditEntry, AuditOutcome};
use crate::authorizations::{Authorization, AuthorizationStore, GrantState};
use crate::ids::AuthorizationId;
use crate::persist::Persistence;
use crate::providers::{
    Provider, ProviderClients, ProviderStatus, RefreshRequest, RevocationScope, TokenSet, UpstreamError,
};
use crate::revocations::Revocation;
use crate::sealing::{SealError, TokenSealer};
use crate::services::{Clock, Random, within};
use crate::{BackgroundTasks, Change, CommitError, StoreError, UnitOfWork};

/// Refreshes each authorization once at a time.
pub struct RefreshTokensOnce {
    /// Reads authorizations.
    pub authorizations: Arc<dyn AuthorizationStore>,
    /// Lets one process at a time refresh.
    pub leases: Arc<dyn RefreshLeases>,
    /// Asks the provider.
    pub clients: Arc<dyn ProviderClients>,
    /// Opens the refresh token, seals the new ones.
    pub sealer: Arc<dyn TokenSealer>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Where refreshes run.
    pub tasks: BackgroundTasks,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Makes the ids of audit entries.
    pub random: Arc<dyn Random>,
    /// How long the provider may take.
    pub settings: TokenSettings,
    /// The name of this process in leases.
    pub holder: String,
    /// The refreshes that run in this process.
    pub in_flight: InFlight,
}

/// The refreshes that run in one process.
#[derive(Clone, Default)]
pub struct InFlight(Arc<Mutex<HashMap<AuthorizationId, watch::Receiver<Option<RefreshOutcome>>>>>);

/// How a refresh ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefreshOutcome {
    /// There are new tokens in the store.
    Refreshed,
    /// The provider said that the grant is dead.
    Dead {
        /// Its error code.
        reason: String,
    },
    /// The provider refuses our client; it is disabled now.
    ClientRefused,
    /// A bad moment, or the caller's patience is over: the stored tokens are what they were.
    Failed {
        /// What happened, as a code.
        reason: String,
    },
}

/// How long a lease holds: longer than a provider may take, so that nobody asks it twice.
const LEASE_RESERVE: TimeDelta = TimeDelta::seconds(15);
/// How often a process that did not get the lease looks whether the other one is done.
const POLL: Duration = Duration::from_millis(100);
/// When to try again early after a failure for which the provider named no time.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(15);

impl RefreshTokensOnce {
    /// Refreshes an authorization unless it has been refreshed since it was `seen`; joins a refresh that is under
    /// way. Waits no longer than `wait`, the refresh goes on.
    pub async fn run(self: &Arc<Self>, seen: Authorization, wait: Duration) -> RefreshOutcome {
        let mut running = self.join_or_start(seen);
        let finished = within(&self.clock, wait, running.wait_for(Option::is_some)).await;
        match finished {
            Some(Ok(outcome)) => outcome.clone().unwrap_or_else(|| failed("interrupted")),
            Some(Err(_)) => failed("interrupted"),
            None => failed("slow"),
        }
    }

    fn join_or_start(self: &Arc<Self>, seen: Authorization) -> watch::Receiver<Option<RefreshOutcome>> {
        let id = seen.id;
        let mut in_flight = self.in_flight.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = in_flight.get(&id) {
            return running.clone();
        }
        let (done, running) = watch::channel(None);
        in_flight.insert(id, running.clone());
        drop(in_flight);
        let this = Arc::clone(self);
        // Takes the entry out also when the refresh panics, or never gets to run.
        let entry = Entry { in_flight: self.in_flight.clone(), id };
        // The result goes through the watch channel.
        let _detached = self.tasks.start(async move {
            let outcome = this.refresh(&seen).await;
            // First the entry: whoever comes from now on wants more than this refresh has brought.
            drop(entry);
            let _ = done.send(Some(outcome));
        });
        running
    }

    async fn refresh(&self, seen: &Authorization) -> RefreshOutcome {
        match self.refresh_under_lease(seen).await {
            Ok(outcome) => outcome,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(authorization = %seen.id, error, "a refresh could not use the store");
                failed("store_unavailable")
            }
        }
    }

    /// Gives the lease back. Where that fails it lapses by itself, and what was done under it stands.
    async fn release(&self, lease: &RefreshLease) {
        if let Err(error) = self.leases.release_lease(lease).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, authorization = %lease.authorization_id, "a refresh lease was not given back");
        }
    }

    /// Asks the provider under the lease, or waits for the process that has it; when that one dies, its lease lapses and
    /// this one takes over.
    async fn refresh_under_lease(&self, seen: &Authorization) -> Result<RefreshOutcome, StoreError> {
        let patience = self.lease_period() * 2;
        let give_up = self.clock.now() + patience;
        while self.clock.now() < give_up {
            if let Some(lease) = self.take_lease(seen.id).await? {
                let outcome = self.ask_and_keep(seen, &lease).await;
                self.release(&lease).await;
                return outcome;
            }
            self.clock.sleep(POLL).await;
            let found = self.authorizations.authorization(seen.organization_id, seen.id).await?;
            if let Some(outcome) = self.seen_from_outside(seen, found) {
                return Ok(outcome);
            }
        }
        Ok(failed("slow"))
    }

    async fn take_lease(&self, id: AuthorizationId) -> Result<Option<RefreshLease>, StoreError> {
        let now = self.clock.now();
        self.leases.take_lease(id, &self.holder, now, now + self.lease_period()).await
    }

    fn lease_period(&self) -> TimeDelta {
        time_delta(self.settings.upstream_limit) + LEASE_RESERVE
    }

    fn seen_from_outside(
        &self,
        seen: &Authorization,
        found: Option<(Authorization, Provider)>,
    ) -> Option<RefreshOutcome> {
        let Some((current, provider)) = found else {
            return Some(failed("deleted"));
        };
        if current.access_token != seen.access_token {
            return Some(RefreshOutcome::Refreshed);
        }
        if let Some(reason) = current.dead_reason(self.clock.now()) {
            return Some(RefreshOutcome::Dead { reason: reason.to_owned() });
        }
        if provider.status == ProviderStatus::Disabled {
            return Some(RefreshOutcome::ClientRefused);
        }
        let has_failed = current.version != seen.version && current.next_attempt_at != seen.next_attempt_at;
        has_failed.then(|| failed(current.last_failure.as_deref().unwrap_or("failed")))
    }

    async fn ask_and_keep(
        &self,
        seen: &Authorization,
        lease: &RefreshLease,
    ) -> Result<RefreshOutcome, StoreError> {
        // Under the lease the row is read again: the refresh that this caller wanted may just have happened.
        let found = self.authorizations.authorization(seen.organization_id, seen.id).await?;
        let Some((current, provider)) = found else {
            return Ok(failed("deleted"));
        };
        if current.access_token != seen.access_token {
            return Ok(RefreshOutcome::Refreshed);
        }
        if let Some(reason) = current.dead_reason(self.clock.now()) {
            return Ok(RefreshOutcome::Dead { reason: reason.to_owned() });
        }
        // Nobody may hurry a provider that named a time (RFC 9110, 10.2.3).
        let is_limited = current.last_failure.as_deref() == Some(RATE_LIMITED);
        if is_limited && current.next_attempt_at.is_some_and(|at| self.clock.now() < at) {
            return Ok(failed(RATE_LIMITED));
        }
        let asked = self.clock.now();
        let answer = self.ask(&current, &provider).await;
        tracing::debug!(authorization = %seen.id, fence = lease.fence, ok = answer.is_ok(), "refresh answered");
        match answer {
            Ok(tokens) => self.keep_tokens(&Answer { redeemed: &current, tokens: &tokens, asked }).await,
            Err(error) => self.keep_failure(current, provider, &error).await,
        }
    }

    async fn ask(&self, current: &Authorization, provider: &Provider) -> Result<TokenSet, UpstreamError> {
        let refresh = self.clients.client(provider.kind).and_then(|client| client.refresh());
        let refresh = refresh.ok_or(UpstreamError::NotSupported)?;
        let sealed = current.refresh_token.as_ref();
        let sealed = sealed.ok_or(UpstreamError::GrantRefused { code: "no_refresh_token".to_owned() })?;
        let refresh_token = self
            .sealer
            .open(current.refresh_token_place(), sealed)
            .await
            .map_err(SealError::into_upstream_error)?;
        let connection = provider.connect(&*self.sealer).await.map_err(SealError::into_upstream_error)?;
        let request = RefreshRequest {
            refresh_token,
            scopes: current.requested_scopes.clone(),
            redirect_uri: current.redirect_uri.clone(),
        };
        let answer = refresh.refresh_token(&connection, &request);
        within(&self.clock, self.settings.upstream_limit, answer)
            .await
            .unwrap_or(Err(UpstreamError::timeout()))
    }

    /// Saves the answer before anything else happens with it (RFC 6749, 6: the old refresh token may be dead now).
    /// A store that is away for a moment must not cost a rotated token.
    async fn keep_tokens(&self, answer: &Answer<'_>) -> Result<RefreshOutcome, StoreError> {
        let mut known = Some(answer.redeemed.clone());
        let mut persistence = Persistence::new(&self.clock);
        loop {
            match self.save(answer, known.take()).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) => persistence.after(error).await?,
            }
        }
    }

    /// Tries once to save, on top of the row as it is `known`, else as it is now.
    async fn save(
        &self,
        answer: &Answer<'_>,
        known: Option<Authorization>,
    ) -> Result<RefreshOutcome, CommitError> {
        let current = match known {
            Some(known) => Some(known),
            None => self.reread(answer.redeemed).await?,
        };
        let Some(current) = current else {
            return self.revoke_late_tokens(answer).await;
        };
        let renewed = self.renewed(current, answer).await.map_err(SealError::into_store_error)?;
        let Some(renewed) = renewed else {
            return self.give_up(answer).await;
        };
        let audit = self.audit(&renewed).about_token(answer.tokens.access_token.fingerprint());
        self.store.commit(vec![Change::update(renewed), Change::Audit(audit)]).await?;
        Ok(RefreshOutcome::Refreshed)
    }

    /// Newer tokens are there. Where a revocation takes nothing else away, what the answer brought is revoked: nobody would
    /// know of it. Unless it is the answer that is there, by a commit that seemed to fail.
    async fn give_up(&self, answer: &Answer<'_>) -> Result<RefreshOutcome, CommitError> {
        let Answer { redeemed, tokens, .. } = answer;
        let found = self.authorizations.authorization(redeemed.organization_id, redeemed.id).await?;
        if let Some((stored, provider)) = found {
            let scope = provider.revocation_scope(&*self.clients);
            let kept = self.sealer.open(stored.access_token_place(), &stored.access_token).await;
            let is_ours = kept.map_or(true, |kept| kept.expose() == tokens.access_token.expose());
            if scope.is_some_and(RevocationScope::leaves_others_alone) && !is_ours {
                self.store.commit(vec![self.late_revocation(answer).await?]).await?;
            }
        }
        Ok(RefreshOutcome::Refreshed)
    }

    async fn reread(&self, seen: &Authorization) -> Result<Option<Authorization>, StoreError> {
        let found = self.authorizations.authorization(seen.organization_id, seen.id).await?;
        Ok(found.map(|(authorization, _)| authorization))
    }

    /// What an answer makes of the row; `None`: nothing. Tokens that got there since (the user has authorized again)
    /// are newer than the answer; but where the row still has the refresh token that was redeemed, its successor has to
    /// take its place all the same.
    async fn renewed(
        &self,
        current: Authorization,
        answer: &Answer<'_>,
    ) -> Result<Option<Authorization>, SealError> {
        let Answer { redeemed, tokens, asked } = *answer;
        if current.access_token == redeemed.access_token {
            let mut renewed = current.with_tokens(tokens, asked, &*self.sealer).await?;
            renewed.last_refreshed_at = Some(self.clock.now());
            if renewed.grant != GrantState::Live {
                // Another process was refused because this one was served.
                renewed.grant = GrantState::Live;
                renewed.grant_since = self.clock.now();
            }
            return Ok(Some(renewed));
        }
        if current.refresh_token == redeemed.refresh_token && tokens.refresh_token.is_some() {
            return current.with_refresh_token(tokens, asked, &*self.sealer).await.map(Some);
        }
        Ok(None)
    }

    /// The authorization was deleted while it was refreshed: its revocation has the old tokens, not these.
    async fn revoke_late_tokens(&self, answer: &Answer<'_>) -> Result<RefreshOutcome, CommitError> {
        tracing::info!(authorization = %answer.redeemed.id, "deleted while it was refreshed");
        self.store.commit(vec![self.late_revocation(answer).await?]).await?;
        Ok(failed("deleted"))
    }

    async fn late_revocation(&self, answer: &Answer<'_>) -> Result<Change, StoreError> {
        let Answer { redeemed, tokens, .. } = answer;
        let revocation = Revocation::of(redeemed, &*self.random, self.clock.now())
            .with_tokens(Some(&tokens.access_token), tokens.refresh_token.as_ref(), &*self.sealer)
            .await
            .map_err(SealError::into_store_error)?;
        Ok(Change::insert(revocation))
    }

    async fn keep_failure(
        &self,
        current: Authorization,
        provider: Provider,
        error: &UpstreamError,
    ) -> Result<RefreshOutcome, StoreError> {
        let (changes, outcome) = match error {
            UpstreamError::GrantRefused { code } => {
                let current =
                    Authorization { refresh_token: None, refresh_token_expires_at: None, ..current };
                (self.dead(current, code), RefreshOutcome::Dead { reason: code.clone() })
            }
            // The grant lives at the provider: its refresh token is kept for the day when it is revoked.
            UpstreamError::InteractionRequired { code } => {
                (self.dead(current, code), RefreshOutcome::Dead { reason: code.clone() })
            }
            UpstreamError::ClientRefused { .. } => {
                let mut changes = self.failure(current, error);
                if provider.status == ProviderStatus::Active {
                    changes.extend(provider.disable(&*self.random, self.clock.now()));
                }
                (changes, RefreshOutcome::ClientRefused)
            }
            UpstreamError::NotSupported
            | UpstreamError::Misconfigured { .. }
            | UpstreamError::TokenRefused
            | UpstreamError::Untrusted { .. }
            | UpstreamError::RateLimited { .. }
            | UpstreamError::Unavailable { .. } => (self.failure(current, error), failed(error.reason())),
        };
        match self.store.commit(changes).await {
            Ok(()) => Ok(outcome),
            // Somebody has written meanwhile (a new authorization, say): their state is newer than this failure.
            Err(CommitError::Conflict) => Ok(failed(error.reason())),
            Err(commit) => Err(commit.into_store_error()),
        }
    }

    fn dead(&self, current: Authorization, code: &str) -> Vec<Change> {
        let now = self.clock.now();
        let refused = self.audit(&current).ending(AuditOutcome::Refused, code);
        let mut expired = self.audit(&current);
        expired.action = AuditAction::AuthorizationExpired;
        let expired = expired.ending(AuditOutcome::Done, code);
        let dead = Authorization {
            grant: GrantState::Dead { reason: code.to_owned() },
            grant_since: now,
            next_attempt_at: None,
            ..current
        };
        vec![Change::update(dead), Change::Audit(refused), Change::Audit(expired)]
    }

    fn failure(&self, current: Authorization, error: &UpstreamError) -> Vec<Change> {
        let audit = self.audit(&current).ending(AuditOutcome::Failed, error.reason());
        let rest = error.retry_after().unwrap_or_default().max(REST_AFTER_FAILURE);
        let put_off = Authorization {
            last_failure: Some(error.reason().to_owned()),
            next_attempt_at: self.clock.now().checked_add_signed(time_delta(rest)),
            ..current
        };
        vec![Change::update(put_off), Change::Audit(audit)]
    }

    fn audit(&self, authorization: &Authorization) -> AuditEntry {
        let now = self.clock.now();
        let action = AuditAction::TokenRefreshed;
        AuditEntry::new(authorization.organization_id, Actor::Service, action, &*self.random, now)
            .about_provider(authorization.provider_id)
            .about_authorization(authorization.id)
    }
}

/// What the provider gave for the refresh token of a row.
#[derive(Clone, Copy)]
struct Answer<'a> {
    /// The row as it was when the provider was asked.
    redeemed: &'a Authorization,
    tokens: &'a TokenSet,
    /// When the provider was asked: lives count from here.
    asked: DateTime<Utc>,
}

/// The reason of a failure whose retry time is not to be ignored, whoever waits.
const RATE_LIMITED: &str = "rate_limited";

/// Takes a refresh out of the map when it ends, however it ends.
struct Entry {
    in_flight: InFlight,
    id: AuthorizationId,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.in_flight.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

fn failed(reason: &str) -> RefreshOutcome {
    RefreshOutcome::Failed { reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
