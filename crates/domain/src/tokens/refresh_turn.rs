//! One turn at refreshing an authorization, by whoever holds its lease.
//!
//! The request is in the journal before it is made. Where an earlier one is there without an answer, its holder may have
//! died with the new tokens, or still be on its way to the store with them: what to do then is the provider's to say
//! (see [`RefreshModel`]).

use std::convert::Infallible;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::freshness::CLOCK_SKEW;
use super::keep_refresh::{Asked, KeepRefresh};
use super::provider_gates::Pass;
use super::refresh::failed;
use super::{
    AwaitedAnswers, ClaimedRefresh, NextRefresh, ProviderGates, RefreshEnd, RefreshLease, RefreshLeases,
    RefreshOutcome, RequestEnd, TokenSettings, UnansweredRequest, time_delta,
};
use crate::authorizations::{Authorization, AuthorizationStore};
use crate::providers::{
    Provider, ProviderClients, ProviderConnection, ProviderStatus, RefreshModel, RefreshRequest,
    RefreshTokens, TokenSet, UpstreamError,
};
use crate::sealing::{SealError, SealedSecret, TokenSealer};
use crate::services::{Clock, Random, within};
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// Refreshes under a lease.
pub struct RefreshTurn {
    /// Reads authorizations.
    pub authorizations: Arc<dyn AuthorizationStore>,
    /// Keeps the lease and the journal.
    pub leases: Arc<dyn RefreshLeases>,
    /// Asks the provider.
    pub clients: Arc<dyn ProviderClients>,
    /// Opens the refresh token, seals the new ones.
    pub sealer: Arc<dyn TokenSealer>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Makes the ids of audit entries, and the jitter of the schedule.
    pub random: Arc<dyn Random>,
    /// How long the provider may take.
    pub settings: TokenSettings,
    /// Keep us from a provider that is away.
    pub gates: Arc<ProviderGates>,
    /// Until when this process waits for answers that others may still bring.
    pub awaited: AwaitedAnswers,
}

/// How often to look whether a lost answer has been stored after all.
const LOOK: Duration = Duration::from_secs(1);

/// How long an answer that has come may take to be found.
const LAST_MOMENT: Duration = Duration::from_millis(100);

/// Why nothing was asked: another process has the lease now.
pub(super) const OVERTAKEN: &str = "overtaken";

/// The longest that the holder of a lost answer gets to store it, while nobody needs another token.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);

/// How often a process that is too slow to ask right after a sign of life tries to.
const ROUNDS: usize = 3;

/// Why the provider was not asked, and what becomes of the lease and the journal.
struct NotAsked {
    why: Result<RefreshOutcome, StoreError>,
    request: RequestEnd,
    next: NextRefresh,
}

impl NotAsked {
    /// Nothing was written down.
    fn as_was(why: Result<RefreshOutcome, StoreError>) -> Self {
        Self { why, request: RequestEnd::Moot, next: NextRefresh::Unchanged }
    }

    /// Our request has taken the place of an older one in the journal, and stays there in its stead: whoever comes next has to
    /// know that there may be newer tokens than those in the store.
    fn for_an_older_request(self) -> Self {
        Self { request: RequestEnd::Lost, ..self }
    }
}

impl From<StoreError> for NotAsked {
    fn from(error: StoreError) -> Self {
        Self::as_was(Err(error))
    }
}

impl From<RefreshOutcome> for NotAsked {
    fn from(outcome: RefreshOutcome) -> Self {
        Self::as_was(Ok(outcome))
    }
}

/// What a provider answers.
type Answer = Result<TokenSet, UpstreamError>;

/// A request that only has to be sent.
struct Call {
    refresh: Arc<dyn RefreshTokens>,
    connection: ProviderConnection,
    request: RefreshRequest,
}

