//! Removing what has had its time.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::StoreError;
use crate::accounts::{ApiTokenStore, RemoveTombstones};
use crate::authorizations::{DeviceFlowStore, FlowStore};
use crate::login::LoginStore;
use crate::revocations::RevocationQueue;
use crate::services::Clock;

/// Removes expired flows, tokens and receipts, and what is left of deleted organizations.
pub struct CleanUp {
    /// Flows.
    pub flows: Arc<dyn FlowStore>,
    /// Device flows.
    pub device_flows: Arc<dyn DeviceFlowStore>,
    /// Logins.
    pub logins: Arc<dyn LoginStore>,
    /// API tokens and browser sessions.
    pub tokens: Arc<dyn ApiTokenStore>,
    /// Receipts.
    pub revocations: Arc<dyn RevocationQueue>,
    /// What is left of deleted organizations.
    pub tombstones: Arc<RemoveTombstones>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// Flows stay for an hour, so that a late repeat is answered as one; device flows and logins likewise.
const FLOWS: TimeDelta = TimeDelta::hours(1);
/// Expired API tokens stay visible in lists for a month.
const TOKENS: TimeDelta = TimeDelta::days(30);
/// Receipts of revocations stay for a quarter; the audit log has them for good.
const RECEIPTS: TimeDelta = TimeDelta::days(90);

impl CleanUp {
    /// Removes what is due; returns how many rows went.
    pub async fn run(&self) -> Result<u64, StoreError> {
        let now = self.clock.now();
        Ok(self.flows.purge_flows(now - FLOWS).await?
            + self.device_flows.purge_device_flows(now - FLOWS).await?
            + self.logins.purge_logins(now - FLOWS).await?
            + self.tokens.purge_expired_tokens(now - TOKENS).await?
            + self.revocations.purge_revocations(now - RECEIPTS).await?
            + self.tombstones.run().await?)
    }
}

#[cfg(test)]
mod tests;
