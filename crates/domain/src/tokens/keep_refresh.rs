//! Keeping what a provider answered to a refresh, before anything else happens with it (RFC 6749, 6: the old refresh token
//! may be dead now). A store that is away for a moment must not cost a rotated token.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::refresh::failed;
use super::refresh_turn::{OVERTAKEN, RefreshTurn};
use super::schedule::{Schedule, rest_after_failure};
use super::silence::Silence;
use super::{NextRefresh, RefreshLease, RefreshOutcome, RequestEnd, TakenLease};
use crate::audit::{Actor, AuditAction, AuditEntry, AuditOutcome};
use crate::authorizations::{Authorization, GrantState};
use crate::persist::{PAUSE, Persistence};
use crate::providers::{Provider, ProviderStatus, RefreshModel, RevocationScope, TokenSet, UpstreamError};
use crate::revocations::Revocation;
use crate::sealing::SealError;
use crate::{Change, CommitError, StoreError};

/// What the provider was asked with.
pub(super) struct Asked {
    /// When: lives count from here.
    pub(super) at: DateTime<Utc>,
    pub(super) lease: RefreshLease,
    /// The row as it was then.
    pub(super) authorization: Authorization,
    pub(super) provider: Arc<Provider>,
    pub(super) last_used_at: Option<DateTime<Utc>>,
}

/// Keeps the answer to one request.
pub(super) struct KeepRefresh<'a> {
    pub(super) turn: &'a RefreshTurn,
    pub(super) asked: &'a Asked,
}

/// What one attempt to save tokens came to.
enum Saved {
    /// It is decided.
    Done(RefreshOutcome),
    /// Another holder has asked since: this answer has to wait until that one is done.
    Overtaken,
}

/// The reason of a grant whose newest tokens nobody has.
const ROTATION_LOST: &str = "rotation_lost";

