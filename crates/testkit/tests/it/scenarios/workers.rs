//! Workers in virtual time: run to their end, or killed on the way.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use grantkeeper_domain::services::Random;
use grantkeeper_testkit::{FixedClock, SeededRandom};

/// Runs work to its end, and the clock with it.
pub(super) async fn run_through<T>(clock: &FixedClock, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = clock.until_sleeping(1) => clock.advance(Duration::from_secs(1)),
        }
    }
}

/// Dies, by a panic, at a draw of its own choosing. Every entry of the audit log draws, and every commit has one:
/// dying at each draw in turn is dying before each commit, and so after the one before.
pub(super) struct MortalRandom {
    random: SeededRandom,
    draws_left: AtomicUsize,
}

impl MortalRandom {
    pub(super) fn dying_at(draw: usize) -> Self {
        Self { random: SeededRandom::new(99), draws_left: AtomicUsize::new(draw) }
    }
}

impl Random for MortalRandom {
    fn fill(&self, bytes: &mut [u8]) {
        assert_ne!(self.draws_left.fetch_sub(1, Ordering::Relaxed), 0, "dies here, as it was told to");
        self.random.fill(bytes);
    }
}
