//! The clock of somebody who makes everything in one moment.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use grantkeeper_domain::services::Clock;

use super::seeded_at;

/// It stands still.
pub(super) struct StandingClock;

#[async_trait]
impl Clock for StandingClock {
    fn now(&self) -> DateTime<Utc> {
        seeded_at()
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, _: Duration) {
        // Its time never comes.
        std::future::pending::<()>().await;
    }
}
