//! Reads that are on the way of every hand-out, from memory where they are not older than a moment.
//!
//! How old a row may be is the whole rule: whatever was changed, here or by another replica, is seen by everybody when
//! that time is over, without a message that could be lost. What this process itself changes it sees at once. Secrets are in
//! here as they are in the store: sealed.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use quick_cache::sync::Cache;

use crate::accounts::{Account, ApiToken, ApiTokenStore, Caller};
use crate::authorizations::{Authorization, AuthorizationStore, is_own};
use crate::ids::{AccountId, ApiTokenId, AuthorizationId, OrganizationId};
use crate::providers::Provider;
use crate::secret::{Fingerprint, SecretHash};
use crate::services::Clock;
use crate::{Change, CommitError, Row, Secret, StoreError, UnitOfWork};

/// How old a row may be that a hand-out relies on. What is revoked, deleted or paused is refused by every replica after
/// that time; half of what is promised, for the rest of the way takes its time too.
pub const OLDEST_READ: Duration = Duration::from_millis(500);

/// How many authorizations, and API tokens, are kept.
const ROWS: usize = 1_024;

/// An authorization with its provider.
#[derive(Clone)]
pub(crate) struct Linked {
    pub(crate) authorization: Arc<Authorization>,
    pub(crate) provider: Arc<Provider>,
    fingerprint: Arc<OnceLock<Fingerprint>>,
}

impl Linked {
    fn of(authorization: Authorization, provider: Arc<Provider>) -> Self {
        Self { authorization: Arc::new(authorization), provider, fingerprint: Arc::default() }
    }

    /// The fingerprint of `access_token`, which MUST be its own. Hashing one takes longer than looking one up, so the first who
    /// asks works it out for all.
    pub(super) fn fingerprint(&self, access_token: &Secret) -> &Fingerprint {
        self.fingerprint.get_or_init(|| access_token.fingerprint())
    }

    /// Whether it is the caller's own: ownership follows the user, and what is at a provider that is being deleted is gone
    /// already. Everything else does not exist for this caller.
    pub(crate) fn is_own(&self, caller: &Caller) -> bool {
        is_own(&self.authorization, &self.provider, caller)
    }
}

/// Remembers what was read a moment ago.
pub struct RecentReads {
    authorizations: Arc<dyn AuthorizationStore>,
    tokens: Arc<dyn ApiTokenStore>,
    store: Arc<dyn UnitOfWork>,
    clock: Arc<dyn Clock>,
    linked: Recent<AuthorizationId, Linked>,
    callers: Recent<SecretHash, (ApiToken, Account)>,
}

impl RecentReads {
    /// Remembers nothing yet.
    pub fn of(
        authorizations: Arc<dyn AuthorizationStore>,
        tokens: Arc<dyn ApiTokenStore>,
        store: Arc<dyn UnitOfWork>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Self { authorizations, tokens, store, clock, linked: Recent::new(), callers: Recent::new() })
    }

    /// An authorization of an organization, as it is or was a moment ago.
    pub(crate) async fn authorization(
        &self,
        organization: OrganizationId,
        id: AuthorizationId,
    ) -> Result<Option<Linked>, StoreError> {
        let now = self.clock.monotonic();
        if let Some(linked) = self.linked.get(&id, now) {
            return Ok(Some(linked).filter(|linked| linked.authorization.organization_id == organization));
        }
        self.authorization_now(organization, id).await
    }

    /// An authorization of an organization, as it is.
    pub(crate) async fn authorization_now(
        &self,
        organization: OrganizationId,
        id: AuthorizationId,
    ) -> Result<Option<Linked>, StoreError> {
        let (stamp, now) = (self.linked.stamp(&id), self.clock.monotonic());
        let found = self.authorizations.authorization(organization, id).await?;
        Ok(found.map(|(authorization, provider)| {
            let linked = Linked::of(authorization, provider);
            self.linked.put(&id, linked.clone(), now, stamp);
            linked
        }))
    }

    fn forget(&self, touched: &Touched) {
        for id in &touched.authorizations {
            self.linked.forget(id);
        }
        if touched.providers {
            self.linked.forget_all();
        }
        if touched.callers {
            self.callers.forget_all();
        }
    }
}

