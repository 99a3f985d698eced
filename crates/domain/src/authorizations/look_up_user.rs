//! Asking the provider who the user is.

use std::sync::Arc;
use std::time::Duration;

use super::UserInfo;
use crate::accounts::Caller;
use crate::audit::{AuditAction, AuditEntry, AuditOutcome};
use crate::ids::AuthorizationId;
use crate::providers::{ExpectedUser, Identity, ProviderClients, UpstreamError};
use crate::sealing::{SealError, TokenSealer};
use crate::services::{Clock, Random, within};
use crate::tokens::{LendAccessToken, LendError, Lendable, Linked, TokenSettings};
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// Looks up the user of an authorization at its provider.
pub struct LookUpUser {
    /// Gets a valid access token.
    pub lend: Arc<LendAccessToken>,
    /// Asks the provider.
    pub clients: Arc<dyn ProviderClients>,
    /// Opens the client secret.
    pub sealer: Arc<dyn TokenSealer>,
    /// Writes the audit entry.
    pub store: Arc<dyn UnitOfWork>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Makes the id of the audit entry.
    pub random: Arc<dyn Random>,
    /// How long the caller waits.
    pub settings: TokenSettings,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum LookUpUserError {
    /// There is no valid token.
    #[error(transparent)]
    Token(#[from] LendError),
    /// The provider no longer takes the token, and there is no way to a better one: reconnect.
    #[error("the provider no longer accepts this authorization; authorize again")]
    TokenRefused,
    /// The provider has not answered sensibly.
    #[error("the provider has not answered ({reason}); try again")]
    Unavailable {
        /// What happened, as a code.
        reason: String,
    },
}

impl From<StoreError> for LookUpUserError {
    fn from(error: StoreError) -> Self {
        Self::Token(error.into())
    }
}

impl LookUpUser {
    /// Asks, and asks once more with a new token where the provider refused the first.
    pub async fn run(&self, caller: &Caller, id: AuthorizationId) -> Result<UserInfo, LookUpUserError> {
        let asking = Box::pin(self.ask(caller, id));
        let answer = within(&self.clock, self.settings.caller_wait, asking).await;
        let answer =
            answer.unwrap_or_else(|| Err(LookUpUserError::Unavailable { reason: "slow".to_owned() }));
        let audit = AuditEntry::by(caller, AuditAction::UserLookedUp, &*self.random, self.clock.now())
            .about_authorization(id);
        let audit = match &answer {
            Ok(_) => audit,
            // No row about something that is not the caller's.
            Err(LookUpUserError::Token(LendError::NotFound | LendError::Store(_))) => return answer,
            Err(error) => audit.ending(AuditOutcome::Failed, error.reason()),
        };
        let saved = self.store.commit(vec![Change::Audit(audit)]).await;
        saved.map_err(CommitError::into_store_error)?;
        answer
    }

    async fn ask(&self, caller: &Caller, id: AuthorizationId) -> Result<UserInfo, LookUpUserError> {
        let lendable = self.lend.obtain(caller, id, Duration::ZERO).await?;
        let refused = match self.identify(&lendable).await {
            Ok(identity) => return Ok(identity.user),
            Err(UpstreamError::TokenRefused) => lendable,
            // Nowhere to ask: what the ID token told when the user authorized is all there is.
            Err(UpstreamError::NotSupported) => return Ok(lendable.linked.authorization.user.clone()),
            Err(error) => return Err(LookUpUserError::Unavailable { reason: error.reason().to_owned() }),
        };
        if refused.linked.authorization.refresh_token.is_none() {
            return Err(LookUpUserError::TokenRefused);
        }
        let renewed = self.lend.renew(caller, refused).await?;
        match self.identify(&renewed).await {
            Ok(identity) => Ok(identity.user),
            Err(UpstreamError::TokenRefused) => Err(LookUpUserError::TokenRefused),
            Err(error) => Err(LookUpUserError::Unavailable { reason: error.reason().to_owned() }),
        }
    }

    async fn identify(&self, lendable: &Lendable) -> Result<Identity, UpstreamError> {
        let Lendable { linked: Linked { authorization, provider, .. }, access_token } = lendable;
        let client = self.clients.client(provider.kind).ok_or(UpstreamError::NotSupported)?;
        let connection = provider.connect(&*self.sealer).await.map_err(SealError::into_upstream_error)?;
        let expected = ExpectedUser { issuer: &authorization.issuer, subject: &authorization.subject };
        client
            .identify(&authorization.requested_scopes)
            .identify_user(&connection, access_token, Some(expected))
            .await
    }
}

impl LookUpUserError {
    fn reason(&self) -> &str {
        match self {
            Self::Token(error) => error.reason(),
            Self::TokenRefused => "invalid_token",
            Self::Unavailable { reason } => reason,
        }
    }
}
