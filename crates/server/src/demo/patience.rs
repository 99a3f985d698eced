//! Waiting for what happens in the background.

use std::time::Duration;

use grantkeeper_domain::services::Clock as _;

use crate::adapters::SystemClock;
use crate::failure::Failure;

const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOOKS: u32 = 150;

/// Looks again and again, for a quarter of a minute.
pub(super) async fn until<T>(
    what: &str,
    mut look: impl AsyncFnMut() -> Result<Option<T>, Failure>,
) -> Result<T, Failure> {
    for _ in 0..LOOKS {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        SystemClock.sleep(LOOK_EVERY).await;
    }
    Err(Failure::of(format!("waited in vain until {what}")))
}
