//! The stores that an installation may have, and strangers who get at them behind its back.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use grantkeeper_testkit::postgres::{Database, PostgresCluster};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin};

use crate::waiting::eventually;

/// Makes a test on each store of every function that is named.
macro_rules! on_either_store {
    ($($test:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test($crate::stores::StoreKind::Sqlite).await;
            })+
        }

        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test($crate::stores::StoreKind::Postgres).await;
            })+
        }
    };
}
pub(crate) use on_either_store;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreKind {
    Sqlite,
    Postgres,
}

impl StoreKind {
    pub(crate) const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];
}

/// Where an installation keeps everything.
pub(crate) enum Store {
    Sqlite(PathBuf),
    Postgres(Arc<Database>),
}

/// What becomes of a write that a stranger is against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refusal {
    /// It touches no row, as if somebody else had been faster.
    Unnoticed,
    /// It fails, as in a bad moment.
    Failure,
}

impl Store {
    /// An empty database on the server that all tests share.
    pub(crate) fn postgres() -> Self {
        Self::Postgres(Arc::new(PostgresCluster::shared().fresh_database()))
    }

    /// What `database_url` has to say.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
            Self::Postgres(database) => database.url().to_owned(),
        }
    }

    /// Runs one statement as a stranger would; returns the rows, their columns apart by `|`.
    pub(crate) fn sql(&self, statement: &str) -> Vec<String> {
        let rows = match self {
            Self::Sqlite(path) => python(path, EXECUTE, statement),
            Self::Postgres(database) => database.sql(statement),
        };
        rows.lines().map(str::to_owned).collect()
    }

    /// How many rows there are, as in `jobs WHERE status = 'RUNNING'`.
    pub(crate) fn count(&self, rows: &str) -> usize {
        self.sql(&format!("SELECT count(*) FROM {rows}"))[0].parse().unwrap()
    }

    /// All that is kept, as text: the secrets that are searched for are text.
    pub(crate) fn dump(&self) -> Vec<u8> {
        match self {
            Self::Sqlite(path) => {
                let folder = std::fs::read_dir(path.parent().unwrap()).unwrap();
                let files = folder.map(|entry| entry.unwrap().path());
                let own = path.to_str().unwrap();
                let files: Vec<_> = files.filter(|file| file.to_str().unwrap().starts_with(own)).collect();
                files.iter().flat_map(|file| std::fs::read(file).unwrap()).collect()
            }
            Self::Postgres(database) => {
                let tables = "SELECT format('COPY %I TO STDOUT', tablename) FROM pg_tables \
                              WHERE schemaname = 'public' \\gexec";
                database.sql(tables).into_bytes()
            }
        }
    }

    /// Lets all leases lapse: those of a process that was killed are a minute's matter, and an operator's clock would
    /// show the same after that minute.
    pub(crate) fn lapse_leases(&self) {
        let long_ago = self.long_ago();
        for table in ["jobs", "revocations"] {
            self.sql(&format!("UPDATE {table} SET lease_until = {long_ago} WHERE lease_until IS NOT NULL"));
        }
        self.sql("UPDATE refreshes SET holder = NULL");
    }

    /// Lets the lives of all access tokens end, as far as the service knows where it reads them anew.
    pub(crate) fn expire_access_tokens(&self) {
        let (begin, end) = match self {
            Self::Sqlite(_) => ("0", "3600000000"),
            Self::Postgres(_) => ("'epoch'", "timestamptz 'epoch' + interval '1 hour'"),
        };
        self.sql(&format!("UPDATE authorizations SET issued_at = {begin}, expires_at = {end}"));
    }

    pub(crate) fn long_ago(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "0",
            Self::Postgres(_) => "'epoch'",
        }
    }

    pub(crate) fn in_half_an_hour(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "(CAST(strftime('%s', 'now') AS INTEGER) + 1800) * 1000000",
            Self::Postgres(_) => "now() + interval '30 minutes'",
        }
    }

    /// Keeps updates of a table from happening, those where `is_refused` holds of the new row.
    pub(crate) fn refuse_updates(&self, table: &str, is_refused: &str, refusal: Refusal) {
        match self {
            Self::Sqlite(_) => {
                let raise = match refusal {
                    Refusal::Unnoticed => "RAISE(IGNORE)",
                    Refusal::Failure => "RAISE(ABORT, 'database is locked')",
                };
                self.sql(&format!(
                    "CREATE TRIGGER stranger BEFORE UPDATE ON {table} WHEN {is_refused} BEGIN SELECT {raise}; END"
                ));
            }
            Self::Postgres(_) => {
                let raise = match refusal {
                    Refusal::Unnoticed => "RETURN NULL",
                    Refusal::Failure => "RAISE EXCEPTION 'not now'",
                };
                self.sql(&format!(
                    "CREATE FUNCTION stranger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {raise}; END $$;
                     CREATE TRIGGER stranger BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({is_refused})
                     EXECUTE FUNCTION stranger()"
                ));
            }
        }
    }

    /// Takes back [`Store::refuse_updates`].
    pub(crate) fn admit_updates(&self) {
        self.sql(match self {
            Self::Sqlite(_) => "DROP TRIGGER stranger",
            Self::Postgres(_) => "DROP FUNCTION stranger CASCADE",
        });
    }

    /// Lets updates of a table begin and never end, those where `stalls` holds of the new row.
    pub(crate) fn stall_updates(&self, table: &str, stalls: &str) {
        self.sql(&match self {
            Self::Sqlite(_) => format!(
                "CREATE VIEW endless AS WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT n FROM n;
                 CREATE TRIGGER stranger BEFORE UPDATE ON {table} WHEN {stalls}
                 BEGIN SELECT count(*) FROM endless; END"
            ),
            Self::Postgres(_) => format!(
                "CREATE FUNCTION stranger() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$;
                 CREATE TRIGGER stranger BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({stalls})
                 EXECUTE FUNCTION stranger()"
            ),
        });
    }

    /// Whether somebody is in such an update. On SQLite that is whoever writes.
    pub(crate) fn is_stalled(&self) -> bool {
        match self {
            Self::Sqlite(path) => python(path, TRY_TO_WRITE, "").trim() == "locked",
            Self::Postgres(_) => {
                self.count("pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'")
                    > 0
            }
        }
    }

    /// Takes back [`Store::stall_updates`], whose victims are dead: nothing of theirs is committed any more.
    pub(crate) fn end_stall(&self) {
        self.end_connections();
        self.sql(match self {
            Self::Sqlite(_) => "DROP TRIGGER stranger;\nDROP VIEW endless",
            Self::Postgres(_) => "DROP FUNCTION stranger CASCADE",
        });
    }

    /// Ends all connections to a server. What was asked over them and is not committed is undone.
    pub(crate) fn end_connections(&self) {
        if let Self::Postgres(database) = self {
            database.sql(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            );
        }
    }

    /// Keeps everybody else from writing what has to be audited, which is nearly all; reading goes on.
    pub(crate) async fn hold_writes(&self) -> Stranger {
        match self {
            Self::Sqlite(path) => Stranger::with_transaction(path).await,
            Self::Postgres(_) => self.lock("audit_entries IN EXCLUSIVE MODE").await,
        }
    }

    /// Locks a table, as in `LOCK TABLE`. On PostgreSQL.
    pub(crate) async fn lock(&self, table_and_mode: &str) -> Stranger {
        let Self::Postgres(database) = self else { panic!("SQLite has no such locks") };
        Stranger::with_lock(database, table_and_mode).await
    }
}

