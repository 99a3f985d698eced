//! The sealer: secrets under data keys.

use std::mem;
use std::sync::Arc;

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::ids::DataKeyId;
use grantkeeper_domain::sealing::{DataKeyStore, SealError, SealedSecret, SecretPlace, TokenSealer};
use grantkeeper_domain::services::{Clock, Random};
use uuid::Uuid;

use crate::canary::{self, CanaryError};
use crate::data_keys::DataKeys;
use crate::envelope::{self, Envelope};
use crate::{KeyRing, associated_data};

/// Length of a data key's id, in bytes.
const ID_LENGTH: usize = 16;

/// Seals secrets under their organization's data key.
pub struct EnvelopeSealer {
    keys: DataKeys,
}

impl EnvelopeSealer {
    /// A sealer over the operator's keys and the store that keeps the data keys.
    pub fn new(
        ring: KeyRing,
        store: Arc<dyn DataKeyStore>,
        random: Arc<dyn Random>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { keys: DataKeys::new(ring, store, random, clock) }
    }

    /// Makes sure that the ring holds the key this store is sealed under. To be called before anything is sealed:
    /// a store that is new is bound to the first key of the ring by it.
    pub async fn verify_or_plant_canary(&self) -> Result<(), CanaryError> {
        canary::verify_or_plant(self.keys.ring(), self.keys.store(), self.keys.random()).await
    }
}

#[async_trait]
impl TokenSealer for EnvelopeSealer {
    async fn seal(&self, place: SecretPlace, secret: &Secret) -> Result<SealedSecret, SealError> {
        let key = self.keys.to_seal(place.organization_id).await?;
        let bound_to = associated_data::of_secret(place, key.id);
        let key_id = key.id.as_uuid().into_bytes();
        Ok(envelope::seal(&key.cipher, key_id, self.keys.random(), &bound_to, secret.expose().as_bytes()))
    }

    async fn open(&self, place: SecretPlace, sealed: &SealedSecret) -> Result<Secret, SealError> {
        let envelope = Envelope::<ID_LENGTH>::read(sealed)?;
        let key_id = DataKeyId::from_uuid(Uuid::from_bytes(envelope.key_id));
        let key = self.keys.to_open(place.organization_id, key_id).await?;
        let mut plaintext = envelope.open(&key.cipher, &associated_data::of_secret(place, key_id))?;
        // Only text is ever sealed.
        let text = String::from_utf8(mem::take(&mut *plaintext)).map_err(|_| SealError::UnknownFormat)?;
        Ok(Secret::new(text))
    }
}
