//! Whether the database has this version's schema, and bringing it up to date.
//!
//! Replicas of two versions run side by side while one replaces the other, so a schema that is newer by some migrations
//! is no obstacle here: a release goes on understanding what the next one adds (`migrations/README.md`).

use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{ExpressionMethods as _, QueryDsl as _};
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl as _};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use super::pool::{Pool, take};
use super::server::Server;
use super::waiting::{ANSWER_LIMIT, within};
use crate::OpenError;
use crate::failure::Failure;
use crate::migrations::{self, SchemaState};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// Held by the process that migrates. Any number would do that no other program uses in the same database.
const MIGRATION_LOCK: i64 = 0x6772_616e_746b;

diesel::table! {
    /// PostgreSQL's own list of tables.
    pg_catalog.pg_tables (tablename) {
        schemaname -> Text,
        tablename -> Text,
    }
}

/// Makes sure that the database is fit to be used; migrates it if `migrate` says so. It is looked at over a connection of
/// the pool, which is there for others then: connecting is the longest part of a start.
pub(super) async fn prepare(server: &Server, pool: &Pool, migrate: bool) -> Result<(), OpenError> {
    let seen = async { look_at(&mut take(pool).await?.connection).await };
    let pending = pending_by(seen, server).await?;
    if pending.is_empty() {
        return Ok(());
    }
    if !migrate {
        return Err(OpenError::NotMigrated { database: server.name(), pending });
    }
    run(server).await
}

/// The names of the migrations that the database lacks. Changes nothing.
pub(super) async fn pending(server: &Server) -> Result<Vec<String>, OpenError> {
    pending_by(async { look_at(&mut server.connect().await?.connection).await }, server).await
}

/// The same, by such a look.
async fn pending_by(
    look: impl Future<Output = Result<(bool, SchemaState), Failure>>,
    server: &Server,
) -> Result<Vec<String>, OpenError> {
    let database = server.name();
    match within(ANSWER_LIMIT, look).await.and_then(|seen| seen) {
        Ok((false, _)) => Err(OpenError::Encoding { database }),
        Ok((true, SchemaState::Newer { unknown })) => {
            tracing::warn!(database, ?unknown, "the schema is newer than this version, which works with it");
            Ok(Vec::new())
        }
        Ok((true, state)) => migrations::pending(state, database),
        Err(failure) => Err(OpenError::Unreachable { database, source: failure.into() }),
    }
}

/// Whether the database keeps all text there is, and its schema.
async fn look_at(c: &mut AsyncPgConnection) -> Result<(bool, SchemaState), Failure> {
    let keeps_all_text = sql::<Bool>("SELECT current_setting('server_encoding') = 'UTF8'");
    let keeps_all_text = keeps_all_text.get_result(c).await;
    Ok((keeps_all_text.map_err(Failure::of_postgres)?, schema_state(c).await?))
}

/// Whether the database can be written to and has what this version needs.
pub(super) async fn check(c: &mut AsyncPgConnection) -> Result<(), Failure> {
    match schema_state(c).await? {
        SchemaState::Ours { pending } if pending.is_empty() => {}
        SchemaState::Newer { .. } => {}
        _ => return Err(Failure::OtherSchema),
    }
    let writable = sql::<Bool>("SELECT current_setting('transaction_read_only') = 'off'");
    if writable.get_result(c).await.map_err(Failure::of_postgres)? { Ok(()) } else { Err(Failure::ReadOnly) }
}

async fn schema_state(c: &mut AsyncPgConnection) -> Result<SchemaState, Failure> {
    let tables = pg_tables::table
        .filter(pg_tables::schemaname.eq(sql::<Text>("current_schema()")))
        .select(pg_tables::tablename);
    let tables: Vec<String> = tables.load(c).await.map_err(Failure::of_postgres)?;
    let recorded = if migrations::have_a_record(&tables) {
        sql::<Text>(migrations::RECORDED).load(c).await.map_err(Failure::of_postgres)?
    } else {
        Vec::new()
    };
    Ok(migrations::state(&tables, &recorded))
}

/// Runs what is pending. Of two processes that migrate at once, the second waits and finds the work done.
async fn run(server: &Server) -> Result<(), OpenError> {
    let failed = |source| OpenError::Migration { database: server.name(), source };
    let mut line = server.connect().await.map_err(|failure| failed(failure.into()))?;
    // A migration may take longer than a query.
    let unhurried = diesel::sql_query(
        "SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false)",
    );
    unhurried.execute(&mut line.connection).await.map_err(|error| failed(error.into()))?;
    let lock =
        sql::<BigInt>("SELECT 1::bigint FROM pg_advisory_lock(").bind::<BigInt, _>(MIGRATION_LOCK).sql(")");
    lock.execute(&mut line.connection).await.map_err(|error| failed(error.into()))?;
    // The lock goes with the connection.
    let running = tokio::task::spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(line.connection);
        harness.run_pending_migrations(MIGRATIONS).map(|_| ())
    });
    running.await.map_err(|error| failed(error.into()))?.map_err(failed)
}
