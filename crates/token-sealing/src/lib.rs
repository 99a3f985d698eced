//! Envelope encryption of secrets: AES-256-GCM data keys per organization, wrapped by the operator's key.
//!
//! - The operator holds a [`MasterKey`] (NIST SP 800-57 calls it a key-encryption key); a [`KeyRing`] holds the one
//!   that seals and those that still open.
//! - Every organization has a data key, made when its first secret is sealed. It rests under the master key.
//! - [`EnvelopeSealer`] seals secrets under data keys, and binds each to the place it rests in.
//!
//! What rests has one layout, for secrets, data keys and the canary alike (all of it authenticated):
//!
//! ```text
//! version (1 byte) | id of the sealing key (16 bytes; 8 of a master key) | nonce (12) | ciphertext | tag (16)
//! ```
//!
//! # Limits
//! Nonces are random, so one key must not seal more than 2^32 times (NIST SP 800-38D, 8.3). An organization that
//! refreshes a token every second reaches that after 136 years; master keys seal one data key per organization.
#![deny(missing_docs)]

mod associated_data;
mod canary;
mod data_keys;
mod envelope;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
mod key_ring;
mod master_key;
mod recently_used;
mod sealer;

pub use canary::CanaryError;
pub use key_ring::KeyRing;
pub use master_key::{MasterKey, MasterKeyId, ParseKeyError};
pub use sealer::EnvelopeSealer;
