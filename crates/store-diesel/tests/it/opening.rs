//! Which databases are opened, and why others are not.

use std::fs;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use grantkeeper_domain::accounts::AccountStore;
use grantkeeper_store_diesel::{DieselStore, OpenError, OpenOptions};
use grantkeeper_testkit::entities::organization;

use crate::database::{Place, insert};

const MIGRATIONS: [&str; 7] = [
    "2026-11-21-000000_init",
    "2026-11-22-000000_device_flows",
    "2026-11-23-000000_refreshes",
    "2026-11-24-000000_deletions",
    "2026-11-25-000000_logins",
    "2026-11-26-000000_links",
    "2026-11-26-000001_link_indexes",
];

async fn refusal(url: &str) -> OpenError {
    DieselStore::open(url, OpenOptions::default()).await.err().expect("a refusal")
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let place = Place::new();
    let organization = organization();
    let store = place.open().await.unwrap();
    insert(&store, &organization).await.unwrap();
    drop(store);

    let store = place.open().await.unwrap();
    assert_eq!(store.organization(organization.id).await.unwrap(), Some(organization));
}

#[tokio::test]
async fn two_stores_share_a_file() {
    let place = Place::new();
    let (one, other) = (place.open().await.unwrap(), place.open().await.unwrap());
    let organization = organization();
    insert(&one, &organization).await.unwrap();
    assert_eq!(other.organization(organization.id).await.unwrap(), Some(organization));
}

#[tokio::test]
async fn many_that_open_a_new_file_at_once_all_succeed() {
    let place = Place::new();
    for opened in join_all((0..8).map(|_| place.open())).await {
        opened.unwrap();
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::new();
    let store = place.open().await.unwrap();
    insert(&store, &organization()).await.unwrap();
    let files: Vec<_> =
        fs::read_dir(place.path().parent().unwrap()).unwrap().map(|file| file.unwrap()).collect();
    assert!(files.len() >= 2, "the database and its log");
    for file in files {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.path().display());
    }
}

#[tokio::test]
async fn pending_migrations_are_told_without_running_them() {
    let place = Place::new();
    assert_eq!(DieselStore::pending_migrations(&place.url()).await.unwrap(), MIGRATIONS);
    assert!(!place.path().exists());
    assert_eq!(DieselStore::pending_migrations("sqlite::memory:").await.unwrap(), MIGRATIONS);

    drop(place.open().await.unwrap());
    assert_eq!(DieselStore::pending_migrations(&place.url()).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn an_empty_file_is_a_new_database() {
    let place = Place::new();
    fs::write(place.path(), "").unwrap();
    assert_eq!(DieselStore::pending_migrations(&place.url()).await.unwrap(), MIGRATIONS);
    place.open().await.unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let place = Place::new();
    drop(place.open().await.unwrap());
    let mut stranger = place.stranger();
    stranger
        .batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')")
        .unwrap();

    let error = refusal(&place.url()).await;
    assert!(matches!(&error, OpenError::NewerSchema { unknown, .. } if *unknown == ["29991231000000"]));
    let advice =
        "has a newer schema than this version knows (migrations 29991231000000): run the newer version again";
    assert!(error.to_string().contains(advice), "{error}");
    assert!(matches!(
        DieselStore::pending_migrations(&place.url()).await,
        Err(OpenError::NewerSchema { .. })
    ));
}

#[tokio::test]
async fn tables_without_their_record_are_refused() {
    let place = Place::new();
    drop(place.open().await.unwrap());
    place.stranger().batch_execute("DELETE FROM __diesel_schema_migrations").unwrap();
    assert!(matches!(refusal(&place.url()).await, OpenError::Foreign { .. }));
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    let place = Place::new();
    place.stranger().batch_execute("CREATE TABLE bookmarks (url TEXT)").unwrap();
    let before = fs::read(place.path()).unwrap();

    let error = refusal(&place.url()).await;
    assert!(matches!(error, OpenError::Foreign { .. }));
    assert!(error.to_string().contains("is of another program"), "{error}");
    assert_eq!(fs::read(place.path()).unwrap(), before);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let place = Place::new();
    let letter = "Dear reader, ".repeat(1000);
    fs::write(place.path(), &letter).unwrap();

    let error = refusal(&place.url()).await;
    assert!(matches!(error, OpenError::NotADatabase(_)));
    assert!(
        error
            .to_string()
            .ends_with("is not an SQLite database: correct the database URL, or move the file away")
    );
    assert_eq!(fs::read_to_string(place.path()).unwrap(), letter);
}

#[tokio::test]
async fn a_database_that_another_process_holds_is_refused_for_now() {
    let place = Place::new();
    let mut stranger = place.stranger();
    stranger.batch_execute("BEGIN EXCLUSIVE").unwrap();
    let options = OpenOptions { busy_timeout: Duration::ZERO, ..OpenOptions::default() };
    let locked = DieselStore::open(&place.url(), options).await.err();
    assert!(matches!(locked, Some(OpenError::Locked(path)) if path == place.path()));

    stranger.batch_execute("ROLLBACK").unwrap();
    DieselStore::open(&place.url(), options).await.unwrap();
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let place = Place::new();
    let folder = place.path();
    let error = refusal(&format!("{}/store.db", place.url())).await;
    assert!(matches!(&error, OpenError::NoFolder(path) if *path == folder));
    let text =
        format!("the folder {} does not exist: create it, or correct the database URL", folder.display());
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn a_folder_is_not_opened() {
    let place = Place::new();
    fs::create_dir(place.path()).unwrap();
    assert!(matches!(refusal(&place.url()).await, OpenError::NotAFile(path) if path == place.path()));
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let place = Place::new();
    fs::write(place.path(), "").unwrap();
    // Nobody, not even root, makes a file below a file.
    let error = refusal(&format!("{}/store.db", place.url())).await;
    assert!(matches!(error, OpenError::Inaccessible { .. }));
    assert!(
        error.to_string().starts_with(&format!("cannot read and write {}", place.path().display())),
        "{error}"
    );
}

#[tokio::test]
async fn other_urls_are_refused_without_being_repeated() {
    assert!(matches!(refusal("mysql://db/grantkeeper").await, OpenError::UnknownUrl));
    assert!(matches!(refusal("grantkeeper.db").await, OpenError::UnknownUrl));
    assert!(matches!(refusal("sqlite://grantkeeper.db?mode=ro").await, OpenError::Parameters));
}
