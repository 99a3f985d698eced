//! A store of data keys that can be tampered with, and what else a sealer needs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use grantkeeper_domain::StoreError;
use grantkeeper_domain::ids::{DataKeyId, OrganizationId};
use grantkeeper_domain::sealing::{DataKeyStore, SealedSecret, SecretColumn, SecretPlace, WrappedDataKey};
use grantkeeper_domain::services::Random;
use grantkeeper_testkit::{FixedClock, SeededRandom};
use grantkeeper_token_sealing::{EnvelopeSealer, KeyRing, MasterKey};
use tokio::sync::Barrier;
use uuid::Uuid;

/// Keeps data keys and the canary in memory, and lets a test change them behind the sealer's back.
#[derive(Default)]
pub(crate) struct KeyShelf {
    rows: Mutex<Rows>,
    /// Where set, all who look for something wait for each other before they learn that it is not there.
    pub(crate) meeting: Option<Barrier>,
}

#[derive(Default)]
struct Rows {
    keys: BTreeMap<DataKeyId, WrappedDataKey>,
    canary: Option<SealedSecret>,
    reads: usize,
}

impl KeyShelf {
    pub(crate) fn where_all_meet(parties: usize) -> Arc<Self> {
        Arc::new(Self { meeting: Some(Barrier::new(parties)), ..Self::default() })
    }

    pub(crate) fn keys(&self) -> Vec<WrappedDataKey> {
        self.rows().keys.values().cloned().collect()
    }

    pub(crate) fn put(&self, key: WrappedDataKey) {
        self.rows().keys.insert(key.id, key);
    }

    pub(crate) fn clear_keys(&self) {
        self.rows().keys.clear();
    }

    pub(crate) fn put_canary(&self, canary: SealedSecret) {
        self.rows().canary = Some(canary);
    }

    /// How often a data key was asked for.
    pub(crate) fn reads(&self) -> usize {
        self.rows().reads
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().expect("no test panics while it holds the rows")
    }

    async fn meet(&self) {
        if let Some(meeting) = &self.meeting {
            meeting.wait().await;
        }
    }
}

#[async_trait]
impl DataKeyStore for KeyShelf {
    async fn data_key(&self, id: DataKeyId) -> Result<Option<WrappedDataKey>, StoreError> {
        let mut rows = self.rows();
        rows.reads += 1;
        Ok(rows.keys.get(&id).cloned())
    }

    async fn newest_data_key(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<WrappedDataKey>, StoreError> {
        let found = {
            let mut rows = self.rows();
            rows.reads += 1;
            rows.keys.values().rfind(|key| key.organization_id == organization).cloned()
        };
        self.meet().await;
        Ok(found)
    }

    async fn add_first_data_key(&self, key: WrappedDataKey) -> Result<WrappedDataKey, StoreError> {
        let mut rows = self.rows();
        let first = rows.keys.values().find(|other| other.organization_id == key.organization_id).cloned();
        Ok(first.unwrap_or_else(|| {
            rows.keys.insert(key.id, key.clone());
            key
        }))
    }

    async fn canary(&self) -> Result<Option<SealedSecret>, StoreError> {
        let found = self.rows().canary.clone();
        self.meet().await;
        Ok(found)
    }

    async fn add_canary(&self, canary: SealedSecret) -> Result<SealedSecret, StoreError> {
        Ok(self.rows().canary.get_or_insert(canary).clone())
    }
}

/// A master key that depends on the seed alone: the same seed is the same key after a restart.
pub(crate) fn master_key(seed: u64) -> MasterKey {
    MasterKey::generate(&SeededRandom::new(seed))
}

/// A sealer with one master key. Its randomness is its own: `run` tells processes over one store apart.
pub(crate) fn sealer(key_seed: u64, store: &Arc<KeyShelf>, run: u64) -> EnvelopeSealer {
    sealer_over(KeyRing::new(master_key(key_seed)), Arc::clone(store) as Arc<dyn DataKeyStore>, run)
}

pub(crate) fn sealer_over(ring: KeyRing, store: Arc<dyn DataKeyStore>, run: u64) -> EnvelopeSealer {
    let random: Arc<dyn Random> = Arc::new(SeededRandom::new(1_000_000 + run));
    EnvelopeSealer::new(ring, store, random, FixedClock::new())
}

/// A place, told apart by small numbers.
pub(crate) fn place(organization: u128, column: SecretColumn, row: u128) -> SecretPlace {
    SecretPlace {
        organization_id: OrganizationId::from_uuid(Uuid::from_u128(organization)),
        column,
        row: Uuid::from_u128(row),
    }
}

pub(crate) const COLUMNS: [SecretColumn; 7] = [
    SecretColumn::ClientSecret,
    SecretColumn::AccessToken,
    SecretColumn::RefreshToken,
    SecretColumn::PkceVerifier,
    SecretColumn::Nonce,
    SecretColumn::RevokedAccessToken,
    SecretColumn::RevokedRefreshToken,
];

/// Runs a future inside of a property, which is not async.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime without I/O always starts")
        .block_on(future)
}
