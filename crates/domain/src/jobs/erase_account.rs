//! Taking an account apart, for the jobs that delete accounts and organizations.

use std::sync::Arc;

use super::Job;
use super::move_to_revocations::{LOOK, MoveToRevocations, PAGE};
use crate::accounts::{AccountStore, DeletionStore};
use crate::audit::{AuditAction, AuditEntry};
use crate::authorizations::EXCHANGE_LIMIT;
use crate::ids::AccountId;
use crate::services::{Clock, Random};
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// Takes apart an account that is closed: its authorizations become revocations, its flows and API tokens end, and then it
/// goes. Every step starts from what is in the store.
pub struct EraseAccount {
    /// Reads it.
    pub accounts: Arc<dyn AccountStore>,
    /// Reads and removes what belongs to it.
    pub deletions: Arc<dyn DeletionStore>,
    /// Turns its authorizations into revocations.
    pub mover: Arc<MoveToRevocations>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Makes the id of the audit entry.
    pub random: Arc<dyn Random>,
}

/// How often the end is tried anew after something came to belong to the account meanwhile.
const TRIES: u32 = 10;

impl EraseAccount {
    /// Returns when the account is gone.
    pub(super) async fn run(&self, job: &Job, id: AccountId) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let Some(account) = self.accounts.account(id).await? else {
                return Ok(());
            };
            self.await_exchanges(id).await?;
            self.move_all(job, id).await?;
            self.deletions.remove_belongings(id).await?;
            let action = AuditAction::AccountDeleted;
            let (organization, now) = (account.organization_id, self.clock.now());
            let audit = AuditEntry::new(organization, job.actor(), action, &*self.random, now).about(id);
            match self.store.commit(vec![Change::delete(account), Change::Audit(audit)]).await {
                Ok(()) => return Ok(()),
                // It was written meanwhile, or something was inserted that belongs to it: no account goes before that.
                Err(CommitError::Conflict | CommitError::Store(StoreError::Unexpected(_))) => {}
                Err(error) => return Err(error.into_store_error()),
            }
        }
        Err(CommitError::Conflict.into_store_error())
    }

    /// Codes that are at a provider now come back as tokens, which nobody would have but a flow that is still there. No new
    /// flow reaches this far: the account is closed.
    async fn await_exchanges(&self, id: AccountId) -> Result<(), StoreError> {
        while self.deletions.exchanges_of(id, self.clock.now() - EXCHANGE_LIMIT).await? > 0 {
            self.clock.sleep(LOOK).await;
        }
        Ok(())
    }

    async fn move_all(&self, job: &Job, id: AccountId) -> Result<(), StoreError> {
        let mut moving = self.mover.for_job(job);
        loop {
            let page = self.deletions.some_authorizations_of(id, PAGE).await?;
            if page.is_empty() {
                return Ok(());
            }
            moving.page(page).await?;
        }
    }
}
