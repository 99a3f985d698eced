//! What the request handlers and the owner of a simulator share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::state::Provider;
use crate::stats::{InFlight, Stats};

/// The provider behind its one lock, and the count of calls in flight.
pub(crate) struct Shared {
    provider: Mutex<Provider>,
    pub(crate) token_calls: InFlight,
}

impl Shared {
    /// Shares a provider.
    pub(crate) fn new(provider: Provider) -> Self {
        Self { provider: Mutex::new(provider), token_calls: InFlight::default() }
    }

    /// The provider, for a moment: nobody waits for anything else while holding it.
    pub(crate) fn provider(&self) -> MutexGuard<'_, Provider> {
        // A handler that panicked leaves at worst its own call half done.
        self.provider.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calls so far.
    pub(crate) fn stats(&self) -> Stats {
        Stats { max_in_flight: self.token_calls.most(), ..self.provider().stats() }
    }

    /// Forgets calls and faults and returns to the settings of the start.
    pub(crate) fn reset(&self) {
        self.provider().reset();
        self.token_calls.reset();
    }
}
