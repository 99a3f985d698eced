//! Asking for the deletion of an account: an operator's command. The work is done by a job.

use std::sync::Arc;

use super::{Account, AccountStore, Standing};
use crate::audit::{Actor, AuditAction, AuditEntry};
use crate::ids::AccountId;
use crate::jobs::{Job, JobKind};
use crate::services::{Clock, Random};
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// Queues the deletion of an account and closes it at once.
pub struct DeleteAccount {
    /// Reads it.
    pub accounts: Arc<dyn AccountStore>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Dates it.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub random: Arc<dyn Random>,
}

/// Why no deletion was queued.
#[derive(Debug, thiserror::Error)]
pub enum DeleteAccountError {
    /// No such account.
    #[error("there is no such account")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DeleteAccount {
    /// Queues the job. From this moment the account's API tokens and sessions open nothing. Asking again queues another
    /// job, which goes on where the first one ended.
    pub async fn run(&self, id: AccountId) -> Result<Job, DeleteAccountError> {
        loop {
            let account = self.accounts.account(id).await?.ok_or(DeleteAccountError::NotFound)?;
            let (job, changes) = self.changes(account);
            match self.store.commit(changes).await {
                Ok(()) => return Ok(job),
                Err(CommitError::Conflict) => {}
                Err(error) => return Err(error.into_store_error().into()),
            }
        }
    }

    fn changes(&self, account: Account) -> (Job, Vec<Change>) {
        let (now, random) = (self.clock.now(), &*self.random);
        let organization = account.organization_id;
        // Not by its address: reports stay when the person is gone.
        let name = format!("Delete account {}", account.id);
        let kind = JobKind::DeleteAccount { account_id: account.id };
        let (job, queued) = Job::queued_by_operator(organization, kind, name, random, now);
        let action = AuditAction::AccountDeletionRequested;
        let requested = AuditEntry::new(organization, Actor::Operator, action, random, now).about(account.id);
        let closed = Change::update(Account { standing: Standing::Deleting, ..account });
        let changes =
            vec![closed, Change::insert(job.clone()), Change::Audit(requested), Change::Audit(queued)];
        (job, changes)
    }
}

#[cfg(test)]
mod tests;
