//! What sealing costs over the bare cipher: 1 KiB sealed and opened by the sealer, in turns with AES-256-GCM of
//! aws-lc-rs under a ready key, so that a busy machine slows both alike. Run it with `--release`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use grantkeeper_domain::ids::{DataKeyId, OrganizationId};
use grantkeeper_domain::sealing::{
    DataKeyStore, SealedSecret, SecretColumn, SecretPlace, TokenSealer, WrappedDataKey,
};
use grantkeeper_domain::services::Random;
use grantkeeper_domain::{Secret, StoreError};
use grantkeeper_testkit::FixedClock;
use grantkeeper_token_sealing::{EnvelopeSealer, KeyRing, MasterKey};
use tokio::runtime::Runtime;
use uuid::Uuid;

const SIZE: usize = 1_024;
const ROUNDS: usize = 200;
const PER_ROUND: u32 = 1_000;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().build().expect("a runtime without I/O always starts");
    let text = "s".repeat(SIZE);
    let ours = Ours::new(&runtime, &text);
    let bare = Bare::new(&text);

    println!("{SIZE} bytes, median of {ROUNDS} rounds of {PER_ROUND}");
    println!("{:<6} {:>12} {:>12} {:>8}", "", "bare", "sealer", "ratio");
    report("seal", || bare.seal(), || ours.seal());
    report("open", || bare.open(), || ours.open());
}

/// Measures both in turns and prints a line of the table.
fn report(what: &str, bare: impl Fn(), ours: impl Fn()) {
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        times.0.push(time_of(&bare));
        times.1.push(time_of(&ours));
    }
    let (bare, ours) = (median(times.0), median(times.1));
    let ratio = ours.as_secs_f64() / bare.as_secs_f64();
    println!("{what:<6} {:>9} ns {:>9} ns {ratio:>8.2}", bare.as_nanos(), ours.as_nanos());
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn time_of(work: impl Fn()) -> Duration {
    let start = Instant::now();
    for _ in 0..PER_ROUND {
        work();
    }
    start.elapsed() / PER_ROUND
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The sealer with its data key in memory, as it is after the first request.
struct Ours<'a> {
    runtime: &'a Runtime,
    sealer: EnvelopeSealer,
    place: SecretPlace,
    secret: Secret,
    at_rest: SealedSecret,
}

impl<'a> Ours<'a> {
    fn new(runtime: &'a Runtime, text: &str) -> Self {
        let random = Arc::new(SystemRandom);
        let ring = KeyRing::new(MasterKey::generate(random.as_ref()));
        let sealer = EnvelopeSealer::new(ring, Arc::new(EmptyStore), random, FixedClock::new());
        let place = SecretPlace {
            organization_id: OrganizationId::from_uuid(Uuid::from_u128(1)),
            column: SecretColumn::AccessToken,
            row: Uuid::from_u128(2),
        };
        let secret = Secret::new(text.to_owned());
        let at_rest = runtime.block_on(sealer.seal(place, &secret)).expect("the empty store takes any key");
        Self { runtime, sealer, place, secret, at_rest }
    }

    fn seal(&self) {
        let at_rest = self.runtime.block_on(self.sealer.seal(self.place, &self.secret));
        black_box(at_rest.expect("the key is in memory"));
    }

    fn open(&self) {
        let opened = self.runtime.block_on(self.sealer.open(self.place, &self.at_rest));
        black_box(opened.expect("it was sealed for this place"));
    }
}

/// The cipher alone, in place, with a random nonce and without associated data.
struct Bare<'a> {
    key: LessSafeKey,
    text: &'a str,
    sealed: Vec<u8>,
}

impl<'a> Bare<'a> {
    fn new(text: &'a str) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, &[7; 32]).expect("the length is that of the algorithm");
        let mut bare = Self { key: LessSafeKey::new(key), text, sealed: Vec::new() };
        bare.sealed = bare.sealed_with([0; NONCE_LEN]);
        bare
    }

    fn sealed_with(&self, nonce: [u8; NONCE_LEN]) -> Vec<u8> {
        let mut buffer = Vec::with_capacity(self.text.len() + AES_256_GCM.tag_len());
        buffer.extend_from_slice(self.text.as_bytes());
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(nonce, Aad::empty(), &mut buffer).expect("1 KiB is not too long");
        buffer
    }

    fn seal(&self) {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom.fill(&mut nonce);
        black_box(self.sealed_with(nonce));
    }

    fn open(&self) {
        let mut buffer = self.sealed.clone();
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        self.key.open_in_place(nonce, Aad::empty(), &mut buffer).expect("it was sealed under this key");
        black_box(buffer);
    }
}

/// The randomness that the server uses as well: nonces are a part of the cost.
struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "this is the port's adapter here")]
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the system has randomness");
    }
}

/// Takes a data key and forgets it; what is measured needs it only once.
struct EmptyStore;

#[async_trait]
impl DataKeyStore for EmptyStore {
    async fn data_key(&self, _: DataKeyId) -> Result<Option<WrappedDataKey>, StoreError> {
        Ok(None)
    }

    async fn newest_data_key(&self, _: OrganizationId) -> Result<Option<WrappedDataKey>, StoreError> {
        Ok(None)
    }

    async fn add_first_data_key(&self, key: WrappedDataKey) -> Result<WrappedDataKey, StoreError> {
        Ok(key)
    }

    async fn canary(&self) -> Result<Option<SealedSecret>, StoreError> {
        Ok(None)
    }

    async fn add_canary(&self, canary: SealedSecret) -> Result<SealedSecret, StoreError> {
        Ok(canary)
    }
}
