//! The ports that a program takes from its surroundings: time, randomness, and how secrets rest.

use std::fs::File;
use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use grantkeeper_domain::Secret;
use grantkeeper_domain::sealing::{SealError, SealedSecret, SecretPlace, TokenSealer};
use grantkeeper_domain::services::{Clock, Random};
use sha2::{Digest as _, Sha256};

/// The system's clocks, which this program can pretend to be ahead of.
pub(crate) struct ShiftedClock {
    start: Instant,
    ahead: Mutex<Duration>,
}

impl ShiftedClock {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter that owns the clock")]
    pub(crate) fn start() -> Self {
        Self { start: Instant::now(), ahead: Mutex::default() }
    }

    /// Pretends that time has passed.
    pub(crate) fn shift(&self, duration: Duration) {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) += duration;
    }

    fn ahead(&self) -> Duration {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for ShiftedClock {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter that owns the clock")]
    fn now(&self) -> DateTime<Utc> {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + self.ahead();
        // Whole microseconds: what every store can keep.
        let micros = i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX);
        DateTime::from_timestamp_micros(micros).unwrap_or_default()
    }

    /// How long something took is told by this one: it goes on where the other is set forward or back.
    fn monotonic(&self) -> Duration {
        self.start.elapsed() + self.ahead()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the adapter that owns the clock")]
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The randomness of the operating system, where it is a file. Elsewhere, and faster: any crate for secure randomness.
pub(crate) struct SystemRandom(Mutex<File>);

impl SystemRandom {
    pub(crate) fn open() -> std::io::Result<Self> {
        File::open("/dev/urandom").map(|file| Self(Mutex::new(file)))
    }
}

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.read_exact(bytes).expect("without randomness nothing here is safe, so nothing goes on");
    }
}

/// AN EXAMPLE, NOT FOR PRODUCTION: it shows what a sealer has to do, with nothing but a hash function and a key that
/// ends with the process. Production uses the crate `grantkeeper-token-sealing`: AES-256-GCM under data keys of each
/// organization, which are wrapped by a key of the operator and can be rotated.
///
/// What it has to do: nobody who has the store reads a secret; a changed or moved ciphertext does not open; sealing
/// twice gives two ciphertexts.
pub(crate) struct ExampleSealer {
    key: [u8; 32],
    random: Arc<dyn Random>,
}

const NONCE: usize = 16;
const TAG: usize = 32;

impl ExampleSealer {
    pub(crate) fn new(random: Arc<dyn Random>) -> Self {
        let mut key = [0; 32];
        random.fill(&mut key);
        Self { key, random }
    }

    /// Hashes twice under the key, for one purpose.
    fn keyed(&self, purpose: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let mut inner = Sha256::new();
        inner.update(self.key);
        inner.update(purpose);
        for part in parts {
            // With their lengths, so that two lists of parts never make one text.
            inner.update(part.len().to_be_bytes());
            inner.update(part);
        }
        Sha256::new().chain_update(self.key).chain_update(inner.finalize()).finalize().into()
    }

    /// Adds the key stream; its own inverse.
    fn veil(&self, nonce: &[u8], bytes: &[u8]) -> Vec<u8> {
        let blocks = (0_u64..).flat_map(|block| self.keyed(b"stream", &[nonce, &block.to_be_bytes()]));
        bytes.iter().zip(blocks).map(|(byte, mask)| byte ^ mask).collect()
    }

    /// Binds the ciphertext to its place.
    fn tag(&self, place: SecretPlace, nonce: &[u8], ciphertext: &[u8]) -> [u8; TAG] {
        let organization = place.organization_id.as_uuid();
        let column = place.column.as_str().as_bytes();
        self.keyed(b"tag", &[organization.as_bytes(), column, place.row.as_bytes(), nonce, ciphertext])
    }
}

#[async_trait]
impl TokenSealer for ExampleSealer {
    async fn seal(&self, place: SecretPlace, secret: &Secret) -> Result<SealedSecret, SealError> {
        let mut nonce = [0; NONCE];
        self.random.fill(&mut nonce);
        let ciphertext = self.veil(&nonce, secret.expose().as_bytes());
        let tag = self.tag(place, &nonce, &ciphertext);
        Ok(SealedSecret::from_bytes([&nonce[..], &tag, &ciphertext].concat()))
    }

    async fn open(&self, place: SecretPlace, sealed: &SealedSecret) -> Result<Secret, SealError> {
        let (nonce, rest) = sealed.as_bytes().split_first_chunk::<NONCE>().ok_or(SealError::UnknownFormat)?;
        let (tag, ciphertext) = rest.split_first_chunk::<TAG>().ok_or(SealError::UnknownFormat)?;
        if self.tag(place, nonce, ciphertext) != *tag {
            return Err(SealError::Tampered);
        }
        String::from_utf8(self.veil(nonce, ciphertext)).map(Secret::new).map_err(|_| SealError::Tampered)
    }
}
