//! Suspending an account, and letting it in again: an operator's commands.

use std::sync::Arc;

use super::{Account, AccountStore, Standing};
use crate::audit::{Actor, AuditAction, AuditEntry};
use crate::ids::AccountId;
use crate::services::{Clock, Random};
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// Suspends accounts: nobody gets in as them, with whichever token, until they are resumed. What they have authorized stays,
/// and is kept fresh.
pub struct SuspendAccount {
    /// Reads the account.
    pub accounts: Arc<dyn AccountStore>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Dates it.
    pub clock: Arc<dyn Clock>,
    /// Makes the id of the audit entry.
    pub random: Arc<dyn Random>,
}

/// Why an account was not suspended or resumed.
#[derive(Debug, thiserror::Error)]
pub enum SuspendAccountError {
    /// No such account.
    #[error("there is no such account")]
    NotFound,
    /// The account is on its way out.
    #[error("the account is being deleted")]
    Deleting,
    /// Somebody changed it at the same time.
    #[error("the account was changed by somebody else at the same time; try again")]
    Conflict,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SuspendAccount {
    /// Suspends an account; one that is suspended already stays so since when it was.
    pub async fn suspend(&self, id: AccountId) -> Result<Account, SuspendAccountError> {
        let account = self.account(id).await?;
        if account.suspended_at.is_some() {
            return Ok(account);
        }
        let suspended = Account { suspended_at: Some(self.clock.now()), ..account };
        self.save(suspended, AuditAction::AccountSuspended).await
    }

    /// Lets an account in again; one that is not suspended stays as it is.
    pub async fn resume(&self, id: AccountId) -> Result<Account, SuspendAccountError> {
        let account = self.account(id).await?;
        if account.suspended_at.is_none() {
            return Ok(account);
        }
        self.save(Account { suspended_at: None, ..account }, AuditAction::AccountResumed).await
    }

    async fn account(&self, id: AccountId) -> Result<Account, SuspendAccountError> {
        let account = self.accounts.account(id).await?.ok_or(SuspendAccountError::NotFound)?;
        match account.standing {
            Standing::Active => Ok(account),
            Standing::Deleting => Err(SuspendAccountError::Deleting),
        }
    }

    async fn save(&self, account: Account, action: AuditAction) -> Result<Account, SuspendAccountError> {
        let (organization, now) = (account.organization_id, self.clock.now());
        let audit =
            AuditEntry::new(organization, Actor::Operator, action, &*self.random, now).about(account.id);
        match self.store.commit(vec![Change::update(account.clone()), Change::Audit(audit)]).await {
            Ok(()) => Ok(Account { version: account.version.next(), ..account }),
            Err(CommitError::Conflict) => Err(SuspendAccountError::Conflict),
            Err(error) => Err(error.into_store_error().into()),
        }
    }
}

#[cfg(test)]
mod tests;
