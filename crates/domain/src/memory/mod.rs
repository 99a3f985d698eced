//! An in-memory store, whole and exact: for embedding without a database, and for tests.
//!
//! It keeps plain maps behind one mutex, so every call is atomic by itself. Reads by id are quick, all others go
//! through the whole map: it is made for thousands of rows, not for millions, and it forgets everything when dropped.
//! References between rows hold as they do in a database: a row of an unknown organization, account or provider is
//! refused with [`StoreError::Unexpected`], and so is deleting a row that others still need.

mod accounts;
mod audit;
mod authorizations;
mod commit;
mod data_keys;
mod device_flows;
mod flows;
mod jobs;
mod leases;
mod logins;
mod noun;
mod providers;
mod revocations;
mod uses;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::accounts::{Account, ApiToken, Organization};
use crate::audit::AuditEntry;
use crate::authorizations::{Authorization, DeviceFlow, Flow};
use crate::ids::{AuditId, AuthorizationId, DataKeyId};
use crate::jobs::Job;
use crate::login::{Login, LoginIdentity};
use crate::providers::Provider;
use crate::revocations::Revocation;
use crate::sealing::{SealedSecret, WrappedDataKey};
use crate::{Store, StoreError};

use leases::RefreshRow;
use noun::{Noun, Table};

/// Keeps everything in memory.
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

/// All that is kept.
#[derive(Default)]
struct State {
    organizations: Table<Organization>,
    accounts: Table<Account>,
    api_tokens: Table<ApiToken>,
    providers: Table<Provider>,
    authorizations: Table<Authorization>,
    flows: Table<Flow>,
    device_flows: Table<DeviceFlow>,
    logins: Table<Login>,
    login_identities: Table<LoginIdentity>,
    jobs: Table<Job>,
    revocations: Table<Revocation>,
    /// One for each authorization.
    refreshes: BTreeMap<AuthorizationId, RefreshRow>,
    audit: BTreeMap<AuditId, AuditEntry>,
    data_keys: BTreeMap<DataKeyId, WrappedDataKey>,
    canary: Option<SealedSecret>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A commit takes itself back when it is dropped half-way, by a panic too: what is behind the lock is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn row<N: Noun>(&self, id: N::Id) -> Option<&N> {
        N::table(self).get(&id)
    }

    fn find<N: Noun>(&self, matches: impl Fn(&N) -> bool) -> Option<&N> {
        N::table(self).values().find(|row| matches(row))
    }

    /// By `created_at`, then `id`.
    fn oldest_first<N: Noun>(&self, matches: impl Fn(&N) -> bool) -> Vec<&N> {
        let mut rows: Vec<&N> = N::table(self).values().filter(|row| matches(row)).collect();
        rows.sort_by_key(|row| row.age());
        rows
    }

    /// Removes what matches; returns how many.
    fn purge<N: Noun>(&mut self, matches: impl Fn(&N) -> bool) -> u64 {
        let table = N::table_mut(self);
        let before = table.len();
        table.retain(|_, row| !matches(row));
        (before - table.len()) as u64
    }
}

/// A limit as a number of rows.
fn rows(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[async_trait]
impl Store for MemoryStore {
    async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
