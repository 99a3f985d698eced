//! How hard this process leans on each provider: a circuit breaker for a provider that is away, and a pace for the
//! background, which slows down where the provider limits us.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::ids::{AuthorizationId, ProviderId};
use crate::providers::UpstreamError;
use crate::services::Clock;

/// The gates to all providers.
pub struct ProviderGates {
    clock: Arc<dyn Clock>,
    at_once: usize,
    per_second: f64,
    gates: Mutex<HashMap<ProviderId, Gate>>,
}

/// How many refreshes the background of one process has under way at once, at all providers together. One provider, slow as
/// it may be, has no more than half of them.
pub(super) const SLOTS: usize = 256;
/// So many authorizations have to fail in a row, no other one answered between them, for a provider to count as away. One
/// that always fails, however often it is asked for, closes the gate for nobody else.
const FAILURES: usize = 5;
/// For how long nobody asks a provider that is away: twice as long after each probe that fails, up to the longest.
const SHORTEST_BREAK: Duration = Duration::from_secs(1);
const LONGEST_BREAK: Duration = Duration::from_secs(60);
/// The background rests after a 429 that names no time, and never longer than the longest rest.
const REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_secs(3600);
/// How much of the pace may come at once.
const BURST: Duration = Duration::from_millis(100);
/// The slowest pace, in refreshes per second.
const SLOWEST: f64 = 0.2;

/// What is known of one provider. All times are monotonic.
struct Gate {
    under_way: usize,
    /// Whose refreshes have failed since the last answer, up to [`FAILURES`]: then it is away.
    failing: Vec<AuthorizationId>,
    /// How many probes have failed since it is away, and whose was the last of them.
    failed_probes: u32,
    last_probe: Option<AuthorizationId>,
    is_probed: bool,
    /// Nobody asks before that.
    broken_until: Duration,
    /// The background does not ask before that.
    rests_until: Duration,
    /// Refreshes per second, for now.
    pace: f64,
    /// When the pace lets the next one go (a generic cell rate algorithm).
    next: Duration,
    /// When it is the turn of whoever comes next to the line of those that were put off. They come back at the pace at which
    /// they can be let through, so that the line gets shorter by itself.
    end_of_line: Duration,
}

/// When to come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Later {
    /// Not before this time is over,
    pub(crate) after: Duration,
    /// and then at some time of that long, so that not all come at once.
    pub(crate) spread: Duration,
}

/// Leave to ask a provider.
pub(crate) struct Pass {
    gates: Arc<ProviderGates>,
    provider: ProviderId,
    authorization: AuthorizationId,
    kind: PassKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PassKind {
    /// The provider is there, as far as we know.
    Errand,
    /// It is away, and this one is to see whether it is back.
    Probe,
}

impl ProviderGates {
    /// Gates through which the background goes at that pace, with at most half of all its refreshes at one provider.
    pub fn new(clock: Arc<dyn Clock>, at_once: usize, per_second: u32) -> Arc<Self> {
        Arc::new(Self {
            clock,
            at_once: at_once.clamp(1, SLOTS / 2),
            per_second: f64::from(per_second.max(1)),
            gates: Mutex::default(),
        })
    }

    /// For a caller who waits: let through unless the provider is away.
    pub(crate) fn enter(
        self: &Arc<Self>,
        provider: ProviderId,
        authorization: AuthorizationId,
    ) -> Option<Pass> {
        let now = self.clock.monotonic();
        let mut gates = self.gates();
        let gate = gates.entry(provider).or_insert_with(|| Gate::new(self.per_second));
        let kind = gate.pass_breaker(authorization, now)?;
        gate.under_way += 1;
        Some(Pass { gates: Arc::clone(self), provider, authorization, kind })
    }

    /// For the background: let through at the provider's pace.
    pub(crate) fn enter_in_background(
        self: &Arc<Self>,
        provider: ProviderId,
        authorization: AuthorizationId,
    ) -> Result<Pass, Later> {
        let now = self.clock.monotonic();
        let mut gates = self.gates();
        let gate = gates.entry(provider).or_insert_with(|| Gate::new(self.per_second));
        let open = gate.rests_until.max(gate.next.saturating_sub(BURST));
        let has_room = open <= now && gate.under_way < self.at_once;
        let kind = if has_room { gate.pass_breaker(authorization, now) } else { None };
        let Some(kind) = kind else {
            return Err(gate.put_off(open.max(gate.closed_until(authorization)), now));
        };
        gate.next = gate.next.max(now) + gate.interval();
        gate.under_way += 1;
        Ok(Pass { gates: Arc::clone(self), provider, authorization, kind })
    }

    /// Whether the provider has named a time for which it wants to be left alone, and that is not over (RFC 9110, 10.2.3; RFC
    /// 6585, 4). Only who has no valid token asks it meanwhile.
    pub(crate) fn wants_rest(&self, provider: ProviderId) -> bool {
        let now = self.clock.monotonic();
        self.gates().get(&provider).is_some_and(|gate| gate.rests_until > now)
    }

