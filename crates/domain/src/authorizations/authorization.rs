//! Authorizations.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Scopes, UserInfo};
use crate::Version;
use crate::accounts::Caller;
use crate::ids::{AccountId, AuthorizationId, CredentialId, OrganizationId, ProviderId};
use crate::providers::{Provider, ProviderStatus, TokenSet};
use crate::sealing::{SealError, SealedSecret, SecretColumn, SecretPlace, TokenSealer};
use crate::tokens::time_delta;

/// What one user granted at one provider for one account there, with its tokens.
/// Its identity is (user, provider, issuer, subject).
#[derive(Clone, Debug, PartialEq)]
pub struct Authorization {
    /// Its id; stays when the same identity is authorized again.
    pub id: AuthorizationId,
    /// Where it belongs.
    pub organization_id: OrganizationId,
    /// Whose it is.
    pub account_id: AccountId,
    /// At which provider.
    pub provider_id: ProviderId,
    /// Names its stored tokens.
    pub credential_id: CredentialId,
    /// Who says so.
    pub issuer: String,
    /// The provider's stable id of the user.
    pub subject: String,
    /// The profile, as it was when the user authorized.
    pub user: UserInfo,
    /// The redirect URI of the flow that brought the grant, which some providers want again at a refresh; a device flow
    /// has none.
    pub redirect_uri: Option<String>,
    /// The scopes that were asked for.
    pub requested_scopes: Scopes,
    /// The scopes that were granted.
    pub granted_scopes: Scopes,
    /// The access token.
    pub access_token: SealedSecret,
    /// When the access token was issued.
    pub issued_at: DateTime<Utc>,
    /// When the access token expires; `None`: the provider did not say.
    pub expires_at: Option<DateTime<Utc>>,
    /// The refresh token.
    pub refresh_token: Option<SealedSecret>,
    /// When the refresh token expires, where known.
    pub refresh_token_expires_at: Option<DateTime<Utc>>,
    /// Whether the grant lives.
    pub grant: GrantState,
    /// Since when the grant is in this state.
    pub grant_since: DateTime<Utc>,
    /// The fence of the refresh whose answer was lost, where the grant died of that: the holder of that answer, should
    /// it still be there, may bring the grant back to life.
    pub lost_refresh: Option<i64>,
    /// Why the last refresh failed, as a code; cleared by the next success.
    pub last_failure: Option<String>,
    /// Since when refreshes fail; cleared by the next success.
    pub failing_since: Option<DateTime<Utc>>,
    /// When the provider may be asked again after a failure.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When the tokens were last refreshed.
    pub last_refreshed_at: Option<DateTime<Utc>>,
    /// When the user first authorized.
    pub created_at: DateTime<Utc>,
    /// When the user last authorized.
    pub authorized_at: DateTime<Utc>,
    /// When it was last used, as far as was known when its tokens were written; being authorized is a use.
    pub used_at: DateTime<Utc>,
    /// How often it was written.
    pub version: Version,
}

/// Whether a grant lives. It dies only by a definite answer of the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantState {
    /// It may be used.
    Live,
    /// The user has to authorize again.
    Dead {
        /// The provider's error code.
        reason: String,
    },
}

/// The status of an authorization, derived when it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AuthorizationStatus {
    /// Tokens can be had.
    Active,
    /// The grant is dead: the user has to authorize again.
    Expired,
    /// The provider refuses our client credentials.
    InvalidOauthClient,
    /// The provider is paused, or could not be deleted.
    InvalidProviderState,
}

impl AuthorizationStatus {
    /// As the `external_oauth` API names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::InvalidOauthClient => "invalidOAuthClient",
            Self::InvalidProviderState => "invalidProviderState",
        }
    }
}

/// An authorization with its provider, as callers see it.
#[derive(Clone, Debug, PartialEq)]
pub struct AuthorizationView {
    /// The authorization.
    pub authorization: Arc<Authorization>,
    /// Its provider.
    pub provider: Arc<Provider>,
    /// The status at the time of reading.
    pub status: AuthorizationStatus,
    /// Why the status is what it is, where there is something to tell: a code.
    pub status_reason: Option<String>,
    /// Since when.
    pub status_since: DateTime<Utc>,
}

/// Whether it is the caller's own: ownership follows the user, and what is at a provider that is being deleted is gone already.
pub(crate) fn is_own(authorization: &Authorization, provider: &Provider, caller: &Caller) -> bool {
    authorization.account_id == caller.account_id && provider.is_visible()
}

/// What was found, if it is the caller's own. Everything else does not exist for this caller.
pub(crate) fn if_own(
    found: Option<(Authorization, Arc<Provider>)>,
    caller: &Caller,
) -> Option<(Authorization, Arc<Provider>)> {
    found.filter(|(authorization, provider)| is_own(authorization, provider, caller))
}

