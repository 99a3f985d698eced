//! How data keys are made and found.

use std::sync::Arc;

use grantkeeper_domain::Secret;
use grantkeeper_domain::ids::DataKeyId;
use grantkeeper_domain::sealing::{
    SealError, SealedSecret, SecretColumn, SecretPlace, TokenSealer, WrappedDataKey,
};
use grantkeeper_token_sealing::{EnvelopeSealer, KeyRing};
use uuid::Uuid;

use crate::support::{KeyShelf, master_key, place, sealer, sealer_over};

fn token() -> Secret {
    Secret::new("token".to_owned())
}

fn here(organization: u128) -> SecretPlace {
    place(organization, SecretColumn::AccessToken, 1)
}

async fn refusal(sealer: &EnvelopeSealer, place: SecretPlace, at_rest: &SealedSecret) -> SealError {
    match sealer.open(place, at_rest).await {
        Ok(_) => panic!("it opened in {place:?}"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn every_organization_has_one_key_of_its_own() {
    let shelf = Arc::<KeyShelf>::default();
    let sealer = sealer(1, &shelf, 0);
    for organization in [1, 2, 1, 2, 3] {
        sealer.seal(here(organization), &token()).await.unwrap();
    }
    let mut owners: Vec<_> = shelf.keys().iter().map(|key| key.organization_id).collect();
    owners.sort();
    assert_eq!(owners, [1, 2, 3].map(|organization| here(organization).organization_id));
}

#[tokio::test]
async fn two_processes_that_make_the_first_key_at_once_agree() {
    let shelf = KeyShelf::where_all_meet(2);
    let (one, other) = (sealer(1, &shelf, 0), sealer(1, &shelf, 1));
    let (from_one, from_other) = (token(), token());
    // Both have seen that there is no key before either makes one.
    let (by_one, by_other) = tokio::join!(one.seal(here(1), &from_one), other.seal(here(1), &from_other));
    let (by_one, by_other) = (by_one.unwrap(), by_other.unwrap());

    assert_eq!(shelf.keys().len(), 1);
    assert_eq!(one.open(here(1), &by_other).await.unwrap().expose(), "token");
    assert_eq!(other.open(here(1), &by_one).await.unwrap().expose(), "token");
}

#[tokio::test]
async fn a_later_key_seals_and_the_earlier_still_opens() {
    let shelf = Arc::<KeyShelf>::default();
    let before = sealer(1, &shelf, 0).seal(here(1), &token()).await.unwrap();
    let first = shelf.keys().remove(0);
    // A newer key of the same organization, as rotation will add it: made on a shelf of its own.
    let other_shelf = Arc::<KeyShelf>::default();
    sealer(1, &other_shelf, 7).seal(here(1), &token()).await.unwrap();
    let newer = other_shelf.keys().remove(0);
    assert_ne!(newer.id, first.id);
    let newest = first.id.max(newer.id);
    shelf.put(newer);

    let sealer = sealer(1, &shelf, 1);
    let after = sealer.seal(here(1), &token()).await.unwrap();
    assert_eq!(&after.as_bytes()[1..17], newest.as_uuid().as_bytes());
    sealer.open(here(1), &before).await.unwrap();
    sealer.open(here(1), &after).await.unwrap();
}

#[tokio::test]
async fn the_first_master_key_seals_and_all_open() {
    let shelf = Arc::<KeyShelf>::default();
    let at_rest = sealer(1, &shelf, 0).seal(here(1), &token()).await.unwrap();

    let both = KeyRing::new(master_key(2)).and_opens_with(master_key(1));
    assert_eq!(both.ids(), [master_key(2).id(), master_key(1).id()]);
    let both = sealer_over(both, Arc::clone(&shelf) as _, 1);
    assert_eq!(both.open(here(1), &at_rest).await.unwrap().expose(), "token");

    let new = both.seal(here(2), &token()).await.unwrap();
    let only_new = sealer(2, &shelf, 2);
    assert_eq!(only_new.open(here(2), &new).await.unwrap().expose(), "token");
    assert!(matches!(refusal(&only_new, here(1), &at_rest).await, SealError::UnknownKey));
}

#[tokio::test]
async fn a_lost_data_key_is_an_unknown_key() {
    let shelf = Arc::<KeyShelf>::default();
    let at_rest = sealer(1, &shelf, 0).seal(here(1), &token()).await.unwrap();
    shelf.clear_keys();
    let error = refusal(&sealer(1, &shelf, 1), here(1), &at_rest).await;
    assert!(matches!(error, SealError::UnknownKey), "{error}");
}

#[tokio::test]
async fn a_data_key_serves_no_other_organization() {
    let shelf = Arc::<KeyShelf>::default();
    sealer(1, &shelf, 0).seal(here(1), &token()).await.unwrap();
    let mut moved = shelf.keys().remove(0);
    moved.organization_id = here(2).organization_id;
    shelf.put(moved);
    // Else whoever can write to the store could make the second organization seal under the first one's key.
    let error = sealer(1, &shelf, 1).seal(here(2), &token()).await.unwrap_err();
    assert!(matches!(error, SealError::Tampered), "{error}");
}

#[tokio::test]
async fn a_data_key_answers_to_no_other_id() {
    let shelf = Arc::<KeyShelf>::default();
    sealer(1, &shelf, 0).seal(here(1), &token()).await.unwrap();
    let renamed = WrappedDataKey { id: DataKeyId::from_uuid(Uuid::from_u128(9)), ..shelf.keys().remove(0) };
    shelf.clear_keys();
    shelf.put(renamed);
    let error = sealer(1, &shelf, 1).seal(here(1), &token()).await.unwrap_err();
    assert!(matches!(error, SealError::Tampered), "{error}");
}

#[tokio::test]
async fn a_changed_data_key_does_not_open() {
    let shelf = Arc::<KeyShelf>::default();
    let at_rest = sealer(1, &shelf, 0).seal(here(1), &token()).await.unwrap();
    let intact = shelf.keys().remove(0);
    for position in 0..intact.wrapped.as_bytes().len() {
        let mut bytes = intact.wrapped.as_bytes().to_vec();
        bytes[position] ^= 1;
        shelf.put(WrappedDataKey { wrapped: SealedSecret::from_bytes(bytes), ..intact.clone() });
        let error = refusal(&sealer(1, &shelf, 1), here(1), &at_rest).await;
        let expected = match position {
            0 => matches!(error, SealError::UnknownFormat),
            1..9 => matches!(error, SealError::UnknownKey),
            _ => matches!(error, SealError::Tampered),
        };
        assert!(expected, "byte {position}: {error}");
    }
}

#[tokio::test]
async fn another_key_under_the_same_id_opens_nothing() {
    let shelf = Arc::<KeyShelf>::default();
    let here = here(1);
    let at_rest = sealer(1, &shelf, 0).seal(here, &token()).await.unwrap();
    let other_shelf = Arc::<KeyShelf>::default();
    let at_rest_elsewhere = sealer(1, &other_shelf, 7).seal(here, &token()).await.unwrap();

    // The header of the one over the ciphertext of the other names a key that never sealed it.
    let forged = [&at_rest.as_bytes()[..17], &at_rest_elsewhere.as_bytes()[17..]].concat();
    let error = refusal(&sealer(1, &shelf, 1), here, &SealedSecret::from_bytes(forged)).await;
    assert!(matches!(error, SealError::Tampered), "{error}");
}
