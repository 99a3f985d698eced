//! The thread that writes.
//!
//! A commit waits for the disk, which takes longer than all else in it. So the work that has queued up meanwhile goes
//! into one transaction together, each piece under a savepoint of its own: one that fails is undone alone. A piece behind
//! which nobody waits has a transaction to itself, and needs none. Nobody is answered before the transaction is on disk.

use std::sync::Arc;

use crossbeam_channel::Receiver;
use diesel::connection::{TransactionManager, TransactionManagerStatus};
use diesel::prelude::*;
use diesel::result::Error as QueryError;
use tokio::sync::oneshot;

use super::connection::{Connector, is_broken};
use super::reader::guarded;
use crate::failure::Failure;

/// How many pieces of work share a transaction at most, so that the first does not wait long for the last.
const LARGEST_GROUP: usize = 64;

/// Work that waits for its turn.
pub(crate) trait Write: Send {
    /// Does it without one, and keeps the result. Whether it is to be committed: if not, the transaction has to be undone.
    fn run_alone(&mut self, c: &mut SqliteConnection) -> bool;

    /// Does it under a savepoint, and keeps the result.
    fn run(&mut self, c: &mut SqliteConnection);

    /// Answers its caller: with the result when the transaction was committed.
    fn answer(self: Box<Self>, committed: &Result<(), Arc<QueryError>>);
}

/// Work, its result, and who waits for it.
pub(crate) struct Pending<T, W> {
    work: Option<W>,
    result: Option<Result<T, Failure>>,
    reply: oneshot::Sender<Result<T, Failure>>,
}

impl<T, W> Pending<T, W> {
    pub(crate) fn new(work: W, reply: oneshot::Sender<Result<T, Failure>>) -> Self {
        Self { work: Some(work), result: None, reply }
    }
}

impl<T, W> Write for Pending<T, W>
where
    T: Send,
    W: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send,
{
    fn run_alone(&mut self, c: &mut SqliteConnection) -> bool {
        self.result = self.work.take().map(|work| guarded(c, work));
        matches!(self.result, Some(Ok(_)))
    }

    fn run(&mut self, c: &mut SqliteConnection) {
        // Inside a transaction diesel makes this a savepoint. The panic is caught within, so that it is rolled back.
        self.result = self.work.take().map(|work| c.transaction(|c| guarded(c, work)));
    }

    fn answer(self: Box<Self>, committed: &Result<(), Arc<QueryError>>) {
        let result = match (committed, self.result) {
            (Ok(()), result) => result.unwrap_or(Err(Failure::Stopped)),
            // What brought the transaction down says why.
            (Err(_), Some(Err(cause))) if cause.is_passing() => Err(cause),
            // Even a refusal is void: it may have been decided on what is now undone.
            (Err(error), _) => Err(Failure::NotCommitted(Arc::clone(error))),
        };
        let _ = self.reply.send(result);
    }
}

/// Does work until nobody can send any more.
pub(crate) fn run(mut connection: SqliteConnection, connector: &Connector, queue: &Receiver<Box<dyn Write>>) {
    while let Ok(first) = queue.recv() {
        if is_broken(&mut connection) {
            connection = reconnect(connection, connector);
        }
        let mut group = vec![first];
        let (begun, committed) = if queue.is_empty() {
            commit_alone(&mut connection, &mut *group[0])
        } else {
            commit_group(&mut connection, &mut group, queue)
        };
        let committed = committed.map_err(Arc::new);
        if !begun {
            // Whatever has queued up while the database was somebody else's has waited just as long.
            group.extend(queue.try_iter());
        }
        if let Err(error) = &committed {
            tracing::error!(%error, work = group.len(), "a transaction was not committed");
        }
        for work in group {
            work.answer(&committed);
        }
    }
}

/// Does one piece of work in a transaction. Whether that began, and how it ended.
fn commit_alone(c: &mut SqliteConnection, work: &mut dyn Write) -> (bool, QueryResult<()>) {
    let mut begun = false;
    let committed = c.immediate_transaction(|c| {
        begun = true;
        if work.run_alone(c) { Ok(()) } else { Err(QueryError::RollbackTransaction) }
    });
    match committed {
        // It failed, and nothing of it is left: its own result says why.
        Err(QueryError::RollbackTransaction) => (begun, Ok(())),
        committed => (begun, committed),
    }
}

/// Does the first piece of work and whatever has queued up by then, in one transaction. Whether that began, and how it
/// ended.
fn commit_group(
    c: &mut SqliteConnection,
    group: &mut Vec<Box<dyn Write>>,
    queue: &Receiver<Box<dyn Write>>,
) -> (bool, QueryResult<()>) {
    let mut done = 0;
    let committed = c.immediate_transaction(|c| {
        while let Some(work) = group.get_mut(done) {
            work.run(c);
            done += 1;
            if !is_in_transaction(c) {
                // A full disk or an I/O error: SQLite has undone the whole transaction, so nothing must follow in it.
                return Err(QueryError::NotInTransaction);
            }
            if done < LARGEST_GROUP {
                group.extend(queue.try_recv());
            }
        }
        Ok(())
    });
    (done > 0, committed)
}

/// Whether the transaction of the group is still open, and no savepoint in it.
fn is_in_transaction(c: &mut SqliteConnection) -> bool {
    match <SqliteConnection as Connection>::TransactionManager::transaction_manager_status_mut(c) {
        TransactionManagerStatus::Valid(status) => {
            status.transaction_depth().is_some_and(|depth| depth.get() == 1)
        }
        TransactionManagerStatus::InError => false,
    }
}

/// Another connection in place of one that has lost track of its transaction.
fn reconnect(broken: SqliteConnection, connector: &Connector) -> SqliteConnection {
    if !connector.can_reconnect() {
        return broken;
    }
    match connector.writer() {
        Ok(connection) => connection,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the store cannot be reopened");
            broken
        }
    }
}
