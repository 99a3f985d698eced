//! Transactions.

use diesel_async::{AnsiTransactionManager as Transactions, AsyncPgConnection, TransactionManager as _};

use super::pool::{Pool, Pooled, give_up, take};
use super::waiting::{ANSWER_LIMIT, within};
use crate::connection::{Connection, Work};
use crate::failure::Failure;

/// How many connections are tried before one begins a transaction.
const BEGIN_TRIES: u32 = 4;

/// Does work in a transaction on a connection of its own.
pub(super) async fn run<T: Send + 'static>(pool: Pool, work: impl Work<T>) -> Result<T, Failure> {
    let mut line = begin(&pool).await?;
    let done = match within(ANSWER_LIMIT, perform(&mut line.connection, work)).await {
        Ok(Err(failure)) if failure.is_read_only() => return Err(give_up(line, failure)),
        Ok(done) => done?,
        Err(no_answer) => return Err(give_up(line, no_answer)),
    };
    let committed = within(ANSWER_LIMIT, Transactions::commit_transaction(&mut line.connection)).await;
    match committed.and_then(|answer| answer.map_err(Failure::of_postgres)) {
        Ok(()) => Ok(done),
        // It may have been heard all the same.
        Err(Failure::Disconnected(_) | Failure::NoAnswer) => Err(give_up(line, Failure::UnknownOutcome)),
        Err(refused) => Err(refused),
    }
}

/// A connection on which a transaction has begun. One that turns out to be closed is replaced: nothing was done on it.
async fn begin(pool: &Pool) -> Result<Pooled, Failure> {
    let mut tries = 1;
    loop {
        let mut line = take(pool).await?;
        let begun = within(ANSWER_LIMIT, Transactions::begin_transaction(&mut line.connection)).await;
        match begun.and_then(|answer| answer.map_err(Failure::of_postgres)) {
            Ok(()) => return Ok(line),
            Err(closed @ Failure::Disconnected(_)) if tries < BEGIN_TRIES => drop(give_up(line, closed)),
            Err(failure) => return Err(give_up(line, failure)),
        }
        tries += 1;
    }
}

/// Everything but the commit. A failure is rolled back.
async fn perform<T: Send + 'static>(
    connection: &mut AsyncPgConnection,
    work: impl Work<T>,
) -> Result<T, Failure> {
    let done = work(&mut Connection::Postgres(connection)).await;
    if done.is_err() {
        // A connection that cannot even roll back is noticed by the pool.
        let _ = Transactions::rollback_transaction(connection).await;
    }
    done
}
