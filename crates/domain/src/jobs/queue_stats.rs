//! Asking for statistics. The work is done by a job.

use std::sync::Arc;

use super::{Job, JobKind};
use crate::accounts::{Caller, Forbidden};
use crate::services::{Clock, Random};
use crate::{Change, CommitError, StoreError, UnitOfWork};

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
        let name = "Count providers, authorizations and hand-outs".to_owned();
        let (job, audit) = Job::queued(caller, JobKind::Stats, name, &*self.random, now);
        let changes = vec![Change::insert(job.clone()), Change::Audit(audit)];
        self.store.commit(changes).await.map_err(CommitError::into_store_error)?;
        Ok(job)
    }
}
