//! Data keys: made on first use, wrapped by the operator's key, held open in memory.

use std::sync::Arc;

use aws_lc_rs::aead::LessSafeKey;
use grantkeeper_domain::ids::{DataKeyId, OrganizationId};
use grantkeeper_domain::sealing::{DataKeyStore, SealError, WrappedDataKey};
use grantkeeper_domain::services::{Clock, Random};
use zeroize::Zeroizing;

use crate::envelope::{self, Envelope, KEY_LENGTH};
use crate::recently_used::RecentlyUsed;
use crate::{KeyRing, MasterKeyId, associated_data};

/// How many open keys one generation of the memory holds; an open key takes about half a kilobyte.
const OPEN_KEYS: usize = 2_048;

/// A data key that is ready for use.
pub(crate) struct DataKey {
    pub(crate) id: DataKeyId,
    pub(crate) cipher: LessSafeKey,
}

/// Finds, makes and remembers data keys.
///
/// An organization's sealing key is remembered as well. A newer one that another process adds is therefore used
/// here only after a while, which is harmless: older keys go on opening.
pub(crate) struct DataKeys {
    ring: KeyRing,
    store: Arc<dyn DataKeyStore>,
    random: Arc<dyn Random>,
    clock: Arc<dyn Clock>,
    by_id: RecentlyUsed<DataKeyId, DataKey>,
    sealing: RecentlyUsed<OrganizationId, DataKey>,
}

impl DataKeys {
    pub(crate) fn new(
        ring: KeyRing,
        store: Arc<dyn DataKeyStore>,
        random: Arc<dyn Random>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (by_id, sealing) = (RecentlyUsed::new(OPEN_KEYS), RecentlyUsed::new(OPEN_KEYS));
        Self { ring, store, random, clock, by_id, sealing }
    }

    pub(crate) fn ring(&self) -> &KeyRing {
        &self.ring
    }

    pub(crate) fn store(&self) -> &dyn DataKeyStore {
        self.store.as_ref()
    }

    pub(crate) fn random(&self) -> &dyn Random {
        self.random.as_ref()
    }

    /// The key that seals an organization's secrets; made when there is none yet.
    pub(crate) async fn to_seal(&self, organization: OrganizationId) -> Result<Arc<DataKey>, SealError> {
        if let Some(key) = self.sealing.get(organization) {
            return Ok(key);
        }
        let wrapped = match self.store.newest_data_key(organization).await? {
            Some(wrapped) => wrapped,
            // Of two that are made at once, one stays, and it may be the other's.
            None => self.store.add_first_data_key(self.make(organization)).await?,
        };
        let key = Arc::new(self.unwrap(organization, wrapped.id, &wrapped)?);
        self.by_id.insert(key.id, Arc::clone(&key));
        self.sealing.insert(organization, Arc::clone(&key));
        Ok(key)
    }

    /// The key with this id, which must be the organization's. One in memory is not asked whose it is: the
    /// secret's associated data does that.
    pub(crate) async fn to_open(
        &self,
        organization: OrganizationId,
        id: DataKeyId,
    ) -> Result<Arc<DataKey>, SealError> {
        if let Some(key) = self.by_id.get(id) {
            return Ok(key);
        }
        let wrapped = self.store.data_key(id).await?.ok_or(SealError::UnknownKey)?;
        let key = Arc::new(self.unwrap(organization, id, &wrapped)?);
        self.by_id.insert(id, Arc::clone(&key));
        Ok(key)
    }

    fn make(&self, organization_id: OrganizationId) -> WrappedDataKey {
        let master = self.ring.first();
        let created_at = self.clock.now();
        let id = DataKeyId::generate(self.random(), created_at);
        let mut key = Zeroizing::new([0; KEY_LENGTH]);
        self.random.fill(key.as_mut_slice());

        let bound_to = associated_data::of_data_key(organization_id, id, master.id());
        let wrapped = envelope::seal(
            master.cipher(),
            *master.id().as_bytes(),
            self.random(),
            &bound_to,
            key.as_slice(),
        );
        WrappedDataKey { id, organization_id, wrapped, created_at }
    }

    /// Opens a data key as the one that was asked for, whatever its row says of itself.
    fn unwrap(
        &self,
        organization: OrganizationId,
        id: DataKeyId,
        row: &WrappedDataKey,
    ) -> Result<DataKey, SealError> {
        let envelope = Envelope::<{ MasterKeyId::LENGTH }>::read(&row.wrapped)?;
        let master_id = MasterKeyId::from_bytes(envelope.key_id);
        let master = self.ring.get(master_id).ok_or(SealError::UnknownKey)?;
        let bound_to = associated_data::of_data_key(organization, id, master_id);
        let key = envelope.open(master.cipher(), &bound_to)?;
        let key: &[u8; KEY_LENGTH] = key.as_slice().try_into().map_err(|_| SealError::UnknownFormat)?;
        Ok(DataKey { id, cipher: envelope::cipher(key) })
    }
}
