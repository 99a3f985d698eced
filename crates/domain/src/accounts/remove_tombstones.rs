//! Removing what is left of deleted organizations once nothing needs it any more.

use std::sync::Arc;

use super::{AccountStore, DeletionStore, Organization, Standing};
use crate::audit::{Actor, AuditAction, AuditEntry};
use crate::ids::OrganizationId;
use crate::jobs::{JobQueue, JobStatus};
use crate::providers::ProviderCatalog;
use crate::revocations::{RevocationFilter, RevocationQueue, RevocationStatus};
use crate::services::{Clock, Random};
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// Removes the organizations whose deletion has come to its end. Until then they stand as tombstones: the revocations of
/// their last tokens need the providers, and the data keys that these are sealed under. Every revocation ends within
/// [`REVOCATION_PERIOD`](crate::revocations::REVOCATION_PERIOD), and so does every tombstone.
pub struct RemoveTombstones {
    /// Reads organizations.
    pub accounts: Arc<dyn AccountStore>,
    /// Reads their providers.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Tells whether a job is still at work on one.
    pub queue: Arc<dyn JobQueue>,
    /// Tells whether a revocation still needs one.
    pub revocations: Arc<dyn RevocationQueue>,
    /// Destroys their keys.
    pub deletions: Arc<dyn DeletionStore>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Dates the audit entries.
    pub clock: Arc<dyn Clock>,
    /// Makes their ids.
    pub random: Arc<dyn Random>,
}

impl RemoveTombstones {
    /// Removes those whose time has come; returns how many. Their receipts and their audit log stay.
    pub async fn run(&self) -> Result<u64, StoreError> {
        let mut removed = 0;
        for organization in self.accounts.organizations().await? {
            if organization.standing == Standing::Deleting && !self.is_needed(organization.id).await? {
                removed += u64::from(self.remove(organization).await?);
            }
        }
        Ok(removed)
    }

    async fn is_needed(&self, id: OrganizationId) -> Result<bool, StoreError> {
        for status in [JobStatus::Pending, JobStatus::Running] {
            if !self.queue.jobs(id, Some(status), None, 1).await?.is_empty() {
                return Ok(true);
            }
        }
        let pending =
            RevocationFilter { status: Some(RevocationStatus::Pending), ..RevocationFilter::default() };
        Ok(!self.accounts.accounts_in(id).await?.is_empty()
            || !self.revocations.newest_revocations(id, None, &pending, 1).await?.is_empty())
    }

    /// `false`: something was written at the same time; there is another round. Each step starts from what is there, so a
    /// process that dies in between leaves nothing that the next round cannot go on with.
    async fn remove(&self, organization: Organization) -> Result<bool, StoreError> {
        for provider in self.catalog.providers(organization.id).await? {
            let audit = self
                .audit(provider.organization_id, AuditAction::ProviderDeleted)
                .about_provider(provider.id);
            if !self.commit(vec![Change::delete(provider), Change::Audit(audit)]).await? {
                return Ok(false);
            }
        }
        self.deletions.remove_remains(organization.id).await?;
        let audit = self.audit(organization.id, AuditAction::OrganizationDeleted);
        self.commit(vec![Change::delete(organization), Change::Audit(audit)]).await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<bool, StoreError> {
        match self.store.commit(changes).await {
            Ok(()) => Ok(true),
            Err(CommitError::Conflict) => Ok(false),
            Err(error) => Err(error.into_store_error()),
        }
    }

    fn audit(&self, organization: OrganizationId, action: AuditAction) -> AuditEntry {
        AuditEntry::new(organization, Actor::Service, action, &*self.random, self.clock.now())
    }
}

#[cfg(test)]
mod tests;
