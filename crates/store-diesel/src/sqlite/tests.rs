//! The threads: what a failure costs, and whom.

use std::sync::mpsc;
use std::time::Duration;

use diesel::connection::{SimpleConnection, TransactionManager};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;
use grantkeeper_domain::StoreError;
use tempfile::TempDir;

use super::{Location, Sqlite};
use crate::OpenOptions;
use crate::failure::Failure;

fn database() -> (Sqlite, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::File(folder.path().join("store.db"));
    (Sqlite::open(&location, OpenOptions { readers: 1, ..OpenOptions::default() }).unwrap(), folder)
}

fn add(name: &str) -> impl FnOnce(&mut SqliteConnection) -> Result<(), Failure> + Send + use<> {
    let statement = format!(
        "INSERT INTO organizations (id, name, redirect_uris, created_at, version)
         VALUES (randomblob(16), '{name}', '[]', 0, 1)"
    );
    move |c| Ok(c.batch_execute(&statement)?)
}

async fn names(sqlite: &Sqlite) -> Vec<String> {
    sqlite.read(|c| Ok(sql::<Text>("SELECT name FROM organizations ORDER BY name").load(c)?)).await.unwrap()
}

#[tokio::test]
async fn a_panic_costs_its_own_caller_an_error() {
    let (sqlite, _folder) = database();
    let panicked = sqlite
        .write(|c| {
            add("undone")(c)?;
            panic!("a bug");
            #[expect(unreachable_code, reason = "it gives the closure its type")]
            Ok(())
        })
        .await;
    assert!(matches!(panicked, Err(Failure::Panicked)));
    let panicked = sqlite.read(|_| -> Result<(), _> { panic!("a bug") }).await;
    assert!(matches!(panicked, Err(Failure::Panicked)));

    sqlite.write(add("kept")).await.unwrap();
    assert_eq!(names(&sqlite).await, ["kept"]);
}

#[tokio::test]
async fn readers_cannot_write() {
    let (sqlite, _folder) = database();
    assert!(sqlite.read(add("never")).await.is_err());
    assert_eq!(names(&sqlite).await, [""; 0]);
}

#[tokio::test]
async fn a_query_that_nobody_waits_for_is_left_out() {
    let (sqlite, _folder) = database();
    let (let_go, held) = mpsc::channel::<()>();
    let (ran, runs) = mpsc::channel();
    let holding = sqlite.read(move |_| Ok(held.recv().is_ok()));
    let abandoned = sqlite.read(move |_| Ok(ran.send(()).is_ok()));
    let holding = async {
        // Both are queued, then the second is dropped, then the first is let go.
        tokio::pin!(holding);
        let mut abandoned = Box::pin(abandoned);
        tokio::select! {
            biased;
            _ = &mut holding => unreachable!("it is held"),
            _ = &mut abandoned => unreachable!("it is behind the other"),
            () = std::future::ready(()) => {}
        }
        drop(abandoned);
        let_go.send(()).unwrap();
        holding.await
    };
    assert!(holding.await.unwrap());
    // The one reader has taken the next query, so it is past the abandoned one.
    names(&sqlite).await;
    assert!(runs.try_recv().is_err());
}

/// Runs three pieces of work in one transaction: the writer is held by another one until all of them are queued.
async fn together<T: Send + 'static>(
    sqlite: &Sqlite,
    second: impl FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static,
) -> (Result<(), Failure>, Result<T, Failure>, Result<(), Failure>) {
    let (let_go, held) = mpsc::channel::<()>();
    let holding = sqlite.write(move |_| Ok(held.recv().is_ok()));
    let third = async {
        let third = sqlite.write(add("third"));
        tokio::pin!(third);
        tokio::select! {
            biased;
            _ = &mut third => unreachable!("it is behind the first"),
            () = std::future::ready(()) => {}
        }
        let_go.send(()).unwrap();
        third.await
    };
    let (_, first, second, third) =
        tokio::join!(biased; holding, sqlite.write(add("first")), sqlite.write(second), third);
    (first, second, third)
}

#[tokio::test]
async fn work_that_fails_is_undone_alone() {
    let (sqlite, _folder) = database();
    let failing = |c: &mut SqliteConnection| -> Result<(), Failure> {
        add("undone")(c)?;
        Err(Failure::Conflict)
    };
    let (first, second, third) = together(&sqlite, failing).await;
    assert!(matches!((first, second, third), (Ok(()), Err(Failure::Conflict), Ok(()))));
    assert_eq!(names(&sqlite).await, ["first", "third"]);
}

