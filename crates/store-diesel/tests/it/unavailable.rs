//! A store that cannot work now says so, and works again later.

use diesel::connection::SimpleConnection;
use grantkeeper_domain::accounts::AccountStore;
use grantkeeper_domain::{CommitError, Store, StoreError};
use grantkeeper_testkit::entities::organization;

use crate::database::{Place, insert};

#[tokio::test]
async fn a_locked_database_is_unavailable_until_it_is_let_go() {
    let place = Place::new();
    let store = place.open_impatiently().await;
    let organization = organization();
    let mut stranger = place.stranger();
    stranger.batch_execute("BEGIN IMMEDIATE").unwrap();

    let refused = insert(&store, &organization).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Unavailable(_)))), "{refused:?}");
    assert!(matches!(store.check().await, Err(StoreError::Unavailable(_))));
    // Readers go on.
    assert_eq!(store.organization(organization.id).await.unwrap(), None);

    stranger.batch_execute("ROLLBACK").unwrap();
    store.check().await.unwrap();
    insert(&store, &organization).await.unwrap();
}

#[tokio::test]
async fn a_store_that_was_migrated_by_a_newer_version_is_not_ready() {
    let place = Place::new();
    let store = place.open().await.unwrap();
    store.check().await.unwrap();
    place
        .stranger()
        .batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')")
        .unwrap();
    assert!(matches!(store.check().await, Err(StoreError::Unexpected(_))));
}

#[tokio::test]
async fn a_row_that_this_version_cannot_read_is_unexpected() {
    let place = Place::new();
    let store = place.open().await.unwrap();
    let organization = organization();
    insert(&store, &organization).await.unwrap();
    place.stranger().batch_execute("UPDATE organizations SET redirect_uris = '[\"ftp://secret\"]'").unwrap();

    let error = store.organization(organization.id).await.unwrap_err();
    let StoreError::Unexpected(cause) = error else { panic!("{error:?}") };
    assert_eq!(cause.to_string(), "cannot read what organizations.redirect_uris holds");
}
