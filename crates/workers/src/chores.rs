//! The chores: what each use case of the background comes to.

use std::sync::Arc;

use async_trait::async_trait;
use grantkeeper_domain::authorizations::FinishDeviceFlows;
use grantkeeper_domain::jobs::{JobRun, RunNextJob};
use grantkeeper_domain::links::WakeLinkWaiters;
use grantkeeper_domain::revocations::{ClaimedRevocations, RunDueRevocations};
use grantkeeper_domain::tokens::RefreshDueTokens;
use grantkeeper_domain::{CleanUp, StoreError};

use crate::chore::{Chore, Progress};

/// Runs jobs, one after the other.
pub(crate) struct Jobs(pub(crate) Arc<RunNextJob>);

#[async_trait]
impl Chore for Jobs {
    async fn run(&self) -> Result<Progress, StoreError> {
        Ok(match self.0.run().await? {
            JobRun::Idle => Progress::Rest,
            JobRun::Ran(job) => {
                tracing::info!(%job, "job ended");
                Progress::More
            }
            JobRun::Overtaken(job) => {
                tracing::warn!(%job, "another worker took the job over");
                Progress::More
            }
        })
    }
}

/// Starts the refreshes that are due, batch by batch.
pub(crate) struct Refreshes(pub(crate) Arc<RefreshDueTokens>);

#[async_trait]
impl Chore for Refreshes {
    async fn run(&self) -> Result<Progress, StoreError> {
        Ok(match self.0.run().await? {
            0 => Progress::Rest,
            due => {
                tracing::debug!(due, "refreshes were due");
                Progress::More
            }
        })
    }
}

/// Tries the revocations whose time has come, batch by batch.
pub(crate) struct Revocations(pub(crate) Arc<RunDueRevocations>);

#[async_trait]
impl Chore for Revocations {
    async fn run(&self) -> Result<Progress, StoreError> {
        Ok(match self.0.run(ClaimedRevocations::Due).await? {
            0 => Progress::Rest,
            tried => {
                tracing::debug!(tried, "revocations tried");
                Progress::More
            }
        })
    }
}

/// Polls device flows in the place of callers who have left, batch by batch.
pub(crate) struct DeviceFlows(pub(crate) Arc<FinishDeviceFlows>);

#[async_trait]
impl Chore for DeviceFlows {
    async fn run(&self) -> Result<Progress, StoreError> {
        Ok(match self.0.run().await? {
            0 => Progress::Rest,
            polled => {
                // None of them comes again before its provider allows the next poll.
                tracing::debug!(polled, "device flows polled in the place of their callers");
                Progress::More
            }
        })
    }
}

/// Wakes those who wait for links that other processes have made.
pub(crate) struct LinkNews(pub(crate) Arc<WakeLinkWaiters>);

#[async_trait]
impl Chore for LinkNews {
    async fn run(&self) -> Result<Progress, StoreError> {
        self.0.run().await?;
        // One look is for all who wait.
        Ok(Progress::Rest)
    }
}

/// Removes what has had its time.
pub(crate) struct Cleaning(pub(crate) Arc<CleanUp>);

#[async_trait]
impl Chore for Cleaning {
    async fn run(&self) -> Result<Progress, StoreError> {
        let rows = self.0.run().await?;
        if rows > 0 {
            tracing::debug!(rows, "cleaned up");
        }
        // One run removes all there is.
        Ok(Progress::Rest)
    }
}
