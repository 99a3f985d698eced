//! The job queue.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::noun::Noun;
use super::{MemoryStore, State, rows};
use crate::Lease;
use crate::StoreError;
use crate::accounts::Organization;
use crate::ids::{JobId, OrganizationId};
use crate::jobs::{Job, JobKindName, JobQueue, JobStatus};

#[async_trait]
impl JobQueue for MemoryStore {
    async fn job(&self, organization: OrganizationId, id: JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.state().row(id).filter(|row: &&Job| row.organization_id == organization).cloned())
    }

    async fn jobs(
        &self,
        organization: OrganizationId,
        status: Option<JobStatus>,
        kind: Option<JobKindName>,
        limit: u32,
    ) -> Result<Vec<Job>, StoreError> {
        let matches = |row: &Job| {
            row.organization_id == organization
                && status.is_none_or(|status| row.status == status)
                && kind.is_none_or(|kind| row.kind.name() == kind)
        };
        Ok(self.state().oldest_first(matches).into_iter().rev().take(rows(limit)).cloned().collect())
    }

    async fn claim(&self, lease: Lease, now: DateTime<Utc>) -> Result<Option<Job>, StoreError> {
        let mut state = self.state();
        let oldest = state.oldest_first(|row: &Job| row.is_claimable(now)).first().copied().cloned();
        let claimed = oldest.map(|job| job.claimed(lease, now));
        if let Some(job) = &claimed {
            state.jobs.insert(job.id, job.clone());
        }
        Ok(claimed)
    }

    async fn extend(&self, id: JobId, lease: Lease) -> Result<bool, StoreError> {
        let mut state = self.state();
        let job = state.jobs.get_mut(&id).filter(|job| job.status == JobStatus::Running);
        let held = job.and_then(|job| job.lease.as_mut()).filter(|held| held.holder == lease.holder);
        Ok(held.map(|held| *held = lease).is_some())
    }
}

impl Noun for Job {
    fn missing_in(&self, state: &State) -> Option<&'static str> {
        state.lacks::<Organization>(self.organization_id, "organization")
    }
}
