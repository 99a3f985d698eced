//! Handing out a valid access token: what all the rest is for.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::recent_reads::Linked;
use super::schedule::Schedule;
use super::use_record::{HandOut, HandOutEnd, HandedOut};
use super::{Freshness, RefreshOutcome, RefreshTokensOnce, TokenSettings, time_delta};
use super::{RecentReads, RecordUses};
use crate::accounts::Caller;
use crate::authorizations::{Authorization, AuthorizationView};
use crate::ids::AuthorizationId;
use crate::providers::{ProviderClients, ProviderStatus};
use crate::sealing::{SealError, SealedSecret, TokenSealer};
use crate::services::{Clock, Random};
use crate::{Secret, StoreError};

/// Lends the access token of an authorization to its user.
pub struct LendAccessToken {
    /// Reads it.
    pub reads: Arc<RecentReads>,
    /// Opens it.
    pub sealer: Arc<dyn TokenSealer>,
    /// Refreshes it.
    pub refresh: Arc<RefreshTokensOnce>,
    /// Records that it was handed out.
    pub uses: Arc<RecordUses>,
    /// Say how long unused refresh tokens live.
    pub clients: Arc<dyn ProviderClients>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Jitter for the next refresh.
    pub random: Arc<dyn Random>,
    /// How fresh is fresh, and how long a caller waits.
    pub settings: TokenSettings,
}

/// A token that was handed out.
pub struct LentToken {
    /// The access token.
    pub access_token: Secret,
    /// When it expires; `None`: the provider did not say.
    pub expires_at: Option<DateTime<Utc>>,
    /// The authorization it belongs to.
    pub authorization: AuthorizationView,
}

/// A valid token on its way, inside this service.
pub(crate) struct Lendable {
    pub(crate) linked: Linked,
    pub(crate) access_token: Secret,
}

