//! A thread that reads.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crossbeam_channel::Receiver;
use diesel::SqliteConnection;
use tokio::sync::oneshot;

use crate::failure::Failure;

/// A query that waits for its turn.
pub(crate) trait Read: Send {
    /// Runs it and answers its caller, if there still is one.
    fn run(self: Box<Self>, c: &mut SqliteConnection);
}

/// A query and who waits for its result.
pub(crate) struct Query<T, Q> {
    query: Q,
    reply: oneshot::Sender<Result<T, Failure>>,
}

impl<T, Q> Query<T, Q> {
    pub(crate) fn new(query: Q, reply: oneshot::Sender<Result<T, Failure>>) -> Self {
        Self { query, reply }
    }
}

impl<T, Q> Read for Query<T, Q>
where
    T: Send,
    Q: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send,
{
    fn run(self: Box<Self>, c: &mut SqliteConnection) {
        if self.reply.is_closed() {
            return;
        }
        let result = guarded(c, self.query);
        let _ = self.reply.send(result);
    }
}

/// Runs a query so that a bug in it costs its own caller an error, and nobody the thread.
pub(crate) fn guarded<T>(
    c: &mut SqliteConnection,
    query: impl FnOnce(&mut SqliteConnection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(|| query(c))).unwrap_or(Err(Failure::Panicked))
}

/// Runs queries until nobody can send any more.
pub(crate) fn run(mut connection: SqliteConnection, queue: &Receiver<Box<dyn Read>>) {
    while let Ok(query) = queue.recv() {
        query.run(&mut connection);
    }
}
