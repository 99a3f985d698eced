//! Databases as the first version left them: its schema, and a row in every table.

use std::fs;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;
use grantkeeper_store_diesel::DieselStore;
use grantkeeper_testkit::postgres::{Database, PostgresCluster};
use uuid::Uuid;

use crate::database::Place;
use crate::postgres::migrating;

/// The first migration, and how diesel records that it was run.
const INIT: &str = "2026-11-21-000000_init";
const RECORD: &str = "
    CREATE TABLE __diesel_schema_migrations
        (version VARCHAR(50) PRIMARY KEY NOT NULL, run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
    INSERT INTO __diesel_schema_migrations (version) VALUES ('20261121000000');";

/// A table and the names of its columns.
pub(crate) type Table = (String, Vec<String>);

/// A database of the first version, of either kind.
pub(crate) trait Old: Sized {
    /// The folder of its migrations.
    const MIGRATIONS: &str;
    /// The time of the test, as an expression.
    const NOW: &str;

    /// One with a row in every table.
    fn new() -> Self;

    fn url(&self) -> String;

    /// Runs statements in one transaction, as migrations run.
    fn try_run(&self, statements: &str) -> Result<(), String>;

    /// The first column that a query gives, of each row.
    fn column(&self, query: &str) -> Vec<String>;

    /// The tables but for the record of migrations, with their columns, all in the order of their names.
    fn tables(&self) -> Vec<Table>;

    /// An id as an expression.
    fn id(id: Uuid) -> String;

    /// A row of these columns as one text.
    fn row_of(columns: &[String]) -> String;

    fn run(&self, statements: &str) {
        self.try_run(statements).unwrap();
    }

    fn fill(self, rows: &str) -> Self {
        self.run(&script::<Self>(INIT, "up.sql"));
        self.run(RECORD);
        self.run(rows);
        self
    }

    /// Every row of these tables, as far as it is in these columns.
    fn rows(&self, tables: &[Table]) -> Vec<(String, Vec<String>)> {
        let rows = |(table, columns): &Table| {
            let query = format!("SELECT {} FROM {table} ORDER BY 1", Self::row_of(columns));
            (table.clone(), self.column(&query))
        };
        tables.iter().map(rows).collect()
    }

    /// Brings it up to date, as a process of this version does.
    async fn open(&self) -> DieselStore {
        DieselStore::open(&self.url(), migrating()).await.unwrap()
    }

    /// Takes back every migration but the first.
    fn way_back() -> String {
        let folder = migrations::<Self>();
        let entries = fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut later: Vec<_> = names.filter(|name| name.as_str() > INIT).collect();
        later.sort();
        later.iter().rev().map(|name| script::<Self>(name, "down.sql")).collect()
    }
}

fn migrations<D: Old>() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(D::MIGRATIONS)
}

fn script<D: Old>(name: &str, script: &str) -> String {
    fs::read_to_string(migrations::<D>().join(name).join(script)).unwrap()
}

pub(crate) struct OldSqlite(Place);

impl Old for OldSqlite {
    const MIGRATIONS: &str = "sqlite";
    const NOW: &str = "unixepoch('now') * 1000000";

    fn new() -> Self {
        Self(Place::new()).fill(include_str!("sqlite.sql"))
    }

    fn url(&self) -> String {
        self.0.url()
    }

    fn try_run(&self, statements: &str) -> Result<(), String> {
        let run = |c: &mut SqliteConnection| {
            c.batch_execute("PRAGMA foreign_keys = ON")?;
            c.transaction(|c| c.batch_execute(statements))
        };
        run(&mut self.0.stranger()).map_err(|error| error.to_string())
    }

    fn column(&self, query: &str) -> Vec<String> {
        sql::<Text>(query).load(&mut self.0.stranger()).unwrap()
    }

    fn tables(&self) -> Vec<Table> {
        let tables = self.column(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
             AND name NOT IN ('sqlite_schema', '__diesel_schema_migrations') ORDER BY name",
        );
        let with_columns = |table: String| {
            let columns = format!("SELECT name FROM pragma_table_info('{table}') ORDER BY name");
            let columns = self.column(&columns);
            (table, columns)
        };
        tables.into_iter().map(with_columns).collect()
    }

    fn id(id: Uuid) -> String {
        format!("x'{}'", id.simple())
    }

    fn row_of(columns: &[String]) -> String {
        format!("quote({})", columns.join(") || '|' || quote("))
    }
}

pub(crate) struct OldPostgres(Database);

impl Old for OldPostgres {
    const MIGRATIONS: &str = "postgres";
    const NOW: &str = "now()";

    fn new() -> Self {
        Self(PostgresCluster::shared().fresh_database()).fill(include_str!("postgres.sql"))
    }

    fn url(&self) -> String {
        self.0.url().to_owned()
    }

    fn try_run(&self, statements: &str) -> Result<(), String> {
        self.0.try_sql(&format!("BEGIN; {statements}; COMMIT")).map(drop)
    }

    fn column(&self, query: &str) -> Vec<String> {
        self.0.sql(query).lines().map(str::to_owned).collect()
    }

    fn tables(&self) -> Vec<Table> {
        let tables = self.column(
            "SELECT table_name || '|' || string_agg(column_name, '|' ORDER BY column_name COLLATE \"C\")
             FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name <> '__diesel_schema_migrations'
             GROUP BY table_name ORDER BY table_name COLLATE \"C\"",
        );
        let with_columns = |line: String| {
            let mut names = line.split('|').map(str::to_owned);
            (names.next().unwrap(), names.collect())
        };
        tables.into_iter().map(with_columns).collect()
    }

    fn id(id: Uuid) -> String {
        format!("uuid '{id}'")
    }

    fn row_of(columns: &[String]) -> String {
        format!("ROW({})::text", columns.join(", "))
    }
}
