//! When a stored access token is good enough.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::authorizations::Authorization;

/// How tokens are kept fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenSettings {
    /// An access token that lives less than this is refreshed, though it is still handed out. Tokens that live
    /// shortly from the start have a margin of a fifth of their life instead, so as not to be refreshed at every call.
    pub freshness_margin: Duration,
    /// How long a caller waits for a refresh that they could do without, because the stored token is still valid.
    pub early_wait: Duration,
    /// How long a caller waits in all.
    pub caller_wait: Duration,
    /// How long an exchange or a refresh may take at the provider.
    pub upstream_limit: Duration,
    /// How long the holder of a refresh lease may be silent before it is taken for dead. It gives three signs of life in
    /// that time, however long the provider takes.
    pub lease_silence: Duration,
    /// For how long after a hand-out an authorization is in use, and an eighth more at most: its tokens are refreshed ahead of
    /// their expiry.
    pub in_use_for: Duration,
    /// How many refreshes the background has under way at one provider.
    pub refreshes_at_once: usize,
    /// How many refreshes the background begins at one provider in a second.
    pub refreshes_per_second: u32,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self {
            freshness_margin: Duration::from_secs(60),
            early_wait: Duration::from_secs(1),
            caller_wait: Duration::from_secs(4),
            upstream_limit: Duration::from_secs(30),
            lease_silence: Duration::from_secs(15),
            in_use_for: Duration::from_secs(7 * 24 * 3600),
            refreshes_at_once: 32,
            refreshes_per_second: 100,
        }
    }
}

/// How far apart the clocks of two replicas may be.
pub(super) const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(60);

/// How fresh a stored access token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Lives long enough.
    Fresh,
    /// Valid, but a new one would be better.
    Ageing,
    /// Expired.
    Expired,
}

/// So much of [`TokenSettings::in_use_for`] may pass before another use is noted.
const USE_STEPS: i32 = 8;

impl TokenSettings {
    /// For how long after a use that was noted the next one need not be. A use that is noted is a write more for a read.
    pub(super) fn use_step(&self) -> TimeDelta {
        time_delta(self.in_use_for) / USE_STEPS
    }

    /// For how long after the last use that was noted tokens are refreshed ahead of their expiry: long enough for one that was
    /// not noted any more.
    pub(super) fn kept_fresh_for(&self) -> TimeDelta {
        let in_use_for = time_delta(self.in_use_for);
        in_use_for.checked_add(&self.use_step()).unwrap_or(in_use_for)
    }

    /// Judges the token of an authorization for a caller who wants it to live at least `min_ttl`.
    pub fn judge(&self, authorization: &Authorization, min_ttl: Duration, now: DateTime<Utc>) -> Freshness {
        let Some(end) = authorization.expires_at else {
            return Freshness::Fresh;
        };
        if end <= now {
            return Freshness::Expired;
        }
        // The clock was turned back since: how much of the life is over cannot be known.
        if now < authorization.issued_at - CLOCK_SKEW {
            return Freshness::Ageing;
        }
        let fifth = (end - authorization.issued_at).max(TimeDelta::zero()) / 5;
        let margin = time_delta(self.freshness_margin).min(fifth).max(time_delta(min_ttl));
        if end - now < margin { Freshness::Ageing } else { Freshness::Fresh }
    }
}

/// A duration as a difference of times; what is too long for one is as long as can be.
pub(crate) fn time_delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests;
