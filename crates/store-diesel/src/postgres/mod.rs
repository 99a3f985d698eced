//! One PostgreSQL database.
//!
//! What finds its row by an index goes over a few connections that many callers share at a time (`lines`): it never
//! waits for a connection. All else, lists and whatever writes, takes a connection of its own from a pool.

mod address;
mod lines;
mod migrating;
mod pool;
mod reading;
mod server;
mod transaction;
mod waiting;

use std::sync::Arc;

use tokio::runtime::Handle;

pub(crate) use self::lines::Lines;
use self::pool::{Pool, give_up, pool, take};
use self::reading::read;
use self::server::Server;
use self::waiting::ANSWER_LIMIT;
pub(crate) use self::waiting::{OUTCOME_LIMIT, pause, within};
use crate::connection::{self, Query, Statement, Work};
use crate::failure::Failure;
use crate::{OpenError, OpenOptions};

/// The connections to a database.
pub(crate) struct Postgres {
    lines: Arc<Lines>,
    pool: Pool,
    /// Where writes run, whoever asks for them.
    runtime: Handle,
}

impl Postgres {
    /// Opens the database, and brings its schema up to date where `options` say so.
    pub(crate) async fn open(url: &str, options: OpenOptions) -> Result<Self, OpenError> {
        let server = Arc::new(Server::at(url, options.busy_timeout)?);
        let runtime = Handle::current();
        let pool = pool(Arc::clone(&server), runtime.clone(), options.connections);
        // Both at a time; whoever asks first makes up for a line that cannot be had now, or learns why.
        let preparing = migrating::prepare(&server, &pool, options.migrate);
        let (prepared, line) = tokio::join!(preparing, server.connect_for_reads());
        prepared?;
        Ok(Self { lines: Arc::new(Lines::to(server, line.ok())), pool, runtime })
    }

    /// The names of the migrations that the database lacks.
    pub(crate) async fn pending_migrations(url: &str) -> Result<Vec<String>, OpenError> {
        migrating::pending(&Server::at(url, OpenOptions::default().busy_timeout)?).await
    }

    /// Whether it can be written to, and has the schema of this version.
    pub(crate) async fn check(&self) -> Result<(), Failure> {
        let mut line = take(&self.pool).await?;
        let checked = within(ANSWER_LIMIT, migrating::check(&mut line.connection)).await;
        match checked.and_then(|checked| checked) {
            Err(failure) if failure.is_passing() => Err(give_up(line, failure)),
            checked => checked,
        }
    }

    /// The lines, for whatever finds its row by an index.
    pub(crate) fn lines(&self) -> &Arc<Lines> {
        &self.lines
    }

    /// The rows of a query that may take a while.
    pub(crate) async fn load<R: Send + 'static>(
        &self,
        query: impl Query<R> + Clone,
    ) -> Result<Vec<R>, Failure> {
        read(query, |query| self.load_once(query)).await
    }

    async fn load_once<R: Send + 'static>(&self, query: impl Query<R>) -> Result<Vec<R>, Failure> {
        let line = take(&self.pool).await?;
        let rows = within(ANSWER_LIMIT, connection::load(query, &line.connection)).await;
        rows.unwrap_or_else(|no_answer| Err(give_up(line, no_answer)))
    }

    /// Runs a statement without the two round trips of a transaction.
    pub(crate) async fn execute(&self, statement: impl Statement) -> Result<usize, Failure> {
        let pool = self.pool.clone();
        self.detached(async move {
            let line = take(&pool).await?;
            let rows = within(ANSWER_LIMIT, connection::execute(statement, &line.connection)).await;
            match rows.and_then(|rows| rows) {
                Err(Failure::Disconnected(_) | Failure::NoAnswer) => {
                    Err(give_up(line, Failure::UnknownOutcome))
                }
                Err(failure) if failure.is_read_only() => Err(give_up(line, failure)),
                answer => answer,
            }
        })
        .await
    }

    /// Does work in a transaction.
    pub(crate) async fn write<T: Send + 'static>(&self, work: impl Work<T>) -> Result<T, Failure> {
        self.detached(transaction::run(self.pool.clone(), work)).await
    }

    /// Sees to it that what was begun is ended, also when its caller goes away.
    async fn detached<T: Send + 'static>(
        &self,
        writing: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        match self.runtime.spawn(writing).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => Err(Failure::Panicked),
            Err(_) => Err(Failure::Stopped),
        }
    }
}
