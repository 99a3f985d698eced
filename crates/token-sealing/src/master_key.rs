//! The operator's key.

use std::fmt;

use aws_lc_rs::aead::LessSafeKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantkeeper_domain::Secret;
use grantkeeper_domain::services::Random;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::envelope::{KEY_LENGTH, cipher};

const PREFIX: &str = "gkk_";

/// The operator's key, which seals data keys: `gkk_` and 32 random bytes in base64url without padding.
///
/// It has no `Debug`, `Display`, `Serialize` or `Clone`, so it cannot end in a log by accident, and it is wiped
/// when dropped:
///
/// ```compile_fail
/// fn show(key: &grantkeeper_token_sealing::MasterKey) {
///     println!("{key:?}");
/// }
/// ```
///
/// ```compile_fail
/// fn copy(key: &grantkeeper_token_sealing::MasterKey) -> grantkeeper_token_sealing::MasterKey {
///     key.clone()
/// }
/// ```
pub struct MasterKey {
    id: MasterKeyId,
    // Boxed, so that moving the key leaves no copy behind.
    bytes: Box<Zeroizing<[u8; KEY_LENGTH]>>,
    cipher: LessSafeKey,
}

impl MasterKey {
    /// Makes a new key.
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Box::new(Zeroizing::new([0; KEY_LENGTH]));
        random.fill(bytes.as_mut_slice());
        Self::from_bytes(bytes)
    }

    /// Reads a key from its text form; white space around it, such as the newline of a key file, is left out.
    pub fn parse(text: &str) -> Result<Self, ParseKeyError> {
        let text = text.trim_ascii();
        if text.is_empty() {
            return Err(ParseKeyError::Missing);
        }
        let encoded = text.strip_prefix(PREFIX).ok_or(ParseKeyError::Prefix)?;
        if !encoded.bytes().all(is_base64url) {
            return Err(ParseKeyError::NotBase64Url);
        }
        let found = encoded.len() * 6 / 8;
        if found != KEY_LENGTH {
            return Err(ParseKeyError::Length { found });
        }
        Self::decode(encoded)
    }

    fn decode(encoded: &str) -> Result<Self, ParseKeyError> {
        // The decoder wants room for whole groups of three bytes.
        let mut decoded = Zeroizing::new([0; KEY_LENGTH.next_multiple_of(3)]);
        let length = URL_SAFE_NO_PAD
            .decode_slice(encoded, decoded.as_mut_slice())
            .map_err(|_| ParseKeyError::NotBase64Url)?;
        let mut bytes = Box::new(Zeroizing::new([0; KEY_LENGTH]));
        if length != KEY_LENGTH {
            return Err(ParseKeyError::Length { found: length });
        }
        bytes.copy_from_slice(&decoded[..KEY_LENGTH]);
        Ok(Self::from_bytes(bytes))
    }

    fn from_bytes(bytes: Box<Zeroizing<[u8; KEY_LENGTH]>>) -> Self {
        Self { id: MasterKeyId::of(&bytes), cipher: cipher(&bytes), bytes }
    }

    /// What the key is called where it must not be shown.
    pub fn id(&self) -> MasterKeyId {
        self.id
    }

    /// The text form, for the operator to keep.
    pub fn to_text(&self) -> Secret {
        let encoded_length = (KEY_LENGTH * 8).div_ceil(6);
        let mut text = String::with_capacity(PREFIX.len() + encoded_length);
        text.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(self.bytes.as_slice(), &mut text);
        Secret::new(text)
    }

    pub(crate) fn cipher(&self) -> &LessSafeKey {
        &self.cipher
    }
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// Names a master key without telling anything about it: the first 8 bytes of a SHA-256 over a label and the key.
/// Shown as sixteen hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MasterKeyId([u8; Self::LENGTH]);

impl MasterKeyId {
    pub(crate) const LENGTH: usize = 8;

    // The label keeps the id apart from any other digest of the same key.
    const LABEL: &[u8] = b"grantkeeper master key id, version 1\0";

    fn of(key: &[u8; KEY_LENGTH]) -> Self {
        let digest = Sha256::new().chain_update(Self::LABEL).chain_update(key).finalize();
        let mut id = [0; Self::LENGTH];
        id.copy_from_slice(&digest[..Self::LENGTH]);
        Self(id)
    }

    pub(crate) const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Debug for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is not a key. It never holds a part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseKeyError {
    /// Nothing but white space.
    #[error("there is no key")]
    Missing,
    /// Something else than a key.
    #[error("a key begins with `gkk_`")]
    Prefix,
    /// Cut off, or too long.
    #[error("the key has {found} bytes where {} are needed", KEY_LENGTH)]
    Length {
        /// How many bytes there are.
        found: usize,
    },
    /// Characters that no key has.
    #[error("what follows `gkk_` is not base64url without padding")]
    NotBase64Url,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_head_of_a_labelled_digest() {
        // printf 'grantkeeper master key id, version 1\0' | cat - <(head -c 32 /dev/zero) | sha256sum
        let key = MasterKey::from_bytes(Box::new(Zeroizing::new([0; KEY_LENGTH])));
        assert_eq!(key.id().to_string(), "e48e2c9bdbe56e1d");
    }
}
