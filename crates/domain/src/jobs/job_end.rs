//! The end of a job.

use std::sync::Arc;

use super::{Job, JobDetail, JobStatus};
use crate::audit::{Actor, AuditAction, AuditEntry, AuditOutcome};
use crate::services::{Clock, Random};
use crate::{Change, CommitError, StoreError, UnitOfWork};

/// Writes the reports of jobs.
pub struct JobEnd {
    /// Writes.
    pub store: Arc<dyn UnitOfWork>,
    /// Dates the end.
    pub clock: Arc<dyn Clock>,
    /// Makes the id of the audit entry.
    pub random: Arc<dyn Random>,
}

impl JobEnd {
    /// It is done.
    pub(super) async fn completed(&self, job: Job, details: Vec<JobDetail>) -> Result<(), StoreError> {
        let audit = self.audit(&job);
        self.write(job, JobStatus::Completed, details, audit).await
    }

    /// It cannot go on.
    pub(super) async fn given_up(&self, job: Job, reason: &str) -> Result<(), StoreError> {
        let audit = self.audit(&job).ending(AuditOutcome::Failed, reason);
        self.write(job, JobStatus::Error, vec![JobDetail::new("error", reason)], audit).await
    }

    fn audit(&self, job: &Job) -> AuditEntry {
        let action = AuditAction::JobFinished;
        AuditEntry::new(job.organization_id, Actor::Service, action, &*self.random, self.clock.now())
            .about(job.id)
    }

    async fn write(
        &self,
        job: Job,
        status: JobStatus,
        details: Vec<JobDetail>,
        audit: AuditEntry,
    ) -> Result<(), StoreError> {
        let job = job.finish(status, details, self.clock.now());
        let job = job.map_err(|error| StoreError::Unexpected(Box::new(error)))?;
        match self.store.commit(vec![Change::update(job), Change::Audit(audit)]).await {
            // Overtaken: whoever took over reports.
            Ok(()) | Err(CommitError::Conflict) => Ok(()),
            Err(error) => Err(error.into_store_error()),
        }
    }
}
