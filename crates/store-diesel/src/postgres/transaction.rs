//! Transactions, and how they ended.
//!
//! A connection that breaks during a commit leaves open whether the commit happened. The server knows: each transaction
//! has a number, and whoever lost the answer asks another connection how that number ended. So a commit is never
//! reported as failed although it is there.

use std::time::Duration;

use diesel::QueryResult;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::SqlType;
use diesel_async::{
    AnsiTransactionManager as Transactions, AsyncPgConnection, RunQueryDsl as _, TransactionManager as _,
};
use futures_util::future::join;

use super::pool::{Pool, Pooled, give_up, take};
use super::waiting::{ANSWER_LIMIT, pause, within};
use crate::connection::{Connection, Work};
use crate::failure::Failure;

/// How many connections are tried before one begins a transaction.
const BEGIN_TRIES: u32 = 4;

/// How often the server is asked how a transaction ended, and how long is waited before each time: half a minute in
/// all, in which a server restarts.
const OUTCOME_TRIES: u32 = 60;
const OUTCOME_PAUSE: Duration = Duration::from_millis(500);

/// The number of a transaction, which no other ever has.
#[derive(Clone, Copy, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = Xid8)]
struct TransactionId(u64);

/// PostgreSQL's `xid8`.
#[derive(Clone, Copy, Debug, SqlType, QueryId)]
#[diesel(postgres_type(oid = 5069, array_oid = 271))]
pub struct Xid8;

impl FromSql<Xid8, Pg> for TransactionId {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(u64::from_be_bytes(value.as_bytes().try_into()?)))
    }
}

impl ToSql<Xid8, Pg> for TransactionId {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        std::io::Write::write_all(out, &self.0.to_be_bytes())?;
        Ok(IsNull::No)
    }
}

diesel::define_sql_function!(fn pg_current_xact_id() -> Xid8);
diesel::define_sql_function!(fn pg_xact_status(id: Xid8) -> Nullable<Text>);

/// Does work in a transaction on a connection of its own.
pub(super) async fn run<T: Send + 'static>(pool: Pool, work: impl Work<T>) -> Result<T, Failure> {
    let mut line = begin(&pool).await?;
    let (done, id) = match within(ANSWER_LIMIT, perform(&mut line.connection, work)).await {
        Ok(done) => done?,
        Err(no_answer) => return Err(give_up(line, no_answer)),
    };
    let committed = within(ANSWER_LIMIT, Transactions::commit_transaction(&mut line.connection)).await;
    match committed.and_then(|answer| answer.map_err(Failure::of_postgres)) {
        Ok(()) => Ok(done),
        Err(lost @ (Failure::Disconnected(_) | Failure::NoAnswer)) => {
            give_up(line, lost);
            outcome(&pool, id).await.map(|()| done)
        }
        Err(refused) => Err(refused),
    }
}

/// A connection on which a transaction has begun. One that turns out to be closed is replaced: nothing was done on it.
async fn begin(pool: &Pool) -> Result<Pooled, Failure> {
    for _ in 0..BEGIN_TRIES {
        let mut line = take(pool).await?;
        let begun = within(ANSWER_LIMIT, Transactions::begin_transaction(&mut line.connection)).await;
        match begun.and_then(|answer| answer.map_err(Failure::of_postgres)) {
            Ok(()) => return Ok(line),
            Err(closed @ Failure::Disconnected(_)) => drop(give_up(line, closed)),
            Err(other) => return Err(give_up(line, other)),
        }
    }
    Err(Failure::Lost)
}

/// Everything but the commit. A failure is rolled back.
async fn perform<T: Send + 'static>(
    connection: &mut AsyncPgConnection,
    work: impl Work<T>,
) -> Result<(T, TransactionId), Failure> {
    let shared: &AsyncPgConnection = connection;
    let mut transaction = Connection::Postgres(shared);
    // Both are sent at once: the number costs no time of its own.
    let (id, done) = join(number(shared), work(&mut transaction)).await;
    match done {
        Ok(done) => Ok((done, id.map_err(Failure::of_postgres)?)),
        Err(failure) => {
            // A connection that cannot even roll back is noticed by the pool.
            let _ = Transactions::rollback_transaction(connection).await;
            Err(failure)
        }
    }
}

async fn number(mut connection: &AsyncPgConnection) -> QueryResult<TransactionId> {
    diesel::select(pg_current_xact_id()).get_result(&mut connection).await
}

/// How a transaction ended whose commit was not answered.
async fn outcome(pool: &Pool, id: TransactionId) -> Result<(), Failure> {
    for _ in 0..OUTCOME_TRIES {
        match status(pool, id).await {
            Ok(status) => match status.as_deref() {
                Some("committed") => return Ok(()),
                Some("aborted") => return Err(Failure::Lost),
                // Still in progress: the server has not noticed yet that nobody is there.
                _ => {}
            },
            Err(failure) => {
                tracing::warn!(
                    error = &failure as &dyn std::error::Error,
                    "how a commit ended is not known yet"
                );
            }
        }
        pause(OUTCOME_PAUSE).await;
    }
    Err(Failure::UnknownOutcome)
}

async fn status(pool: &Pool, id: TransactionId) -> Result<Option<String>, Failure> {
    let mut line = take(pool).await?;
    let asked = diesel::select(pg_xact_status(id)).get_result(&mut line.connection);
    match within(ANSWER_LIMIT, asked).await {
        Ok(status) => status.map_err(Failure::of_postgres),
        Err(no_answer) => Err(give_up(line, no_answer)),
    }
}
