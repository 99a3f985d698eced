//! Refreshing tokens ahead of their expiry, so that nobody waits for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::provider_gates::{Later, Pass, SLOTS};
use super::schedule::Schedule;
use super::silence::Silence;
use super::{
    ClaimedRefresh, DueClaim, DueRefresh, NextRefresh, ProviderGates, RefreshEnd, RefreshLeases,
    RefreshTokensOnce, RequestEnd, SignOfLife, TakenLease, TokenSettings, time_delta,
};
use crate::ids::AuthorizationId;
use crate::providers::{ProviderClients, ProviderStatus};
use crate::services::{Clock, Random};
use crate::{BackgroundTasks, Change, CommitError, StoreError, UnitOfWork};

/// Refreshes what is due.
pub struct RefreshDueTokens {
    /// Says what is due.
    pub leases: Arc<dyn RefreshLeases>,
    /// Refreshes it.
    pub refresh: Arc<RefreshTokensOnce>,
    /// The pace of each provider.
    pub gates: Arc<ProviderGates>,
    /// Say how long unused refresh tokens live.
    pub clients: Arc<dyn ProviderClients>,
    /// Puts off what cannot be refreshed now.
    pub store: Arc<dyn UnitOfWork>,
    /// Where refreshes run.
    pub tasks: BackgroundTasks,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Jitter.
    pub random: Arc<dyn Random>,
    /// How tokens are kept fresh.
    pub settings: TokenSettings,
    /// The name of this process in leases.
    pub holder: String,
    /// What this process has under way.
    pub under_way: UnderWay,
}

/// What the background of one process has under way.
#[derive(Clone)]
pub struct UnderWay {
    slots: Arc<Semaphore>,
    /// Holders of leases that are due, who may be dead.
    watched: Arc<Mutex<HashMap<AuthorizationId, Silence>>>,
}

impl Default for UnderWay {
    fn default() -> Self {
        Self { slots: Arc::new(Semaphore::new(SLOTS)), watched: Arc::default() }
    }
}

/// How many are claimed at once at most.
const BATCH: u32 = 64;
/// While so much is under way that fewer than this may begin, a claim waits a moment for more of them.
const SMALL_BATCH: usize = BATCH as usize / 4;
/// How often to look while some stand in line.
const LINE_MOVES: Duration = Duration::from_millis(50);
/// How often a batch is put off together before each is put off alone.
const TRIES: u32 = 2;
/// When a claimed refresh comes up again whose holder has died without a word.
const AGAIN: TimeDelta = TimeDelta::seconds(60);
/// When authorizations of a provider that is paused or disabled come up again.
const NOT_ACTIVE: Later = Later { after: Duration::from_secs(300), spread: Duration::from_secs(300) };
/// More holders than this are not watched at a time: the next look finds the rest.
const MOST_WATCHED: usize = 10_000;

impl RefreshDueTokens {
    /// Claims a batch of what is due and starts to refresh it. Waits first until more may be under way; and at the end a
    /// moment, where that was all and others stand in line at their provider. Returns how many there were and are.
    pub async fn run(&self) -> Result<usize, StoreError> {
        let slots = self.free_slots().await;
        let (limit, claimed_at) = (slots.len(), self.clock.monotonic());
        let due = self.claim(limit).await?;
        self.listen();
        let count = due.len();
        let (mut put_off, mut held) = (Vec::new(), Vec::new());
        for (due, slot) in due.into_iter().zip(slots) {
            match due {
                DueRefresh::Claimed(claimed) => put_off.extend(self.begin(*claimed, claimed_at, slot)),
                DueRefresh::Held(id, sign) => held.push((id, sign)),
            }
        }
        self.put_off(put_off).await;
        for (id, sign) in held {
            self.watch(id, sign).await?;
        }
        let in_line = self.gates.in_line();
        if in_line > 0 && count < limit {
            self.clock.sleep(LINE_MOVES).await;
        }
        Ok(count + in_line)
    }

    /// One at least, a batch at most.
    async fn free_slots(&self) -> Vec<OwnedSemaphorePermit> {
        let slots = &self.under_way.slots;
        // Nobody closes it.
        let mut free = Vec::from_iter(Arc::clone(slots).acquire_owned().await.ok());
        self.fill_up(&mut free);
        // A claim costs a transaction, however little it brings.
        if free.len() < SMALL_BATCH {
            self.clock.sleep(LINE_MOVES).await;
            self.fill_up(&mut free);
        }
        free
    }

