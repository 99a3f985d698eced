//! Those who wait for a link: who they are, and who wakes them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::authorizations::AuthorizationStore;
use crate::ids::{AccountId, ProviderId};
use crate::services::Clock;
use crate::{Change, CommitError, Row, StoreError, UnitOfWork};

/// What somebody waits for: that an account is linked at a provider.
type Awaited = (AccountId, ProviderId);

/// Those of one process who wait. Only what somebody waits for takes room.
#[derive(Clone, Default)]
pub struct LinkWaits {
    bells: Arc<Mutex<HashMap<Awaited, watch::Sender<()>>>>,
    stopped: CancellationToken,
}

impl LinkWaits {
    /// Takes a seat. Whatever is linked from now on wakes it.
    pub(super) fn sit_down(&self, awaited: Awaited) -> Seat {
        let bell = self.bells().entry(awaited).or_default().subscribe();
        Seat { waits: self.clone(), awaited, bell: Some(bell) }
    }

    /// Ends every wait of this process, those too that begin from now on.
    pub fn stop(&self) {
        self.stopped.cancel();
    }

    /// Completes when this process waits for nobody any more.
    pub(super) async fn stopped(&self) {
        self.stopped.cancelled().await;
    }

    fn wake(&self, awaited: Awaited) {
        if let Some(bell) = self.bells().get(&awaited) {
            bell.send_replace(());
        }
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.bells().is_empty()
    }

    fn bells(&self) -> MutexGuard<'_, HashMap<Awaited, watch::Sender<()>>> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The seat of one who waits: it is free again when it is dropped.
pub(super) struct Seat {
    waits: LinkWaits,
    awaited: Awaited,
    bell: Option<watch::Receiver<()>>,
}

impl Seat {
    /// Completes when something was linked since the last time this completed, or since the seat was taken.
    pub(super) async fn woken(&mut self) {
        match &mut self.bell {
            // The bell is there as long as this seat is.
            Some(bell) => drop(bell.changed().await),
            None => std::future::pending().await,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut bells = self.waits.bells();
        self.bell = None;
        if bells.get(&self.awaited).is_some_and(|bell| bell.receiver_count() == 0) {
            bells.remove(&self.awaited);
        }
    }
}

/// Writes, and wakes those of this process who wait for what was written.
pub(crate) struct AnnounceLinks {
    /// Writes.
    pub(crate) store: Arc<dyn UnitOfWork>,
    /// Who waits.
    pub(crate) waits: LinkWaits,
}

#[async_trait]
impl UnitOfWork for AnnounceLinks {
    async fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        let linked: Vec<Awaited> = changes.iter().filter_map(linked_by).collect();
        let committed = self.store.commit(changes).await;
        // Also where it failed: it may have been made all the same, and who is woken for nothing waits on.
        for awaited in linked {
            self.waits.wake(awaited);
        }
        committed
    }
}

/// What a change may have linked. That it is only refreshed is seen by whoever is woken.
fn linked_by(change: &Change) -> Option<Awaited> {
    match change {
        Change::Insert(Row::Authorization(row)) | Change::Update(Row::Authorization(row)) => {
            Some((row.account_id, row.provider_id))
        }
        _ => None,
    }
}

/// Wakes those of this process who wait for what other processes have linked.
pub struct WakeLinkWaiters {
    /// Tells what was linked.
    pub authorizations: Arc<dyn AuthorizationStore>,
    /// Who waits.
    pub waits: LinkWaits,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// What they were woken for already.
    pub rung: Rung,
}

/// What was rung for within the window, so that each link wakes once: who sits down later sees it at the first look.
#[derive(Default)]
pub struct Rung(Mutex<HashMap<Awaited, DateTime<Utc>>>);

/// How far back it is looked: longer than clocks differ and commits take.
const WINDOW: TimeDelta = TimeDelta::seconds(30);
/// More than are linked in that time. Who is not among them looks for themselves, later.
const MOST: u32 = 1_000;

impl WakeLinkWaiters {
    /// Looks once, for all who wait, however many they are; not at all where nobody does.
    pub async fn run(&self) -> Result<(), StoreError> {
        if self.waits.is_empty() {
            return Ok(());
        }
        let found = self.authorizations.authorized_since(self.clock.now() - WINDOW, MOST).await?;
        for awaited in self.rung.news(found) {
            self.waits.wake(awaited);
        }
        Ok(())
    }
}

impl Rung {
    /// What is new in that which was found within the window, and now is known.
    fn news(&self, found: Vec<(AccountId, ProviderId, DateTime<Utc>)>) -> Vec<Awaited> {
        let mut newest: HashMap<Awaited, DateTime<Utc>> = HashMap::with_capacity(found.len());
        for (account, provider, at) in found {
            let known = newest.entry((account, provider)).or_insert(at);
            *known = at.max(*known);
        }
        let mut rung = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news =
            |(awaited, at): &(&Awaited, &DateTime<Utc>)| rung.get(*awaited).is_none_or(|known| known < *at);
        let news = newest.iter().filter(is_news).map(|(awaited, _)| *awaited).collect();
        // Nothing else of what was known is within the window any more.
        *rung = newest;
        news
    }
}

#[cfg(test)]
mod tests;
