//! Asking the provider who the user is.

use std::sync::Arc;

use super::UserInfo;
use crate::accounts::Caller;
use crate::audit::{AuditAction, AuditEntry, AuditOutcome};
use crate::ids::AuthorizationId;
use crate::providers::{ExpectedUser, Identity, ProviderClients, UpstreamError};
use crate::sealing::{SealError, TokenSealer};
use crate::services::{Clock, Random, within};
use crate::tokens::{LendError, Lendable, Linked, RefusedTokens, Renewed, TokenSettings, Verdicts};
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// Looks up the user of an authorization at its provider.
pub struct LookUpUser {
    /// Gets a valid access token, and another where that is refused.
    pub(crate) tokens: Arc<RefusedTokens>,
    /// Asks the provider.
    pub clients: Arc<dyn ProviderClients>,
    /// Opens the client secret.
    pub sealer: Arc<dyn TokenSealer>,
    /// What the provider has said about tokens.
    pub(crate) verdicts: Arc<Verdicts>,
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
    /// Asks for a caller who wants to know, which is on record.
    pub async fn run(&self, caller: &Caller, id: AuthorizationId) -> Result<UserInfo, LookUpUserError> {
        let answer = self.look(caller, id).await;
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

    /// Asks, and asks once more with a new token where the provider refused the first.
    pub(crate) async fn look(
        &self,
        caller: &Caller,
        id: AuthorizationId,
    ) -> Result<UserInfo, LookUpUserError> {
        let asking = Box::pin(self.ask(caller, id));
        let answer = within(&self.clock, self.settings.caller_wait, asking).await;
        answer.unwrap_or_else(|| Err(LookUpUserError::Unavailable { reason: "slow".to_owned() }))
    }

    async fn ask(&self, caller: &Caller, id: AuthorizationId) -> Result<UserInfo, LookUpUserError> {
        let lendable = self.tokens.obtain(caller, id).await?;
        match self.identify(&lendable).await {
            Err(UpstreamError::TokenRefused) => match self.tokens.renew(caller, lendable).await? {
                Renewed::Token(renewed) => {
                    let answer = self.identify(&renewed).await;
                    self.heard(&renewed, answer)
                }
                Renewed::Refused(lendable) => self.heard(&lendable, Err(UpstreamError::TokenRefused)),
            },
            answer => self.heard(&lendable, answer),
        }
    }

    fn heard(
        &self,
        lendable: &Lendable,
        answer: Result<Identity, UpstreamError>,
    ) -> Result<UserInfo, LookUpUserError> {
        let authorization = &lendable.linked.authorization;
        if !matches!(answer, Err(UpstreamError::NotSupported)) {
            self.verdicts.hear(authorization, &answer, self.clock.monotonic());
        }
        match answer {
            Ok(identity) => Ok(identity.user),
            // Nowhere to ask: what the ID token told when the user authorized is all there is.
            Err(UpstreamError::NotSupported) => Ok(authorization.user.clone()),
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
    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Token(error) => error.reason(),
            Self::TokenRefused => "invalid_token",
            Self::Unavailable { reason } => reason,
        }
    }
}
