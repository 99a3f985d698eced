//! Asking for the deletion of a provider. The work is done by a job.

use std::sync::Arc;

use super::{Provider, ProviderCatalog, ProviderStatus};
use crate::accounts::{Caller, Forbidden};
use crate::audit::{AuditAction, AuditEntry};
use crate::ids::{JobId, ProviderId};
use crate::jobs::{Job, JobKind, JobStatus};
use crate::services::{Clock, Random};
use crate::{Change, CommitError, StoreError, UnitOfWork, Version};

/// Queues the deletion of a provider and hides it at once.
pub struct DeleteProvider {
    /// Reads it.
    pub catalog: Arc<dyn ProviderCatalog>,
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Dates it.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub random: Arc<dyn Random>,
}

/// Why no deletion was queued.
#[derive(Debug, thiserror::Error)]
pub enum DeleteProviderError {
    /// Not an administrator.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Not there, not the caller's, or being deleted already.
    #[error("there is no such provider")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DeleteProvider {
    /// Queues the job. From this moment the provider is gone to callers and its slug is free.
    pub async fn run(&self, caller: &Caller, id: ProviderId) -> Result<Job, DeleteProviderError> {
        caller.require_admin()?;
        loop {
            let provider = self.catalog.provider(caller.organization_id, id).await?;
            let provider = provider.filter(Provider::is_visible).ok_or(DeleteProviderError::NotFound)?;
            let job = self.job(caller, &provider);
            match self.store.commit(self.changes(caller, provider, &job)).await {
                Ok(()) => return Ok(job),
                Err(CommitError::Conflict) => {}
                Err(error) => return Err(error.into_store_error().into()),
            }
        }
    }

    fn job(&self, caller: &Caller, provider: &Provider) -> Job {
        let now = self.clock.now();
        Job {
            id: JobId::generate(&*self.random, now),
            organization_id: caller.organization_id,
            requested_by: caller.account_id,
            kind: JobKind::DeleteProvider { provider_id: provider.id },
            name: format!("Delete provider {}", provider.name),
            status: JobStatus::Pending,
            created_at: now,
            started_at: None,
            finished_at: None,
            details: Vec::new(),
            lease: None,
            version: Version::FIRST,
        }
    }

    fn changes(&self, caller: &Caller, provider: Provider, job: &Job) -> Vec<Change> {
        let now = job.created_at;
        let audit = |action| AuditEntry::by(caller, action, &*self.random, now).about_provider(provider.id);
        let requested = audit(AuditAction::ProviderDeletionRequested);
        let queued = audit(AuditAction::JobQueued).about(job.id);
        let status = ProviderStatus::Deleting;
        vec![
            Change::update(Provider { status, slug: None, updated_at: now, ..provider }),
            Change::insert(job.clone()),
            Change::Audit(requested),
            Change::Audit(queued),
        ]
    }
}

#[cfg(test)]
mod tests;