    fn fill_up(&self, free: &mut Vec<OwnedSemaphorePermit>) {
        while free.len() < BATCH as usize
            && let Ok(slot) = Arc::clone(&self.under_way.slots).try_acquire_owned()
        {
            free.push(slot);
        }
    }

    async fn claim(&self, slots: usize) -> Result<Vec<DueRefresh>, StoreError> {
        let now = self.clock.now();
        let claim = DueClaim {
            holder: self.holder.clone(),
            now,
            again_at: now + AGAIN,
            watch_at: now + time_delta(self.settings.lease_silence / 4),
            limit: u32::try_from(slots).unwrap_or(BATCH),
        };
        self.leases.claim_due(&claim).await
    }

    /// Starts a refresh, or says until when it is put off.
    fn begin(
        &self,
        claimed: ClaimedRefresh,
        claimed_at: Duration,
        slot: OwnedSemaphorePermit,
    ) -> Option<RefreshEnd> {
        self.forget(claimed.authorization.id);
        match self.admit(&claimed) {
            Ok(pass) => {
                let refresh = Arc::clone(&self.refresh);
                drop(self.tasks.start(async move {
                    refresh.run_claimed(claimed, claimed_at, pass).await;
                    drop(slot);
                }));
                None
            }
            Err(next) => Some(claimed.lease.ended(RequestEnd::Moot, next)),
        }
    }

    /// Whether it is to be refreshed now.
    fn admit(&self, claimed: &ClaimedRefresh) -> Result<Pass, NextRefresh> {
        let ClaimedRefresh { authorization, provider, last_used_at, .. } = claimed;
        let now = self.clock.now();
        let schedule = Schedule { clients: &*self.clients, random: &*self.random, settings: &self.settings };
        if !schedule.is_due(authorization, provider, *last_used_at, now) {
            return Err(schedule.next(authorization, provider, *last_used_at, now));
        }
        if provider.status != ProviderStatus::Active {
            return Err(self.later(NOT_ACTIVE, now));
        }
        let pass = self.gates.enter_in_background(provider.id, authorization.id);
        pass.map_err(|later| self.later(later, now))
    }

    fn later(&self, Later { after, spread }: Later, now: DateTime<Utc>) -> NextRefresh {
        let mut bytes = [0; 2];
        self.random.fill(&mut bytes);
        let share = spread.mul_f64(f64::from(u16::from_be_bytes(bytes)) / 65_536.0);
        NextRefresh::At(now + time_delta(after + share))
    }

    /// Gives back what is not refreshed now: together, and where that cannot be, one by one. What fails then comes up again
    /// when its holder has been silent for long enough.
    async fn put_off(&self, mut ends: Vec<RefreshEnd>) {
        // Whoever writes more than one of these rows locks them in this order: so no two wait for each other.
        ends.sort_by_key(|end| end.authorization_id);
        for _ in 0..TRIES {
            let changes: Vec<_> = ends.iter().copied().map(Change::EndRefresh).collect();
            if changes.is_empty() || self.store.commit(changes).await.is_ok() {
                return;
            }
        }
        for end in ends {
            self.refresh.turn.release(end).await;
        }
    }

    /// Looks at the holder of a lease that is due. One that does not live loses it: the next claim finds the authorization
    /// free, with what its journal says.
    async fn watch(&self, id: AuthorizationId, sign: SignOfLife) -> Result<(), StoreError> {
        let Some(silent) = self.noted(id, sign) else {
            return Ok(());
        };
        let now = self.clock.now();
        if let TakenLease::Taken(lease) = self.leases.take_lease(id, &self.holder, Some(silent), now).await? {
            tracing::warn!(authorization = %id, "the holder of a refresh lease has fallen silent");
            let end = lease.ended(RequestEnd::Moot, NextRefresh::At(now));
            self.store.commit(vec![Change::EndRefresh(end)]).await.map_err(CommitError::into_store_error)?;
        }
        self.forget(id);
        Ok(())
    }

    /// The store has just been asked: silence until now counts.
    fn listen(&self) {
        let now = self.clock.monotonic();
        let mut watched = self.under_way.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.values_mut().for_each(|silence| silence.listen(now));
    }

    fn noted(&self, id: AuthorizationId, sign: SignOfLife) -> Option<SignOfLife> {
        let mut watched = self.under_way.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.len() >= MOST_WATCHED {
            watched.clear();
        }
        let silence = watched.entry(id).or_insert_with(|| Silence::lasting(self.settings.lease_silence));
        silence.note(sign, self.clock.monotonic());
        silence.of_the_dead()
    }

    fn forget(&self, id: AuthorizationId) {
        self.under_way.watched.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

#[cfg(test)]
mod tests;