impl KeepRefresh<'_> {
    /// Saves new tokens. Who was overtaken meanwhile follows whoever it was by: an answer is better than the old token, and may
    /// take its place as soon as nobody is asking with that any more.
    pub(super) async fn tokens(&self, tokens: &TokenSet) -> Result<RefreshOutcome, StoreError> {
        let mut known = Some(self.asked.authorization.clone());
        let mut persistence = Persistence::new(&self.turn.clock);
        let mut silence = Silence::lasting(self.turn.settings.lease_silence);
        let mut lease = self.asked.lease.clone();
        loop {
            let error = match self.try_to_save(tokens, known.take(), &lease).await {
                Ok(Saved::Done(outcome)) => return Ok(outcome),
                Ok(Saved::Overtaken) => match self.follow(&mut lease, &mut silence).await {
                    Ok(()) => continue,
                    Err(error) => error.into(),
                },
                Err(error) => error,
            };
            persistence.after(error).await?;
        }
    }

    /// Waits a moment, and takes the lease where nobody who lives has it: our request is in the journal again then.
    async fn follow(&self, lease: &mut RefreshLease, silence: &mut Silence) -> Result<(), StoreError> {
        let RefreshTurn { leases, clock, settings, .. } = self.turn;
        // Silence is what several looks have heard.
        clock.sleep(PAUSE.min(settings.lease_silence / 4)).await;
        let (id, silent) = (lease.authorization_id, silence.of_the_dead());
        match leases.take_lease(id, &lease.holder, silent, clock.now()).await? {
            TakenLease::Taken(taken) => {
                if taken.unanswered.is_some() {
                    // Where somebody else was faster the next commit finds that out.
                    leases.note_request(&taken, clock.now()).await?;
                }
                *lease = taken;
            }
            TakenLease::Held(sign) => silence.note(sign, clock.monotonic()),
            TakenLease::Gone => {}
        }
        Ok(())
    }

    /// Tries once to save, on top of the row as it is `known`, else as it is now.
    async fn try_to_save(
        &self,
        tokens: &TokenSet,
        known: Option<Authorization>,
        lease: &RefreshLease,
    ) -> Result<Saved, CommitError> {
        let current = match known {
            Some(known) => Some(known),
            None => self.reread().await?.map(|(current, _)| current),
        };
        let Some(current) = current else {
            return self.revoke_late(tokens).await.map(Saved::Done);
        };
        let version = current.version;
        let was_given_up = self.was_given_up(&current);
        let renewed = self.renewed(current, tokens).await.map_err(SealError::into_store_error)?;
        let Some(renewed) = renewed else {
            return self.let_go(tokens, lease).await.map(Saved::Done);
        };
        let audit = self.audit(&renewed).about_token(tokens.access_token.fingerprint());
        // The holder who gave this request up has settled it in the journal.
        let is_settled = was_given_up && lease.fence == self.asked.lease.fence;
        let end = if is_settled {
            self.scheduled(&renewed)
        } else {
            Change::EndRefresh(lease.ended(RequestEnd::Answered, self.next(&renewed)))
        };
        match self.turn.store.commit(vec![Change::update(renewed), Change::Audit(audit), end]).await {
            Ok(()) => Ok(Saved::Done(RefreshOutcome::Refreshed)),
            // Nobody has written the row: it is the journal that says no.
            Err(CommitError::Conflict)
                if self.reread().await?.is_some_and(|(now, _)| now.version == version) =>
            {
                Ok(Saved::Overtaken)
            }
            Err(error) => Err(error),
        }
    }

    /// What an answer makes of the row; `None`: nothing. Tokens that got there since (the user has authorized again)
    /// are newer than the answer; but where the row still has the refresh token that was redeemed, its successor has to
    /// take its place all the same. A grant that died is brought back only by an answer that it was given up for.
    async fn renewed(
        &self,
        current: Authorization,
        tokens: &TokenSet,
    ) -> Result<Option<Authorization>, SealError> {
        let Asked { at, authorization: redeemed, .. } = self.asked;
        let sealer = &*self.turn.sealer;
        let lives = current.grant == GrantState::Live;
        if current.access_token == redeemed.access_token {
            if !lives && !self.was_given_up(&current) {
                return Ok(None);
            }
            let mut renewed = current.with_tokens(tokens, *at, sealer).await?;
            renewed.last_refreshed_at = Some(self.turn.clock.now());
            renewed.used_at =
                self.asked.last_used_at.map_or(renewed.used_at, |used| used.max(renewed.used_at));
            if !lives {
                renewed.grant = GrantState::Live;
                renewed.grant_since = self.turn.clock.now();
            }
            return Ok(Some(renewed));
        }
        if current.refresh_token == redeemed.refresh_token && tokens.refresh_token.is_some() {
            return current.with_refresh_token(tokens, *at, sealer).await.map(Some);
        }
        Ok(None)
    }

    /// Whether the grant died because the answer to this request, or to one after it with the same token, got lost: of all
    /// of them the provider served one.
    fn was_given_up(&self, current: &Authorization) -> bool {
        current.lost_refresh.is_some_and(|lost| lost >= self.asked.lease.fence)
    }

    /// Newer tokens are there, or the grant is dead. Where a revocation takes nothing else away, what the answer brought is
    /// revoked: nobody would know of it. Unless it is the answer that is there, by a commit that seemed to fail.
    async fn let_go(&self, tokens: &TokenSet, lease: &RefreshLease) -> Result<RefreshOutcome, CommitError> {
        let redeemed = &self.asked.authorization;
        let mut outcome = failed("deleted");
        if let Some((stored, provider)) = self.reread().await? {
            let scope = provider.revocation_scope(&*self.turn.clients);
            let kept = self.turn.sealer.open(stored.access_token_place(), &stored.access_token).await;
            let is_ours = kept.map_or(true, |kept| kept.expose() == tokens.access_token.expose());
            // What the old refresh token was rotated to is never revoked while that one is still there.
            let is_replaced = stored.refresh_token != redeemed.refresh_token;
            if scope.is_some_and(RevocationScope::leaves_others_alone) && !is_ours && is_replaced {
                self.turn.store.commit(vec![self.late_revocation(tokens).await?]).await?;
            }
            let settled = self.turn.settled(&redeemed.access_token, &stored, &provider);
            outcome = settled.unwrap_or_else(|| failed(OVERTAKEN));
        }
        self.turn.give_back(lease, NextRefresh::Unchanged).await;
        Ok(outcome)
    }

    /// The authorization was deleted while it was refreshed: its revocation has the old tokens, not these.
    async fn revoke_late(&self, tokens: &TokenSet) -> Result<RefreshOutcome, CommitError> {
        tracing::info!(authorization = %self.asked.authorization.id, "deleted while it was refreshed");
        self.turn.store.commit(vec![self.late_revocation(tokens).await?]).await?;
        Ok(failed("deleted"))
    }

    async fn late_revocation(&self, tokens: &TokenSet) -> Result<Change, StoreError> {
        let turn = self.turn;
        let revocation = Revocation::of(&self.asked.authorization, &*turn.random, turn.clock.now())
            .with_tokens(Some(&tokens.access_token), tokens.refresh_token.as_ref(), &*turn.sealer)
            .await
            .map_err(SealError::into_store_error)?;
        Ok(Change::insert(revocation))
    }

    /// Writes down that there are no new tokens, and why: else whoever comes next would wait for an answer to this request.
    pub(super) async fn failure(&self, error: &UpstreamError) -> Result<RefreshOutcome, StoreError> {
        let mut persistence = Persistence::new(&self.turn.clock);
        loop {
            match self.try_to_note(error).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) => persistence.after(error).await?,
            }
        }
    }

    async fn try_to_note(&self, error: &UpstreamError) -> Result<RefreshOutcome, CommitError> {
        let request = if error.leaves_open() || self.asked.lease.unanswered.is_some() {
            RequestEnd::Lost
        } else {
            RequestEnd::Answered
        };
        // A grant is dead only where nobody has got newer tokens meanwhile.
        if let Some(outcome) = self.settled_meanwhile().await? {
            self.release_as(request).await?;
            return Ok(outcome);
        }
        let (changes, outcome) = self.consequences(error, request);
        match self.turn.store.commit(changes).await {
            Ok(()) => Ok(outcome),
            // Somebody has written meanwhile (a new authorization, say): their state is newer than this failure.
            Err(CommitError::Conflict) => {
                self.release_as(request).await?;
                Ok(self.settled_meanwhile().await?.unwrap_or_else(|| failed(error.reason())))
            }
            Err(error) => Err(error),
        }
    }

    /// Gives the lease back. A lost request stays in the journal as long as the token that it was made with is there.
    async fn release_as(&self, request: RequestEnd) -> Result<(), StoreError> {
        let redeemed = &self.asked.authorization.refresh_token;
        let is_there = self.reread().await?.is_some_and(|(current, _)| current.refresh_token == *redeemed);
        let request = if is_there && request == RequestEnd::Lost { request } else { RequestEnd::Moot };
        self.turn.release(self.asked.lease.ended(request, NextRefresh::Unchanged)).await;
        Ok(())
    }

    /// What a failure makes of the row.
    fn consequences(&self, error: &UpstreamError, request: RequestEnd) -> (Vec<Change>, RefreshOutcome) {
        let current = self.asked.authorization.clone();
        match error {
            UpstreamError::GrantRefused { code } => {
                let lost = self.asked.lease.unanswered.filter(|_| self.rotates());
                let code = if lost.is_some() { ROTATION_LOST } else { code };
                let dead = Authorization {
                    refresh_token: None,
                    refresh_token_expires_at: None,
                    lost_refresh: lost.map(|lost| lost.fence),
                    ..current
                };
                (self.dead(dead, code), RefreshOutcome::Dead { reason: code.to_owned() })
            }
            // The grant lives at the provider: its refresh token is kept for the day when it is revoked.
            UpstreamError::InteractionRequired { code } => {
                (self.dead(current, code), RefreshOutcome::Dead { reason: code.clone() })
            }
            UpstreamError::ClientRefused { .. } => {
                let mut changes = self.put_off(current, error, request);
                let provider = &*self.asked.provider;
                if provider.status == ProviderStatus::Active {
                    changes.extend(provider.clone().disable(&*self.turn.random, self.turn.clock.now()));
                }
                (changes, RefreshOutcome::ClientRefused)
            }
            UpstreamError::NotSupported
            | UpstreamError::Misconfigured { .. }
            | UpstreamError::TokenRefused
            | UpstreamError::Untrusted { .. }
            | UpstreamError::RateLimited { .. }
            | UpstreamError::Unavailable { .. } => {
                (self.put_off(current, error, request), failed(error.reason()))
            }
        }
    }

    fn dead(&self, current: Authorization, code: &str) -> Vec<Change> {
        let refused = self.audit(&current).ending(AuditOutcome::Refused, code);
        let mut expired = self.audit(&current);
        expired.action = AuditAction::AuthorizationExpired;
        let expired = expired.ending(AuditOutcome::Done, code);
        let dead = Authorization {
            grant: GrantState::Dead { reason: code.to_owned() },
            grant_since: self.turn.clock.now(),
            next_attempt_at: None,
            ..current
        };
        let end = self.ended(RequestEnd::Answered, &dead);
        vec![Change::update(dead), Change::Audit(refused), Change::Audit(expired), end]
    }

    fn put_off(&self, current: Authorization, error: &UpstreamError, request: RequestEnd) -> Vec<Change> {
        let now = self.turn.clock.now();
        let audit = self.audit(&current).ending(AuditOutcome::Failed, error.reason());
        let since = current.failing_since.unwrap_or(now);
        let rest = rest_after_failure(now - since, error.retry_after());
        let put_off = Authorization {
            last_failure: Some(error.reason().to_owned()),
            failing_since: Some(since),
            next_attempt_at: now.checked_add_signed(rest),
            ..current
        };
        let end = self.ended(request, &put_off);
        vec![Change::update(put_off), Change::Audit(audit), end]
    }

    /// Whether a refresh token that was redeemed is no good any more.
    fn rotates(&self) -> bool {
        match self.turn.model(&self.asked.provider) {
            RefreshModel::Rotating | RefreshModel::RotatingWithGrace(_) => true,
            RefreshModel::Reusable | RefreshModel::RotatingTolerant => false,
        }
    }

    async fn reread(&self) -> Result<Option<(Authorization, Arc<Provider>)>, StoreError> {
        let Authorization { organization_id, id, .. } = self.asked.authorization;
        self.turn.authorizations.authorization(organization_id, id).await
    }

    async fn settled_meanwhile(&self) -> Result<Option<RefreshOutcome>, StoreError> {
        let seen = &self.asked.authorization.access_token;
        let found = self.reread().await?;
        Ok(found.and_then(|(current, provider)| self.turn.settled(seen, &current, &provider)))
    }

    fn ended(&self, request: RequestEnd, row: &Authorization) -> Change {
        Change::EndRefresh(self.asked.lease.ended(request, self.next(row)))
    }

    fn scheduled(&self, row: &Authorization) -> Change {
        Change::ScheduleRefresh(row.id, self.next(row).at())
    }

    fn next(&self, row: &Authorization) -> NextRefresh {
        let turn = self.turn;
        let schedule = Schedule { clients: &*turn.clients, random: &*turn.random, settings: &turn.settings };
        schedule.next(row, &self.asked.provider, self.asked.last_used_at, turn.clock.now())
    }

    fn audit(&self, authorization: &Authorization) -> AuditEntry {
        let (random, now) = (&*self.turn.random, self.turn.clock.now());
        let action = AuditAction::TokenRefreshed;
        AuditEntry::new(authorization.organization_id, Actor::Service, action, random, now)
            .about_provider(authorization.provider_id)
            .about_authorization(authorization.id)
    }
}

#[cfg(test)]
mod tests;
