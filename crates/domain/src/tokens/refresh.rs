//! Refreshing an authorization's tokens exactly once at a time, over all callers and processes.
//!
//! Inside a process callers share one refresh (single-flight); between processes a lease decides whose turn it is. The
//! refresh runs detached from its callers, and its answer is committed before anybody sees it: a rotated token is not
//! lost because a caller left.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::provider_gates::Pass;
use super::silence::Silence;
use super::{
    ClaimedRefresh, NextRefresh, RefreshLease, RefreshLeases, RefreshTurn, TakenLease, TokenSettings,
};
use crate::authorizations::{Authorization, AuthorizationStore};
use crate::ids::AuthorizationId;
use crate::providers::Provider;
use crate::services::{Clock, within};
use crate::{BackgroundTasks, StoreError};

/// Refreshes each authorization once at a time.
pub struct RefreshTokensOnce {
    /// Reads authorizations.
    pub authorizations: Arc<dyn AuthorizationStore>,
    /// Lets one process at a time refresh.
    pub leases: Arc<dyn RefreshLeases>,
    /// Refreshes, once it has the lease.
    pub turn: Arc<RefreshTurn>,
    /// Where refreshes run.
    pub tasks: BackgroundTasks,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// How long the provider may take, and a holder may be silent.
    pub settings: TokenSettings,
    /// The name of this process in leases.
    pub holder: String,
    /// The refreshes that run in this process.
    pub in_flight: InFlight,
}

/// The refreshes that run in one process.
#[derive(Clone, Default)]
pub struct InFlight(Arc<Mutex<HashMap<AuthorizationId, Running>>>);

type Running = watch::Receiver<Option<RefreshOutcome>>;

/// How a refresh ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefreshOutcome {
    /// There are new tokens in the store.
    Refreshed,
    /// The provider said that the grant is dead.
    Dead {
        /// Its error code.
        reason: String,
    },
    /// The provider refuses our client; it is disabled now.
    ClientRefused,
    /// A bad moment, or the caller's patience is over: the stored tokens are what they were.
    Failed {
        /// What happened, as a code.
        reason: String,
    },
}

/// How often a process that did not get the lease looks at first whether the other one is done.
const LOOK: Duration = Duration::from_millis(200);
/// For how long it does: callers who wait are gone soon.
const BRISK: Duration = Duration::from_secs(2);
/// How often it looks after that, and tries to get the lease.
const SLOW_LOOK: Duration = Duration::from_secs(1);

impl RefreshTokensOnce {
    /// Refreshes an authorization unless it has been refreshed since it was `seen`; joins a refresh that is under
    /// way. Waits no longer than `wait`, the refresh goes on.
    pub async fn run(self: &Arc<Self>, seen: Authorization, wait: Duration) -> RefreshOutcome {
        let mut running = match self.in_flight.join_or_enter(seen.id) {
            Entrance::Joined(running) => running,
            Entrance::Entered(entry, running) => {
                let this = Arc::clone(self);
                // The result goes through the entry.
                let _detached = self.tasks.start(async move {
                    let outcome = this.refresh(&seen).await;
                    entry.leave(outcome);
                });
                running
            }
        };
        let finished = within(&self.clock, wait, running.wait_for(Option::is_some)).await;
        match finished {
            Some(Ok(outcome)) => outcome.clone().unwrap_or_else(|| failed("interrupted")),
            Some(Err(_)) => failed("interrupted"),
            None => failed("slow"),
        }
    }

    /// Refreshes what was claimed after `claimed_at` (monotonic). Callers who want it meanwhile join; one who came before waits
    /// for the lease, and sees in the store what has become of it.
    pub(crate) async fn run_claimed(
        &self,
        claimed: ClaimedRefresh,
        claimed_at: Duration,
        pass: Pass,
    ) -> RefreshOutcome {
        let entry = match self.in_flight.join_or_enter(claimed.authorization.id) {
            Entrance::Joined(_) => None,
            Entrance::Entered(entry, _) => Some(entry),
        };
        let id = claimed.authorization.id;
        let outcome = or_unavailable(id, self.turn.run(claimed, claimed_at, Some(pass)).await);
        if let Some(entry) = entry {
            entry.leave(outcome.clone());
        }
        outcome
    }

    async fn refresh(&self, seen: &Authorization) -> RefreshOutcome {
        or_unavailable(seen.id, self.refresh_under_lease(seen).await)
    }

