//! Connections that one caller has to itself for a while.

use std::sync::Arc;

use deadpool::managed::{self, Manager, Metrics, Object, PoolError, RecycleError, RecycleResult};
use diesel_async::{AnsiTransactionManager, TransactionManager as _};
use tokio::runtime::Handle;

use super::server::{Line, Server};
use super::waiting::{ANSWER_LIMIT, within};
use crate::failure::Failure;

/// A pool, shared by its clones.
pub(super) type Pool = managed::Pool<Connections>;

/// A connection on loan: it goes back to the pool with the value.
pub(super) type Pooled = Object<Connections>;

/// Makes a pool's connections.
pub(super) struct Connections {
    server: Arc<Server>,
    /// Where the connections are driven, whoever asks for them: that one outlives its callers.
    runtime: Handle,
}

impl Manager for Connections {
    type Type = Line;
    type Error = Failure;

    async fn create(&self) -> Result<Line, Failure> {
        let server = Arc::clone(&self.server);
        let connecting = self.runtime.spawn(async move { server.connect().await });
        connecting.await.map_err(|_| Failure::Stopped)?
    }

    /// What was closed, or left inside a transaction, is noticed without asking the server.
    async fn recycle(&self, line: &mut Line, _: &Metrics) -> RecycleResult<Failure> {
        let is_broken = AnsiTransactionManager::is_broken_transaction_manager(&mut line.connection);
        if line.is_open() && !is_broken {
            Ok(())
        } else {
            Err(RecycleError::message("closed, or not in order"))
        }
    }
}

/// A pool of at most so many connections to a server.
pub(super) fn pool(server: Arc<Server>, runtime: Handle, connections: usize) -> Pool {
    let pool = Pool::builder(Connections { server, runtime }).max_size(connections.max(1)).build();
    pool.expect("only a pool with time limits of its own needs to know of a runtime")
}

/// Takes a connection, or waits for one.
pub(super) async fn take(pool: &Pool) -> Result<Pooled, Failure> {
    within(ANSWER_LIMIT, pool.get()).await?.map_err(|error| match error {
        PoolError::Backend(failure) => failure,
        other => Failure::NoConnection(other.into()),
    })
}

/// Keeps a connection from going back to the pool, since it did not answer, or not as it should. What was asked over it
/// may still be under way.
pub(super) fn give_up(line: Pooled, why: Failure) -> Failure {
    drop(Object::take(line));
    why
}