impl RefreshTurn {
    /// Refreshes, with signs of life all the while, and gives the lease back. It was taken after `claimed_at` (monotonic).
    /// The background comes with its pass; a caller's refresh gets one unless the provider is away.
    pub(super) async fn run(
        &self,
        claimed: ClaimedRefresh,
        claimed_at: Duration,
        pass: Option<Pass>,
    ) -> Result<RefreshOutcome, StoreError> {
        let lease = claimed.lease.clone();
        // It is large, and would be so in everything that waits for it.
        let refresh = Box::pin(self.refresh(claimed, claimed_at, pass));
        tokio::select! {
            biased;
            outcome = refresh => outcome,
            never = self.keep_alive(&lease) => match never {},
        }
    }

    /// Whether there is nothing to ask for: the token that was seen has been replaced, or nothing is to be had.
    pub(super) fn settled(
        &self,
        seen: &SealedSecret,
        current: &Authorization,
        provider: &Provider,
    ) -> Option<RefreshOutcome> {
        if current.access_token != *seen {
            return Some(RefreshOutcome::Refreshed);
        }
        if let Some(reason) = current.dead_reason(self.clock.now()) {
            return Some(RefreshOutcome::Dead { reason: reason.to_owned() });
        }
        (provider.status == ProviderStatus::Disabled).then_some(RefreshOutcome::ClientRefused)
    }

    /// Gives a lease back under which nothing was asked.
    pub(super) async fn give_back(&self, lease: &RefreshLease, next: NextRefresh) {
        self.release(lease.ended(RequestEnd::Moot, next)).await;
    }

