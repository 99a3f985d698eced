//! The generic cell rate algorithm (ITU-T I.371, Annex A): a bucket that fills at a steady rate, kept as one time.
//!
//! Written out here rather than taken from a crate: time is the `Clock` port's, which is wall-clock time and may be set
//! back. A limiter that takes time for monotonic would then refuse everybody until the clock has caught up.

use std::time::Duration;

use chrono::{DateTime, Utc};

const MINUTE: i64 = 60_000_000_000;

/// Nanoseconds since 1970.
pub(super) type Nanos = i64;

pub(super) fn nanos(time: DateTime<Utc>) -> Nanos {
    time.timestamp_micros().saturating_mul(1_000)
}

/// How many requests there may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quota {
    /// Nanoseconds in which one more request comes in.
    interval: i64,
    /// Nanoseconds in which an empty bucket fills.
    window: i64,
}

impl Quota {
    /// So many requests a minute, all of them at once if need be; `None` for 0, which is no limit.
    pub(super) fn per_minute(requests: u32) -> Option<Self> {
        let requests = i64::from(requests);
        // Of 2³² requests a minute each still has its nanoseconds.
        let interval = MINUTE.checked_div(requests)?;
        Some(Self { interval, window: interval * requests })
    }

    /// How long an empty bucket takes to fill, in nanoseconds.
    pub(super) fn window(&self) -> i64 {
        self.window
    }

    /// Takes one request out of a bucket, given as the time when it will be full; else tells how long until there is one
    /// in it.
    pub(super) fn take(&self, full_at: &mut Nanos, now: Nanos) -> Result<(), Duration> {
        *full_at = self.with_one_less(full_at, now)?;
        Ok(())
    }

    /// What [`Self::take`] would say.
    pub(super) fn look(&self, full_at: &mut Nanos, now: Nanos) -> Result<(), Duration> {
        self.with_one_less(full_at, now).map(|_| ())
    }

    fn with_one_less(&self, full_at: &mut Nanos, now: Nanos) -> Result<Nanos, Duration> {
        let empty = now.saturating_add(self.window);
        // No bucket is emptier than empty. Where the clock was set back it would seem so, until the time it had is
        // reached again: therefore this is kept.
        *full_at = (*full_at).clamp(now, empty);
        let next = full_at.saturating_add(self.interval);
        match u64::try_from(next.saturating_sub(empty)) {
            Err(_) | Ok(0) => Ok(next),
            Ok(missing) => Err(Duration::from_nanos(missing)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn nothing_a_minute_is_no_limit() {
        assert!(Quota::per_minute(0).is_none());
    }

    #[test]
    fn all_may_come_at_once_and_then_one_by_one() {
        let (quota, mut bucket) = (Quota::per_minute(4).unwrap(), 0);
        for _ in 0..4 {
            assert_eq!(quota.take(&mut bucket, 0), Ok(()));
        }
        assert_eq!(quota.take(&mut bucket, 0), Err(Duration::from_secs(15)));
        assert_eq!(quota.take(&mut bucket, 5 * SECOND), Err(Duration::from_secs(10)));
        assert_eq!(quota.take(&mut bucket, 15 * SECOND), Ok(()));
        assert_eq!(quota.take(&mut bucket, 15 * SECOND), Err(Duration::from_secs(15)));
    }

    #[test]
    fn neither_a_refusal_nor_a_look_costs_anything() {
        let (quota, mut bucket) = (Quota::per_minute(1).unwrap(), 0);
        assert_eq!(quota.look(&mut bucket, 0), Ok(()));
        assert_eq!(quota.take(&mut bucket, 0), Ok(()));
        for second in 0..60 {
            let missing = Err(Duration::from_secs(60 - second));
            let now = i64::try_from(second).unwrap() * SECOND;
            assert_eq!(quota.take(&mut bucket, now), missing);
            assert_eq!(quota.look(&mut bucket, now), missing);
        }
        assert_eq!(quota.take(&mut bucket, 60 * SECOND), Ok(()));
    }

    #[test]
    fn a_rest_saves_up_no_more_than_a_bucket() {
        let (quota, mut bucket) = (Quota::per_minute(2).unwrap(), 0);
        let late = 3_600 * SECOND;
        assert_eq!([(); 3].map(|()| quota.take(&mut bucket, late).is_ok()), [true, true, false]);
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let (quota, mut bucket) = (Quota::per_minute(2).unwrap(), 3_600 * SECOND);
        assert_eq!(quota.take(&mut bucket, 3_600 * SECOND), Ok(()));
        assert_eq!(quota.take(&mut bucket, 0), Err(Duration::from_secs(30)), "empty, and no worse");
        assert_eq!(quota.take(&mut bucket, 30 * SECOND), Ok(()), "and fills from there");
    }

    proptest::proptest! {
        #[test]
        fn in_no_minute_are_there_more_than_twice_as_many(
            requests in 1_u32..1_000,
            gaps in proptest::collection::vec(0_i64..3 * SECOND, 1..200),
        ) {
            let quota = Quota::per_minute(requests).unwrap();
            let (mut now, mut bucket, mut admitted) = (0, 0, Vec::new());
            for gap in gaps {
                now += gap;
                if quota.take(&mut bucket, now).is_ok() {
                    admitted.push(now);
                }
            }
            for (index, start) in admitted.iter().enumerate() {
                let in_minute = admitted[index..].iter().take_while(|at| **at < start + MINUTE).count();
                proptest::prop_assert!(in_minute <= 2 * requests as usize);
            }
        }

        #[test]
        fn whoever_waits_as_told_is_let_in(requests in 1_u32..100_000, now in 0..MINUTE) {
            let quota = Quota::per_minute(requests).unwrap();
            let mut bucket = now + quota.window();
            let wait = quota.take(&mut bucket, now).unwrap_err();
            let later = now + i64::try_from(wait.as_nanos()).unwrap();
            proptest::prop_assert_eq!(quota.take(&mut bucket, later), Ok(()));
        }
    }
}