#[tokio::test]
async fn work_that_fails_alone_is_undone() {
    let (sqlite, _folder) = database();
    let failing = |c: &mut SqliteConnection| -> Result<(), Failure> {
        add("undone")(c)?;
        Err(Failure::Conflict)
    };
    assert!(matches!(sqlite.write(failing).await, Err(Failure::Conflict)));
    sqlite.write(add("kept")).await.unwrap();
    assert_eq!(names(&sqlite).await, ["kept"]);
}

#[tokio::test]
async fn work_that_lost_its_transaction_is_not_told_that_it_was_done() {
    let (sqlite, _folder) = database();
    // As SQLite itself does on a full disk.
    let lost = sqlite.write(|c| Ok(c.batch_execute("ROLLBACK")?)).await;
    assert!(matches!(lost, Err(Failure::NotCommitted(_))), "{lost:?}");
    sqlite.write(add("kept")).await.unwrap();
    assert_eq!(names(&sqlite).await, ["kept"]);
}

#[tokio::test]
async fn nobody_is_told_of_what_was_undone_with_the_transaction() {
    let (sqlite, _folder) = database();
    // As SQLite itself does on a full disk.
    let (first, second, third) = together(&sqlite, |c| Ok(c.batch_execute("ROLLBACK")?)).await;
    assert!(matches!(first, Err(Failure::NotCommitted(_))), "{first:?}");
    assert!(matches!(second, Err(Failure::NotCommitted(_))), "{second:?}");
    third.unwrap();
    assert_eq!(names(&sqlite).await, ["third"]);
}

#[tokio::test]
async fn a_connection_that_lost_its_transaction_is_replaced() {
    let (sqlite, _folder) = database();
    let lost = sqlite
        .write(|c| {
            <SqliteConnection as Connection>::TransactionManager::transaction_manager_status_mut(c)
                .set_in_error();
            Ok(())
        })
        .await;
    assert!(matches!(lost, Err(Failure::NotCommitted(_))), "{lost:?}");
    sqlite.write(add("kept")).await.unwrap();
    assert_eq!(names(&sqlite).await, ["kept"]);
}

#[tokio::test]
async fn a_full_disk_is_a_passing_failure() {
    let (sqlite, _folder) = database();
    sqlite.write(|c| Ok(c.batch_execute("PRAGMA max_page_count = 1")?)).await.unwrap();
    let big = "x".repeat(1 << 20);
    let failure = sqlite.write(add(&big)).await.unwrap_err();
    let failure = StoreError::from(failure);
    assert!(matches!(failure, StoreError::Unavailable(_)), "{failure:?}");

    sqlite.write(|c| Ok(c.batch_execute("PRAGMA max_page_count = 100000")?)).await.unwrap();
    sqlite.write(add("room")).await.unwrap();
    assert_eq!(names(&sqlite).await, ["room"]);
}

#[tokio::test]
async fn those_who_wait_for_a_held_database_wait_together() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let options = OpenOptions { busy_timeout: Duration::from_millis(20), ..OpenOptions::default() };
    let sqlite = Sqlite::open(&Location::File(path.clone()), options).unwrap();
    let mut stranger = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    stranger.batch_execute("BEGIN IMMEDIATE").unwrap();

    let first = async {
        let refused = sqlite.write(add("first")).await;
        stranger.batch_execute("ROLLBACK").unwrap();
        refused
    };
    let (first, second, third) = tokio::join!(biased; first, sqlite.write(add("b")), sqlite.write(add("c")));
    for refused in [first, second, third] {
        assert!(matches!(refused, Err(Failure::NotCommitted(_))), "{refused:?}");
    }
    sqlite.write(add("later")).await.unwrap();
    assert_eq!(names(&sqlite).await, ["later"]);
}

#[tokio::test]
async fn dropping_waits_for_what_was_begun() {
    let (sqlite, folder) = database();
    {
        let writing = sqlite.write(add("begun"));
        tokio::pin!(writing);
        tokio::select! {
            biased;
            _ = &mut writing => {}
            () = std::future::ready(()) => {}
        }
    }
    drop(sqlite);
    let location = Location::File(folder.path().join("store.db"));
    let sqlite = Sqlite::open(&location, OpenOptions::default()).unwrap();
    assert_eq!(names(&sqlite).await, ["begun"]);
}
