//! A PostgreSQL server that goes away, or cannot work now: what callers are told, and that it passes.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use grantkeeper_domain::accounts::AccountStore;
use grantkeeper_domain::audit::AuditLog as _;
use grantkeeper_domain::{Change, CommitError, Store, StoreError, UnitOfWork as _};
use grantkeeper_store_diesel::{DieselStore, OpenOptions};
use grantkeeper_testkit::entities::{START, account, audit_entry, organization};
use grantkeeper_testkit::postgres::{Database, PostgresCluster};
use tokio_postgres::NoTls;

use crate::database::insert;
use crate::postgres::{database, migrating};
use crate::postgres_proxy::{Cut, Proxy};

async fn open(database: &Database) -> DieselStore {
    DieselStore::open(database.url(), OpenOptions::default()).await.unwrap()
}

fn assert_unavailable<T: Debug>(result: &Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
}

#[tokio::test]
async fn a_server_that_restarts_is_unavailable_and_comes_back() {
    let cluster = PostgresCluster::start_durable();
    let database = cluster.fresh_database();
    let store = DieselStore::open(database.url(), migrating()).await.unwrap();
    let organization = organization();
    insert(&store, &organization).await.unwrap();
    assert!(store.organization(organization.id).await.unwrap().is_some());

    cluster.stop();
    assert_unavailable(&store.organization(organization.id).await);
    assert_unavailable(&store.organizations().await);
    assert_unavailable(&store.check().await);
    let refused = insert(&store, &grantkeeper_testkit::entities::organization()).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Unavailable(_)))), "{refused:?}");

    cluster.start_again();
    store.check().await.unwrap();
    assert_eq!(store.organization(organization.id).await.unwrap().as_ref(), Some(&organization));
    assert_eq!(store.organizations().await.unwrap(), [organization]);
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_replaced_before_it_is_used() {
    let database = database();
    let store = open(&database).await;
    let organization = organization();
    insert(&store, &organization).await.unwrap();
    for _ in 0..3 {
        // On both lines, and on a connection of the pool.
        for _ in 0..2 {
            store.organization(organization.id).await.unwrap();
        }
        store.organizations().await.unwrap();
        database.sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        // The drivers hear of it when this runtime gets to it.
        tokio::task::yield_now().await;
        for _ in 0..2 {
            assert!(store.organization(organization.id).await.unwrap().is_some());
        }
        store.organizations().await.unwrap();
    }
}

#[tokio::test]
async fn a_row_that_somebody_else_holds_is_waited_for_no_longer_than_is_said() {
    let database = database();
    let options = OpenOptions { busy_timeout: Duration::from_millis(50), ..OpenOptions::default() };
    let store = DieselStore::open(database.url(), options).await.unwrap();
    let (stranger, connection) = tokio_postgres::connect(database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    stranger.batch_execute("BEGIN; LOCK TABLE organizations").await.unwrap();
    let organization = organization();
    let refused = insert(&store, &organization).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Unavailable(_)))), "{refused:?}");
    stranger.batch_execute("ROLLBACK").await.unwrap();
    insert(&store, &organization).await.unwrap();
}

#[tokio::test]
async fn a_read_only_database_is_not_ready_and_unavailable_to_writers_alone() {
    let database = database();
    let organization = organization();
    insert(&open(&database).await, &organization).await.unwrap();
    database.sql("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$");
    let store = open(&database).await;
    assert_unavailable(&store.check().await);
    let refused = insert(&store, &grantkeeper_testkit::entities::organization()).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Unavailable(_)))), "{refused:?}");
    assert!(store.organization(organization.id).await.unwrap().is_some());

    // The connections are what they were made as, and must not be used for ever.
    database.sql("SET default_transaction_read_only = off; DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET default_transaction_read_only', current_database()); END $$");
    let mut writes = 0;
    while insert(&store, &grantkeeper_testkit::entities::organization()).await.is_err() {
        writes += 1;
        assert!(writes <= OpenOptions::default().connections, "one connection at a time is given up");
    }
    store.check().await.unwrap();
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_made_once() {
    let database = database();
    let proxy = Proxy::to(database.url()).await;
    let store = DieselStore::open(proxy.url(), OpenOptions::default()).await.unwrap();
    for cut in [Cut::AfterCommit, Cut::BeforeCommit] {
        let mut organization = organization();
        let entry = audit_entry(&organization, START);
        proxy.cut(cut);
        let told = Change::Audit(entry.clone());
        store.commit(vec![Change::insert(organization.clone()), told]).await.unwrap();
        assert!(proxy.has_cut(), "{cut:?}");
        assert_eq!(store.newest_entries(organization.id, 10).await.unwrap(), [entry], "{cut:?}");

        // Of several entries too.
        proxy.cut(cut);
        let told = || Change::Audit(audit_entry(&organization, START));
        let inserted = Change::insert(account(&organization));
        store.commit(vec![told(), inserted, told(), told()]).await.unwrap();
        assert_eq!(store.accounts_in(organization.id).await.unwrap().len(), 1, "{cut:?}");
        assert_eq!(store.newest_entries(organization.id, 10).await.unwrap().len(), 4, "{cut:?}");

        proxy.cut(cut);
        let entry = audit_entry(&organization, START);
        store.commit(vec![Change::update(organization.clone()), Change::Audit(entry)]).await.unwrap();
        organization.version = organization.version.next();
        assert_eq!(store.organization(organization.id).await.unwrap(), Some(organization), "{cut:?}");
    }
}

#[tokio::test]
async fn a_commit_that_nothing_tells_of_may_have_been_made() {
    let database = database();
    let proxy = Proxy::to(database.url()).await;
    let store = DieselStore::open(proxy.url(), OpenOptions::default()).await.unwrap();
    for (cut, is_there) in [(Cut::AfterCommit, true), (Cut::BeforeCommit, false)] {
        let organization = organization();
        proxy.cut(cut);
        let unknown = insert(&store, &organization).await;
        assert!(matches!(unknown, Err(CommitError::Store(StoreError::Unavailable(_)))), "{unknown:?}");
        assert_eq!(store.organization(organization.id).await.unwrap().is_some(), is_there);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_outlives_the_runtimes_that_use_it() {
    let database = database();
    let store = Arc::new(open(&database).await);
    let organization = organization();
    insert(&store, &organization).await.unwrap();
    let using = (0..4).map(|_| {
        let (store, id) = (Arc::clone(&store), organization.id);
        tokio::task::spawn_blocking(move || {
            let worker = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            worker.block_on(async {
                for answer in join_all((0..50).map(|_| store.organization(id))).await {
                    assert!(answer.unwrap().is_some());
                }
                assert_eq!(store.organizations().await.unwrap().len(), 1);
            });
        })
    });
    for used in join_all(using).await {
        used.unwrap();
    }
    assert!(store.organization(organization.id).await.unwrap().is_some());
    assert_eq!(store.organizations().await.unwrap().len(), 1);
}
