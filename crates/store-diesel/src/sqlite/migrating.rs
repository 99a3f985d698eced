//! Which migrations an SQLite database has, and running those that it lacks.

use std::error::Error;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::migrations::{self, SchemaState};

pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

diesel::table! {
    /// SQLite's own list of what a database consists of.
    sqlite_schema (name) {
        name -> Text,
        #[sql_name = "type"]
        kind -> Text,
    }
}

/// Reads which migrations a database has. Changes nothing.
pub(crate) fn schema_state(c: &mut SqliteConnection) -> QueryResult<SchemaState> {
    let tables: Vec<String> = sqlite_schema::table
        .filter(sqlite_schema::kind.eq("table"))
        .filter(sqlite_schema::name.not_like("sqlite\\_%").escape('\\'))
        .select(sqlite_schema::name)
        .load(c)?;
    let recorded = if migrations::have_a_record(&tables) {
        sql::<Text>(migrations::RECORDED).load(c)?
    } else {
        Vec::new()
    };
    Ok(migrations::state(&tables, &recorded))
}

/// Runs what is pending. Inside a transaction of the caller's, all of it or nothing.
pub(crate) fn run_pending(c: &mut SqliteConnection) -> Result<(), Box<dyn Error + Send + Sync>> {
    c.run_pending_migrations(MIGRATIONS)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_can_be_taken_back() {
        let mut c = SqliteConnection::establish(":memory:").unwrap();
        for _ in 0..2 {
            run_pending(&mut c).unwrap();
            assert_eq!(schema_state(&mut c).unwrap(), SchemaState::Ours { pending: Vec::new() });
            c.revert_all_migrations(MIGRATIONS).unwrap();
            assert_eq!(schema_state(&mut c).unwrap(), SchemaState::Ours { pending: migrations::names() });
        }
    }
}
