//! Whether a database has a schema of ours, and bringing it up to date.

use diesel::migration::MigrationSource;
use diesel::sqlite::Sqlite;

use crate::OpenError;
use crate::sqlite::MIGRATIONS;

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

/// The table in which diesel records migrations.
const RECORD: &str = "__diesel_schema_migrations";

/// The recorded versions.
pub(crate) const RECORDED: &str = "SELECT version FROM __diesel_schema_migrations ORDER BY version";

/// Whether migrations are recorded among these tables.
pub(crate) fn have_a_record(tables: &[String]) -> bool {
    tables.iter().any(|table| table == RECORD)
}

/// The state of a database with these tables, its own ones left out, and these recorded versions.
pub(crate) fn state(tables: &[String], recorded: &[String]) -> SchemaState {
    if recorded.is_empty() && tables.iter().any(|table| table != RECORD) {
        return SchemaState::Foreign;
    }
    judge(recorded, &known())
}

/// The migrations to come, unless the state says that the `database` must not be touched.
pub(crate) fn pending(state: SchemaState, database: String) -> Result<Vec<String>, OpenError> {
    match state {
        SchemaState::Ours { pending } => Ok(pending),
        SchemaState::Foreign => Err(OpenError::Foreign { database }),
        SchemaState::Newer { unknown } => Err(OpenError::NewerSchema { database, unknown }),
        SchemaState::HalfMigrated { missing } => Err(OpenError::HalfMigrated { database, missing }),
    }
}

/// Compares the recorded versions with the known ones, both in their order.
fn judge(recorded: &[String], known: &[Known]) -> SchemaState {
    let is_known = |version: &String| known.iter().any(|known| known.version == *version);
    let unknown: Vec<_> = recorded.iter().filter(|version| !is_known(version)).cloned().collect();
    let is_recorded = |known: &Known| recorded.contains(&known.version);
    if !unknown.is_empty() {
        let missing: Vec<_> = known.iter().filter(|known| !is_recorded(known)).map(Known::name).collect();
        return match missing.len() {
            0 => SchemaState::Newer { unknown },
            // Somebody else records migrations in the same way.
            none if none == known.len() => SchemaState::Foreign,
            _ => SchemaState::HalfMigrated { missing },
        };
    }
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

/// Every kind of database has the same ones, by name (a test says so).
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
        assert_eq!(judged(&["4"]), SchemaState::Foreign, "and none of ours");
    }

    #[test]
    fn a_gap_is_noticed() {
        assert_eq!(
            judged(&["3"]),
            SchemaState::HalfMigrated { missing: vec!["1_x".to_owned(), "2_x".to_owned()] }
        );
        assert_eq!(
            judged(&["1", "4"]),
            SchemaState::HalfMigrated { missing: vec!["2_x".to_owned(), "3_x".to_owned()] }
        );
        assert_eq!(judged(&["1", "3"]), SchemaState::HalfMigrated { missing: vec!["2_x".to_owned()] });
    }
}