const EXECUTE: &str = r#"
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
*first, last = sys.argv[2].split(";\n")
for statement in first:
    connection.execute(statement)
for row in connection.execute(last):
    print("|".join("" if column is None else str(column) for column in row))
"#;

const TRY_TO_WRITE: &str = r#"
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0)
try:
    connection.execute("BEGIN IMMEDIATE")
    print("free")
except sqlite3.OperationalError:
    print("locked")
"#;

const HOLD: &str = r#"
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"#;

fn python(database: &Path, script: &str, statement: &str) -> String {
    let output = Command::new("python3").args(["-c", script]).arg(database).arg(statement).output().unwrap();
    assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Somebody else in the store, who holds something until [`Stranger::let_go`].
pub(crate) enum Stranger {
    /// Ends with its standard input.
    Sqlite { process: Child, input: ChildStdin },
    /// Ends when the server ends its connection.
    Postgres { database: Arc<Database>, waiting: JoinHandle<()> },
}

impl Stranger {
    async fn with_transaction(database: &Path) -> Self {
        let mut process = tokio::process::Command::new("python3")
            .args(["-c", HOLD])
            .arg(database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("held"));
        let input = process.stdin.take().unwrap();
        Self::Sqlite { process, input }
    }

    async fn with_lock(database: &Arc<Database>, table_and_mode: &str) -> Self {
        let statements = format!(
            "SET application_name = 'stranger'; BEGIN; LOCK TABLE {table_and_mode}; SELECT pg_sleep(600)"
        );
        let sleeper = Arc::clone(database);
        let waiting = std::thread::spawn(move || {
            // It ends by an error, since its connection is ended.
            let _ = sleeper.try_sql(&statements);
        });
        let asleep = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                      AND application_name = 'stranger' AND wait_event = 'PgSleep'";
        eventually("the lock", async || (database.sql(asleep) == "1\n").then_some(())).await;
        Self::Postgres { database: Arc::clone(database), waiting }
    }

    pub(crate) async fn let_go(self) {
        match self {
            Self::Sqlite { mut process, input } => {
                drop(input);
                process.wait().await.unwrap();
            }
            Self::Postgres { database, waiting } => {
                database.sql(
                    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
                     WHERE datname = current_database() AND application_name = 'stranger'",
                );
                waiting.join().unwrap();
            }
        }
    }
}
