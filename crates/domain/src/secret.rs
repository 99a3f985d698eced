//! Secrets in memory: never formatted, never serialized, wiped when dropped.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A plaintext secret: a token, a client secret, a PKCE verifier.
///
/// It has no `Debug`, `Display`, `Serialize` or `Clone`, so it cannot end in a log or a response by accident:
///
/// ```compile_fail
/// let secret = grantkeeper_domain::Secret::new("s".to_owned());
/// println!("{secret:?}");
/// ```
///
/// ```compile_fail
/// let secret = grantkeeper_domain::Secret::new("s".to_owned());
/// let copy = secret.clone();
/// ```
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes over a secret.
    pub fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The secret itself; whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What may be written down about the secret: see [`Fingerprint`].
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.expose())
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self::new(secret)
    }
}

/// The first 64 bits of a secret's SHA-256 in hexadecimal: enough to tell tokens apart in the audit log,
/// useless for finding one, since every secret here has at least 128 random bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    fn of(secret: &str) -> Self {
        Self(hex(&Sha256::digest(secret.as_bytes())[..8]))
    }

    /// Takes a fingerprint as a store kept it.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// Sixteen hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The SHA-256 of a high-entropy secret in hexadecimal: what a store keeps to recognize a secret it must not know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SecretHash(String);

impl SecretHash {
    /// Hashes a secret. Only for secrets with at least 128 random bits; a password would need a slow hash.
    pub fn of(secret: &str) -> Self {
        Self(hex(&Sha256::digest(secret.as_bytes())))
    }

    /// Takes a hash as a store kept it.
    pub fn from_stored(hex: String) -> Self {
        Self(hex)
    }

    /// Sixty-four hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// By table: this is on the way of every request.
fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_sha256_in_hexadecimal() {
        assert_eq!(
            SecretHash::of("abc").as_str(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_fingerprint_is_the_head_of_the_hash() {
        assert_eq!(Secret::new("abc".to_owned()).fingerprint().as_str(), "ba7816bf8f01cfea");
    }
}
