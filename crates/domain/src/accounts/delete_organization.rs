//! Asking for the deletion of an organization: an operator's command. The work is done by a job.

use std::sync::Arc;

use super::{AccountStore, Organization, Standing, close_accounts};
use crate::audit::{Actor, AuditAction, AuditEntry};
use crate::ids::OrganizationId;
use crate::jobs::{Job, JobKind};
use crate::services::{Clock, Random};
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// Queues the deletion of an organization and closes its accounts at once.
pub struct DeleteOrganization {
    /// Reads it and its accounts.
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
pub enum DeleteOrganizationError {
    /// No such organization.
    #[error("there is no such organization")]
    NotFound,
    /// The store failed. Where the job was queued before that, it does what is left.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DeleteOrganization {
    /// Queues the job. When this returns, no API token and no session of the organization opens anything. Asking again
    /// queues another job, which goes on where the first one ended.
    pub async fn run(&self, id: OrganizationId) -> Result<Job, DeleteOrganizationError> {
        loop {
            let organization = self.accounts.organization(id).await?;
            let organization = organization.ok_or(DeleteOrganizationError::NotFound)?;
            let (job, changes) = self.changes(organization);
            match self.store.commit(changes).await {
                Ok(()) => {
                    close_accounts(&*self.accounts, &*self.store, id).await?;
                    return Ok(job);
                }
                Err(CommitError::Conflict) => {}
                Err(error) => return Err(error.into_store_error().into()),
            }
        }
    }

    fn changes(&self, organization: Organization) -> (Job, Vec<Change>) {
        let (now, random) = (self.clock.now(), &*self.random);
        let id = organization.id;
        let name = format!("Delete organization {}", organization.name.as_str());
        let (job, queued) = Job::queued_by_operator(id, JobKind::DeleteOrganization, name, random, now);
        let action = AuditAction::OrganizationDeletionRequested;
        let requested = AuditEntry::new(id, Actor::Operator, action, random, now);
        let closed = Change::update(Organization { standing: Standing::Deleting, ..organization });
        let changes =
            vec![closed, Change::insert(job.clone()), Change::Audit(requested), Change::Audit(queued)];
        (job, changes)
    }
}

#[cfg(test)]
mod tests;
