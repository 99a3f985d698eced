//! Issuing an API token: an operator's command.

use std::sync::Arc;
use std::time::Duration;

use super::{AccountStore, ApiToken, ApiTokenSecret, Standing, TokenPurpose};
use crate::audit::{Actor, AuditAction, AuditEntry};
use crate::ids::{AccountId, ApiTokenId};
use crate::services::{Clock, Random};
use crate::tokens::time_delta;
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// Issues an API token.
pub struct IssueApiToken {
    /// Reads the account.
    pub accounts: Arc<dyn AccountStore>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Dates it.
    pub clock: Arc<dyn Clock>,
    /// Makes it.
    pub random: Arc<dyn Random>,
}

/// A new token; the secret is not kept and cannot be shown again.
pub struct IssuedToken {
    /// What the store knows.
    pub token: ApiToken,
    /// The token itself.
    pub secret: ApiTokenSecret,
}

/// How far a token reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenReach {
    /// All that its account may do.
    Account,
    /// Reading the access tokens of its account.
    Agent,
}

impl TokenReach {
    const fn purpose(self) -> TokenPurpose {
        match self {
            Self::Account => TokenPurpose::Api,
            Self::Agent => TokenPurpose::Agent,
        }
    }
}

/// Why a token was not issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueApiTokenError {
    /// No such account.
    #[error("there is no such account")]
    AccountNotFound,
    /// The account is on its way out.
    #[error("the account is being deleted")]
    AccountDeleting,
    /// The account may do nothing.
    #[error("the account is suspended")]
    AccountSuspended,
    /// The life is zero or beyond the calendar.
    #[error("the token would live for no time, or beyond the calendar")]
    Lifetime,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IssueApiToken {
    /// Issues a token that lives for that long; `None`: until it is revoked.
    pub async fn run(
        &self,
        account: AccountId,
        reach: TokenReach,
        lifetime: Option<Duration>,
    ) -> Result<IssuedToken, IssueApiTokenError> {
        let account = self.accounts.account(account).await?.ok_or(IssueApiTokenError::AccountNotFound)?;
        if account.standing == Standing::Deleting {
            return Err(IssueApiTokenError::AccountDeleting);
        }
        if account.suspended_at.is_some() {
            return Err(IssueApiTokenError::AccountSuspended);
        }
        let now = self.clock.now();
        let expires_at = match lifetime {
            None => None,
            Some(Duration::ZERO) => return Err(IssueApiTokenError::Lifetime),
            Some(life) => Some(now.checked_add_signed(time_delta(life)).ok_or(IssueApiTokenError::Lifetime)?),
        };
        let secret = ApiTokenSecret::generate(&*self.random);
        let id = ApiTokenId::generate(&*self.random, now);
        let owner = (account.id, account.organization_id);
        let token = ApiToken::new(owner, &secret, (id, reach.purpose()), now, expires_at);
        let audit = AuditEntry::new(
            account.organization_id,
            Actor::Operator,
            AuditAction::ApiTokenIssued,
            &*self.random,
            now,
        )
        .about(token.id);
        let changes = vec![Change::insert(token.clone()), Change::Audit(audit)];
        self.store.commit(changes).await.map_err(CommitError::into_store_error)?;
        Ok(IssuedToken { token, secret })
    }
}