/// Why no token is handed out.
#[derive(Debug, thiserror::Error)]
pub enum LendError {
    /// Not there, or another user's: the same to the caller.
    #[error("there is no such authorization")]
    NotFound,
    /// Paused, or disabled and the stored token has expired.
    #[error("the provider is not active; ask an administrator of your organization")]
    ProviderNotActive,
    /// The grant is dead.
    #[error("the authorization has expired or was revoked at the provider ({reason}); authorize again")]
    GrantDead {
        /// The error code.
        reason: String,
    },
    /// The stored token is no longer valid, and the provider has not given another.
    #[error("the stored token has expired and the provider has not answered ({reason}); try again")]
    Unavailable {
        /// What happened, as a code.
        reason: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LendAccessToken {
    /// Hands out a token that lives at least `min_ttl` where that can be had, else one that is still valid.
    /// When the hand-out is in the audit log is the installation's choice: see [`HandOutRecord`](super::HandOutRecord).
    pub async fn run(
        &self,
        caller: &Caller,
        id: AuthorizationId,
        min_ttl: Duration,
    ) -> Result<LentToken, LendError> {
        let obtained = self.obtain(caller, id, min_ttl).await;
        self.hand_out(caller, id, obtained).await
    }

    /// Hands out what was obtained, or refused, and records it.
    pub(crate) async fn hand_out(
        &self,
        caller: &Caller,
        id: AuthorizationId,
        obtained: Result<Lendable, LendError>,
    ) -> Result<LentToken, LendError> {
        self.record(caller, id, &obtained).await?;
        obtained.map(|lendable| lendable.into_lent(self.clock.now()))
    }

    async fn record(
        &self,
        caller: &Caller,
        authorization_id: AuthorizationId,
        obtained: &Result<Lendable, LendError>,
    ) -> Result<(), StoreError> {
        let end = match obtained {
            Ok(lendable) => HandOutEnd::Done(lendable.handed_out(&self.settings, self.clock.now())),
            // No row about something that is not the caller's, and none where rows cannot be written.
            Err(LendError::NotFound | LendError::Store(_)) => return Ok(()),
            Err(error) => HandOutEnd::Refused(error.reason()),
        };
        let due_at = || self.due_at(&obtained.as_ref().ok()?.linked.authorization);
        self.uses.hand_out(HandOut { caller, authorization_id, end }, due_at).await
    }

    /// When the authorization is to be refreshed, now that it is in use.
    fn due_at(&self, authorization: &Authorization) -> Option<DateTime<Utc>> {
        let (clients, random) = (&*self.clients, &*self.random);
        Schedule { clients, random, settings: &self.settings }.ahead_of_expiry(authorization)
    }

    /// Gets a valid token without handing it to the caller.
    pub(crate) async fn obtain(
        &self,
        caller: &Caller,
        id: AuthorizationId,
        min_ttl: Duration,
    ) -> Result<Lendable, LendError> {
        let arrived = self.clock.now();
        let known = self.reads.authorization(caller.organization_id, id).await?;
        if let Some(linked) = known
            && self.settings.judge(&linked.authorization, min_ttl, arrived) == Freshness::Fresh
        {
            return self.open(self.permitted(Some(linked), caller)?).await;
        }
        // Boxed: what is seldom needed is not carried along by every hand-out.
        Box::pin(self.obtain_now(caller, id, min_ttl, arrived)).await
    }

    /// Gets a valid token as one who does not rely on what was read a moment ago, which does not tell whether another replica
    /// has refreshed it since.
    async fn obtain_now(
        &self,
        caller: &Caller,
        id: AuthorizationId,
        min_ttl: Duration,
        arrived: DateTime<Utc>,
    ) -> Result<Lendable, LendError> {
        let linked = self.read_now(caller, id).await?;
        let authorization = &linked.authorization;
        // A refresh that ended after this caller came is as good as one that they caused.
        let just_refreshed = authorization.last_refreshed_at.is_some_and(|at| at > arrived);
        let freshness = self.settings.judge(authorization, min_ttl, arrived);
        if freshness == Freshness::Fresh || (just_refreshed && freshness != Freshness::Expired) {
            return self.open(linked).await;
        }
        if linked.provider.status != ProviderStatus::Active || authorization.refresh_token.is_none() {
            return self.make_do(linked, LendError::ProviderNotActive).await;
        }
        match self.waits_for(&linked, min_ttl, freshness) {
            None => self.open(linked).await,
            Some(wait) => self.refresh_and_open(caller, &linked.authorization, wait).await,
        }
    }

    /// Gets a token in place of one that the provider refused, and never that one again. A provider that has failed to give one
    /// a moment ago is left alone for as long as the background leaves it alone.
    pub(crate) async fn renew(&self, caller: &Caller, refused: Lendable) -> Result<Lendable, LendError> {
        if refused.linked.provider.status != ProviderStatus::Active {
            return Err(LendError::ProviderNotActive);
        }
        let Authorization { next_attempt_at, last_failure, .. } = &*refused.linked.authorization;
        if next_attempt_at.is_some_and(|at| self.clock.now() < at) {
            let reason = last_failure.as_deref().unwrap_or("resting").to_owned();
            return Err(LendError::Unavailable { reason });
        }
        match self.refreshed(caller, &refused.linked.authorization, self.settings.caller_wait).await? {
            (linked, None) => self.open(linked).await,
            (_, Some(failure)) => Err(failure),
        }
    }

    /// How long this caller waits for a refresh; `None`: none is tried, because the stored token will do and the
    /// provider wants to be left alone for a while.
    fn waits_for(&self, linked: &Linked, min_ttl: Duration, freshness: Freshness) -> Option<Duration> {
        let (authorization, now) = (&linked.authorization, self.clock.now());
        let is_resting = || self.refresh.turn.gates.wants_rest(linked.provider.id);
        let must_rest = authorization.next_attempt_at.is_some_and(|at| now < at);
        // What a caller demands is tried also when the last try has failed a moment ago.
        let is_demanded = authorization.expires_at.is_some_and(|end| end - now < time_delta(min_ttl));
        match freshness {
            Freshness::Ageing if is_resting() => None,
            Freshness::Ageing if is_demanded => Some(self.settings.caller_wait),
            Freshness::Ageing if must_rest => None,
            Freshness::Ageing => Some(self.settings.early_wait),
            Freshness::Fresh | Freshness::Expired => Some(self.settings.caller_wait),
        }
    }

    async fn refresh_and_open(
        &self,
        caller: &Caller,
        seen: &Authorization,
        wait: Duration,
    ) -> Result<Lendable, LendError> {
        match self.refreshed(caller, seen, wait).await? {
            (linked, None) => self.open(linked).await,
            (linked, Some(failure)) => self.make_do(linked, failure).await,
        }
    }

    /// What there is after a refresh, and why it brought no new token, where it did not.
    async fn refreshed(
        &self,
        caller: &Caller,
        seen: &Authorization,
        wait: Duration,
    ) -> Result<(Linked, Option<LendError>), LendError> {
        let old_token: SealedSecret = seen.access_token.clone();
        let outcome = self.refresh.run(seen.clone(), wait).await;
        let linked = self.read_now(caller, seen.id).await?;
        let failure = match outcome {
            RefreshOutcome::Refreshed => None,
            // A new one has come another way.
            _ if linked.authorization.access_token != old_token => None,
            RefreshOutcome::Dead { reason } => return Err(LendError::GrantDead { reason }),
            RefreshOutcome::ClientRefused => Some(LendError::ProviderNotActive),
            // Somebody else's refresh has met the wrong client credentials first.
            RefreshOutcome::Failed { .. } if linked.provider.status != ProviderStatus::Active => {
                Some(LendError::ProviderNotActive)
            }
            RefreshOutcome::Failed { reason } => Some(LendError::Unavailable { reason }),
        };
        Ok((linked, failure))
    }

    /// The stored token, where it is still valid; else the error.
    async fn make_do(&self, linked: Linked, otherwise: LendError) -> Result<Lendable, LendError> {
        let now = self.clock.now();
        if let Some(reason) = linked.authorization.dead_reason(now) {
            return Err(LendError::GrantDead { reason: reason.to_owned() });
        }
        if linked.authorization.has_valid_token(now) { self.open(linked).await } else { Err(otherwise) }
    }

    async fn read_now(&self, caller: &Caller, id: AuthorizationId) -> Result<Linked, LendError> {
        let found = self.reads.authorization_now(caller.organization_id, id).await?;
        self.permitted(found, caller)
    }

    /// What was found, where the caller may have its token.
    fn permitted(&self, found: Option<Linked>, caller: &Caller) -> Result<Linked, LendError> {
        let linked = found.filter(|linked| linked.is_own(caller)).ok_or(LendError::NotFound)?;
        match linked.provider.status {
            ProviderStatus::Active | ProviderStatus::Disabled => {}
            ProviderStatus::Inactive | ProviderStatus::Deleting | ProviderStatus::DeletionFailed => {
                return Err(LendError::ProviderNotActive);
            }
        }
        match linked.authorization.dead_reason(self.clock.now()) {
            Some(reason) => Err(LendError::GrantDead { reason: reason.to_owned() }),
            None => Ok(linked),
        }
    }

    async fn open(&self, linked: Linked) -> Result<Lendable, LendError> {
        let sealed = &linked.authorization.access_token;
        let opened = self.sealer.open(linked.authorization.access_token_place(), sealed).await;
        let access_token = opened.map_err(SealError::into_store_error)?;
        Ok(Lendable { linked, access_token })
    }
}

impl Lendable {
    fn handed_out(&self, settings: &TokenSettings, now: DateTime<Utc>) -> HandedOut<'_> {
        let authorization = &self.linked.authorization;
        HandedOut {
            provider_id: self.linked.provider.id,
            token: self.linked.fingerprint(&self.access_token),
            refreshed_at: authorization.last_refreshed_at,
            is_known_in_use: now - authorization.used_at < settings.use_step(),
        }
    }

    fn into_lent(self, now: DateTime<Utc>) -> LentToken {
        let Linked { authorization, provider, .. } = self.linked;
        let expires_at = authorization.expires_at;
        let authorization = AuthorizationView::of(authorization, provider, now);
        LentToken { access_token: self.access_token, expires_at, authorization }
    }
}

impl LendError {
    /// A code for the audit log.
    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::NotFound => "not_found",
            Self::ProviderNotActive => "provider_not_active",
            Self::GrantDead { reason } | Self::Unavailable { reason } => reason,
            Self::Store(_) => "store",
        }
    }
}

#[cfg(test)]
mod tests;
