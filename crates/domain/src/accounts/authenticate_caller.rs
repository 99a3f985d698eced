//! Authenticating the caller of an API.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{ApiTokenSecret, ApiTokenStore, Role, TokenPurpose};
use crate::StoreError;
use crate::ids::{AccountId, ApiTokenId, OrganizationId};
use crate::secret::SecretHash;
use crate::services::Clock;
use crate::tokens::RecordUses;

/// Who calls, as far as a use case needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user.
    pub account_id: AccountId,
    /// The user's organization: nothing of another one exists for this caller.
    pub organization_id: OrganizationId,
    /// What the user may do.
    pub role: Role,
    /// The token they called with.
    pub token_id: ApiTokenId,
    /// What that token was made for.
    pub purpose: TokenPurpose,
    /// The request, for the audit log.
    pub request_id: Option<String>,
}

impl Caller {
    /// Lets only administrators through.
    pub fn require_admin(&self) -> Result<(), Forbidden> {
        match self.role {
            Role::Admin => Ok(()),
            Role::Member => Err(Forbidden),
        }
    }
}

/// Only administrators may do this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("only administrators of the organization may do this")]
pub struct Forbidden;

/// Turns an API token into a caller.
pub struct AuthenticateCaller {
    /// Reads tokens.
    pub tokens: Arc<dyn ApiTokenStore>,
    /// Notes that they were used.
    pub uses: Arc<RecordUses>,
    /// Tells whether a token has expired.
    pub clock: Arc<dyn Clock>,
}

/// Why a caller is not let in.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// No token of ours, or one that is unknown, revoked or expired, or whose account is suspended or being deleted: which of these is
    /// nobody's business.
    #[error("the API token is missing, wrong, expired or revoked")]
    Unauthenticated,
    /// An agent's token, which opens nothing but reading access tokens.
    #[error("the API token is an agent's: it reads the access tokens of its account, and nothing else")]
    OnlyReadsTokens,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuthenticateCaller {
    /// Authenticates one who may do all that their account may. A token that cannot be one of ours costs no read.
    pub async fn run(
        &self,
        presented: &str,
        request_id: Option<String>,
    ) -> Result<Caller, AuthenticateError> {
        let caller = self.token_reader(presented, request_id).await?;
        if caller.purpose == TokenPurpose::Agent {
            Err(AuthenticateError::OnlyReadsTokens)
        } else {
            Ok(caller)
        }
    }

    /// Authenticates one who may read the access tokens of their account: everybody, and agents.
    pub async fn token_reader(
        &self,
        presented: &str,
        request_id: Option<String>,
    ) -> Result<Caller, AuthenticateError> {
        let secret = ApiTokenSecret::parse(presented).ok_or(AuthenticateError::Unauthenticated)?;
        self.by_hash(&secret.hash(), request_id).await
    }

    /// Whether the token of a caller who was let in some time ago is still good: for calls that wait.
    pub async fn token_still_good(&self, caller: &Caller) -> Result<(), AuthenticateError> {
        let token = self.tokens.token(caller.token_id).await?.ok_or(AuthenticateError::Unauthenticated)?;
        self.by_hash(&token.hash, caller.request_id.clone()).await.map(|_| ())
    }

    async fn by_hash(
        &self,
        hash: &SecretHash,
        request_id: Option<String>,
    ) -> Result<Caller, AuthenticateError> {
        let now = self.clock.now();
        let found = self.tokens.token_by_hash(hash).await?;
        let (token, account) = found.ok_or(AuthenticateError::Unauthenticated)?;
        if !account.may_act() {
            return Err(AuthenticateError::Unauthenticated);
        }
        if !token.is_usable(now) || !self.may_go_on(token.purpose, now).await? {
            return Err(AuthenticateError::Unauthenticated);
        }
        self.uses.api_token(token.id, token.last_used_at);
        Ok(Caller {
            account_id: account.id,
            organization_id: account.organization_id,
            role: token.purpose.role_of(&account),
            token_id: token.id,
            purpose: token.purpose,
            request_id,
        })
    }

    /// A browser session ends with the token that opened it: also where that token expires, or was revoked at the very
    /// moment the session was opened.
    async fn may_go_on(&self, purpose: TokenPurpose, now: DateTime<Utc>) -> Result<bool, StoreError> {
        match purpose {
            TokenPurpose::Api | TokenPurpose::Agent => Ok(true),
            TokenPurpose::Session { opened_with } => {
                let opener = self.tokens.token(opened_with).await?;
                Ok(opener.is_some_and(|opener| opener.is_usable(now)))
            }
        }
    }
}

#[cfg(test)]
mod tests;
