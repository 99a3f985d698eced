//! Where the simulator takes the time from.

use chrono::{DateTime, Utc};

/// The time, as the simulated provider sees it: it decides when codes and tokens expire.
///
/// Every `Fn() -> DateTime<Utc>` is a clock, so a test can hand in one it winds itself:
///
/// ```
/// use std::sync::{Arc, atomic::{AtomicI64, Ordering}};
/// use chrono::DateTime;
/// use grantkeeper_provider_simulator::{Clock, SimulatorOptions};
///
/// let seconds = Arc::new(AtomicI64::new(1_700_000_000));
/// let wound = Arc::clone(&seconds);
/// let clock: Arc<dyn Clock> =
///     Arc::new(move || DateTime::from_timestamp(wound.load(Ordering::SeqCst), 0).unwrap_or_default());
/// let options = SimulatorOptions { clock, ..SimulatorOptions::default() };
///
/// let before = options.clock.now();
/// seconds.fetch_add(3600, Ordering::SeqCst); // an hour passes
/// assert_eq!((options.clock.now() - before).num_minutes(), 60);
/// ```
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> DateTime<Utc>;
}

impl<F> Clock for F
where
    F: Fn() -> DateTime<Utc> + Send + Sync,
{
    fn now(&self) -> DateTime<Utc> {
        self()
    }
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    fn now(&self) -> DateTime<Utc> {
        DateTime::from(std::time::SystemTime::now())
    }
}