/// What a commit may change of what is remembered.
#[derive(Default)]
struct Touched {
    authorizations: Vec<AuthorizationId>,
    providers: bool,
    callers: bool,
}

impl Touched {
    fn by(changes: &[Change]) -> Self {
        let mut touched = Self::default();
        for change in changes {
            let (Change::Insert(row) | Change::Update(row) | Change::Delete(row)) = change else {
                continue;
            };
            match row {
                Row::Authorization(row) => touched.authorizations.push(row.id),
                Row::Provider(_) => touched.providers = true,
                Row::ApiToken(_) | Row::Account(_) | Row::Organization(_) => touched.callers = true,
                Row::Flow(_)
                | Row::DeviceFlow(_)
                | Row::Login(_)
                | Row::LoginIdentity(_)
                | Row::Job(_)
                | Row::Revocation(_) => {}
            }
        }
        touched
    }
}

/// What this process changes it sees at once.
#[async_trait]
impl UnitOfWork for RecentReads {
    async fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        let touched = Touched::by(&changes);
        let committed = self.store.commit(changes).await;
        // Also where it failed: it may have been made all the same.
        self.forget(&touched);
        committed
    }
}

#[async_trait]
impl ApiTokenStore for RecentReads {
    async fn token_by_hash(&self, hash: &SecretHash) -> Result<Option<(ApiToken, Account)>, StoreError> {
        let now = self.clock.monotonic();
        if let Some(found) = self.callers.get(hash, now) {
            return Ok(Some(found));
        }
        let stamp = self.callers.stamp(hash);
        let found = self.tokens.token_by_hash(hash).await?;
        if let Some(found) = &found {
            self.callers.put(hash, found.clone(), now, stamp);
        }
        Ok(found)
    }

    async fn token(&self, id: ApiTokenId) -> Result<Option<ApiToken>, StoreError> {
        self.tokens.token(id).await
    }

    async fn tokens_of(&self, account: AccountId) -> Result<Vec<ApiToken>, StoreError> {
        self.tokens.tokens_of(account).await
    }

    async fn purge_expired_tokens(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.tokens.purge_expired_tokens(before).await
    }
}

/// Rows with the time at which their reading began, and stamps by which a read that was overtaken by a change is told.
struct Recent<K, V> {
    rows: Cache<K, (Duration, V)>,
    stamps: [AtomicU64; 64],
    hasher: RandomState,
}

impl<K: Eq + Hash + Clone, V: Clone> Recent<K, V> {
    fn new() -> Self {
        Self {
            rows: Cache::new(ROWS),
            stamps: std::array::from_fn(|_| AtomicU64::new(0)),
            hasher: RandomState::new(),
        }
    }

    fn get(&self, key: &K, now: Duration) -> Option<V> {
        let (read_at, row) = self.rows.get(key)?;
        (now.saturating_sub(read_at) < OLDEST_READ).then_some(row)
    }

    fn stamp(&self, key: &K) -> u64 {
        self.stamp_of(key).load(Ordering::SeqCst)
    }

    fn put(&self, key: &K, row: V, read_at: Duration, stamp: u64) {
        self.rows.insert(key.clone(), (read_at, row));
        if self.stamp(key) != stamp {
            self.rows.remove(key);
        }
    }

    fn forget(&self, key: &K) {
        self.stamp_of(key).fetch_add(1, Ordering::SeqCst);
        self.rows.remove(key);
    }

    fn forget_all(&self) {
        for stamp in &self.stamps {
            stamp.fetch_add(1, Ordering::SeqCst);
        }
        self.rows.clear();
    }

    fn stamp_of(&self, key: &K) -> &AtomicU64 {
        let hash = usize::try_from(self.hasher.hash_one(key) % 64).unwrap_or_default();
        &self.stamps[hash]
    }
}

#[cfg(test)]
mod tests;
