//! A connection to whichever database, inside a transaction, and what can be asked of it.
//!
//! diesel runs a query on one kind of connection, blocking on SQLite and async on PostgreSQL. The `match` between the two
//! stands here and in `database`, and nowhere else: a query is a plain value, and the method of a port is written once.

use diesel::query_dsl::methods::{ExecuteDsl as ExecuteBlocking, LoadQuery as LoadBlocking};
use diesel::{QueryResult, RunQueryDsl, SqliteConnection};
use diesel_async::AsyncPgConnection;
use diesel_async::methods::{ExecuteDsl as ExecuteAsync, LoadQuery as LoadAsync};
use futures_util::future::BoxFuture;

use crate::failure::Failure;
use crate::rows::FromRow;

/// A query that each database answers with rows of `R`.
pub(crate) trait Query<R>:
    LoadBlocking<'static, SqliteConnection, R>
    + for<'c> LoadAsync<'static, &'c AsyncPgConnection, R>
    + Send
    + Sized
    + 'static
{
}

impl<R, Q> Query<R> for Q where
    Q: LoadBlocking<'static, SqliteConnection, R>
        + for<'c> LoadAsync<'static, &'c AsyncPgConnection, R>
        + Send
        + 'static
{
}

/// A statement that each database runs.
pub(crate) trait Statement:
    RunQueryDsl<SqliteConnection>
    + ExecuteBlocking<SqliteConnection>
    + for<'c> ExecuteAsync<&'c AsyncPgConnection>
    + Send
    + 'static
{
}

impl<S> Statement for S where
    S: RunQueryDsl<SqliteConnection>
        + ExecuteBlocking<SqliteConnection>
        + for<'c> ExecuteAsync<&'c AsyncPgConnection>
        + Send
        + 'static
{
}

/// Rows that are written alike.
pub(crate) trait Batch: Send + 'static {
    /// All of them in one statement, for PostgreSQL.
    type Statement: for<'c> ExecuteAsync<&'c AsyncPgConnection> + Send + 'static;

    /// That statement.
    fn statement(self) -> Self::Statement;

    /// Writes one after another, as SQLite does: there a statement costs no round trip, and a short one stays prepared.
    fn write_each(self, c: &mut SqliteConnection) -> QueryResult<()>;
}

/// What is done in one transaction. The box is what it takes to say that it borrows the connection and may be sent.
pub(crate) trait Work<T>:
    for<'c> FnOnce(&'c mut Connection<'_>) -> BoxFuture<'c, Result<T, Failure>> + Send + 'static
{
}

impl<T, W> Work<T> for W where
    W: for<'c> FnOnce(&'c mut Connection<'_>) -> BoxFuture<'c, Result<T, Failure>> + Send + 'static
{
}

/// A connection in a transaction.
pub(crate) enum Connection<'c> {
    /// Answers at once: what awaits it is never suspended.
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c AsyncPgConnection),
}

impl Connection<'_> {
    /// The rows of a query.
    pub(crate) async fn load<R: Send + 'static>(&mut self, query: impl Query<R>) -> Result<Vec<R>, Failure> {
        match self {
            Self::Sqlite(c) => Ok(RunQueryDsl::load(query, *c)?),
            Self::Postgres(c) => load(query, c).await,
        }
    }

    /// Runs a statement: how many rows it touched.
    pub(crate) async fn execute(&mut self, statement: impl Statement) -> Result<usize, Failure> {
        match self {
            Self::Sqlite(c) => Ok(RunQueryDsl::execute(statement, *c)?),
            Self::Postgres(c) => execute(statement, c).await,
        }
    }

    /// Writes a batch.
    pub(crate) async fn write(&mut self, batch: impl Batch) -> Result<(), Failure> {
        match self {
            Self::Sqlite(c) => Ok(batch.write_each(c)?),
            Self::Postgres(c) => execute(batch.statement(), c).await.map(drop),
        }
    }

    /// The entity of the first row, where there is one.
    pub(crate) async fn one<E: FromRow>(&mut self, query: impl Query<E::Row>) -> Result<Option<E>, Failure> {
        let rows = self.load(query).await?;
        Ok(rows.into_iter().next().map(E::from_row).transpose()?)
    }

    /// The entities of all rows.
    pub(crate) async fn all<E: FromRow>(&mut self, query: impl Query<E::Row>) -> Result<Vec<E>, Failure> {
        let rows = self.load(query).await?;
        Ok(rows.into_iter().map(E::from_row).collect::<Result<_, _>>()?)
    }
}

/// The rows of a query, over a connection that others may be using meanwhile.
pub(crate) fn load<R: Send + 'static>(
    query: impl Query<R>,
    mut c: &AsyncPgConnection,
) -> BoxFuture<'_, Result<Vec<R>, Failure>> {
    Box::pin(async move {
        let rows = diesel_async::RunQueryDsl::load(query, &mut c).await;
        rows.map_err(Failure::of_postgres)
    })
}

/// Runs a statement over a connection.
pub(crate) fn execute<'c>(
    statement: impl for<'a> ExecuteAsync<&'a AsyncPgConnection> + Send + 'static,
    mut c: &'c AsyncPgConnection,
) -> BoxFuture<'c, Result<usize, Failure>> {
    Box::pin(async move {
        let rows = ExecuteAsync::execute(statement, &mut c).await;
        rows.map_err(Failure::of_postgres)
    })
}
