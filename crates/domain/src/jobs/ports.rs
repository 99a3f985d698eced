//! The port of the job queue.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Job, JobKindName, JobStatus};
use crate::Lease;
use crate::ids::{JobId, OrganizationId};
use crate::store::StoreError;

/// Reads jobs, and lets exactly one worker have each.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait JobQueue: Send + Sync {
    /// A job of an organization.
    async fn job(&self, organization: OrganizationId, id: JobId) -> Result<Option<Job>, StoreError>;

    /// The jobs of an organization with that status and type (`None`: any), newest first, at most `limit`.
    async fn jobs(
        &self,
        organization: OrganizationId,
        status: Option<JobStatus>,
        kind: Option<JobKindName>,
        limit: u32,
    ) -> Result<Vec<Job>, StoreError>;

    /// Takes the oldest job that [`Job::is_claimable`] and stores it as [`Job::claimed`], which is returned.
    /// MUST be atomic: no two callers get one job.
    async fn claim(&self, lease: Lease, now: DateTime<Utc>) -> Result<Option<Job>, StoreError>;

    /// Prolongs a lease; `false` when it is another's by now or the job has ended. Does not change the version.
    async fn extend(&self, id: JobId, lease: Lease) -> Result<bool, StoreError>;
}
