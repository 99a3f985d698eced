//! Asking for statistics. The work is done by a job.

use std::sync::Arc;

use super::{Job, JobKind, JobStatus};
use crate::accounts::{Caller, Forbidden};
use crate::audit::{AuditAction, AuditEntry};
use crate::ids::JobId;
use crate::services::{Clock, Random};
use crate::{Change, CommitError, StoreError, UnitOfWork, Version};

/// Queues a statistics job.
pub struct QueueStats {
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Dates it.
    pub clock: Arc<dyn Clock>,
    /// Makes its id.
    pub random: Arc<dyn Random>,
}

/// Why no job was queued.
#[derive(Debug, thiserror::Error)]
pub enum QueueStatsError {
    /// Not an administrator.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl QueueStats {
    /// Queues it.
    pub async fn run(&self, caller: &Caller) -> Result<Job, QueueStatsError> {
        caller.require_admin()?;
        let now = self.clock.now();
        let job = Job {
            id: JobId::generate(&*self.random, now),
            organization_id: caller.organization_id,
            requested_by: caller.account_id,
            kind: JobKind::Stats,
            name: "Count providers, authorizations and hand-outs".to_owned(),
            status: JobStatus::Pending,
            created_at: now,
            started_at: None,
            finished_at: None,
            details: Vec::new(),
            lease: None,
            version: Version::FIRST,
        };
        let audit = AuditEntry::by(caller, AuditAction::JobQueued, &*self.random, now).about(job.id);
        let changes = vec![Change::insert(job.clone()), Change::Audit(audit)];
        self.store.commit(changes).await.map_err(CommitError::into_store_error)?;
        Ok(job)
    }
}
