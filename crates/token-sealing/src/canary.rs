//! The canary: a known text under the operator's key, which tells a wrong key at the start instead of at the first
//! secret that does not open.

use std::fmt;

use grantkeeper_domain::StoreError;
use grantkeeper_domain::sealing::{DataKeyStore, SealedSecret};
use grantkeeper_domain::services::Random;

use crate::envelope::{self, Envelope};
use crate::{KeyRing, MasterKeyId, associated_data};

const SONG: &[u8] = b"grantkeeper canary";

/// Why the operator's key is not the one that this store was sealed with.
#[derive(Debug, thiserror::Error)]
pub enum CanaryError {
    /// The store was sealed under a key that is not on the ring.
    #[error("the store is sealed under the key {expected}, and there is only {}", Listed(.available))]
    WrongKey {
        /// The key that is needed.
        expected: MasterKeyId,
        /// The keys that there are.
        available: Vec<MasterKeyId>,
    },
    /// It names a key that is on the ring, but does not open under it: the store was tampered with.
    #[error("the canary in the store is damaged")]
    Damaged,
    /// The canary could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

struct Listed<'a>(&'a [MasterKeyId]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, id) in self.0.iter().enumerate() {
            write!(f, "{}{id}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// Opens the canary in the store; a store that has none gets one.
pub(crate) async fn verify_or_plant(
    ring: &KeyRing,
    store: &dyn DataKeyStore,
    random: &dyn Random,
) -> Result<(), CanaryError> {
    let canary = match store.canary().await? {
        Some(canary) => canary,
        // Somebody else may have planted one at the same time: it is theirs that is opened then.
        None => store.add_canary(plant(ring, random)).await?,
    };
    verify(ring, &canary)
}

fn plant(ring: &KeyRing, random: &dyn Random) -> SealedSecret {
    let key = ring.first();
    envelope::seal(key.cipher(), *key.id().as_bytes(), random, &associated_data::of_canary(key.id()), SONG)
}

fn verify(ring: &KeyRing, canary: &SealedSecret) -> Result<(), CanaryError> {
    let envelope = Envelope::<{ MasterKeyId::LENGTH }>::read(canary).map_err(|_| CanaryError::Damaged)?;
    let expected = MasterKeyId::from_bytes(envelope.key_id);
    let Some(key) = ring.get(expected) else {
        return Err(CanaryError::WrongKey { expected, available: ring.ids() });
    };
    let song = envelope
        .open(key.cipher(), &associated_data::of_canary(expected))
        .map_err(|_| CanaryError::Damaged)?;
    if song.as_slice() == SONG { Ok(()) } else { Err(CanaryError::Damaged) }
}
