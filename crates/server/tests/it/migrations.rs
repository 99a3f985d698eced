//! Bringing a PostgreSQL database up to date, which several processes share: only when that is asked for.

use std::sync::Arc;

use grantkeeper_testkit::postgres::PostgresCluster;
use reqwest::StatusCode;
use serde_json::json;
use url::Url;

use crate::installation::Installation;
use crate::simulated;
use crate::stores::Store;

const MIGRATIONS: [&str; 7] = [
    "2026-11-21-000000_init",
    "2026-11-22-000000_device_flows",
    "2026-11-23-000000_refreshes",
    "2026-11-24-000000_deletions",
    "2026-11-25-000000_logins",
    "2026-11-26-000000_links",
    "2026-11-26-000001_link_indexes",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_migrated_by_command() {
    let installation = Installation::over(Store::postgres());
    let store = &installation.store;
    let tables = "pg_tables WHERE schemaname = 'public'";
    for command in [&["serve"][..], &["org", "list"]] {
        let why = installation.refuses(command);
        assert!(MIGRATIONS.iter().all(|name| why.contains(name)), "{command:?}: {why}");
        assert!(why.contains("run `grantkeeper migrate`"), "{command:?}: {why}");
    }
    let doctor = installation.run(&["doctor"]);
    assert!(
        doctor.to_string().contains(&format!("these migrations are to be run: {}", MIGRATIONS.join(", "))),
        "{doctor}"
    );
    let dry_run = installation.run(&["migrate", "--dry-run"]);
    assert_eq!(dry_run, json!({ "dryRun": true, "migrations": MIGRATIONS }));
    assert_eq!(store.count(tables), 0, "nothing was changed by all that");

    assert_eq!(installation.run(&["migrate"]), json!({ "dryRun": false, "migrations": MIGRATIONS }));
    assert_eq!(
        installation.run(&["migrate"]),
        json!({ "dryRun": false, "migrations": [] }),
        "once is enough"
    );
    installation.serve().await.kill().await;
    let doctor = installation.run(&["doctor"]);
    assert!(doctor.to_string().contains("the key fits"), "{doctor}");
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_migrate_at_their_start_may_start_at_once() {
    let installation = Installation::over(Store::postgres());
    let flags = ["--migrate", "--listen", "127.0.0.1:0"];
    let (one, other) = tokio::join!(installation.serve_with(&flags), installation.serve_with(&flags));
    for running in [one, other] {
        assert_eq!(running.get("/readyz").await.0, StatusCode::OK);
    }
    assert_eq!(installation.store.count("__diesel_schema_migrations"), MIGRATIONS.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_migrating_needs_the_right_to_change_the_schema() {
    let cluster = PostgresCluster::start();
    let mut installation = Installation::over(Store::Postgres(Arc::new(cluster.fresh_database())));
    installation.run(&["migrate"]);
    installation.store.sql(
        "CREATE ROLE clerk LOGIN PASSWORD 'clerk';
         REVOKE ALL ON SCHEMA public FROM PUBLIC;
         GRANT USAGE ON SCHEMA public TO clerk;
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk",
    );
    let mut url = Url::parse(&installation.store.url()).unwrap();
    url.set_username("clerk").unwrap();
    url.set_password(Some("clerk")).unwrap();
    installation.set("DATABASE_URL", url.as_str());
    let upstream = simulated::provider();
    let admin = installation.caller(&installation.token("admin@acme.example", true));
    let running = installation.serve().await;
    let provider = admin.register_simulated(&upstream).await;
    let id = admin.authorize_unattended(&provider).await;
    admin.lent(&id, "?min_ttl=3600").await;
    assert_eq!(running.get("/readyz").await.0, StatusCode::OK);
    let job = admin.delete_provider(&provider).await;
    assert_eq!(admin.finished(&job).await["status"], "COMPLETED");
    assert_eq!(
        installation
            .store
            .count("pg_stat_activity WHERE usename = 'grantkeeper' AND application_name = 'grantkeeper'"),
        0
    );
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let installation = Installation::over(Store::postgres());
    installation.store.sql("CREATE TABLE bookmarks (url text)");
    for command in [&["migrate"][..], &["serve", "--migrate"]] {
        let why = installation.refuses(command);
        assert!(why.contains("of another program"), "{command:?}: {why}");
    }
    assert_eq!(installation.store.count("pg_tables WHERE schemaname = 'public'"), 1);
}
