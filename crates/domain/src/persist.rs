//! Keeping what a provider gave: a token that it has just issued or rotated must not be lost because somebody else
//! wrote first, or because the store is away for a moment.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::services::Clock;
use crate::{CommitError, StoreError};

/// How often a commit is decided anew after somebody else wrote first. Each time somebody else got on, so this is how
/// many may stand in line for one row.
pub(crate) const TRIES: u32 = 200;
/// For how long a store that is away is waited for.
pub(crate) const STORE_PATIENCE: TimeDelta = TimeDelta::minutes(5);
/// How long to wait between looks at it.
const PAUSE: Duration = Duration::from_secs(1);

/// Says after each failed attempt to read, decide and commit whether to make another.
pub(crate) struct Persistence {
    clock: Arc<dyn Clock>,
    give_up: DateTime<Utc>,
    tries: u32,
}

impl Persistence {
    pub(crate) fn new(clock: &Arc<dyn Clock>) -> Self {
        Self { clock: Arc::clone(clock), give_up: clock.now() + STORE_PATIENCE, tries: 1 }
    }

    /// `Ok` when it is time for another attempt.
    pub(crate) async fn after(&mut self, error: CommitError) -> Result<(), StoreError> {
        match error {
            CommitError::Store(StoreError::Unavailable(cause)) if self.clock.now() < self.give_up => {
                tracing::warn!(error = &*cause as &dyn std::error::Error, "tokens cannot be stored yet");
                self.clock.sleep(PAUSE).await;
                Ok(())
            }
            error @ CommitError::Store(StoreError::Unavailable(_)) => Err(error.into_store_error()),
            error if self.tries >= TRIES => Err(error.into_store_error()),
            _ => {
                self.tries += 1;
                tokio::task::yield_now().await;
                Ok(())
            }
        }
    }
}
