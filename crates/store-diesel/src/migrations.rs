//! Whether a database has a schema of ours, and bringing it up to date.

use std::error::Error;

use diesel::SqliteConnection;
use diesel::dsl::sql;
use diesel::migration::MigrationSource;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

diesel::table! {
    /// SQLite's own list of what a database consists of.
    sqlite_schema (name) {
        name -> Text,
        #[sql_name = "type"]
        kind -> Text,
    }
}

/// Which migrations a database has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SchemaState {
    /// Those of this build but for these, which come last; none is left when it is up to date.
    Ours {
        /// The names of the migrations to come.
        pending: Vec<String>,
    },
    /// Tables, but no record of migrations.
    Foreign,
    /// Migrations that this build does not know.
    Newer {
        /// Their versions.
        unknown: Vec<String>,
    },
    /// Later migrations, but not these.
    HalfMigrated {
        /// The names of the missing ones.
        missing: Vec<String>,
    },
}

/// Reads which migrations a database has. Changes nothing.
pub(crate) fn schema_state(c: &mut SqliteConnection) -> QueryResult<SchemaState> {
    let tables: Vec<String> = sqlite_schema::table
        .filter(sqlite_schema::kind.eq("table"))
        .filter(sqlite_schema::name.not_like("sqlite\\_%").escape('\\'))
        .select(sqlite_schema::name)
        .load(c)?;
    let recorded: Vec<String> = if tables.iter().any(|table| table == "__diesel_schema_migrations") {
        sql::<Text>("SELECT version FROM __diesel_schema_migrations ORDER BY version").load(c)?
    } else {
        Vec::new()
    };
    if recorded.is_empty() && tables.iter().any(|table| table != "__diesel_schema_migrations") {
        return Ok(SchemaState::Foreign);
    }
    Ok(judge(&recorded, &known()))
}

/// Compares the recorded versions with the known ones, both in their order.
fn judge(recorded: &[String], known: &[Known]) -> SchemaState {
    let is_known = |version: &String| known.iter().any(|known| known.version == *version);
    let unknown: Vec<_> = recorded.iter().filter(|version| !is_known(version)).cloned().collect();
    if !unknown.is_empty() {
        return SchemaState::Newer { unknown };
    }
    let is_recorded = |known: &Known| recorded.contains(&known.version);
    let (due, pending) = known.split_at(known.iter().rposition(is_recorded).map_or(0, |last| last + 1));
    let missing: Vec<_> = due.iter().filter(|known| !is_recorded(known)).map(Known::name).collect();
    if missing.is_empty() {
        SchemaState::Ours { pending: pending.iter().map(Known::name).collect() }
    } else {
        SchemaState::HalfMigrated { missing }
    }
}

/// The names of all migrations of this build, in their order.
pub(crate) fn names() -> Vec<String> {
    known().iter().map(Known::name).collect()
}

/// Runs what is pending. Inside a transaction of the caller's, all of it or nothing.
pub(crate) fn run_pending(c: &mut SqliteConnection) -> Result<(), Box<dyn Error + Send + Sync>> {
    c.run_pending_migrations(MIGRATIONS)?;
    Ok(())
}

/// A migration of this build.
struct Known {
    /// As it is recorded.
    version: String,
    /// As its folder is called.
    name: String,
}

impl Known {
    fn name(&self) -> String {
        self.name.clone()
    }
}

fn known() -> Vec<Known> {
    let migrations =
        MigrationSource::<Sqlite>::migrations(&MIGRATIONS).expect("they are embedded in the binary");
    let mut all: Vec<_> = migrations
        .iter()
        .map(|migration| Known {
            version: migration.name().version().to_string(),
            name: migration.name().to_string(),
        })
        .collect();
    all.sort_by(|a, b| a.version.cmp(&b.version));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(recorded: &[&str]) -> SchemaState {
        let known = ["1", "2", "3"]
            .map(|version| Known { version: version.to_owned(), name: format!("{version}_x") });
        judge(&recorded.iter().map(|&version| version.to_owned()).collect::<Vec<_>>(), &known)
    }

    fn pending(names: &[&str]) -> SchemaState {
        SchemaState::Ours { pending: names.iter().map(|&name| name.to_owned()).collect() }
    }

    #[test]
    fn what_is_recorded_is_a_beginning_of_what_is_known() {
        assert_eq!(judged(&[]), pending(&["1_x", "2_x", "3_x"]));
        assert_eq!(judged(&["1", "2"]), pending(&["3_x"]));
        assert_eq!(judged(&["1", "2", "3"]), pending(&[]));
    }

    #[test]
    fn a_migration_of_a_later_version_is_noticed() {
        assert_eq!(judged(&["1", "2", "3", "4"]), SchemaState::Newer { unknown: vec!["4".to_owned()] });
        assert_eq!(judged(&["1", "4"]), SchemaState::Newer { unknown: vec!["4".to_owned()] });
    }

    #[test]
    fn a_gap_is_noticed() {
        assert_eq!(
            judged(&["3"]),
            SchemaState::HalfMigrated { missing: vec!["1_x".to_owned(), "2_x".to_owned()] }
        );
        assert_eq!(judged(&["1", "3"]), SchemaState::HalfMigrated { missing: vec!["2_x".to_owned()] });
    }

    #[test]
    fn every_migration_can_be_taken_back() {
        let mut c = SqliteConnection::establish(":memory:").unwrap();
        for _ in 0..2 {
            run_pending(&mut c).unwrap();
            assert_eq!(schema_state(&mut c).unwrap(), SchemaState::Ours { pending: Vec::new() });
            c.revert_all_migrations(MIGRATIONS).unwrap();
            assert_eq!(schema_state(&mut c).unwrap(), SchemaState::Ours { pending: names() });
        }
    }
}
