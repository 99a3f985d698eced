//! Handing out a valid access token: what all the rest is for.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Freshness, RefreshOutcome, RefreshTokensOnce, TokenSettings, time_delta};
use crate::accounts::Caller;
use crate::audit::{AuditAction, AuditEntry, AuditOutcome};
use crate::authorizations::{Authorization, AuthorizationStore, AuthorizationView, if_own};
use crate::ids::AuthorizationId;
use crate::providers::{Provider, ProviderStatus};
use crate::sealing::{SealError, TokenSealer};
use crate::services::{Clock, Random};
use crate::{Change, CommitError, Secret, StoreError, UnitOfWork};

/// Lends the access token of an authorization to its user.
pub struct LendAccessToken {
    /// Reads it.
    pub authorizations: Arc<dyn AuthorizationStore>,
    /// Opens it.
    pub sealer: Arc<dyn TokenSealer>,
    /// Refreshes it.
    pub refresh: Arc<RefreshTokensOnce>,
    /// Writes the audit entry.
    pub store: Arc<dyn UnitOfWork>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Makes the id of the audit entry.
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
    pub(crate) authorization: Authorization,
    pub(crate) provider: Provider,
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
    /// The hand-out is in the audit log before the caller has the token.
    pub async fn run(
        &self,
        caller: &Caller,
        id: AuthorizationId,
        min_ttl: Duration,
    ) -> Result<LentToken, LendError> {
        let obtained = self.obtain(caller, id, min_ttl).await;
        let now = self.clock.now();
        let audit =
            AuditEntry::by(caller, AuditAction::TokenHandedOut, &*self.random, now).about_authorization(id);
        let audit = match &obtained {
            Ok(lendable) => {
                audit.about_provider(lendable.provider.id).about_token(lendable.access_token.fingerprint())
            }
            // No row about something that is not the caller's, and none where rows cannot be written.
            Err(LendError::NotFound | LendError::Store(_)) => {
                return obtained.map(|lent| lent.into_lent(now));
            }
            Err(error) => audit.ending(AuditOutcome::Refused, error.reason()),
        };
        let saved = self.store.commit(vec![Change::Audit(audit)]).await;
        saved.map_err(CommitError::into_store_error)?;
        obtained.map(|lendable| lendable.into_lent(now))
    }

    /// Gets a valid token without handing it to the caller.
    pub(crate) async fn obtain(
        &self,
        caller: &Caller,
        id: AuthorizationId,
        min_ttl: Duration,
    ) -> Result<Lendable, LendError> {
        let arrived = self.clock.now();
        let (authorization, provider) = self.read(caller, id).await?;
        // A refresh that ended after this caller came is as good as one that they caused.
        let just_refreshed = authorization.last_refreshed_at.is_some_and(|at| at > arrived);
        let freshness = self.settings.judge(&authorization, min_ttl, arrived);
        if freshness == Freshness::Fresh || (just_refreshed && freshness != Freshness::Expired) {
            return self.open(authorization, provider).await;
        }
        if provider.status != ProviderStatus::Active || authorization.refresh_token.is_none() {
            return self.make_do(authorization, provider, LendError::ProviderNotActive).await;
        }
        let waits_for = self.waits_for(&authorization, min_ttl, freshness);
        match waits_for {
            None => self.open(authorization, provider).await,
            Some(wait) => self.refresh_and_open(caller, authorization, wait).await,
        }
    }

    /// Gets a token in place of one that the provider refused, and never that one again.
    pub(crate) async fn renew(&self, caller: &Caller, refused: Lendable) -> Result<Lendable, LendError> {
        if refused.provider.status != ProviderStatus::Active {
            return Err(LendError::ProviderNotActive);
        }
        match self.refreshed(caller, refused.authorization, self.settings.caller_wait).await? {
            (authorization, provider, None) => self.open(authorization, provider).await,
            (_, _, Some(failure)) => Err(failure),
        }
    }

