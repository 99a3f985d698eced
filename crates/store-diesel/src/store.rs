//! The store itself: chosen by a URL, opened, and asked to read and write.

use std::time::Duration;

use async_trait::async_trait;
use diesel::SqliteConnection;
use grantkeeper_domain::{Store, StoreError};

use crate::OpenError;
use crate::failure::Failure;
use crate::migrations::{self, SchemaState};
use crate::sqlite::{Location, Sqlite};

/// Every storage port of the domain, over one database.
///
/// Dropping it waits until every write that was begun is on disk.
pub struct DieselStore {
    pub(crate) sqlite: Sqlite,
}

/// How a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// How many threads read, at least one. An in-memory database has none: its one connection does everything.
    pub readers: usize,
    /// How long a query waits for another process that holds the database.
    pub busy_timeout: Duration,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { readers: 2, busy_timeout: Duration::from_secs(5) }
    }
}

impl DieselStore {
    /// Opens the database that `url` names, and brings its schema up to date.
    ///
    /// - `sqlite://file.db` and `sqlite:///folder/file.db`: what follows `sqlite://` is the path, letter by letter. A
    ///   missing file is made, for the user of this process only.
    /// - `sqlite::memory:`: an empty database that is lost when the store is dropped.
    ///
    /// This blocks: call it before serving.
    pub fn open(url: &str, options: OpenOptions) -> Result<Self, OpenError> {
        let sqlite = Sqlite::open(&location(url)?, options)?;
        Ok(Self { sqlite })
    }

    /// The names of the migrations that opening this database would run. Changes nothing, and makes no file.
    ///
    /// This blocks, as [`DieselStore::open`] does.
    pub fn pending_migrations(url: &str) -> Result<Vec<String>, OpenError> {
        Sqlite::pending_migrations(&location(url)?)
    }

    /// Runs a query that changes nothing.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        Ok(self.sqlite.read(query).await?)
    }

    /// Runs work in a transaction that has the write lock from its beginning. An error undoes all of the work.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        Ok(self.sqlite.write(work).await?)
    }
}

fn location(url: &str) -> Result<Location, OpenError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Err(OpenError::Postgres);
    }
    Location::parse(url)
}

#[async_trait]
impl Store for DieselStore {
    async fn check(&self) -> Result<(), StoreError> {
        let state = self.read(|c| Ok(migrations::schema_state(c)?)).await?;
        if state != (SchemaState::Ours { pending: Vec::new() }) {
            return Err(Failure::OtherSchema.into());
        }
        // Takes the write lock and gives it back: the writer lives, and nobody else holds the database for long.
        self.write(|_| Ok(())).await
    }
}
