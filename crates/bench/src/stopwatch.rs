//! Real time, which is what a benchmark is about.

use std::time::Instant;

/// This moment.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
