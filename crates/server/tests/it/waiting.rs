//! Waiting for other processes: the one place where tests look at a real clock.

use std::time::Duration;

const TRIES: u32 = 300;
const PAUSE: Duration = Duration::from_millis(100);

/// Looks again and again until there is something to see; fails after half a minute.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..TRIES {
        if let Some(seen) = look().await {
            return seen;
        }
        pause().await;
    }
    panic!("waited in vain for {what}");
}

/// A moment before the next try.
#[expect(clippy::disallowed_methods, reason = "another process is waited for, and it lives in real time")]
pub(crate) async fn pause() {
    tokio::time::sleep(PAUSE).await;
}
