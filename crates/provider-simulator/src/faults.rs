//! Faults: what can go wrong between a request and its answer.

use std::num::NonZeroU32;
use std::time::Duration;

/// Which calls a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultPlace {
    /// The token endpoint, with every grant.
    Token,
    /// The userinfo endpoint.
    Userinfo,
    /// The revocation endpoint.
    Revoke,
    /// The device authorization endpoint (polls go to the token endpoint).
    Device,
    /// The metadata documents and the key set.
    Discovery,
    /// All of these.
    All,
}

/// What happens to a call that a fault hits, after its delay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultEffect {
    /// It is handled as always: the fault is but a delay.
    Nothing,
    /// It is not handled, but answered by a page as gateways send it.
    Status {
        /// The HTTP status; what no status can be is answered as 503.
        status: u16,
        /// The `Retry-After` header in seconds (RFC 9110 section 10.2.3).
        retry_after: Option<u32>,
        /// The body; otherwise a small HTML page.
        body: Option<String>,
    },
    /// It is not handled, and the connection closes without a byte of an answer.
    Drop,
    /// It is handled in full, then the connection closes without a byte of an answer.
    LoseAnswer,
}

/// How often a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultTimes {
    /// This many calls, then no more.
    Times(NonZeroU32),
    /// Every call until the faults are cleared.
    UntilCleared,
}

/// A fault, ready to strike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which calls it hits.
    pub place: FaultPlace,
    /// How long a call waits before anything else happens to it.
    pub delay: Duration,
    /// What happens then.
    pub effect: FaultEffect,
    /// How often.
    pub times: FaultTimes,
}

impl Fault {
    /// A fault that strikes once and without delay.
    pub fn once(place: FaultPlace, effect: FaultEffect) -> Self {
        Self { place, delay: Duration::ZERO, effect, times: FaultTimes::Times(NonZeroU32::MIN) }
    }

    /// One call is answered by an error page with this HTTP status.
    pub fn status(place: FaultPlace, status: u16) -> Self {
        Self::once(place, FaultEffect::Status { status, retry_after: None, body: None })
    }

    /// One call is late.
    pub fn slow(place: FaultPlace, delay: Duration) -> Self {
        Self::once(place, FaultEffect::Nothing).delayed(delay)
    }

    /// The same fault after a delay.
    #[must_use]
    pub fn delayed(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// The same fault for this many calls.
    #[must_use]
    pub fn times(self, times: NonZeroU32) -> Self {
        Self { times: FaultTimes::Times(times), ..self }
    }

    /// The same fault for every call until the faults are cleared.
    #[must_use]
    pub fn until_cleared(self) -> Self {
        Self { times: FaultTimes::UntilCleared, ..self }
    }

    fn hits(&self, place: FaultPlace) -> bool {
        self.place == place || self.place == FaultPlace::All
    }
}

/// The faults waiting to strike: at most one per place, the newest first.
#[derive(Default)]
pub(crate) struct Faults {
    waiting: Vec<Fault>,
}

impl Faults {
    /// Adds a fault; it replaces the one set before for the same place.
    pub(crate) fn set(&mut self, fault: Fault) {
        self.waiting.retain(|waiting| waiting.place != fault.place);
        self.waiting.insert(0, fault);
    }

    /// No more faults.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// The fault that strikes a call at `place`, counted as used.
    pub(crate) fn strike(&mut self, place: FaultPlace) -> Option<Fault> {
        let position = self.waiting.iter().position(|fault| fault.hits(place))?;
        let fault = self.waiting[position].clone();
        if let FaultTimes::Times(times) = fault.times {
            match NonZeroU32::new(times.get() - 1) {
                Some(left) => self.waiting[position].times = FaultTimes::Times(left),
                None => drop(self.waiting.remove(position)),
            }
        }
        Some(fault)
    }

    /// How many faults wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults<const N: usize>(set: [Fault; N]) -> Faults {
        let mut faults = Faults::default();
        for fault in set {
            faults.set(fault);
        }
        faults
    }

    #[test]
    fn a_fault_strikes_its_place_and_as_often_as_told() {
        let twice = NonZeroU32::new(2).expect("not zero");
        let mut faults = faults([Fault::status(FaultPlace::Token, 503).times(twice)]);
        assert!(faults.strike(FaultPlace::Revoke).is_none());
        assert!(faults.strike(FaultPlace::Token).is_some());
        assert!(faults.strike(FaultPlace::Token).is_some());
        assert!(faults.strike(FaultPlace::Token).is_none());
        assert_eq!(faults.len(), 0);
    }

    #[test]
    fn a_fault_until_cleared_strikes_until_cleared() {
        let mut faults = faults([Fault::once(FaultPlace::All, FaultEffect::Drop).until_cleared()]);
        for place in [FaultPlace::Token, FaultPlace::Userinfo, FaultPlace::Token, FaultPlace::Discovery] {
            assert!(faults.strike(place).is_some());
        }
        faults.clear();
        assert!(faults.strike(FaultPlace::Token).is_none());
    }

    #[test]
    fn the_newest_fault_wins_and_replaces_that_of_the_same_place() {
        let mut faults = faults([
            Fault::status(FaultPlace::Token, 500),
            Fault::status(FaultPlace::All, 502),
            Fault::status(FaultPlace::Token, 503),
        ]);
        assert_eq!(faults.strike(FaultPlace::Token), Some(Fault::status(FaultPlace::Token, 503)));
        assert_eq!(faults.strike(FaultPlace::Token), Some(Fault::status(FaultPlace::All, 502)));
        assert_eq!(faults.strike(FaultPlace::Token), None);
    }
}
