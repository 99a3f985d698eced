//! The store itself: chosen by a URL, opened, and asked to read and write.

use std::time::Duration;

use async_trait::async_trait;
use grantkeeper_domain::{Store, StoreError};

use crate::OpenError;
use crate::api_tokens::TokenKey;
use crate::authorizations::AuthorizationKey;
use crate::connection::{Query, Statement, Work};
use crate::database::Database;
use crate::known_providers::KnownProviders;
use crate::look_up::LookUps;
use crate::rows::FromRow;

/// Every storage port of the domain, over one database.
///
/// Dropping one over SQLite waits until every write that was begun is on disk; over PostgreSQL, the server sees to it.
pub struct DieselStore {
    pub(crate) database: Database,
    pub(crate) authorizations: LookUps<AuthorizationKey>,
    pub(crate) api_tokens: LookUps<TokenKey>,
    pub(crate) known_providers: KnownProviders,
}

/// How a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// SQLite: how many threads read, at least one. An in-memory database has none: its one connection does everything.
    pub readers: usize,
    /// PostgreSQL: how many connections there may be for writes and lists, at least one. Every runtime that asks has two
    /// more for what is read by an index.
    pub connections: usize,
    /// How long a statement waits for another process: one that holds the database (SQLite) or the row (PostgreSQL).
    pub busy_timeout: Duration,
    /// PostgreSQL: whether pending migrations are run. Without it, a database that lacks some is refused, since several
    /// processes share it. An SQLite database is always brought up to date.
    pub migrate: bool,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { readers: 2, connections: 16, busy_timeout: Duration::from_secs(5), migrate: false }
    }
}

impl DieselStore {
    /// Opens the database that `url` names.
    ///
    /// - `sqlite://file.db` and `sqlite:///folder/file.db`: what follows `sqlite://` is the path, letter by letter. A
    ///   missing file is made, for the user of this process only.
    /// - `sqlite::memory:`: an empty database that is lost when the store is dropped.
    /// - `postgres://user:password@host:5432/database?sslmode=verify-full&sslrootcert=ca.pem`: over TLS with a verified
    ///   server, unless it is on this machine or `sslmode=disable` says otherwise. Without `sslrootcert` the system's
    ///   authorities count.
    ///
    /// Call it on the runtime that outlives all callers of the store: PostgreSQL's connections live there.
    pub async fn open(url: &str, options: OpenOptions) -> Result<Self, OpenError> {
        let database = Database::open(url, options).await?;
        Ok(Self {
            database,
            authorizations: LookUps::default(),
            api_tokens: LookUps::default(),
            known_providers: KnownProviders::default(),
        })
    }

    /// The names of the migrations that the database lacks. Changes nothing, and makes no file.
    pub async fn pending_migrations(url: &str) -> Result<Vec<String>, OpenError> {
        Database::pending_migrations(url).await
    }

    /// The entity of the first row, where there is one; the query finds it by an index.
    pub(crate) async fn one<E: FromRow>(
        &self,
        query: impl Query<E::Row> + Clone,
    ) -> Result<Option<E>, StoreError> {
        self.database.one(query).await
    }

    /// The entities of all rows.
    pub(crate) async fn all<E: FromRow>(
        &self,
        query: impl Query<E::Row> + Clone,
    ) -> Result<Vec<E>, StoreError> {
        self.database.all(query).await
    }

    /// Runs one statement: how many rows it touched.
    pub(crate) async fn execute(&self, statement: impl Statement) -> Result<u64, StoreError> {
        Ok(self.database.execute(statement).await? as u64)
    }

    /// Does work in a transaction. An error undoes all of it. It is done even when its caller goes away.
    pub(crate) async fn write<T: Send + 'static>(&self, work: impl Work<T>) -> Result<T, StoreError> {
        Ok(self.database.write(work).await?)
    }
}

#[async_trait]
impl Store for DieselStore {
    async fn check(&self) -> Result<(), StoreError> {
        Ok(self.database.check().await?)
    }
}