    /// Ends a refresh that writes nothing else. Where that fails, the silence will tell.
    pub(super) async fn release(&self, end: RefreshEnd) {
        match self.store.commit(vec![Change::EndRefresh(end)]).await {
            Ok(()) | Err(CommitError::Conflict) => {}
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, authorization = %end.authorization_id, "a refresh lease was not given back");
            }
        }
    }

    async fn keep_alive(&self, lease: &RefreshLease) -> Infallible {
        loop {
            self.clock.sleep(self.settings.lease_silence / 3).await;
            match self.leases.keep_lease(lease).await {
                Ok(true) => {}
                // The answer is kept all the same, if it may be.
                Ok(false) => return pending().await,
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, authorization = %lease.authorization_id, "no sign of life could be given");
                }
            }
        }
    }

    async fn refresh(
        &self,
        claimed: ClaimedRefresh,
        claimed_at: Duration,
        pass: Option<Pass>,
    ) -> Result<RefreshOutcome, StoreError> {
        let lease = claimed.lease.clone();
        let (asked, answer) = match self.ask(claimed, claimed_at, pass).await {
            Ok(answered) => answered,
            Err(NotAsked { why, request, next }) => {
                self.release(lease.ended(request, next)).await;
                return why;
            }
        };
        self.awaited.forget(lease.authorization_id);
        let (authorization, fence) = (lease.authorization_id, lease.fence);
        tracing::debug!(%authorization, fence, ok = answer.is_ok(), "refresh answered");
        let keep = KeepRefresh { turn: self, asked: &asked };
        match answer {
            Ok(tokens) => keep.tokens(&tokens).await,
            Err(error) => keep.failure(&error).await,
        }
    }

    /// Asks the provider, after all that has to come before it.
    async fn ask(
        &self,
        mut claimed: ClaimedRefresh,
        claimed_at: Duration,
        mut pass: Option<Pass>,
    ) -> Result<(Asked, Answer), NotAsked> {
        let mut alive_at = claimed_at;
        let follows = claimed.lease.unanswered;
        if let Some(unanswered) = follows
            && !self.may_ask_again(&claimed.provider, unanswered)
        {
            // Others may be let through while this one waits.
            let in_background = pass.take().is_some();
            self.wait_for_answer(&mut claimed, in_background).await?;
        }
        let pass = pass.or_else(|| self.gates.enter(claimed.provider.id, claimed.authorization.id));
        let pass = pass.ok_or_else(|| NotAsked::from(failed("provider_away")))?;
        if follows.is_some() {
            alive_at = self.clock.monotonic();
            self.write_down(&mut claimed).await?;
        }
        let ClaimedRefresh { lease, authorization, provider, last_used_at } = claimed;
        let asked = Asked { at: self.clock.now(), lease, authorization, provider, last_used_at };
        let answer = match self.prepare(&asked).await {
            Ok(call) => {
                let holds = self.make_sure(&asked.lease, alive_at).await;
                holds.map_err(|not| if follows.is_some() { not.for_an_older_request() } else { not })?;
                self.send(&call, pass).await
            }
            Err(error) => Err(error),
        };
        Ok((asked, answer))
    }

    /// Whether an earlier request is no reason to wait. Where the old token is still good that is so (RFC 9700, 4.14.2, leaves
    /// it to the provider); and where its holder has said that it has no answer.
    fn may_ask_again(&self, provider: &Provider, unanswered: UnansweredRequest) -> bool {
        unanswered.given_up || self.takes_old_token(provider, unanswered)
    }

    /// Waits for the answer to an earlier request, which may have rotated the refresh token.
    ///
    /// Asking with the old token may kill the grant for a holder who has the answer and cannot store it just now: it gets time
    /// to, as long as nobody needs another token, and a while at any rate. When that is over, asking costs nothing any more:
    /// had the provider been served, the tokens are lost.
    ///
    /// The background does not sit there all that time: it comes back for the last moments.
    async fn wait_for_answer(
        &self,
        claimed: &mut ClaimedRefresh,
        in_background: bool,
    ) -> Result<(), NotAsked> {
        let seen = claimed.authorization.access_token.clone();
        let now = self.clock.monotonic();
        let until = self.awaited.until(&claimed.lease, self.time_to_store(&claimed.authorization), now);
        // Whoever was away from the store may have come back to it only now.
        let last_moments = self.settings.lease_silence / 2;
        let left = until.saturating_sub(now).max(last_moments);
        if in_background && left > last_moments {
            let later = self.clock.now() + time_delta(left.saturating_sub(last_moments));
            return Err(NotAsked { next: NextRefresh::At(later), ..failed("answer_awaited").into() });
        }
        let mut listened = Duration::ZERO;
        while listened < left {
            self.clock.sleep(LOOK).await;
            self.look_again(claimed).await?;
            if let Some(outcome) = self.settled(&seen, &claimed.authorization, &claimed.provider) {
                self.awaited.forget(claimed.authorization.id);
                return Err(outcome.into());
            }
            // Looks are counted, not time: while this process stood still or the store was away nobody could be heard.
            listened += LOOK;
        }
        Ok(())
    }

    /// Writes the request down in the place of the unanswered one, whose holder can store nothing from then on. What it
    /// has stored right before that is not asked for again: the row is read once more.
    async fn write_down(&self, claimed: &mut ClaimedRefresh) -> Result<(), NotAsked> {
        let seen = claimed.authorization.access_token.clone();
        let older = NotAsked::for_an_older_request;
        let noted = self.leases.note_request(&claimed.lease, self.clock.now()).await;
        if !noted.map_err(|error| older(error.into()))? {
            return Err(older(failed(OVERTAKEN).into()));
        }
        self.look_again(claimed).await.map_err(older)?;
        match self.settled(&seen, &claimed.authorization, &claimed.provider) {
            // That is for the provider to say: without a request the one before it would be forgotten.
            None | Some(RefreshOutcome::ClientRefused) => Ok(()),
            // The answer may still be what brings it back.
            Some(outcome @ RefreshOutcome::Dead { .. }) => Err(older(outcome.into())),
            Some(outcome) => Err(outcome.into()),
        }
    }

    async fn look_again(&self, claimed: &mut ClaimedRefresh) -> Result<(), NotAsked> {
        let found = self.read(&claimed.authorization).await?;
        (claimed.authorization, claimed.provider) = found.ok_or_else(|| failed("deleted"))?;
        Ok(())
    }

    async fn read(&self, row: &Authorization) -> Result<Option<(Authorization, Arc<Provider>)>, StoreError> {
        self.authorizations.authorization(row.organization_id, row.id).await
    }

    /// Whether a refresh token that was redeemed then is still good.
    fn takes_old_token(&self, provider: &Provider, unanswered: UnansweredRequest) -> bool {
        match self.model(provider) {
            RefreshModel::Reusable | RefreshModel::RotatingTolerant => true,
            RefreshModel::Rotating => false,
            RefreshModel::RotatingWithGrace(grace) => {
                // Not at the last moment: the request takes its time. Another clock may have written it down; and a request of
                // the future that one, or this one before it was turned back.
                let age = (self.clock.now() - unanswered.asked_at).abs() + CLOCK_SKEW;
                age < time_delta(grace.saturating_sub(self.settings.upstream_limit))
            }
        }
    }

    /// How long the holder of a lost answer gets to store it. Its provider may still be about to give it.
    fn time_to_store(&self, authorization: &Authorization) -> Duration {
        let token_lives = authorization
            .expires_at
            .map_or(Duration::MAX, |end| (end - self.clock.now()).to_std().unwrap_or_default());
        let least = self.settings.upstream_limit.max(self.settings.lease_silence * 2);
        token_lives.min(LONGEST_WAIT).max(least)
    }

    /// What becomes of refresh tokens at a provider.
    pub(super) fn model(&self, provider: &Provider) -> RefreshModel {
        let client = self.clients.client(provider.kind);
        client.map_or(RefreshModel::Rotating, |client| client.refresh_model(&provider.endpoints))
    }

    async fn prepare(&self, asked: &Asked) -> Result<Call, UpstreamError> {
        let Asked { authorization, provider, .. } = asked;
        let refresh = self.clients.client(provider.kind).and_then(|client| client.refresh());
        let refresh = refresh.ok_or(UpstreamError::NotSupported)?;
        let sealed = authorization.refresh_token.as_ref();
        let sealed = sealed.ok_or(UpstreamError::GrantRefused { code: "no_refresh_token".to_owned() })?;
        let refresh_token = self
            .sealer
            .open(authorization.refresh_token_place(), sealed)
            .await
            .map_err(SealError::into_upstream_error)?;
        let connection = provider.connect(&*self.sealer).await.map_err(SealError::into_upstream_error)?;
        let request = RefreshRequest {
            refresh_token,
            scopes: authorization.requested_scopes.clone(),
            redirect_uri: authorization.redirect_uri.clone(),
        };
        Ok(Call { refresh, connection, request })
    }

    /// Makes sure that nobody else can have asked since the sign of life at `alive_at` (monotonic). A process that stood still
    /// has to: no fence keeps a late request from the provider. One whose every sign takes too long lets others try.
    async fn make_sure(&self, lease: &RefreshLease, mut alive_at: Duration) -> Result<(), NotAsked> {
        for _ in 0..ROUNDS {
            let looked_at = self.clock.monotonic();
            if looked_at.saturating_sub(alive_at) < self.settings.lease_silence / 2 {
                return Ok(());
            }
            if !self.leases.keep_lease(lease).await? {
                return Err(failed(OVERTAKEN).into());
            }
            alive_at = looked_at;
        }
        Err(failed("slow").into())
    }

    async fn send(&self, call: &Call, pass: Pass) -> Answer {
        let mut answering = pin!(call.refresh.refresh_token(&call.connection, &call.request));
        let answer = match within(&self.clock, self.settings.upstream_limit, &mut answering).await {
            Some(answer) => answer,
            // A process that stood still finds the answer together with the end of its time, in whatever order.
            None => {
                within(&self.clock, LAST_MOMENT, answering).await.unwrap_or(Err(UpstreamError::timeout()))
            }
        };
        pass.answered(answer.as_ref().err());
        answer
    }
}

impl RefreshLease {
    /// Its end.
    pub(crate) fn ended(&self, request: RequestEnd, next: NextRefresh) -> RefreshEnd {
        RefreshEnd { authorization_id: self.authorization_id, fence: self.fence, request, next }
    }
}

#[cfg(test)]
mod tests;
