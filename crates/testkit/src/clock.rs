//! A clock that moves only when it is told to.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use grantkeeper_domain::services::Clock;
use tokio::sync::watch;

/// Virtual time for tests: it stands still until [`advance`](Self::advance) moves it, which wakes everyone who sleeps and
/// whose time has come. [`jump`](Self::jump) moves the wall clock alone, as setting it does, and wakes nobody. Any number
/// of tasks may share one.
pub struct FixedClock {
    dial: watch::Sender<Dial>,
    /// Sleeps up to this length move the clock.
    jumps: Option<Duration>,
}

#[derive(Clone, Copy)]
struct Dial {
    now: DateTime<Utc>,
    monotonic: Duration,
    sleepers: usize,
}

impl Dial {
    fn advance(&mut self, duration: Duration) {
        self.now += time_delta(duration);
        self.monotonic = self.monotonic.saturating_add(duration);
    }
}

impl FixedClock {
    /// A clock that stands at [`START`](crate::entities::START).
    pub fn new() -> Arc<Self> {
        Self::at(crate::entities::START)
    }

    /// A clock that stands at that time.
    pub fn at(now: DateTime<Utc>) -> Arc<Self> {
        Arc::new(Self::standing_at(now, None))
    }

    /// A clock that every `sleep` moves to the sleeper's end at once, so that a loop which waits between its rounds
    /// runs through. Not for work with a time limit: there the limit is over before the work has begun.
    pub fn auto_advancing() -> Arc<Self> {
        Arc::new(Self::standing_at(crate::entities::START, Some(Duration::MAX)))
    }

    /// A clock that only sleeps up to this length move, so that work which pauses between its tries runs through, and
    /// its time limits, which are longer, still stand.
    pub fn passing_pauses(longest: Duration) -> Arc<Self> {
        Arc::new(Self::standing_at(crate::entities::START, Some(longest)))
    }

    fn standing_at(now: DateTime<Utc>, jumps: Option<Duration>) -> Self {
        Self { dial: watch::Sender::new(Dial { now, monotonic: Duration::ZERO, sleepers: 0 }), jumps }
    }

    /// Lets time pass.
    pub fn advance(&self, duration: Duration) {
        self.dial.send_modify(|dial| dial.advance(duration));
    }

    /// Lets time pass until then; none where that is over.
    pub fn advance_to(&self, then: DateTime<Utc>) {
        self.advance((then - self.now()).to_std().unwrap_or_default());
    }

    /// Sets the wall clock forward or back, while no time passes.
    pub fn jump(&self, by: TimeDelta) {
        self.dial.send_modify(|dial| dial.now += by);
    }

    /// Waits until that many tasks sleep, which is when moving the time has its effect on all of them.
    pub async fn until_sleeping(&self, tasks: usize) {
        self.until(|dial| dial.sleepers >= tasks).await;
    }

    async fn until(&self, reached: impl Fn(&Dial) -> bool) {
        // The sender is a part of `self`, so the channel cannot be closed meanwhile.
        let _ = self.dial.subscribe().wait_for(|dial| reached(dial)).await;
    }
}

#[async_trait]
impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        self.dial.borrow().now
    }

    fn monotonic(&self) -> Duration {
        self.dial.borrow().monotonic
    }

    async fn sleep(&self, duration: Duration) {
        let end = self.monotonic().saturating_add(duration);
        if self.jumps.is_some_and(|longest| duration <= longest) {
            // Whoever has something to do at this time does it before time passes.
            tokio::task::yield_now().await;
            self.dial.send_modify(|dial| dial.advance(end.saturating_sub(dial.monotonic)));
            // Others get their turn, as they do when somebody really waits.
            tokio::task::yield_now().await;
            return;
        }
        let _sleeping = Sleeping::on(self);
        self.until(|dial| dial.monotonic >= end).await;
    }
}

/// Counts as a sleeper as long as it lives, also when the sleep is given up.
struct Sleeping<'a>(&'a FixedClock);

impl<'a> Sleeping<'a> {
    fn on(clock: &'a FixedClock) -> Self {
        clock.dial.send_modify(|dial| dial.sleepers += 1);
        Self(clock)
    }
}

