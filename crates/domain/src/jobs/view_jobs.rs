//! Showing jobs.

use std::sync::Arc;

use super::{Job, JobKindName, JobQueue, JobStatus};
use crate::StoreError;
use crate::accounts::{Caller, Forbidden};
use crate::ids::JobId;

/// Shows the jobs of the caller's organization.
pub struct ViewJobs {
    /// Reads them.
    pub queue: Arc<dyn JobQueue>,
}

/// Why a job is not shown.
#[derive(Debug, thiserror::Error)]
pub enum ViewJobError {
    /// Not an administrator.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Not there, or another organization's.
    #[error("there is no such job")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The longest list that is shown; the newest are in it.
const LONGEST_LIST: u32 = 1000;

impl ViewJobs {
    /// One job.
    pub async fn get(&self, caller: &Caller, id: JobId) -> Result<Job, ViewJobError> {
        caller.require_admin()?;
        self.queue.job(caller.organization_id, id).await?.ok_or(ViewJobError::NotFound)
    }

    /// Those with that status and type, newest first.
    pub async fn list(
        &self,
        caller: &Caller,
        status: Option<JobStatus>,
        kind: Option<JobKindName>,
    ) -> Result<Vec<Job>, ViewJobError> {
        caller.require_admin()?;
        Ok(self.queue.jobs(caller.organization_id, status, kind, LONGEST_LIST).await?)
    }
}
