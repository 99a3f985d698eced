//! A sealer without cryptography.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use grantkeeper_domain::Secret;
use grantkeeper_domain::sealing::{SealError, SealedSecret, SecretPlace, TokenSealer};

/// FOR TESTS ONLY: keeps the manners of a sealer and protects nothing. What it seals opens in its own place and no
/// other, does not open when a byte was changed, differs every time, and does not show the secret at a glance.
/// It needs neither keys nor a store.
#[derive(Default)]
pub struct TestSealer {
    sealed: AtomicU64,
    opened: AtomicU64,
}

/// Marks what came from here.
const HEADER: &[u8] = b"test";

impl TestSealer {
    /// A sealer.
    pub fn new() -> Self {
        Self::default()
    }

    /// How often something was opened.
    pub fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl TokenSealer for TestSealer {
    async fn seal(&self, place: SecretPlace, secret: &Secret) -> Result<SealedSecret, SealError> {
        let number = self.sealed.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let veiled = veil(secret.expose().as_bytes(), number);
        let check = checksum(place, number, &veiled);
        Ok(SealedSecret::from_bytes([HEADER, &number, &check, &veiled].concat()))
    }

    async fn open(&self, place: SecretPlace, sealed: &SealedSecret) -> Result<Secret, SealError> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        let rest = sealed.as_bytes().strip_prefix(HEADER).ok_or(SealError::UnknownFormat)?;
        let (number, rest) = rest.split_first_chunk::<8>().ok_or(SealError::UnknownFormat)?;
        let (check, veiled) = rest.split_first_chunk::<8>().ok_or(SealError::UnknownFormat)?;
        if checksum(place, *number, veiled) != *check {
            return Err(SealError::Tampered);
        }
        String::from_utf8(veil(veiled, *number)).map(Secret::new).map_err(|_| SealError::Tampered)
    }
}

/// Its own inverse.
fn veil(bytes: &[u8], number: [u8; 8]) -> Vec<u8> {
    bytes.iter().zip(number.iter().cycle()).map(|(byte, mask)| byte ^ mask ^ 0xa5).collect()
}

fn checksum(place: SecretPlace, number: [u8; 8], veiled: &[u8]) -> [u8; 8] {
    let mut hasher = DefaultHasher::new();
    (place.organization_id, place.column.as_str(), place.row, number, veiled).hash(&mut hasher);
    hasher.finish().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use grantkeeper_domain::ids::OrganizationId;
    use grantkeeper_domain::sealing::SecretColumn;
    use uuid::Uuid;

    use super::*;

    fn place() -> SecretPlace {
        SecretPlace {
            organization_id: OrganizationId::from_uuid(Uuid::from_u128(1)),
            column: SecretColumn::AccessToken,
            row: Uuid::from_u128(2),
        }
    }

    #[tokio::test]
    async fn a_secret_opens_in_its_place_and_no_other() {
        let sealer = TestSealer::new();
        let hidden = sealer.seal(place(), &Secret::new("hush ✓".to_owned())).await.unwrap();
        assert_eq!(sealer.open(place(), &hidden).await.unwrap().expose(), "hush ✓");
        for other in [
            SecretPlace { organization_id: OrganizationId::from_uuid(Uuid::from_u128(3)), ..place() },
            SecretPlace { column: SecretColumn::RefreshToken, ..place() },
            SecretPlace { row: Uuid::from_u128(4), ..place() },
        ] {
            assert!(matches!(sealer.open(other, &hidden).await, Err(SealError::Tampered)), "{other:?}");
        }
    }

    #[tokio::test]
    async fn a_changed_byte_is_noticed() {
        let sealer = TestSealer::new();
        let hidden = sealer.seal(place(), &Secret::new("hush".to_owned())).await.unwrap();
        for at in 0..hidden.as_bytes().len() {
            let mut bytes = hidden.as_bytes().to_vec();
            bytes[at] ^= 1;
            assert!(sealer.open(place(), &SealedSecret::from_bytes(bytes)).await.is_err(), "byte {at}");
        }
        let cut = SealedSecret::from_bytes(hidden.as_bytes()[..10].to_vec());
        assert!(matches!(sealer.open(place(), &cut).await, Err(SealError::UnknownFormat)));
    }

    #[tokio::test]
    async fn one_secret_is_sealed_differently_every_time_and_never_shows() {
        let sealer = TestSealer::new();
        let secret = Secret::new("hush".to_owned());
        let (one, two) =
            (sealer.seal(place(), &secret).await.unwrap(), sealer.seal(place(), &secret).await.unwrap());
        assert_ne!(one, two);
        assert!(!one.as_bytes().windows(4).any(|window| window == b"hush"));
    }
}
