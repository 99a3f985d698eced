//! What a seal keeps, and what it hides.

use std::collections::HashSet;
use std::sync::Arc;

use grantkeeper_domain::memory::MemoryStore;
use grantkeeper_domain::sealing::{SecretColumn, SecretPlace, TokenSealer};
use grantkeeper_domain::{Change, Secret, UnitOfWork as _};
use grantkeeper_testkit::entities;
use grantkeeper_token_sealing::KeyRing;
use proptest::prelude::*;

use crate::support::{COLUMNS, KeyShelf, block_on, master_key, place, sealer, sealer_over};

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

proptest! {
    #[test]
    fn every_text_comes_back(text in any::<String>(), column in 0..COLUMNS.len(), organization: u128, row: u128) {
        block_on(async {
            let sealer = sealer(1, &Arc::default(), 0);
            let place = place(organization, COLUMNS[column], row);
            let at_rest = sealer.seal(place, &secret(&text)).await.unwrap();
            let opened = sealer.open(place, &at_rest).await.unwrap();
            assert_eq!(opened.expose(), text);
        });
    }
}

#[tokio::test]
async fn the_layout_is_as_documented() {
    let shelf = Arc::<KeyShelf>::default();
    let sealer = sealer(1, &shelf, 0);
    let at_rest = sealer.seal(place(1, SecretColumn::AccessToken, 1), &secret("token")).await.unwrap();

    let data_key = &shelf.keys()[0];
    let bytes = at_rest.as_bytes();
    assert_eq!(bytes.len(), 1 + 16 + 12 + "token".len() + 16);
    assert_eq!(bytes[0], 1);
    assert_eq!(&bytes[1..17], data_key.id.as_uuid().as_bytes());

    let wrapped = data_key.wrapped.as_bytes();
    assert_eq!(wrapped.len(), 1 + 8 + 12 + 32 + 16);
    let named = wrapped[1..9].iter().fold(0, |id, byte| id << 8 | u64::from(*byte));
    assert_eq!(format!("{named:016x}"), master_key(1).id().to_string());
}

#[tokio::test]
async fn the_same_secret_never_seals_the_same_twice() {
    let sealer = sealer(1, &Arc::default(), 0);
    let place = place(1, SecretColumn::AccessToken, 1);
    let (mut nonces, mut ciphertexts) = (HashSet::new(), HashSet::new());
    for _ in 0..1_000 {
        let at_rest = sealer.seal(place, &secret("a token that is at_rest again and again")).await.unwrap();
        nonces.insert(at_rest.as_bytes()[17..29].to_vec());
        ciphertexts.insert(at_rest.as_bytes()[29..].to_vec());
    }
    assert_eq!((nonces.len(), ciphertexts.len()), (1_000, 1_000));
}

#[tokio::test]
async fn neither_the_secret_nor_a_key_rests_in_plaintext() {
    let shelf = Arc::<KeyShelf>::default();
    let sealer = sealer(1, &shelf, 0);
    let text = "plaintext-plaintext-plaintext";
    let at_rest = sealer.seal(place(1, SecretColumn::RefreshToken, 1), &secret(text)).await.unwrap();
    let piece = &text.as_bytes()[..4];
    assert!(!at_rest.as_bytes().windows(piece.len()).any(|window| window == piece));
}

#[tokio::test]
async fn a_restart_with_the_same_key_opens_everything() {
    let shelf = Arc::<KeyShelf>::default();
    let place = place(1, SecretColumn::ClientSecret, 1);
    let at_rest = sealer(1, &shelf, 0).seal(place, &secret("kept")).await.unwrap();
    let opened = sealer(1, &shelf, 1).open(place, &at_rest).await.unwrap();
    assert_eq!(opened.expose(), "kept");
}

#[tokio::test]
async fn a_key_that_is_ready_is_not_read_again() {
    let shelf = Arc::<KeyShelf>::default();
    let sealer = sealer(1, &shelf, 0);
    let place = place(1, SecretColumn::AccessToken, 1);
    let at_rest = sealer.seal(place, &secret("token")).await.unwrap();
    let reads = shelf.reads();
    for _ in 0..10 {
        sealer.open(place, &at_rest).await.unwrap();
        sealer.seal(place, &secret("token")).await.unwrap();
    }
    assert_eq!(shelf.reads(), reads);
}

#[tokio::test]
async fn it_works_over_the_in_memory_store() {
    let store = Arc::new(MemoryStore::default());
    let organization = entities::organization();
    let place = SecretPlace { organization_id: organization.id, ..place(0, SecretColumn::AccessToken, 1) };
    store.commit(vec![Change::insert(organization)]).await.unwrap();
    let first = sealer_over(KeyRing::new(master_key(1)), Arc::clone(&store) as _, 0);
    first.verify_or_plant_canary().await.unwrap();
    let at_rest = first.seal(place, &secret("token")).await.unwrap();

    let second = sealer_over(KeyRing::new(master_key(1)), store, 1);
    second.verify_or_plant_canary().await.unwrap();
    assert_eq!(second.open(place, &at_rest).await.unwrap().expose(), "token");
}
