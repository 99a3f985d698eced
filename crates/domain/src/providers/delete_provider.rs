//! Asking for the deletion of a provider. The work is done by a job.

use std::sync::Arc;

use super::{Provider, ProviderCatalog, ProviderStatus};
use crate::accounts::{Caller, Forbidden};
use crate::audit::{AuditAction, AuditEntry};
use crate::ids::ProviderId;
use crate::jobs::{Job, JobKind};
use crate::services::{Clock, Random};
use crate::{Change, CommitError, StoreError, UnitOfWork};

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
            let (job, changes) = self.changes(caller, provider);
            match self.store.commit(changes).await {
                Ok(()) => return Ok(job),
                Err(CommitError::Conflict) => {}
                Err(error) => return Err(error.into_store_error().into()),
            }
        }
    }

    fn changes(&self, caller: &Caller, provider: Provider) -> (Job, Vec<Change>) {
        let (now, random) = (self.clock.now(), &*self.random);
        let kind = JobKind::DeleteProvider { provider_id: provider.id };
        let name = format!("Delete provider {}", provider.name);
        let (job, queued) = Job::queued(caller, kind, name, random, now);
        let requested = AuditEntry::by(caller, AuditAction::ProviderDeletionRequested, random, now);
        let audited = [requested, queued].map(|entry| Change::Audit(entry.about_provider(provider.id)));
        let status = ProviderStatus::Deleting;
        let hidden = Change::update(Provider { status, slug: None, updated_at: now, ..provider });
        let changes = [hidden, Change::insert(job.clone())].into_iter().chain(audited).collect();
        (job, changes)
    }
}

#[cfg(test)]
mod tests;
