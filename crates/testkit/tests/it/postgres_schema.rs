//! What the PostgreSQL schema holds by itself. That it is the twin of SQLite's is a test of the store's.

use std::fs;

use grantkeeper_testkit::postgres::{Database, PostgresCluster};

use crate::workspace::root;

/// The names of all migrations, in their order.
fn migrations() -> Vec<String> {
    let folder = fs::read_dir(root().join("migrations/postgres")).expect("a folder of migrations");
    let names = folder.map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"));
    let mut names: Vec<_> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

/// In one transaction, as migrations run.
fn apply(database: &Database, name: &str, script: &str) {
    let path = root().join("migrations/postgres").join(name).join(script);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    database.sql(&format!("BEGIN;\n{text}\nCOMMIT;"));
}

fn migrate(database: &Database) {
    for name in migrations() {
        apply(database, &name, "up.sql");
    }
}

fn migrated() -> Database {
    let database = PostgresCluster::shared().fresh_database();
    migrate(&database);
    database
}

#[test]
fn the_way_back_leaves_nothing() {
    const LEFT: &str = "
        SELECT 'table or index ' || relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace";
    let database = migrated();
    assert_ne!(database.sql(LEFT), "");
    for name in migrations().iter().rev() {
        apply(&database, name, "down.sql");
    }
    assert_eq!(database.sql(LEFT), "");
    migrate(&database);
}

/// PostgreSQL would read a whole table to check it, and let nobody else near it meanwhile.
#[test]
fn no_migration_checks_the_rows_that_are_there() {
    let database = PostgresCluster::shared().fresh_database();
    for name in migrations() {
        let checks = "contype = 'c' AND connamespace = 'public'::regnamespace AND convalidated";
        let of_before = "conrelid IN (SELECT oid FROM before)";
        database.sql("CREATE TABLE before AS SELECT oid FROM pg_class");
        database.sql(&format!("CREATE TABLE known AS SELECT oid FROM pg_constraint WHERE {checks}"));
        apply(&database, &name, "up.sql");
        let checked = database.sql(&format!(
            "SELECT conrelid::regclass, conname FROM pg_constraint
             WHERE {checks} AND {of_before} AND oid NOT IN (SELECT oid FROM known)"
        ));
        assert_eq!(checked, "", "{name}");
        database.sql("DROP TABLE before, known");
    }
}

#[test]
fn an_audit_entry_is_neither_changed_nor_deleted() {
    const INSERT: &str = "
        INSERT INTO audit_entries (id, at, organization_id, actor, action, outcome)
        VALUES ('00000000-0000-0000-0000-000000000001', now(), gen_random_uuid(), 'service', 'x', 'done')";
    let database = migrated();
    database.sql(INSERT);

    for statement in [
        "UPDATE audit_entries SET outcome = 'failed'",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "SET session_replication_role = replica; UPDATE audit_entries SET outcome = 'failed'",
        "SET session_replication_role = replica; DELETE FROM audit_entries",
        "SET session_replication_role = replica; TRUNCATE audit_entries",
        // Only of hand-outs there may be more.
        "UPDATE audit_entries SET count = 2, last_at = now()",
        &format!("{INSERT} ON CONFLICT (id) DO UPDATE SET outcome = 'failed'"),
        // Even where it would change nothing.
        "DELETE FROM audit_entries WHERE false",
    ] {
        let error = database.try_sql(statement).expect_err(statement);
        assert!(error.contains("the audit log is append-only"), "{statement}: {error}");
    }
    let error = database.try_sql(INSERT).unwrap_err();
    assert!(error.contains("\"audit_entries_pkey\""), "{error}");
    assert_eq!(database.sql("SELECT action, outcome FROM audit_entries"), "x|done\n");
}

#[test]
fn a_hand_out_only_comes_to_count_more() {
    let database = migrated();
    database.sql(
        "INSERT INTO audit_entries (id, at, organization_id, actor, action, outcome)
         VALUES (gen_random_uuid(), '2026-01-01', gen_random_uuid(), 'service', 'token.handed_out', 'done')",
    );
    let update = |set: &str| format!("UPDATE audit_entries SET {set}");
    database.sql(&update("count = 2, last_at = '2026-01-02'"));
    database.sql(&format!(
        "SET session_replication_role = replica; {}",
        update("count = 3, last_at = '2026-01-03'")
    ));

    let columns = database.sql(
        "SELECT column_name FROM information_schema.columns
         WHERE table_name = 'audit_entries' AND column_name NOT IN ('count', 'last_at')",
    );
    assert!(columns.lines().count() >= 14, "{columns}");
    let forged = |column: &str| match column {
        "at" => "now()",
        id if id.ends_with("id") => "gen_random_uuid()",
        _ => "'forged'",
    };
    let forged = columns.lines().map(|column| format!("{column} = {}, count = 4", forged(column)));
    let lowered = [
        "count = 3",
        "count = 2",
        "count = 4, last_at = '2026-01-02'",
        "count = 4, last_at = NULL",
        "last_at = '2026-01-04'",
    ];
    for set in forged.chain(lowered.map(str::to_owned)) {
        for session in ["", "SET session_replication_role = replica; "] {
            let error = database.try_sql(&format!("{session}{}", update(&set))).expect_err(&set);
            assert!(error.contains("the audit log is append-only"), "{set}: {error}");
        }
    }
    assert_eq!(database.sql("SELECT count, last_at::date FROM audit_entries"), "3|2026-01-03\n");
}

/// The store tells a broken rule by these.
#[test]
fn uniqueness_rules_have_names() {
    let names = migrated().sql(
        "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
         WHERE indisunique AND NOT indisprimary AND relnamespace = 'public'::regnamespace
         ORDER BY relname COLLATE \"C\"",
    );
    assert_eq!(
        names.lines().collect::<Vec<_>>(),
        [
            "accounts_email_organization_id_key",
            "api_tokens_hash_key",
            "authorizations_identity_key",
            "login_identities_identity_key",
            "logins_handle_hash_key",
            "organizations_name_key",
            "providers_by_slug",
        ]
    );
}

/// Another order may change with an upgrade of the system's libraries, and an index is broken then.
#[test]
fn indexed_text_is_in_the_order_of_its_bytes() {
    let database = migrated();
    let collations = |of: &str| {
        database.sql(&format!(
            "SELECT DISTINCT collname FROM pg_index, unnest(indcollation) AS used
             JOIN pg_collation ON pg_collation.oid = used
             WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = '{of}'::regnamespace)"
        ))
    };
    assert_eq!(collations("public"), "C\n");

    // On a database that sorts as people do, which it does when it can.
    let rows = "(VALUES ('b'), ('B'), ('a')) AS words (word)";
    let by_bytes = database.sql(&format!("SELECT word FROM {rows} ORDER BY word COLLATE \"C\""));
    assert_eq!(by_bytes, "B\na\nb\n");
    let tally = "SELECT action FROM audit_entries ORDER BY action";
    database.sql(&format!(
        "INSERT INTO audit_entries (id, at, organization_id, actor, action, outcome)
         SELECT gen_random_uuid(), now(), gen_random_uuid(), 'service', word, 'done' FROM {rows}"
    ));
    assert_eq!(database.sql(tally), by_bytes);
}

