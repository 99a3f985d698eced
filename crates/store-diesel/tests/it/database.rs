//! An SQLite database in a folder of its own, and a second way into it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;
use grantkeeper_domain::accounts::Organization;
use grantkeeper_domain::{Change, CommitError, Store, UnitOfWork};
use grantkeeper_store_diesel::{DieselStore, OpenError, OpenOptions};
use tempfile::TempDir;

/// A place for a database file. It goes with the value.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}", self.path().display())
    }

    pub(crate) async fn open(&self) -> Result<DieselStore, OpenError> {
        DieselStore::open(&self.url(), OpenOptions::default()).await
    }

    /// A store that does not wait for locks.
    pub(crate) async fn open_impatiently(&self) -> DieselStore {
        let options = OpenOptions { busy_timeout: Duration::ZERO, ..OpenOptions::default() };
        DieselStore::open(&self.url(), options).await.expect("a fit database")
    }

    /// A connection beside the store, as another program has it: without any of the store's settings.
    pub(crate) fn stranger(&self) -> SqliteConnection {
        SqliteConnection::establish(self.path().to_str().expect("a plain path")).expect("a file")
    }
}

/// An empty store in a file.
pub(crate) async fn file_store() -> (Arc<dyn Store>, Place) {
    let place = Place::new();
    (Arc::new(place.open().await.expect("a new file")), place)
}

/// An empty store in memory.
pub(crate) async fn memory_store() -> Arc<dyn Store> {
    let store = DieselStore::open("sqlite::memory:", OpenOptions::default()).await;
    Arc::new(store.expect("a new database"))
}

pub(crate) async fn insert(store: &DieselStore, organization: &Organization) -> Result<(), CommitError> {
    store.commit(vec![Change::insert(organization.clone())]).await
}