impl AuthorizationView {
    /// Puts an authorization beside its provider and derives its status.
    pub fn of(
        authorization: impl Into<Arc<Authorization>>,
        provider: impl Into<Arc<Provider>>,
        now: DateTime<Utc>,
    ) -> Self {
        let (authorization, provider) = (authorization.into(), provider.into());
        let (status, status_reason, status_since) = match provider.status {
            ProviderStatus::Inactive => {
                (AuthorizationStatus::InvalidProviderState, Some("provider_inactive"), provider.updated_at)
            }
            ProviderStatus::Deleting | ProviderStatus::DeletionFailed => {
                (AuthorizationStatus::InvalidProviderState, Some("provider_deleted"), provider.updated_at)
            }
            ProviderStatus::Disabled => {
                (AuthorizationStatus::InvalidOauthClient, Some("client_refused"), provider.updated_at)
            }
            ProviderStatus::Active => authorization.own_status(now),
        };
        let status_reason = status_reason.map(str::to_owned);
        Self { authorization, provider, status, status_reason, status_since }
    }
}

impl Authorization {
    /// Where its access token rests.
    pub fn access_token_place(&self) -> SecretPlace {
        self.place(SecretColumn::AccessToken)
    }

    /// Where its refresh token rests.
    pub fn refresh_token_place(&self) -> SecretPlace {
        self.place(SecretColumn::RefreshToken)
    }

    fn place(&self, column: SecretColumn) -> SecretPlace {
        SecretPlace { organization_id: self.organization_id, column, row: self.id.as_uuid() }
    }

    /// Whether the stored access token is still valid, as far as the provider said.
    pub fn has_valid_token(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// Takes over the tokens of an answer that was asked for at `asked`. A refresh token that is not in the answer
    /// stays (RFC 6749, 6), and so do scopes.
    pub(crate) async fn with_tokens(
        mut self,
        tokens: &TokenSet,
        asked: DateTime<Utc>,
        sealer: &dyn TokenSealer,
    ) -> Result<Self, SealError> {
        self.access_token = sealer.seal(self.access_token_place(), &tokens.access_token).await?;
        self.issued_at = asked;
        self.expires_at = tokens.expires_in.and_then(|life| after(asked, life));
        self = self.with_refresh_token(tokens, asked, sealer).await?;
        if let Some(scopes) = &tokens.scopes {
            self.granted_scopes.clone_from(scopes);
        }
        self.last_failure = None;
        self.failing_since = None;
        self.next_attempt_at = None;
        self.lost_refresh = None;
        Ok(self)
    }

    /// Takes over nothing but the refresh token of an answer, where there is one in it.
    pub(crate) async fn with_refresh_token(
        mut self,
        tokens: &TokenSet,
        asked: DateTime<Utc>,
        sealer: &dyn TokenSealer,
    ) -> Result<Self, SealError> {
        if let Some(refresh_token) = &tokens.refresh_token {
            self.refresh_token = Some(sealer.seal(self.refresh_token_place(), refresh_token).await?);
            self.refresh_token_expires_at =
                tokens.refresh_token_expires_in.and_then(|life| after(asked, life));
        }
        Ok(self)
    }

    /// Why the grant gives no token any more: the provider said so, or the last token has expired and nothing is
    /// left to refresh it with.
    pub fn dead_reason(&self, now: DateTime<Utc>) -> Option<&str> {
        if let GrantState::Dead { reason } = &self.grant {
            return Some(reason);
        }
        if self.has_valid_token(now) {
            return None;
        }
        match (&self.refresh_token, self.refresh_token_expires_at) {
            (None, _) => Some("no_refresh_token"),
            (Some(_), Some(end)) if end <= now => Some("refresh_token_expired"),
            (Some(_), _) => None,
        }
    }

    /// The scopes that were asked for and not granted. A refresh token is what `offline_access` asks for
    /// (OpenID Connect Core, 11), whether the provider repeats that scope or not.
    pub fn missing_scopes(&self) -> Scopes {
        let missing = self.requested_scopes.without(&self.granted_scopes);
        if self.refresh_token.is_none() {
            return missing;
        }
        missing.iter().filter(|scope| *scope != "offline_access").collect()
    }

    fn own_status(&self, now: DateTime<Utc>) -> (AuthorizationStatus, Option<&str>, DateTime<Utc>) {
        let Some(reason) = self.dead_reason(now) else {
            return (AuthorizationStatus::Active, self.last_failure.as_deref(), self.grant_since);
        };
        let since = match &self.grant {
            GrantState::Dead { .. } => self.grant_since,
            GrantState::Live => self.expires_at.unwrap_or(self.grant_since),
        };
        (AuthorizationStatus::Expired, Some(reason), since)
    }
}

/// The end of a life; `None` when it is beyond the calendar.
fn after(begin: DateTime<Utc>, life: Duration) -> Option<DateTime<Utc>> {
    begin.checked_add_signed(time_delta(life))
}

#[cfg(test)]
mod tests;
