//! Which PostgreSQL databases are opened, how, and why others are not.

use futures_util::future::join_all;
use grantkeeper_domain::Store;
use grantkeeper_domain::accounts::AccountStore;
use grantkeeper_store_diesel::{DieselStore, OpenError, OpenOptions};
use grantkeeper_testkit::entities::organization;
use grantkeeper_testkit::postgres::PostgresCluster;

use crate::database::insert;
use crate::postgres::{database, migrating};

const MIGRATIONS: [&str; 7] = [
    "2026-11-21-000000_init",
    "2026-11-22-000000_device_flows",
    "2026-11-23-000000_refreshes",
    "2026-11-24-000000_deletions",
    "2026-11-25-000000_logins",
    "2026-11-26-000000_links",
    "2026-11-26-000001_link_indexes",
];

async fn refusal(url: &str) -> OpenError {
    DieselStore::open(url, OpenOptions::default()).await.err().expect("a refusal")
}

#[tokio::test]
async fn a_database_is_migrated_only_when_that_is_asked_for() {
    let database = PostgresCluster::shared().fresh_database();
    assert_eq!(DieselStore::pending_migrations(database.url()).await.unwrap(), MIGRATIONS);
    let error = refusal(database.url()).await;
    assert!(matches!(&error, OpenError::NotMigrated { pending, .. } if *pending == MIGRATIONS), "{error:?}");
    assert!(error.to_string().ends_with("run `grantkeeper migrate`"), "{error}");
    assert_eq!(database.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0\n");

    DieselStore::open(database.url(), migrating()).await.unwrap().check().await.unwrap();
    assert_eq!(DieselStore::pending_migrations(database.url()).await.unwrap(), [""; 0]);
    DieselStore::open(database.url(), OpenOptions::default()).await.unwrap();
}

#[tokio::test]
async fn of_many_that_migrate_at_once_one_does_and_all_succeed() {
    let database = PostgresCluster::shared().fresh_database();
    for opened in join_all((0..8).map(|_| DieselStore::open(database.url(), migrating()))).await {
        opened.unwrap();
    }
    let recorded = database.sql("SELECT count(*) FROM __diesel_schema_migrations");
    assert_eq!(recorded, format!("{}\n", MIGRATIONS.len()));
}

#[tokio::test]
async fn two_stores_share_a_database() {
    let database = database();
    let one = DieselStore::open(database.url(), OpenOptions::default()).await.unwrap();
    let other = DieselStore::open(database.url(), OpenOptions::default()).await.unwrap();
    let organization = organization();
    insert(&one, &organization).await.unwrap();
    assert_eq!(other.organization(organization.id).await.unwrap(), Some(organization));
}

#[tokio::test]
async fn replicas_of_two_versions_work_side_by_side() {
    let database = database();
    let older = DieselStore::open(database.url(), OpenOptions::default()).await.unwrap();
    database.sql("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')");
    older.check().await.unwrap();
    DieselStore::open(database.url(), OpenOptions::default()).await.unwrap().check().await.unwrap();
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    let database = PostgresCluster::shared().fresh_database();
    database.sql("CREATE TABLE bookmarks (url text)");
    let error = DieselStore::open(database.url(), migrating()).await.err().expect("a refusal");
    assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
    assert_eq!(database.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"), "bookmarks\n");
}

#[tokio::test]
async fn a_database_that_cannot_keep_all_text_is_refused() {
    let cluster = PostgresCluster::shared();
    let database = cluster.fresh_database();
    let name = format!("{}_latin", url::Url::parse(database.url()).unwrap().path().trim_start_matches('/'));
    database.sql(&format!(
        "CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc TEMPLATE template0"
    ));
    let mut url = url::Url::parse(database.url()).unwrap();
    url.set_path(&name);
    let error = refusal(url.as_str()).await;
    assert!(matches!(error, OpenError::Encoding { .. }), "{error:?}");
    database.sql(&format!("DROP DATABASE {name} WITH (FORCE)"));
}

#[tokio::test]
async fn a_server_is_verified_by_the_authority_that_is_named() {
    let database = database();
    let authority = PostgresCluster::shared().ca_certificate().expect("the script makes one");
    let url = |parameters: &str| format!("{}?{parameters}", database.url());
    let named = format!("sslmode=verify-full&sslrootcert={}", authority.display());
    DieselStore::open(&url(&named), OpenOptions::default()).await.unwrap().check().await.unwrap();
    let encrypted = "SELECT bool_or(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                     WHERE datname = current_database() AND application_name = 'grantkeeper'";
    assert_eq!(database.sql(encrypted), "t\n");

    let error = refusal(&url("sslmode=require")).await;
    assert!(
        matches!(error, OpenError::Unreachable { .. }),
        "the system does not know the authority: {error:?}"
    );
    let error = refusal(&url("sslrootcert=/nowhere/ca.pem")).await;
    assert!(matches!(error, OpenError::Authorities { .. }), "{error:?}");
}

#[tokio::test]
async fn what_cannot_be_reached_is_named_without_its_password() {
    let mut url = url::Url::parse(database().url()).unwrap();
    url.set_password(Some("a-wrong-password")).unwrap();
    for url in [url.as_str(), "postgres://me:a-wrong-password@127.0.0.1:1/grants"] {
        let error = refusal(url).await;
        assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
        let text = format!("{error} {error:?}");
        assert!(text.contains("at 127.0.0.1") && !text.contains("a-wrong-password"), "{text}");
    }
}
