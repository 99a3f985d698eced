//! The one of two databases that a store is over.

use grantkeeper_domain::StoreError;

use crate::connection::{Query, Statement, Work};
use crate::failure::Failure;
use crate::postgres::Postgres;
use crate::rows::FromRow;
use crate::sqlite::{Location, Sqlite};
use crate::{OpenError, OpenOptions};

/// Where everything is kept.
pub(crate) enum Database {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Database {
    /// Opens the database that `url` names.
    pub(crate) async fn open(url: &str, options: OpenOptions) -> Result<Self, OpenError> {
        if is_postgres(url) {
            return Postgres::open(url, options).await.map(Self::Postgres);
        }
        let location = Location::parse(url)?;
        blocking(move || Sqlite::open(&location, options)).await.map(Self::Sqlite)
    }

    /// The names of the migrations that the database lacks. Changes nothing.
    pub(crate) async fn pending_migrations(url: &str) -> Result<Vec<String>, OpenError> {
        if is_postgres(url) {
            return Postgres::pending_migrations(url).await;
        }
        let location = Location::parse(url)?;
        blocking(move || Sqlite::pending_migrations(&location)).await
    }

    /// Whether it can be written to, and has the schema of this version.
    pub(crate) async fn check(&self) -> Result<(), Failure> {
        match self {
            Self::Sqlite(database) => database.check().await,
            Self::Postgres(database) => database.check().await,
        }
    }

    /// The entity of the first row, where there is one. The query finds its row by an index: on PostgreSQL others wait
    /// behind it on the same connection. No `LIMIT` is added: SQLite would plan the statement anew at each execution, to
    /// look at the number.
    pub(crate) async fn one<E: FromRow>(
        &self,
        query: impl Query<E::Row> + Clone,
    ) -> Result<Option<E>, StoreError> {
        let rows = match self {
            Self::Sqlite(database) => database.load(query).await?,
            Self::Postgres(database) => database.lines().load(query).await?,
        };
        let entity = rows.into_iter().next().map(E::from_row).transpose();
        Ok(entity.map_err(Failure::from)?)
    }

    /// The entities of all rows.
    pub(crate) async fn all<E: FromRow>(
        &self,
        query: impl Query<E::Row> + Clone,
    ) -> Result<Vec<E>, StoreError> {
        let rows = match self {
            Self::Sqlite(database) => database.load(query).await?,
            Self::Postgres(database) => database.load(query).await?,
        };
        let entities = rows.into_iter().map(E::from_row).collect::<Result<_, _>>();
        Ok(entities.map_err(Failure::from)?)
    }

    /// Runs one statement, which is a transaction of its own: how many rows it touched. It is run even when its caller
    /// goes away.
    pub(crate) async fn execute(&self, statement: impl Statement) -> Result<usize, Failure> {
        match self {
            Self::Sqlite(database) => database.work(|c| Box::pin(c.execute(statement))).await,
            Self::Postgres(database) => database.execute(statement).await,
        }
    }

    /// Does work in a transaction. An error undoes all of it. It is done even when its caller goes away.
    pub(crate) async fn write<T: Send + 'static>(&self, work: impl Work<T>) -> Result<T, Failure> {
        match self {
            Self::Sqlite(database) => database.work(work).await,
            Self::Postgres(database) => database.write(work).await,
        }
    }
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Opens files away from the threads that serve.
async fn blocking<T: Send + 'static>(
    open: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    tokio::task::spawn_blocking(open).await.map_err(|error| OpenError::Threads(error.into()))?
}
