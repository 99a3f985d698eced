//! The adapters of time and randomness: the one place in the program that takes them out of thin air.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound as _, Utc};
use grantkeeper_domain::services::{Clock, Random};

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemClock;

#[expect(clippy::disallowed_methods, reason = "this is the clock that everything else asks")]
#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }

    fn monotonic(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The operating system's randomness, by way of the cryptography library's generator.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemRandom;

#[expect(clippy::disallowed_methods, reason = "this is the randomness that everything else asks for")]
impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        // There is nothing sensible to do without it, and no machine this runs on is ever without it.
        aws_lc_rs::rand::fill(bytes).expect("the operating system gives randomness");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_has_whole_microseconds() {
        for _ in 0..100 {
            assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1_000, 0);
        }
    }

    #[test]
    fn two_fillings_differ() {
        let (mut one, mut other) = ([0; 32], [0; 32]);
        SystemRandom.fill(&mut one);
        SystemRandom.fill(&mut other);
        assert_ne!(one, other);
    }
}
