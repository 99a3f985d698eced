//! Calls that wait for a person: each holds a connection for as long as codes live, or as it is let wait, so nobody may have
//! too many.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use grantkeeper_domain::accounts::Caller;
use grantkeeper_domain::ids::AccountId;
use grantkeeper_domain::secret::SecretHash;

use super::limiter::{Over, TOLD_EVERY};
use super::quota::{Nanos, nanos};
use super::{Address, Refused};
use crate::Api;
use crate::request_log::client;

/// Calls with one session. One client waits once; a proxy may hold on to connections that it has lost.
const PER_SESSION: u32 = 4;

/// When to try again: nobody knows when somebody leaves.
const TRY_AGAIN: Duration = Duration::from_secs(30);

/// The calls that wait in one process; `None` is no limit.
pub(super) struct Waits {
    of_session: Option<Arc<Gauge<SecretHash>>>,
    at_address: Option<Arc<Gauge<Address>>>,
    of_account: Option<Arc<Gauge<AccountId>>>,
}

impl Waits {
    /// So many at one address of people who are not signed in, and so many of one account; 0 is no limit.
    pub(super) fn new(per_address: u32, per_account: u32) -> Self {
        Self {
            of_session: (per_address > 0).then(|| Gauge::of(PER_SESSION)),
            at_address: (per_address > 0).then(|| Gauge::of(per_address)),
            of_account: (per_account > 0).then(|| Gauge::of(per_account)),
        }
    }
}

/// A call that waits: it has its places until it is dropped.
#[must_use = "the places are free again when it is dropped"]
pub(crate) struct Waiter {
    _places: Places,
}

/// The places of those whose number is limited.
enum Places {
    OfLogin { _of_session: Option<Place<SecretHash>>, _at_address: Option<Place<Address>> },
    OfCaller { _of_account: Option<Place<AccountId>> },
}

impl Waiter {
    /// Lets a call wait for a login, unless there are too many with its session or at its address.
    pub(crate) fn of_login(api: &Api, request: &HttpRequest, session: &SecretHash) -> Result<Self, Refused> {
        let (waits, now) = (&api.limits.waits, api.clock.now());
        let place = waits.of_session.as_ref().map(|gauge| gauge.enter(session.clone(), now));
        let of_session = place.transpose();
        let of_session = of_session.map_err(|over| Refused::over(&over, "waits_per_session", "a session"))?;
        let at_address = waits.at_address.as_ref().zip(client(request)).map(|(gauge, client)| {
            let address = Address::from(client);
            let place = gauge.enter(address, now);
            place.map_err(|over| Refused::over(&over, "waits_per_address", format_args!("address {address}")))
        });
        let at_address = at_address.transpose()?;
        Ok(Self { _places: Places::OfLogin { _of_session: of_session, _at_address: at_address } })
    }

    /// Lets a call of somebody who is signed in wait, unless there are too many of their account.
    pub(crate) fn of_caller(api: &Api, caller: &Caller) -> Result<Self, Refused> {
        let id = caller.account_id;
        let place = api.limits.waits.of_account.as_ref().map(|gauge| gauge.enter(id, api.clock.now()));
        let of_account = place.transpose();
        let of_account = of_account
            .map_err(|over| Refused::over(&over, "waits_per_account", format_args!("account {id}")))?;
        Ok(Self { _places: Places::OfCaller { _of_account: of_account } })
    }
}

/// How many calls wait under each key. Only keys under which some wait take room.
struct Gauge<K: Eq + Hash> {
    most: u32,
    counted: Mutex<Counted<K>>,
}

struct Counted<K> {
    waiting: HashMap<K, u32>,
    told_at: Nanos,
}

impl<K: Clone + Eq + Hash> Gauge<K> {
    fn of(most: u32) -> Arc<Self> {
        let counted = Counted { waiting: HashMap::new(), told_at: Nanos::MIN };
        Arc::new(Self { most, counted: Mutex::new(counted) })
    }

    fn enter(self: &Arc<Self>, key: K, now: DateTime<Utc>) -> Result<Place<K>, Over> {
        let mut counted = self.lock();
        let waiting = counted.waiting.get(&key).copied().unwrap_or(0);
        if waiting >= self.most {
            return Err(counted.over(nanos(now)));
        }
        counted.waiting.insert(key.clone(), waiting + 1);
        Ok(Place { gauge: Arc::clone(self), key })
    }
}

impl<K: Eq + Hash> Gauge<K> {
    fn leave(&self, key: &K) {
        let mut counted = self.lock();
        match counted.waiting.get_mut(key) {
            Some(waiting) if *waiting > 1 => *waiting -= 1,
            _ => drop(counted.waiting.remove(key)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counted<K>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> Counted<K> {
    fn over(&mut self, now: Nanos) -> Over {
        let is_news = now.saturating_sub(self.told_at).saturating_abs() >= TOLD_EVERY;
        if is_news {
            self.told_at = now;
        }
        Over { wait: TRY_AGAIN, is_news }
    }
}

/// A place of one who waits.
struct Place<K: Eq + Hash> {
    gauge: Arc<Gauge<K>>,
    key: K,
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        self.gauge.leave(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_free_again_and_leave_nothing_behind() {
        let (gauge, now) = (Gauge::of(2), DateTime::UNIX_EPOCH);
        let enter = |key: u32| gauge.enter(key, now);
        let (first, second) = (enter(1).ok().unwrap(), enter(1).ok().unwrap());
        assert_eq!(enter(1).err(), Some(Over { wait: TRY_AGAIN, is_news: true }));
        assert_eq!(enter(1).err(), Some(Over { wait: TRY_AGAIN, is_news: false }), "told once");
        let other = enter(2).ok().unwrap();
        drop(first);
        let third = enter(1).ok().unwrap();
        assert!(enter(1).is_err());
        drop((second, third, other));
        assert!(gauge.lock().waiting.is_empty());
    }
}