impl Drop for Sleeping<'_> {
    fn drop(&mut self) {
        self.0.dial.send_modify(|dial| dial.sleepers -= 1);
    }
}

/// A clock counts whole microseconds. A century is forever, and does not leave the calendar.
fn time_delta(duration: Duration) -> TimeDelta {
    let century = TimeDelta::days(36_525);
    let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    TimeDelta::microseconds(micros).min(century)
}

#[cfg(test)]
mod tests {
    use grantkeeper_domain::services::within;

    use super::*;
    use crate::entities::START;

    #[tokio::test]
    async fn sleepers_wake_when_their_time_has_come() {
        let clock = FixedClock::new();
        let sleeper = |seconds| {
            let clock = clock.clone();
            tokio::spawn(async move {
                clock.sleep(Duration::from_secs(seconds)).await;
                clock.now()
            })
        };
        let (first, second, third) = (sleeper(5), sleeper(10), sleeper(11));
        clock.until_sleeping(3).await;
        clock.advance(Duration::from_secs(10));
        let ten = START + TimeDelta::seconds(10);
        assert_eq!(first.await.unwrap(), ten);
        assert_eq!(second.await.unwrap(), ten);
        assert!(!third.is_finished());
        clock.advance(Duration::from_secs(1));
        assert_eq!(third.await.unwrap(), ten + TimeDelta::seconds(1));
    }

    #[tokio::test]
    async fn a_sleep_that_is_given_up_no_longer_counts() {
        let clock = FixedClock::new();
        let as_port: Arc<dyn Clock> = clock.clone();
        assert_eq!(within(&as_port, Duration::from_secs(1), async { 7 }).await, Some(7));
        assert_eq!(clock.dial.borrow().sleepers, 0);
        let task = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(1)).await }
        });
        clock.until_sleeping(1).await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(clock.dial.borrow().sleepers, 0);
    }

    #[tokio::test]
    async fn no_time_is_over_at_once_and_forever_never() {
        let clock = FixedClock::new();
        clock.sleep(Duration::ZERO).await;
        let forever = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::MAX).await }
        });
        clock.until_sleeping(1).await;
        clock.advance(Duration::from_secs(3600));
        tokio::task::yield_now().await;
        assert!(!forever.is_finished());
        forever.abort();
    }

    #[tokio::test]
    async fn an_auto_advancing_clock_jumps_to_the_end_of_a_sleep() {
        let clock = FixedClock::auto_advancing();
        clock.sleep(Duration::from_secs(60)).await;
        clock.sleep(Duration::from_millis(1)).await;
        assert_eq!(clock.now(), START + TimeDelta::milliseconds(60_001));
        assert_eq!(clock.monotonic(), Duration::from_millis(60_001));
    }

    #[tokio::test]
    async fn a_jump_of_the_wall_clock_lets_no_time_pass() {
        let clock = FixedClock::new();
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(60)).await }
        });
        clock.until_sleeping(1).await;
        for hours in [1, -2] {
            clock.jump(TimeDelta::hours(hours));
            tokio::task::yield_now().await;
            assert!(!sleeper.is_finished());
        }
        assert_eq!((clock.now(), clock.monotonic()), (START - TimeDelta::hours(1), Duration::ZERO));
        clock.advance_to(START - TimeDelta::minutes(59));
        sleeper.await.unwrap();
        assert_eq!(clock.monotonic(), Duration::from_secs(60));
        clock.advance_to(START - TimeDelta::hours(9));
        assert_eq!(clock.now(), START - TimeDelta::minutes(59), "no way leads back");
    }

    #[tokio::test]
    async fn a_clock_that_passes_pauses_still_keeps_limits() {
        let clock = FixedClock::passing_pauses(Duration::from_secs(2));
        let as_port: Arc<dyn Clock> = clock.clone();
        let work = async { as_port.sleep(Duration::from_secs(2)).await };
        assert_eq!(within(&as_port, Duration::from_secs(3), work).await, Some(()));
        let limit = tokio::spawn(async move { as_port.sleep(Duration::from_secs(3)).await });
        clock.until_sleeping(1).await;
        assert_eq!(clock.now(), START + TimeDelta::seconds(2));
        limit.abort();
    }
}
