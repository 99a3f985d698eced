//! Keeping what a provider gave: a token that it has just issued or rotated must not be lost because somebody else
//! wrote first, or because the store is away.

use std::sync::Arc;
use std::time::Duration;

use crate::services::Clock;
use crate::{CommitError, StoreError};

/// How often a commit is decided anew after somebody else wrote first. Each time somebody else got on, so this is how
/// many may stand in line for one row.
pub(crate) const TRIES: u32 = 200;
/// How long to wait between looks at a store that is away.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

/// Says after each failed attempt to read, decide and commit whether to make another.
///
/// A store that is away is waited for as long as the process lives: what is in hand is nowhere else. How long a shutdown
/// waits for that is for whoever shuts down to say.
pub(crate) struct Persistence {
    clock: Arc<dyn Clock>,
    tries: u32,
}

impl Persistence {
    pub(crate) fn new(clock: &Arc<dyn Clock>) -> Self {
        Self { clock: Arc::clone(clock), tries: 1 }
    }

    /// `Ok` when it is time for another attempt.
    pub(crate) async fn after(&mut self, error: CommitError) -> Result<(), StoreError> {
        match error {
            CommitError::Store(StoreError::Unavailable(cause)) => {
                tracing::warn!(error = &*cause as &dyn std::error::Error, "tokens cannot be stored yet");
                self.clock.sleep(PAUSE).await;
                Ok(())
            }
            error if self.tries >= TRIES => Err(error.into_store_error()),
            _ => {
                self.tries += 1;
                tokio::task::yield_now().await;
                Ok(())
            }
        }
    }
}
