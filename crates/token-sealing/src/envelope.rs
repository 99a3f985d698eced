//! The layout of what rests, and AES-256-GCM over it.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use grantkeeper_domain::sealing::{SealError, SealedSecret};
use grantkeeper_domain::services::Random;
use zeroize::Zeroizing;

/// The one version of the layout there is.
pub(crate) const VERSION: u8 = 1;

/// Length of a key of AES-256, in bytes.
pub(crate) const KEY_LENGTH: usize = 32;

const TAG_LENGTH: usize = 16;

/// Reads a key for the cipher. The cipher keeps its own copy, and wipes it when it is dropped.
pub(crate) fn cipher(key: &[u8; KEY_LENGTH]) -> LessSafeKey {
    let key = UnboundKey::new(&AES_256_GCM, key).expect("the length is that of the algorithm");
    LessSafeKey::new(key)
}

/// Seals under a fresh nonce; `key_id` goes into the header.
pub(crate) fn seal<const ID: usize>(
    cipher: &LessSafeKey,
    key_id: [u8; ID],
    random: &dyn Random,
    associated_data: &[u8],
    plaintext: &[u8],
) -> SealedSecret {
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce);

    let mut bytes = Vec::with_capacity(1 + ID + NONCE_LEN + plaintext.len() + TAG_LENGTH);
    bytes.push(VERSION);
    bytes.extend_from_slice(&key_id);
    bytes.extend_from_slice(&nonce);
    let head = bytes.len();
    bytes.resize(head + plaintext.len() + TAG_LENGTH, 0);
    let (ciphertext, tag) = bytes[head..].split_at_mut(plaintext.len());

    // Out of place, so that the plaintext is not copied about.
    cipher
        .seal_out_of_place_scatter(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(associated_data),
            plaintext,
            ciphertext,
            &[],
            tag,
        )
        .expect("the cipher refuses only texts of 64 GiB and more");
    SealedSecret::from_bytes(bytes)
}

/// What rests, taken apart but not yet opened.
pub(crate) struct Envelope<'a, const ID: usize> {
    /// The key that is said to have sealed it. Nothing vouches for it before [`Envelope::open`] succeeds.
    pub(crate) key_id: [u8; ID],
    nonce: [u8; NONCE_LEN],
    ciphertext: &'a [u8],
    tag: &'a [u8; TAG_LENGTH],
}

impl<'a, const ID: usize> Envelope<'a, ID> {
    /// Takes it apart; [`SealError::UnknownFormat`] when it has another version or is too short to be one of ours.
    pub(crate) fn read(sealed: &'a SealedSecret) -> Result<Self, SealError> {
        Self::split(sealed.as_bytes()).ok_or(SealError::UnknownFormat)
    }

    fn split(bytes: &'a [u8]) -> Option<Self> {
        let (&version, rest) = bytes.split_first()?;
        if version != VERSION {
            return None;
        }
        let (&key_id, rest) = rest.split_first_chunk()?;
        let (&nonce, rest) = rest.split_first_chunk()?;
        let (ciphertext, tag) = rest.split_last_chunk()?;
        Some(Self { key_id, nonce, ciphertext, tag })
    }

    /// Opens it; [`SealError::Tampered`] when a bit of it or of the associated data is not as it was sealed.
    pub(crate) fn open(
        &self,
        cipher: &LessSafeKey,
        associated_data: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let mut plaintext = Zeroizing::new(vec![0; self.ciphertext.len()]);
        cipher
            .open_separate_gather(
                Nonce::assume_unique_for_key(self.nonce),
                Aad::from(associated_data),
                self.ciphertext,
                self.tag,
                &mut plaintext,
            )
            .map_err(|_| SealError::Tampered)?;
        Ok(plaintext)
    }
}

#[cfg(any(test, feature = "fuzz"))]
impl<const ID: usize> Envelope<'_, ID> {
    /// Put together again.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        [&[VERSION][..], &self.key_id, &self.nonce, self.ciphertext, self.tag].concat()
    }
}