    /// Takes the lease, or waits for the process that has it; when that one falls silent, this one takes over.
    async fn refresh_under_lease(&self, seen: &Authorization) -> Result<RefreshOutcome, StoreError> {
        let mut silence = Silence::lasting(self.settings.lease_silence);
        // Silence is what several looks have heard.
        let slow = SLOW_LOOK.min(self.settings.lease_silence / 4);
        let begin = self.clock.monotonic();
        let mut next_try = begin;
        loop {
            let now = self.clock.monotonic();
            if now >= next_try {
                let silent = silence.of_the_dead();
                match self.leases.take_lease(seen.id, &self.holder, silent, self.clock.now()).await? {
                    TakenLease::Taken(lease) => return self.refresh_now(seen, lease, now).await,
                    TakenLease::Gone => return Ok(failed("deleted")),
                    TakenLease::Held(sign) => silence.note(sign, self.clock.monotonic()),
                }
                next_try = now + slow;
            }
            if now >= begin + self.patience() {
                return Ok(failed("slow"));
            }
            self.clock.sleep(if now < begin + BRISK { LOOK } else { slow }).await;
            let found = self.authorizations.authorization(seen.organization_id, seen.id).await?;
            let Some((current, provider)) = found else {
                return Ok(failed("deleted"));
            };
            if let Some(outcome) = self.seen_from_outside(seen, &current, &provider) {
                return Ok(outcome);
            }
        }
    }

    /// Long enough for the provider to answer another process, for that one to die, and for a try of our own.
    fn patience(&self) -> Duration {
        (self.settings.upstream_limit + self.settings.lease_silence) * 2
    }

    /// What a refresh by another process has come to since the row was seen.
    fn seen_from_outside(
        &self,
        seen: &Authorization,
        current: &Authorization,
        provider: &Provider,
    ) -> Option<RefreshOutcome> {
        let has_failed = current.version != seen.version && current.next_attempt_at != seen.next_attempt_at;
        self.turn
            .settled(&seen.access_token, current, provider)
            .or_else(|| has_failed.then(|| failed(current.last_failure.as_deref().unwrap_or("failed"))))
    }

    /// Under the lease the row is read again: the refresh that this caller wanted may just have happened, or failed.
    async fn refresh_now(
        &self,
        seen: &Authorization,
        lease: RefreshLease,
        taken_at: Duration,
    ) -> Result<RefreshOutcome, StoreError> {
        let found = self.authorizations.authorization(seen.organization_id, seen.id).await;
        let (authorization, provider) = match found {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(failed("deleted")),
            Err(error) => {
                self.turn.give_back(&lease, NextRefresh::Unchanged).await;
                return Err(error);
            }
        };
        let outcome = self.seen_from_outside(seen, &authorization, &provider);
        if let Some(outcome) = outcome.or_else(|| self.limited(&authorization)) {
            self.turn.give_back(&lease, NextRefresh::Unchanged).await;
            return Ok(outcome);
        }
        let last_used_at = Some(self.clock.now());
        let claimed = ClaimedRefresh { lease, authorization, provider, last_used_at };
        self.turn.run(claimed, taken_at, None).await
    }

    /// Nobody may hurry a provider that named a time (RFC 9110, 10.2.3).
    fn limited(&self, current: &Authorization) -> Option<RefreshOutcome> {
        let is_limited = current.last_failure.as_deref() == Some(RATE_LIMITED);
        let rests = current.next_attempt_at.is_some_and(|at| self.clock.now() < at);
        (is_limited && rests).then(|| failed(RATE_LIMITED))
    }
}

/// The reason of a failure whose retry time is not to be ignored, whoever waits.
const RATE_LIMITED: &str = "rate_limited";

/// How somebody comes to a refresh.
enum Entrance {
    /// It is under way.
    Joined(Running),
    /// It is theirs to run.
    Entered(Entry, Running),
}

impl InFlight {
    fn join_or_enter(&self, id: AuthorizationId) -> Entrance {
        let mut in_flight = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = in_flight.get(&id) {
            return Entrance::Joined(running.clone());
        }
        let (done, running) = watch::channel(None);
        in_flight.insert(id, running.clone());
        Entrance::Entered(Entry { in_flight: self.clone(), id, done }, running)
    }

    /// Whether nothing is under way.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

/// Takes a refresh out of the map when it ends, also when it panics or never gets to run.
struct Entry {
    in_flight: InFlight,
    id: AuthorizationId,
    done: watch::Sender<Option<RefreshOutcome>>,
}

impl Entry {
    /// First out of the map, then the outcome: whoever comes from now on wants more than this refresh has brought.
    fn leave(self, outcome: RefreshOutcome) {
        let done = self.done.clone();
        drop(self);
        let _ = done.send(Some(outcome));
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.in_flight.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

fn or_unavailable(id: AuthorizationId, ended: Result<RefreshOutcome, StoreError>) -> RefreshOutcome {
    ended.unwrap_or_else(|error| {
        let error = &error as &dyn std::error::Error;
        tracing::error!(authorization = %id, error, "a refresh could not use the store");
        failed("store_unavailable")
    })
}

pub(super) fn failed(reason: &str) -> RefreshOutcome {
    RefreshOutcome::Failed { reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
