//! Waiting for other processes: the one place where tests look at a real clock.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use grantkeeper_domain::tokens::OLDEST_READ;

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
pub(crate) async fn pause() {
    real_time(PAUSE).await;
}

/// Until no process hands out what it has read before: what was changed behind their backs counts from now on.
pub(crate) async fn what_was_read_before_is_too_old() {
    real_time(OLDEST_READ).await;
}

/// Some moment within that time.
pub(crate) async fn any_moment_within(time: Duration) {
    let chance = RandomState::new().hash_one(time);
    real_time(time.mul_f64(f64::from(u16::try_from(chance & 0xFFFF).unwrap()) / 65_536.0)).await;
}

/// When something happened.
#[expect(clippy::disallowed_methods, reason = "another process is observed, and it lives in real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "another process is waited for, and it lives in real time")]
async fn real_time(time: Duration) {
    tokio::time::sleep(time).await;
}