    /// How long this caller waits for a refresh; `None`: none is tried, because the stored token will do and the
    /// provider wants to be left alone for a while.
    fn waits_for(
        &self,
        authorization: &Authorization,
        min_ttl: Duration,
        freshness: Freshness,
    ) -> Option<Duration> {
        let now = self.clock.now();
        let must_rest = authorization.next_attempt_at.is_some_and(|at| now < at);
        // What a caller demands is tried also when the last try has failed a moment ago.
        let is_demanded = authorization.expires_at.is_some_and(|end| end - now < time_delta(min_ttl));
        match freshness {
            Freshness::Ageing if is_demanded => Some(self.settings.caller_wait),
            Freshness::Ageing if must_rest => None,
            Freshness::Ageing => Some(self.settings.early_wait),
            Freshness::Fresh | Freshness::Expired => Some(self.settings.caller_wait),
        }
    }

    async fn refresh_and_open(
        &self,
        caller: &Caller,
        seen: Authorization,
        wait: Duration,
    ) -> Result<Lendable, LendError> {
        match self.refreshed(caller, seen, wait).await? {
            (authorization, provider, None) => self.open(authorization, provider).await,
            (authorization, provider, Some(failure)) => self.make_do(authorization, provider, failure).await,
        }
    }

    /// What there is after a refresh, and why it brought no new token, where it did not.
    async fn refreshed(
        &self,
        caller: &Caller,
        seen: Authorization,
        wait: Duration,
    ) -> Result<(Authorization, Provider, Option<LendError>), LendError> {
        let (id, old_token) = (seen.id, seen.access_token.clone());
        let outcome = self.refresh.run(seen, wait).await;
        let (authorization, provider) = self.read(caller, id).await?;
        let failure = match outcome {
            RefreshOutcome::Refreshed => None,
            // A new one has come another way.
            _ if authorization.access_token != old_token => None,
            RefreshOutcome::Dead { reason } => return Err(LendError::GrantDead { reason }),
            RefreshOutcome::ClientRefused => Some(LendError::ProviderNotActive),
            // Somebody else's refresh has met the wrong client credentials first.
            RefreshOutcome::Failed { .. } if provider.status != ProviderStatus::Active => {
                Some(LendError::ProviderNotActive)
            }
            RefreshOutcome::Failed { reason } => Some(LendError::Unavailable { reason }),
        };
        Ok((authorization, provider, failure))
    }

    /// The stored token, where it is still valid; else the error.
    async fn make_do(
        &self,
        authorization: Authorization,
        provider: Provider,
        otherwise: LendError,
    ) -> Result<Lendable, LendError> {
        let now = self.clock.now();
        if let Some(reason) = authorization.dead_reason(now) {
            return Err(LendError::GrantDead { reason: reason.to_owned() });
        }
        if authorization.has_valid_token(now) {
            self.open(authorization, provider).await
        } else {
            Err(otherwise)
        }
    }

    async fn read(
        &self,
        caller: &Caller,
        id: AuthorizationId,
    ) -> Result<(Authorization, Provider), LendError> {
        let found = self.authorizations.authorization(caller.organization_id, id).await?;
        let (authorization, provider) = if_own(found, caller).ok_or(LendError::NotFound)?;
        match provider.status {
            ProviderStatus::Active | ProviderStatus::Disabled => {}
            ProviderStatus::Inactive | ProviderStatus::Deleting | ProviderStatus::DeletionFailed => {
                return Err(LendError::ProviderNotActive);
            }
        }
        match authorization.dead_reason(self.clock.now()) {
            Some(reason) => Err(LendError::GrantDead { reason: reason.to_owned() }),
            None => Ok((authorization, provider)),
        }
    }

    async fn open(&self, authorization: Authorization, provider: Provider) -> Result<Lendable, LendError> {
        let opened = self.sealer.open(authorization.access_token_place(), &authorization.access_token).await;
        let access_token = opened.map_err(SealError::into_store_error)?;
        Ok(Lendable { authorization, provider, access_token })
    }
}

impl Lendable {
    fn into_lent(self, now: DateTime<Utc>) -> LentToken {
        let expires_at = self.authorization.expires_at;
        let authorization = self.authorization.view(self.provider, now);
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
