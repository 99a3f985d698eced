//! Ports of what a program otherwise takes out of thin air: time and randomness.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};

use crate::Secret;

/// Wall-clock time, and waiting for it.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
#[async_trait]
pub trait Clock: Send + Sync {
    /// The present time, whole microseconds (what every store can keep). It may jump, as wall clocks do.
    fn now(&self) -> DateTime<Utc>;

    /// The time since some moment of this process that stays the same. It never jumps and never goes back: how long
    /// something took or may take is measured by it.
    fn monotonic(&self) -> Duration;

    /// Waits. A test's clock waits in virtual time.
    async fn sleep(&self, duration: Duration);
}

/// A cryptographically secure source of randomness.
#[cfg_attr(any(test, feature = "mock"), mockall::automock)]
pub trait Random: Send + Sync {
    /// Fills the buffer with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Random + '_ {
    /// 256 random bits in base64url: a state, a nonce, a handle, or a PKCE verifier (RFC 7636, 4.1: 43 characters).
    pub fn token(&self) -> Secret {
        let mut bytes = [0; 32];
        self.fill(&mut bytes);
        Secret::new(URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// Runs `work`, but not longer than `limit`; `None` when the time is over. The work is dropped then.
pub async fn within<T>(clock: &Arc<dyn Clock>, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = clock.sleep(limit) => None,
    }
}
