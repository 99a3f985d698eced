//! Why a store cannot be opened. The texts are for the operator and say what to do.

use std::error::Error;
use std::io;
use std::path::PathBuf;

/// Why a store cannot be opened. No text repeats the URL, which may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not a URL of a database that this build knows.
    #[error(
        "not a database URL: use sqlite://path/to/file.db, postgres://user:password@host/database, or sqlite::memory: for \
         a store that is lost at the end"
    )]
    UnknownUrl,
    /// A URL of SQLite with parameters.
    #[error("a sqlite:// URL takes no parameters: remove what begins with `?`")]
    Parameters,
    /// A URL of PostgreSQL that cannot be read.
    #[error("the PostgreSQL URL cannot be read: write postgres://user:password@host:5432/database")]
    Address {
        /// What is wrong with it.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A way of protecting the connection that protects it from nobody.
    #[error(
        "this sslmode is not supported: use verify-full, which verifies the server, or disable on a network of your own"
    )]
    SslMode,
    /// The certificates that connections are verified with cannot be had.
    #[error("the certificates for sslmode=verify-full cannot be read: correct sslrootcert")]
    Authorities {
        /// What went wrong.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server does not answer, or refuses.
    #[error(
        "{database} cannot be used: check that the server runs, and the user and password of the database URL"
    )]
    Unreachable {
        /// The database.
        database: String,
        /// What the server or the operating system said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The database keeps text in an encoding that cannot hold all of it.
    #[error("{database} does not keep text as UTF-8: make it with ENCODING 'UTF8'")]
    Encoding {
        /// The database.
        database: String,
    },
    /// There are migrations to run, and nobody said to run them.
    #[error("{database} lacks migrations ({}): run `grantkeeper migrate`", .pending.join(", "))]
    NotMigrated {
        /// The database.
        database: String,
        /// The migrations to come.
        pending: Vec<String>,
    },
    /// The folder of the file is missing.
    #[error("the folder {} does not exist: create it, or correct the database URL", .0.display())]
    NoFolder(PathBuf),
    /// There is something, but no file.
    #[error("{} is not a file: correct the database URL", .0.display())]
    NotAFile(PathBuf),
    /// The file cannot be made, read or written.
    #[error(
        "cannot read and write {}: let the user of this process write the file and its folder, or correct the \
         database URL",
        .path.display()
    )]
    Inaccessible {
        /// The file.
        path: PathBuf,
        /// What the operating system or SQLite said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The file holds something else.
    #[error("{} is not an SQLite database: correct the database URL, or move the file away", .0.display())]
    NotADatabase(PathBuf),
    /// The file is a database of another program.
    #[error(
        "{database} is of another program, with tables but no record of migrations: correct the database URL"
    )]
    Foreign {
        /// The database.
        database: String,
    },
    /// Another process holds the database.
    #[error("{} is locked by another process: end that one, or try again later", .0.display())]
    Locked(PathBuf),
    /// The database was written by a newer version.
    #[error(
        "{database} has a newer schema than this version knows (migrations {}): run the newer version again, or \
         restore the backup from before its start",
        .unknown.join(", ")
    )]
    NewerSchema {
        /// The database.
        database: String,
        /// The recorded migrations that this build does not know.
        unknown: Vec<String>,
    },
    /// The record of migrations has a gap.
    #[error(
        "{database} is half migrated: migrations {} are missing although later ones are recorded; restore a backup",
        .missing.join(", ")
    )]
    HalfMigrated {
        /// The database.
        database: String,
        /// The migrations in the gap.
        missing: Vec<String>,
    },
    /// The file system cannot hold a database that several connections share.
    #[error("the file system of {} cannot share memory (a network share?): use a local disk", .0.display())]
    NoSharedMemory(PathBuf),
    /// A migration failed. Nothing of it is in the database.
    #[error("migrating {database} failed; the migration that failed was undone")]
    Migration {
        /// The database.
        database: String,
        /// What went wrong.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The operating system gives no threads.
    #[error("cannot start the threads of the store")]
    Threads(#[source] io::Error),
}
