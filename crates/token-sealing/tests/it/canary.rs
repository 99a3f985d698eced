//! The canary tells a right key from a wrong one.

use std::sync::Arc;

use grantkeeper_domain::Secret;
use grantkeeper_domain::sealing::{DataKeyStore, SealedSecret, SecretColumn, TokenSealer};
use grantkeeper_token_sealing::{CanaryError, KeyRing};

use crate::support::{KeyShelf, master_key, place, sealer, sealer_over};

#[tokio::test]
async fn the_key_that_planted_it_opens_it() {
    let shelf = Arc::<KeyShelf>::default();
    sealer(1, &shelf, 0).verify_or_plant_canary().await.unwrap();
    let planted = shelf.canary().await.unwrap();
    assert!(planted.is_some());
    sealer(1, &shelf, 1).verify_or_plant_canary().await.unwrap();
    assert_eq!(shelf.canary().await.unwrap(), planted);
}

#[tokio::test]
async fn a_wrong_key_is_told_with_the_ids_of_both() {
    let shelf = Arc::<KeyShelf>::default();
    sealer(1, &shelf, 0).verify_or_plant_canary().await.unwrap();

    let ring = KeyRing::new(master_key(2)).and_opens_with(master_key(3));
    let error = sealer_over(ring, Arc::clone(&shelf) as _, 1).verify_or_plant_canary().await.unwrap_err();
    let (right, wrong, third) = (master_key(1).id(), master_key(2).id(), master_key(3).id());
    assert_eq!(
        error.to_string(),
        format!("the store is sealed under the key {right}, and there is only {wrong}, {third}")
    );
    let CanaryError::WrongKey { expected, available } = error else { panic!("{error}") };
    assert_eq!((expected, available), (right, vec![wrong, third]));
}

#[tokio::test]
async fn a_key_further_down_the_ring_opens_it() {
    let shelf = Arc::<KeyShelf>::default();
    sealer(1, &shelf, 0).verify_or_plant_canary().await.unwrap();
    let ring = KeyRing::new(master_key(2)).and_opens_with(master_key(1));
    sealer_over(ring, shelf, 1).verify_or_plant_canary().await.unwrap();
}

#[tokio::test]
async fn of_two_keys_that_plant_it_at_once_one_is_refused() {
    let shelf = KeyShelf::where_all_meet(2);
    let (one, other) = (sealer(1, &shelf, 0), sealer(2, &shelf, 1));
    // Both have seen that there is none before either plants one.
    let (by_one, by_other) = tokio::join!(one.verify_or_plant_canary(), other.verify_or_plant_canary());
    let refused = match (by_one, by_other) {
        (Ok(()), Err(error)) | (Err(error), Ok(())) => error,
        outcome => panic!("{outcome:?}"),
    };
    assert!(matches!(refused, CanaryError::WrongKey { .. }), "{refused}");
}

#[tokio::test]
async fn a_changed_canary_is_damaged() {
    let shelf = Arc::<KeyShelf>::default();
    let sealer = sealer(1, &shelf, 0);
    sealer.verify_or_plant_canary().await.unwrap();
    let intact = shelf.canary().await.unwrap().unwrap();
    for position in [0, 9, 21, intact.as_bytes().len() - 1] {
        let mut bytes = intact.as_bytes().to_vec();
        bytes[position] ^= 1;
        shelf.put_canary(SealedSecret::from_bytes(bytes));
        let error = sealer.verify_or_plant_canary().await.unwrap_err();
        assert!(matches!(error, CanaryError::Damaged), "byte {position}: {error}");
    }
}

#[tokio::test]
async fn a_data_key_does_not_sing() {
    let shelf = Arc::<KeyShelf>::default();
    let sealer = sealer(1, &shelf, 0);
    sealer.seal(place(1, SecretColumn::Nonce, 1), &Secret::new("nonce".to_owned())).await.unwrap();
    shelf.put_canary(shelf.keys().remove(0).wrapped);
    let error = sealer.verify_or_plant_canary().await.unwrap_err();
    assert!(matches!(error, CanaryError::Damaged), "{error}");
}
