//! How long a loop pauses.

use std::time::Duration;

use crate::chore::Progress;

/// The longest pause after failures: what was broken for long is looked at every minute.
const LONGEST: Duration = Duration::from_secs(60);
/// The shortest pause after a failure, however short the loop's own rest is.
const SHORTEST: Duration = Duration::from_millis(500);

/// Tells a loop how long to pause: not at all while there is work, its rest when there is none, and after failures
/// ever longer.
#[derive(Debug)]
pub(crate) struct Pace {
    rest: Duration,
    failures: u32,
}

impl Pace {
    /// A pace with that rest.
    pub(crate) fn new(rest: Duration) -> Self {
        Self { rest, failures: 0 }
    }

    /// The pause after a run that went well.
    pub(crate) fn after(&mut self, progress: Progress) -> Option<Duration> {
        self.failures = 0;
        match progress {
            Progress::More => None,
            Progress::Rest => Some(self.rest),
        }
    }

    /// The pause after a run that failed: twice the one before, up to a minute, and never less than the rest.
    pub(crate) fn after_failure(&mut self) -> Duration {
        let doubled = SHORTEST.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        doubled.min(LONGEST).max(self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(2);

    #[test]
    fn work_goes_on_and_rest_is_kept() {
        let mut pace = Pace::new(REST);
        assert_eq!(pace.after(Progress::More), None);
        assert_eq!(pace.after(Progress::Rest), Some(REST));
    }

    #[test]
    fn failures_make_it_slower_up_to_a_minute() {
        let mut pace = Pace::new(Duration::from_millis(10));
        let pauses: Vec<u128> = (0..9).map(|_| pace.after_failure().as_millis()).collect();
        assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
        for _ in 0..100 {
            assert_eq!(pace.after_failure(), LONGEST);
        }
    }

    #[test]
    fn a_run_that_goes_well_makes_up_for_failures() {
        let mut pace = Pace::new(REST);
        for _ in 0..5 {
            pace.after_failure();
        }
        pace.after(Progress::More);
        assert_eq!(pace.after_failure(), REST, "never less than the rest");
    }

    #[test]
    fn a_long_rest_is_never_cut_short() {
        let long = Duration::from_secs(300);
        assert_eq!(Pace::new(long).after_failure(), long);
    }
}