/// What use rewrites is not indexed: the new row stays in its page, and no index grows.
#[test]
fn rows_in_use_are_rewritten_without_touching_an_index() {
    let database = migrated();
    database.sql(
        "INSERT INTO organizations VALUES (gen_random_uuid(), 'Acme', '[]', now(), 1);
         INSERT INTO accounts SELECT gen_random_uuid(), id, 'a@acme', 'member', now(), 1 FROM organizations;
         INSERT INTO api_tokens
             SELECT gen_random_uuid(), id, organization_id, 'hash', 'api', NULL, now(), now(), NULL, NULL, 1
             FROM accounts;
         INSERT INTO providers
             SELECT gen_random_uuid(), id, 'slug', 'name', 'oidc', 'active', 'client', 'secret', gen_random_uuid(),
                 'host', '{}', '[]', false, NULL, NULL, now(), now(), 1
             FROM organizations;
         INSERT INTO authorizations
             SELECT gen_random_uuid(), a.organization_id, a.id, p.id, p.credential_id, 'issuer', 'subject', '{}',
                 '[]', '[]', 'access', now(), now(), 'refresh', NULL, 'live', NULL, now(), NULL, NULL, NULL, now(), 1
             FROM accounts AS a, providers AS p;
         INSERT INTO flows
             SELECT gen_random_uuid(), a.organization_id, a.id, p.id, 'caller', NULL, 'state', 'uri', NULL, 'nonce',
                 '[]', false, 'endpoints', 'pending', NULL, NULL, NULL, NULL, NULL, NULL, now(), now(), 1
             FROM accounts AS a, providers AS p;
         INSERT INTO device_flows
             SELECT gen_random_uuid(), a.organization_id, a.id, p.id, 'handle', 'code', '[]', 'endpoints', 5000000,
                 now(), 'pending', NULL, NULL, NULL, NULL, NULL, now(), now(), 1
             FROM accounts AS a, providers AS p;
         INSERT INTO logins (id, organization_id, provider_id, provider_name, route, handle_hash, device_code,
                 interval_micros, next_poll_at, scopes, endpoints, stage, created_at, expires_at, version)
             SELECT gen_random_uuid(), organization_id, id, 'provider', 'device', 'handle', 'code', 5000000, now(),
                 '[]', 'endpoints', 'pending', now(), now(), 1
             FROM providers;
         UPDATE authorizations SET authorized_at = now();
         UPDATE refreshes SET due_at = now()",
    );
    let in_place = database.sql(
        "BEGIN;
         UPDATE api_tokens SET last_used_at = now();
         UPDATE authorizations SET access_token = 'other', refresh_token = 'other', issued_at = now(),
             expires_at = now() + '1h', refresh_token_expires_at = now(), granted_scopes = '[\"a\"]',
             grant_since = now(), next_attempt_at = now(), last_refreshed_at = now(),
             authorized_at = authorized_at, used_at = now(), version = 2;
         UPDATE flows SET stage = 'exchanging', code_hash = 'code', code_since = now(), version = 2;
         UPDATE device_flows SET stage = 'polling', polling_since = now(), next_poll_at = now(),
             interval_micros = 10000000, unattended = true, version = 2;
         UPDATE logins SET stage = 'asking', asking_since = now(), next_poll_at = now(),
             interval_micros = 10000000, version = 2;
         UPDATE refreshes SET holder = 'somebody', fence = 2, beat = 0, asked_fence = 2, asked_at = now(),
             asked_given_up = true, last_used_at = now();
         SELECT relname, n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE n_tup_upd > 0
             ORDER BY relname COLLATE \"C\";
         COMMIT",
    );
    let tables = ["api_tokens", "authorizations", "device_flows", "flows", "logins", "refreshes"];
    assert_eq!(in_place, tables.map(|table| format!("{table}|1|1\n")).concat());
}
