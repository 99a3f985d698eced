//! Running revocations: those that are due, or in a hurry those that somebody waits for.

use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::StreamExt as _;
use futures_util::stream;

use super::{ClaimedRevocations, RevocationAttempt, RevocationQueue};
use crate::Lease;
use crate::StoreError;
use crate::services::Clock;

/// Runs revocations.
pub struct RunDueRevocations {
    /// Gives them out.
    pub queue: Arc<dyn RevocationQueue>,
    /// Makes the attempts.
    pub attempt: Arc<RevocationAttempt>,
    /// Dates the leases.
    pub clock: Arc<dyn Clock>,
    /// The name of this process in leases.
    pub holder: String,
}

/// How many are taken at once, and so how many requests are under way at once.
const BATCH: u32 = 8;
/// Longer than one attempt may take.
const LEASE: TimeDelta = TimeDelta::seconds(60);

impl RunDueRevocations {
    /// Takes one batch and tries it, in parallel; returns how many were tried.
    pub async fn run(&self, which: ClaimedRevocations) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let lease = Lease { holder: self.holder.clone(), until: now + LEASE };
        let taken = self.queue.claim_revocations(which, lease, now, BATCH).await?;
        let count = taken.len();
        let attempts = taken.into_iter().map(|revocation| self.attempt.run(revocation));
        let results: Vec<_> = stream::iter(attempts).buffer_unordered(BATCH as usize).collect().await;
        results.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(count)
    }
}