    /// How many of those that were put off may come back any moment: not those whose provider is away or wants its rest.
    pub(crate) fn in_line(&self) -> usize {
        let now = self.clock.monotonic();
        self.gates().values().map(|gate| gate.in_line(now)).sum()
    }

    fn gates(&self) -> MutexGuard<'_, HashMap<ProviderId, Gate>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    fn new(pace: f64) -> Self {
        Self {
            under_way: 0,
            failing: Vec::new(),
            failed_probes: 0,
            last_probe: None,
            is_probed: false,
            broken_until: Duration::ZERO,
            rests_until: Duration::ZERO,
            pace,
            next: Duration::ZERO,
            end_of_line: Duration::ZERO,
        }
    }

    /// Lets everybody through while the provider answers, and one probe at the end of each break.
    fn pass_breaker(&mut self, authorization: AuthorizationId, now: Duration) -> Option<PassKind> {
        if !self.is_away() {
            return Some(PassKind::Errand);
        }
        if self.is_probed || now < self.closed_until(authorization) {
            return None;
        }
        self.is_probed = true;
        Some(PassKind::Probe)
    }

    fn is_away(&self) -> bool {
        self.failing.len() >= FAILURES
    }

    /// The end of the break. Whose probe was the last that failed stands back as long again: it may be that one which does not
    /// work, and not the provider.
    fn closed_until(&self, authorization: AuthorizationId) -> Duration {
        let has_tried = self.last_probe == Some(authorization);
        self.broken_until + if has_tried { self.length_of_break() } else { Duration::ZERO }
    }

    /// The time from one refresh to the next. A little more than the pace says: no second is to see more than that many,
    /// with a burst at its end or its beginning.
    fn interval(&self) -> Duration {
        (Duration::from_secs(1) + BURST).div_f64(self.pace)
    }

    /// Sends somebody to the end of the line.
    fn put_off(&mut self, until: Duration, now: Duration) -> Later {
        let until = until.max(now + BURST);
        let turn = until.max(self.end_of_line);
        // The pace may be another when it gets there: a line that long is none.
        let longest = until + LONGEST_REST;
        self.end_of_line = (turn + self.interval()).min(longest);
        if turn < longest {
            Later { after: turn.saturating_sub(now), spread: Duration::ZERO }
        } else {
            Later { after: until.saturating_sub(now), spread: LONGEST_REST }
        }
    }

    fn in_line(&self, now: Duration) -> usize {
        if self.is_away() || self.rests_until > now {
            return 0;
        }
        let line = self.end_of_line.saturating_sub(now).as_nanos();
        usize::try_from(line.div_ceil(self.interval().as_nanos())).unwrap_or(usize::MAX)
    }

    fn answered(&mut self, error: Option<&UpstreamError>, pass: &Pass, now: Duration) {
        let per_second = pass.gates.per_second;
        match error {
            Some(UpstreamError::Unavailable { retry_after, .. }) => {
                self.failed(pass, now);
                self.rest_until(now + retry_after.unwrap_or_default().min(LONGEST_REST));
            }
            Some(UpstreamError::RateLimited { retry_after }) => {
                self.is_there();
                // Those that were under way together are told together, and once is enough.
                if self.rests_until <= now {
                    self.pace = (self.pace / 2.0).max(SLOWEST);
                }
                self.rest_until(now + retry_after.unwrap_or(REST).min(LONGEST_REST));
            }
            // It is there, whatever it says.
            Some(_) => self.is_there(),
            None => {
                self.is_there();
                self.pace = (self.pace + per_second / 1_000.0).min(per_second);
            }
        }
    }

    /// Whoever was under way when the break began tells nothing new.
    fn failed(&mut self, pass: &Pass, now: Duration) {
        if pass.kind == PassKind::Probe && self.is_away() {
            self.failed_probes = self.failed_probes.saturating_add(1);
            self.last_probe = Some(pass.authorization);
        } else if !self.is_away() && !self.failing.contains(&pass.authorization) {
            self.failing.push(pass.authorization);
        } else {
            return;
        }
        self.broken_until = now + self.length_of_break();
    }

    fn length_of_break(&self) -> Duration {
        (SHORTEST_BREAK * 2_u32.pow(self.failed_probes.min(6))).min(LONGEST_BREAK)
    }

    fn is_there(&mut self) {
        self.failing.clear();
        self.failed_probes = 0;
        self.last_probe = None;
    }

    fn rest_until(&mut self, until: Duration) {
        self.rests_until = self.rests_until.max(until);
    }
}

impl Pass {
    /// Takes note of how it went.
    pub(crate) fn answered(self, error: Option<&UpstreamError>) {
        let now = self.gates.clock.monotonic();
        if let Some(gate) = self.gates.gates().get_mut(&self.provider) {
            gate.answered(error, &self, now);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(gate) = self.gates.gates().get_mut(&self.provider) {
            gate.under_way -= 1;
            gate.is_probed &= self.kind != PassKind::Probe;
        }
    }
}

#[cfg(test)]
mod tests;
