//! A PostgreSQL database of a test's own, and a second way into it.

use std::sync::{Arc, LazyLock};

use grantkeeper_domain::Store;
use grantkeeper_store_diesel::{DieselStore, OpenOptions};
use grantkeeper_testkit::postgres::{Database, PostgresCluster};

/// A database with our schema, which is copied for every test.
static TEMPLATE: LazyLock<Database> = LazyLock::new(|| {
    let database = PostgresCluster::shared().fresh_database();
    let url = database.url().to_owned();
    // On a thread and a runtime of its own, so that nobody is connected any more when it is copied.
    let migrating = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(DieselStore::open(&url, migrating())).map(drop)
    });
    migrating.join().expect("no panic").expect("an empty database");
    database
});

pub(crate) fn migrating() -> OpenOptions {
    OpenOptions { migrate: true, ..OpenOptions::default() }
}

/// A database with our schema and nothing in it.
pub(crate) fn database() -> Database {
    Database::from_template(&TEMPLATE)
}

/// An empty store.
pub(crate) async fn store() -> (Arc<dyn Store>, Database) {
    let database = database();
    let store = DieselStore::open(database.url(), OpenOptions::default()).await.expect("a fit database");
    (Arc::new(store), database)
}
