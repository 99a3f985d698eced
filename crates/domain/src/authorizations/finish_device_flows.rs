//! Finishing device flows whose callers have left.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt as _;
use futures_util::stream;

use super::{DeviceFlow, DeviceFlowStore, PollDeviceFlow};
use crate::StoreError;
use crate::accounts::AccountStore;
use crate::services::Clock;

/// Polls device flows that nobody polls any more: a terminal that was closed does not cost the person what they grant
/// afterwards.
pub struct FinishDeviceFlows {
    /// Finds them.
    pub flows: Arc<dyn DeviceFlowStore>,
    /// Tells whether their callers may still act.
    pub accounts: Arc<dyn AccountStore>,
    /// Asks the providers.
    pub poll: Arc<PollDeviceFlow>,
    /// Tells which are overdue.
    pub clock: Arc<dyn Clock>,
}

/// How much later than the provider allows a caller may poll and still not seem to have left.
const PATIENCE: TimeDelta = TimeDelta::seconds(10);

/// How far apart the polls of one flow are at least, however often its caller might poll: nobody waits at a terminal.
const APART: TimeDelta = TimeDelta::seconds(15);

/// How many are taken at once.
const BATCH: u32 = 64;
/// How many polls are begun at once.
const AT_ONCE: usize = 8;

impl FinishDeviceFlows {
    /// Begins the polls of one batch, and returns how many: a provider that hangs keeps nobody waiting here. A store that is away
    /// is told; any other failure is that of one flow, and of no consequence to the others.
    pub async fn run(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let flows = self.flows.unattended_device_flows(now - PATIENCE, now, BATCH).await?;
        let due = flows.into_iter().filter(|flow| !was_just_polled(flow, now));
        let polls = due.map(|flow| self.finish(flow));
        let results: Vec<_> = stream::iter(polls).buffer_unordered(AT_ONCE).collect().await;
        let mut begun = 0;
        for result in results {
            match result {
                Ok(()) => begun += 1,
                Err(error @ StoreError::Unavailable(_)) => return Err(error),
                Err(StoreError::Unexpected(_)) => {}
            }
        }
        Ok(begun)
    }

    async fn finish(&self, flow: DeviceFlow) -> Result<(), StoreError> {
        let id = flow.id;
        let begun = self.begin(flow).await;
        if let Err(error) = &begun {
            let error = error as &dyn std::error::Error;
            tracing::error!(error, device_flow = %id, "a device flow cannot be polled in the place of its caller");
        }
        begun
    }

    async fn begin(&self, flow: DeviceFlow) -> Result<(), StoreError> {
        let account = self.accounts.account(flow.account_id).await?;
        if account.is_some_and(|account| account.may_act()) {
            return self.poll.in_place_of_caller(flow).await;
        }
        self.poll.put_off(flow).await
    }
}

/// The next poll is put off by the interval from the last one on, if not by more.
fn was_just_polled(flow: &DeviceFlow, now: DateTime<Utc>) -> bool {
    flow.unattended && now < flow.next_poll_at - flow.interval + APART
}

#[cfg(test)]
mod tests;
