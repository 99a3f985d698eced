//! Running the next job: claim it, do it, report; a job that a killed worker left is gone on with.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use super::{
    DeleteAccountJob, DeleteOrganizationJob, DeleteProviderJob, Job, JobEnd, JobKind, JobQueue, StatsJob,
};
use crate::Lease;
use crate::StoreError;
use crate::ids::JobId;
use crate::services::Clock;

/// How long a worker may be silent before another takes its job over.
pub const JOB_LEASE: TimeDelta = TimeDelta::seconds(30);
/// How often a worker says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Runs jobs, one at a time.
pub struct RunNextJob {
    /// Gives them out.
    pub queue: Arc<dyn JobQueue>,
    /// Does [`JobKind::DeleteProvider`].
    pub delete_provider: DeleteProviderJob,
    /// Does [`JobKind::DeleteAccount`].
    pub delete_account: DeleteAccountJob,
    /// Does [`JobKind::DeleteOrganization`].
    pub delete_organization: DeleteOrganizationJob,
    /// Does [`JobKind::Stats`].
    pub stats: StatsJob,
    /// Ends those that cannot go on.
    pub end: Arc<JobEnd>,
    /// Dates the leases.
    pub clock: Arc<dyn Clock>,
    /// The name of this process in leases.
    pub holder: String,
}

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobRun {
    /// There was nothing to do.
    Idle,
    /// A job has ended.
    Ran(JobId),
    /// Another worker took the job over, since this one was silent for too long.
    Overtaken(JobId),
}

impl RunNextJob {
    /// Takes one job and runs it to its end.
    pub async fn run(&self) -> Result<JobRun, StoreError> {
        let Some(job) = self.queue.claim(self.lease(), self.clock.now()).await? else {
            return Ok(JobRun::Idle);
        };
        let id = job.id;
        tokio::select! {
            biased;
            // Boxed: what the largest job keeps is nothing that each worker has to have room for.
            done = Box::pin(self.work(job)) => done.map(|()| JobRun::Ran(id)),
            lost = self.keep_alive(id) => lost.map(|()| JobRun::Overtaken(id)),
        }
    }

    async fn work(&self, job: Job) -> Result<(), StoreError> {
        let done = match job.kind {
            JobKind::DeleteProvider { provider_id } => {
                self.delete_provider.run(job.clone(), provider_id).await
            }
            JobKind::DeleteAccount { account_id } => self.delete_account.run(job.clone(), account_id).await,
            JobKind::DeleteOrganization => self.delete_organization.run(job.clone()).await,
            JobKind::Stats => self.stats.run(job.clone()).await,
        };
        match done {
            // It would fail the same way for ever. A store that is away is another matter: the job is gone on with.
            Err(StoreError::Unexpected(error)) => {
                tracing::error!(job = %job.id, error = &*error as &dyn std::error::Error, "a job cannot go on");
                self.give_up(job).await
            }
            done => done,
        }
    }

    async fn give_up(&self, job: Job) -> Result<(), StoreError> {
        match job.kind {
            JobKind::DeleteProvider { provider_id } => {
                self.delete_provider.give_up(job, provider_id, "internal_error").await
            }
            JobKind::DeleteAccount { .. } | JobKind::DeleteOrganization | JobKind::Stats => {
                self.end.given_up(job, "internal_error").await
            }
        }
    }

    /// Ends when the lease is lost.
    async fn keep_alive(&self, id: JobId) -> Result<(), StoreError> {
        loop {
            self.clock.sleep(HEARTBEAT).await;
            if !self.queue.extend(id, self.lease()).await? {
                return Ok(());
            }
        }
    }

    fn lease(&self) -> Lease {
        Lease { holder: self.holder.clone(), until: self.clock.now() + JOB_LEASE }
    }
}

#[cfg(test)]
mod tests;
