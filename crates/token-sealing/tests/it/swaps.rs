//! Whatever is changed, moved or cut off does not open.

use std::sync::Arc;

use grantkeeper_domain::Secret;
use grantkeeper_domain::sealing::{SealError, SealedSecret, SecretColumn, SecretPlace, TokenSealer};
use grantkeeper_token_sealing::EnvelopeSealer;
use proptest::prelude::*;

use crate::support::{COLUMNS, KeyShelf, block_on, place, sealer};

async fn refusal(sealer: &EnvelopeSealer, place: SecretPlace, at_rest: &SealedSecret) -> SealError {
    match sealer.open(place, at_rest).await {
        Ok(_) => panic!("it opened in {place:?}"),
        Err(error) => error,
    }
}

async fn seal(sealer: &EnvelopeSealer, place: SecretPlace) -> SealedSecret {
    sealer
        .seal(place, &Secret::new("a secret that stays where it is".to_owned()))
        .await
        .expect("the shelf takes any key")
}

#[tokio::test]
async fn it_opens_in_no_other_column() {
    let sealer = sealer(1, &Arc::default(), 0);
    for from in COLUMNS {
        let at_rest = seal(&sealer, place(1, from, 1)).await;
        for to in COLUMNS.into_iter().filter(|to| *to != from) {
            let error = refusal(&sealer, place(1, to, 1), &at_rest).await;
            assert!(matches!(error, SealError::Tampered), "{from:?} to {to:?}: {error}");
        }
    }
}

#[tokio::test]
async fn it_opens_in_no_other_row() {
    let sealer = sealer(1, &Arc::default(), 0);
    let at_rest = seal(&sealer, place(1, SecretColumn::AccessToken, 1)).await;
    let error = refusal(&sealer, place(1, SecretColumn::AccessToken, 2), &at_rest).await;
    assert!(matches!(error, SealError::Tampered), "{error}");
}

#[tokio::test]
async fn it_opens_in_no_other_organization() {
    let shelf = Arc::<KeyShelf>::default();
    let warm = sealer(1, &shelf, 0);
    let at_rest = seal(&warm, place(1, SecretColumn::AccessToken, 1)).await;
    let elsewhere = place(2, SecretColumn::AccessToken, 1);
    // Both with the data key in memory and with one that must be read first.
    for sealer in [warm, sealer(1, &shelf, 1)] {
        let error = refusal(&sealer, elsewhere, &at_rest).await;
        assert!(matches!(error, SealError::Tampered), "{error}");
    }
}

#[tokio::test]
async fn organization_and_row_cannot_be_exchanged() {
    let sealer = sealer(1, &Arc::default(), 0);
    let at_rest = seal(&sealer, place(1, SecretColumn::AccessToken, 2)).await;
    let error = refusal(&sealer, place(2, SecretColumn::AccessToken, 1), &at_rest).await;
    assert!(matches!(error, SealError::Tampered), "{error}");
}

#[tokio::test]
async fn another_version_is_an_unknown_format() {
    let sealer = sealer(1, &Arc::default(), 0);
    let here = place(1, SecretColumn::AccessToken, 1);
    let mut bytes = seal(&sealer, here).await.as_bytes().to_vec();
    bytes[0] = 2;
    let error = refusal(&sealer, here, &SealedSecret::from_bytes(bytes)).await;
    assert!(matches!(error, SealError::UnknownFormat), "{error}");
}

#[tokio::test]
async fn another_master_key_opens_nothing() {
    let shelf = Arc::<KeyShelf>::default();
    let here = place(1, SecretColumn::AccessToken, 1);
    let at_rest = seal(&sealer(1, &shelf, 0), here).await;
    let error = refusal(&sealer(2, &shelf, 1), here, &at_rest).await;
    assert!(matches!(error, SealError::UnknownKey), "{error}");
}

proptest! {
    #[test]
    fn one_flipped_bit_is_enough(position: prop::sample::Index, bit in 0_u8..8, warm: bool) {
        block_on(async {
            let shelf = Arc::<KeyShelf>::default();
            let mut sealer_here = sealer(1, &shelf, 0);
            let here = place(1, SecretColumn::AccessToken, 1);
            let mut bytes = seal(&sealer_here, here).await.as_bytes().to_vec();
            let position = position.index(bytes.len());
            bytes[position] ^= 1 << bit;
            if !warm {
                sealer_here = sealer(1, &shelf, 1);
            }
            let error = refusal(&sealer_here, here, &SealedSecret::from_bytes(bytes)).await;
            let expected = match position {
                0 => matches!(error, SealError::UnknownFormat),
                1..17 => matches!(error, SealError::UnknownKey),
                _ => matches!(error, SealError::Tampered),
            };
            assert!(expected, "byte {position}: {error}");
        });
    }

    #[test]
    fn nothing_cut_off_or_appended_opens(length: prop::sample::Index, appended in prop::collection::vec(any::<u8>(), 1..40)) {
        block_on(async {
            let sealer = sealer(1, &Arc::default(), 0);
            let here = place(1, SecretColumn::AccessToken, 1);
            let bytes = seal(&sealer, here).await.as_bytes().to_vec();

            let shorter = bytes[..length.index(bytes.len())].to_vec();
            refusal(&sealer, here, &SealedSecret::from_bytes(shorter)).await;
            let longer = [bytes, appended].concat();
            refusal(&sealer, here, &SealedSecret::from_bytes(longer)).await;
        });
    }

    #[test]
    fn what_is_not_ours_does_not_open(mut bytes in prop::collection::vec(any::<u8>(), 0..200), ours: bool) {
        block_on(async {
            if ours && let Some(version) = bytes.first_mut() {
                *version = 1;
            }
            let sealer = sealer(1, &Arc::default(), 0);
            refusal(&sealer, place(1, SecretColumn::Nonce, 1), &SealedSecret::from_bytes(bytes)).await;
        });
    }
}
