//! Opening connections: the file, the settings of a connection, and the schema.

use std::error::Error;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::{SimpleConnection, TransactionManager};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::Location;
use super::migrating;
use crate::OpenError;
use crate::migrations;

/// Opens connections to one database.
#[derive(Clone)]
pub(crate) struct Connector {
    location: Location,
    busy_timeout: Duration,
}

/// What every connection is set to, besides the time it waits for a lock.
const SETTINGS: [&str; 7] = [
    "PRAGMA foreign_keys = ON",
    // A rotated refresh token exists nowhere else once the provider has answered: a commit is on disk before anyone
    // hears of it. In WAL mode the milder `NORMAL` may lose the last commits when the power fails.
    "PRAGMA synchronous = FULL",
    // Secrets are sealed, but what is deleted is to be gone all the same. (Older frames of the write-ahead log keep
    // it until they are written over.)
    "PRAGMA secure_delete = ON",
    // 8 MiB instead of 2: the upper pages of the indexes stay there, which spares each lookup some reads.
    "PRAGMA cache_size = -8192",
    // Nothing of the database goes into files beside it.
    "PRAGMA temp_store = MEMORY",
    // What a schema of someone else's making calls is not trusted.
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
];

impl Connector {
    pub(crate) fn new(location: Location, busy_timeout: Duration) -> Self {
        Self { location, busy_timeout }
    }

    /// Makes the file where there is none, brings the schema up to date, and gives the connection that writes.
    pub(crate) fn open(&self) -> Result<SqliteConnection, OpenError> {
        if let Location::File(path) = &self.location {
            make_file(path)?;
        }
        let mut c = self.connect().map_err(|error| self.refusal(error))?;
        // Before anything is written: the file may be someone else's.
        let pending = self.pending(&mut c)?;
        self.share(&mut c)?;
        if !pending.is_empty() {
            self.migrate(&mut c)?;
        }
        Ok(c)
    }

    /// A connection that writes, to a database that is open already.
    pub(crate) fn writer(&self) -> Result<SqliteConnection, OpenError> {
        self.connect().map_err(|error| self.refusal(error))
    }

    /// A connection that only reads.
    pub(crate) fn reader(&self) -> Result<SqliteConnection, OpenError> {
        let mut c = self.writer()?;
        c.batch_execute("PRAGMA query_only = ON").map_err(|error| self.refusal(error.into()))?;
        Ok(c)
    }

    /// Whether a lost connection can be replaced by another one to the same data.
    pub(crate) fn can_reconnect(&self) -> bool {
        self.location != Location::Memory
    }

    fn connect(&self) -> Result<SqliteConnection, Box<dyn Error + Send + Sync>> {
        let path = self.location.path();
        let path = path.to_str().ok_or("the path of the working directory is not Unicode")?;
        let mut c = SqliteConnection::establish(path)?;
        // First, so that the other settings already wait for a lock.
        c.batch_execute(&format!("PRAGMA busy_timeout = {}", self.busy_timeout.as_millis()))?;
        for setting in SETTINGS {
            c.batch_execute(setting)?;
        }
        Ok(c)
    }

    /// Lets readers and the writer work side by side.
    fn share(&self, c: &mut SqliteConnection) -> Result<(), OpenError> {
        if self.location == Location::Memory {
            return Ok(());
        }
        let mut switched = switch_to_wal(c);
        for _ in 0..SWITCH_TRIES {
            if !matches!(&switched, Err(error) if error.to_string() == LOCKED) {
                break;
            }
            pause();
            switched = switch_to_wal(c);
        }
        match switched {
            Ok(mode) if mode == "wal" => Ok(()),
            Ok(_) => Err(OpenError::NoSharedMemory(self.location.path())),
            Err(error) => Err(self.refusal(error.into())),
        }
    }

    fn pending(&self, c: &mut SqliteConnection) -> Result<Vec<String>, OpenError> {
        let state = migrating::schema_state(c).map_err(|error| self.refusal(error.into()))?;
        migrations::pending(state, self.name())
    }

    /// What messages call the database.
    fn name(&self) -> String {
        self.location.path().display().to_string()
    }

    /// Runs what is pending in one transaction: a process that is killed leaves nothing half done, and of two that
    /// start at once the second finds the work done.
    fn migrate(&self, c: &mut SqliteConnection) -> Result<(), OpenError> {
        c.immediate_transaction(migrating::run_pending).map_err(|error| match self.refusal(error) {
            OpenError::Inaccessible { source, .. } => OpenError::Migration { database: self.name(), source },
            known => known,
        })
    }

    fn refusal(&self, source: Box<dyn Error + Send + Sync>) -> OpenError {
        let path = self.location.path();
        match source.to_string().as_str() {
            "file is not a database" => OpenError::NotADatabase(path),
            LOCKED => OpenError::Locked(path),
            _ => OpenError::Inaccessible { path, source },
        }
    }
}

/// What SQLite says when another connection has the lock.
const LOCKED: &str = "database is locked";
/// How often the switch to WAL is tried again: SQLite does not wait for that lock by itself when two connections ask
/// for it at once, since each would wait for the other.
const SWITCH_TRIES: u32 = 40;

fn switch_to_wal(c: &mut SqliteConnection) -> QueryResult<String> {
    sql::<Text>("PRAGMA journal_mode = WAL").get_result(c)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a store opens before there is a clock, and blocks while it does"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(25));
}

/// The names of the migrations that [`Connector::open`] would run.
pub(crate) fn pending_migrations(location: &Location) -> Result<Vec<String>, OpenError> {
    match location {
        Location::File(path) if path.exists() => {
            let connector = Connector::new(location.clone(), Duration::from_secs(5));
            connector.pending(&mut connector.reader()?)
        }
        Location::File(_) | Location::Memory => Ok(migrations::names()),
    }
}

/// Whether a connection has lost track of its transaction and must be replaced.
pub(crate) fn is_broken(c: &mut SqliteConnection) -> bool {
    <SqliteConnection as Connection>::TransactionManager::is_broken_transaction_manager(c)
}

/// Makes the file, unless it is there, and checks that it can be written.
fn make_file(path: &Path) -> Result<(), OpenError> {
    if path.is_dir() {
        return Err(OpenError::NotAFile(path.to_owned()));
    }
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true);
    // SQLite gives its write-ahead log the mode of the database.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(OpenError::NoFolder(folder(path))),
        Err(error) => Err(OpenError::Inaccessible { path: path.to_owned(), source: error.into() }),
    }
}

fn folder(path: &Path) -> PathBuf {
    path.parent().unwrap_or(path).to_owned()
}
