//! `[jobs]`.

use std::time::Duration;

use crate::reader::Reader;

/// Work in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jobs {
    /// How long a worker that found nothing to do waits before it looks again.
    pub poll_interval: Duration,
    /// How long work that has begun may take to end after the service was told to stop.
    pub shutdown_timeout: Duration,
}

impl Default for Jobs {
    fn default() -> Self {
        Self { poll_interval: Duration::from_millis(500), shutdown_timeout: Duration::from_secs(35) }
    }
}

impl Jobs {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        let default = Self::default();
        Self {
            poll_interval: reader
                .number("jobs.poll_interval_ms", &(10..=60_000), "milliseconds")
                .map_or(default.poll_interval, Duration::from_millis),
            shutdown_timeout: reader
                .seconds("jobs.shutdown_timeout", &(0..=600))
                .unwrap_or(default.shutdown_timeout),
        }
    }
}
