//! Buckets by key, of which there are never more than so many.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::quota::{Nanos, Quota, nanos};

const SHARDS: usize = 16;
/// Buckets in one generation of a shard: as many as a table of 2048 holds before it grows.
const GENERATION: usize = 1_792;
/// A key that is over its limit all the time is told of in the log once in so many nanoseconds.
pub(super) const TOLD_EVERY: i64 = 60_000_000_000;

/// Counts requests by key against one quota.
///
/// A check is one look into a small table under a lock that only keys of the same shard share, and that is held for no
/// longer than that.
///
/// The buckets live in two generations: where an old one is used it comes into the young one, and what is still in the
/// old one when the generations change is forgotten. They change when an empty bucket has had the time to fill; what
/// was not used for that long is full, and to forget it changes nothing. They change as well when the young generation
/// has no more room, so that a scan of addresses cannot fill the memory: there are at most 57,344 keys, in less than
/// 3 MiB. Then it is the keys unused for longest that are forgotten, and with them what they had used up; to get at
/// that, somebody has to come from tens of thousands of addresses.
pub(super) struct Limiter<K> {
    quota: Quota,
    hasher: RandomState,
    shards: [Mutex<Shard<K>>; SHARDS],
}

struct Shard<K> {
    /// When it was looked into last.
    now: Nanos,
    /// When the young generation began.
    begun: Nanos,
    young: HashMap<K, Bucket, RandomState>,
    old: HashMap<K, Bucket, RandomState>,
}

#[derive(Clone, Copy)]
struct Bucket {
    full_at: Nanos,
    told_at: Nanos,
}

/// There is no room in a bucket.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Over {
    /// How long until there is.
    pub(super) wait: Duration,
    /// Whether this is the first time in a while, and the log should know.
    pub(super) is_news: bool,
}

impl<K: Copy + Eq + Hash> Limiter<K> {
    /// A limiter of so many requests a minute and key; `None` for 0, which is no limit.
    pub(super) fn per_minute(requests: u32) -> Option<Self> {
        let quota = Quota::per_minute(requests)?;
        let hasher = RandomState::new();
        let map = || HashMap::with_hasher(hasher.clone());
        let shard = |_| Mutex::new(Shard { now: 0, begun: 0, young: map(), old: map() });
        Some(Self { quota, shards: std::array::from_fn(shard), hasher })
    }

    /// Counts a request.
    pub(super) fn take(&self, key: K, now: DateTime<Utc>) -> Result<(), Over> {
        let now = nanos(now);
        let mut shard = self.lock(&key);
        let bucket = shard.at(now, &self.quota).bucket(key);
        self.quota.take(&mut bucket.full_at, now).map_err(|wait| bucket.over(wait, now))
    }

    /// Whether a key was seen lately: most were not, where only what is wrong is counted.
    pub(super) fn knows(&self, key: K) -> bool {
        let shard = self.lock(&key);
        shard.young.contains_key(&key) || shard.old.contains_key(&key)
    }

    /// Tells what [`Self::take`] would say, and counts nothing.
    pub(super) fn look(&self, key: K, now: DateTime<Utc>) -> Result<(), Over> {
        let now = nanos(now);
        match self.lock(&key).at(now, &self.quota).known(key) {
            None => Ok(()),
            Some(bucket) => self.quota.look(&mut bucket.full_at, now).map_err(|wait| bucket.over(wait, now)),
        }
    }

    fn lock(&self, key: &K) -> MutexGuard<'_, Shard<K>> {
        // Other bits than those by which the shard's own tables go.
        let index = usize::from(self.hasher.hash_one(key).to_le_bytes()[4]) % SHARDS;
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash> Shard<K> {
    /// The shard as it is by now.
    fn at(&mut self, now: Nanos, quota: &Quota) -> &mut Self {
        self.now = now;
        // Either way: a clock may be set back.
        if now.saturating_sub(self.begun).saturating_abs() >= quota.window() {
            self.change_generations();
        }
        self
    }

    /// The tables keep their memory: as long as no more keys come than came before, nothing is allocated.
    fn change_generations(&mut self) {
        mem::swap(&mut self.young, &mut self.old);
        self.young.clear();
        self.begun = self.now;
    }

    /// The bucket of a key, where there is one.
    fn known(&mut self, key: K) -> Option<&mut Bucket> {
        match self.old.remove(&key) {
            Some(bucket) => Some(self.keep(key, bucket)),
            None => self.young.get_mut(&key),
        }
    }

    /// The bucket of a key; full where there was none.
    fn bucket(&mut self, key: K) -> &mut Bucket {
        let bucket = self.old.remove(&key).unwrap_or(Bucket::FULL);
        self.keep(key, bucket)
    }

    /// The young generation's bucket of a key; this one where it has none.
    fn keep(&mut self, key: K, bucket: Bucket) -> &mut Bucket {
        if self.young.len() >= GENERATION && !self.young.contains_key(&key) {
            self.change_generations();
        }
        self.young.entry(key).or_insert(bucket)
    }
}

impl Bucket {
    const FULL: Self = Self { full_at: Nanos::MIN, told_at: Nanos::MIN };

    fn over(&mut self, wait: Duration, now: Nanos) -> Over {
        let is_news = now.saturating_sub(self.told_at).saturating_abs() >= TOLD_EVERY;
        if is_news {
            self.told_at = now;
        }
        Over { wait, is_news }
    }
}

#[cfg(test)]
mod tests;
