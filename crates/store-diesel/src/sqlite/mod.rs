//! One SQLite database: a thread that writes, threads that read, each with a connection of its own.
//!
//! diesel's connections block, so they live on threads of their own and get their work through channels; a caller
//! waits for the answer without blocking. The channels have no bound: each waiting caller has one piece of work in
//! them, and the callers are bounded where they come in.

mod connection;
mod location;
mod migrating;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, unbounded};
use diesel::{RunQueryDsl, SqliteConnection};
use futures_util::FutureExt;
use tokio::sync::oneshot;

use self::connection::Connector;
pub(crate) use self::location::Location;
pub(crate) use self::migrating::MIGRATIONS;
#[cfg(test)]
pub(crate) use self::migrating::run_pending;
use self::reader::{Query, Read};
use self::writer::{Pending, Write};
use crate::connection::{Connection, Query as PortableQuery, Work};
use crate::failure::Failure;
use crate::migrations::SchemaState;
use crate::{OpenError, OpenOptions};

/// The threads of a database.
pub(crate) struct Sqlite {
    queues: Option<Arc<Queues>>,
    threads: Vec<JoinHandle<()>>,
}

/// The channels to the threads, which end when these are closed and empty.
struct Queues {
    writes: Sender<Box<dyn Write>>,
    /// None where the one connection does everything.
    reads: Option<Sender<Box<dyn Read>>>,
}

impl Sqlite {
    /// Opens the database, brings its schema up to date and starts the threads.
    pub(crate) fn open(location: &Location, options: OpenOptions) -> Result<Self, OpenError> {
        let connector = Connector::new(location.clone(), options.busy_timeout);
        let connection = connector.open()?;
        let (writes, queue) = unbounded();
        let (reads, queue_of_readers) = unbounded();
        let has_readers = matches!(location, Location::File(_));
        let queues = Queues { writes, reads: has_readers.then_some(reads) };
        let mut sqlite = Self { queues: Some(Arc::new(queues)), threads: Vec::new() };
        let reopens = connector.clone();
        sqlite.start("store-writer".to_owned(), move || {
            writer::run(connection, &reopens, &queue);
        })?;
        if has_readers {
            sqlite.start_readers(&connector, &queue_of_readers, options.readers.max(1))?;
        }
        Ok(sqlite)
    }

    /// The names of the migrations that opening the database would run.
    pub(crate) fn pending_migrations(location: &Location) -> Result<Vec<String>, OpenError> {
        connection::pending_migrations(location)
    }

    fn start_readers(
        &mut self,
        connector: &Connector,
        queue: &Receiver<Box<dyn Read>>,
        readers: usize,
    ) -> Result<(), OpenError> {
        for number in 1..=readers {
            let connection = connector.reader()?;
            let queue = queue.clone();
            self.start(format!("store-reader-{number}"), move || {
                reader::run(connection, &queue);
            })?;
        }
        Ok(())
    }

    fn start(&mut self, name: String, body: impl FnOnce() + Send + 'static) -> Result<(), OpenError> {
        let thread = thread::Builder::new().name(name).spawn(body).map_err(OpenError::Threads)?;
        self.threads.push(thread);
        Ok(())
    }

    /// The rows of a query.
    pub(crate) async fn load<R: Send + 'static>(
        &self,
        query: impl PortableQuery<R>,
    ) -> Result<Vec<R>, Failure> {
        self.read(move |c| Ok(RunQueryDsl::load(query, c)?)).await
    }

    /// A way to read that does not keep the database open.
    pub(crate) fn reads(&self) -> Reads {
        Reads { queues: self.queues.as_ref().map(Arc::downgrade).unwrap_or_default() }
    }

    /// Does work that is written for any database.
    pub(crate) async fn work<T: Send + 'static>(&self, work: impl Work<T>) -> Result<T, Failure> {
        let at_once = move |c: &mut SqliteConnection| {
            let mut connection = Connection::Sqlite(c);
            work(&mut connection)
                .now_or_never()
                .expect("nothing is awaited but the connection, which answers at once")
        };
        self.write(at_once).await
    }

    /// Whether it can be written to, and has the schema of this version.
    pub(crate) async fn check(&self) -> Result<(), Failure> {
        let state = self.read(|c| Ok(migrating::schema_state(c)?)).await?;
        if state != (SchemaState::Ours { pending: Vec::new() }) {
            return Err(Failure::OtherSchema);
        }
        // Takes the write lock and gives it back: the writer lives, and nobody else holds the database for long.
        self.write(|_| Ok(())).await
    }

    /// Runs a query on a connection that cannot write. It is left out when its caller has gone away before its turn.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let answer = self.queues.as_ref().ok_or(Failure::Stopped)?.read(query);
        answer.await.unwrap_or(Err(Failure::Stopped))
    }

    /// Runs work in a transaction that has the write lock. It is done even when its caller goes away.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let answer = self.queues.as_ref().ok_or(Failure::Stopped)?.write(work);
        answer.await.unwrap_or(Err(Failure::Stopped))
    }
}

impl Queues {
    fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, Failure>> {
        let Some(reads) = &self.reads else {
            return self.write(query);
        };
        let (reply, answer) = oneshot::channel();
        // A channel whose threads have ended drops what it is given, and with it the sender of the answer.
        let _ = reads.send(Box::new(Query::new(query, reply)));
        answer
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, Failure>> {
        let (reply, answer) = oneshot::channel();
        let _ = self.writes.send(Box::new(Pending::new(work, reply)));
        answer
    }
}

/// Reads a database for as long as that is open.
#[derive(Clone)]
pub(crate) struct Reads {
    queues: Weak<Queues>,
}

impl Reads {
    /// The rows of queries of one form, in one go.
    pub(crate) async fn load_each<R: Send + 'static>(
        &self,
        queries: Vec<impl PortableQuery<R>>,
    ) -> Result<Vec<R>, Failure> {
        let in_one_go = move |c: &mut SqliteConnection| {
            let mut rows = Vec::with_capacity(queries.len());
            for query in queries {
                rows.append(&mut RunQueryDsl::load(query, c)?);
            }
            Ok(rows)
        };
        // The channels are held for no longer than it takes to send.
        let answer = self.queues.upgrade().ok_or(Failure::Stopped)?.read(in_one_go);
        answer.await.unwrap_or(Err(Failure::Stopped))
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.queues = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the store had panicked");
            }
        }
    }
}
