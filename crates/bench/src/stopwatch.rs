//! Real time, which is what a benchmark is about.

use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};

use crate::failure::Failure;

/// This moment.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Does nothing for so long, while others go on.
#[expect(clippy::disallowed_methods, reason = "what is measured runs in other processes")]
pub(crate) fn rest(duration: Duration) {
    thread::sleep(duration);
}

/// What the clocks of the services show that are measured, to the millisecond.
#[expect(clippy::disallowed_methods, reason = "what is due is so by the clock of the service")]
pub(crate) fn wall_clock() -> Result<DateTime<Utc>, Failure> {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    Ok(DateTime::from_timestamp_millis(i64::try_from(millis)?).ok_or("the clock is wrong by ages")?)
}
