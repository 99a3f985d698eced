//! What came too often.

use std::fmt;

use super::limiter::Over;

/// A request that is over a limit: 429 in the form of each API, with `Retry-After` (RFC 6585, 4; RFC 9110, 10.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    retry_after: u64,
}

impl Refused {
    /// One to show in the description of the API.
    pub(crate) const EXAMPLE: Self = Self { retry_after: 1 };

    /// Refuses, and lets the operator know: not of every request, or whoever is refused would fill the log.
    pub(super) fn over(over: &Over, limit: &str, whose: impl fmt::Display) -> Self {
        let refused = Self { retry_after: whole_seconds(over.wait) };
        if over.is_news {
            tracing::warn!(limit, %whose, "over a limit; more of the same is not logged for a minute");
        }
        refused
    }

    /// Whole seconds, at least one.
    pub(crate) fn retry_after(self) -> u64 {
        self.retry_after
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = if self.retry_after == 1 { "second" } else { "seconds" };
        write!(f, "too many requests of this kind; try again in {} {seconds}", self.retry_after)
    }
}

fn whole_seconds(wait: std::time::Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn retry_after_has_whole_seconds_and_is_never_too_early() {
        for (millis, seconds) in [(0, 1), (1, 1), (999, 1), (1_000, 1), (1_001, 2), (59_500, 60)] {
            let over = Over { wait: Duration::from_millis(millis), is_news: false };
            assert_eq!(Refused::over(&over, "flows", "x").retry_after(), seconds, "{millis} ms");
        }
    }
}
