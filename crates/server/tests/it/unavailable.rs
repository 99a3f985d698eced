//! A store that cannot work now: what callers are told, and that it passes.
//!
//! A PostgreSQL server whose disk is full cannot be had without a disk of its own. Its error is one of those that tell of a
//! bad moment, like that of a database which may only be read.

use std::time::Duration;

use futures_util::future::join_all;
use grantkeeper_provider_simulator::{Fault, FaultPlace, Simulator};
use grantkeeper_testkit::postgres::PostgresCluster;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::callers::Caller;
use crate::installation::{Installation, Running};
use crate::simulated;
use crate::stores::{Store, StoreKind, on_either_store};
use crate::waiting::eventually;

on_either_store!(
    while_somebody_else_writes_nothing_is_handed_out,
    a_refresh_that_cannot_be_saved_at_once_is_saved_later,
);

/// The API's own way of saying that the store is away.
pub(crate) async fn assert_unavailable(answer: Response) {
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
    assert_eq!(headers["retry-after"], "1");
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(
        body,
        json!({ "message": "the service cannot reach its store; try again", "errorFields": [] })
    );
}

/// Where no token leaves that no audit entry tells of.
fn strict(mut installation: Installation) -> Installation {
    installation.set("TOKENS__HAND_OUT_RECORD", "before_release");
    installation
}

/// A service with one authorization.
struct Scene {
    upstream: Simulator,
    installation: Installation,
    running: Running,
    caller: Caller,
    id: String,
}

impl Scene {
    async fn of(installation: Installation) -> Self {
        let installation = strict(installation);
        let running = installation.serve().await;
        Self::with(installation, running).await
    }

    async fn with(installation: Installation, running: Running) -> Self {
        let upstream = simulated::provider();
        let caller = installation.caller(&installation.token("admin@acme.example", true));
        let provider = caller.register_simulated(&upstream).await;
        let id = caller.authorize_unattended(&provider).await;
        Self { upstream, installation, running, caller, id }
    }

    async fn is_refused_a_token(&self) {
        assert_unavailable(self.caller.request_for_token(&self.id, "").send().await.unwrap()).await;
    }

    /// Whether it reads, as it does where only writing is a problem.
    async fn shows_things(&self) {
        for path in ["/providers/", "/authorizedProviders/", &format!("/authorizedProviders/{}/", self.id)] {
            let (status, shown) = self.caller.get(path).await;
            assert_eq!(status, StatusCode::OK, "{path}: {shown}");
        }
    }

    async fn is_unready(&self) {
        let (status, told) = self.running.get("/readyz").await;
        assert_eq!((status, &told["failed"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(["store"])), "{told}");
        assert_eq!(self.running.get("/healthz").await.0, StatusCode::OK, "the process itself is well");
    }

    /// Everything works, without anything having been done for it.
    async fn is_well(&self) {
        assert_eq!(self.running.get("/readyz").await, (StatusCode::OK, json!({ "status": "ok" })));
        self.shows_things().await;
        let token = self.caller.lent(&self.id, "?min_ttl=3600").await;
        assert!(simulated::owner(&self.upstream, &token).await.is_some());
        simulated::assert_nothing_was_sent_twice(&self.upstream.stats());
    }
}

async fn while_somebody_else_writes_nothing_is_handed_out(store: StoreKind) {
    let scene = Scene::of(Installation::on(store)).await;
    let stranger = scene.installation.store.hold_writes().await;
    scene.shows_things().await;
    let callers = join_all((0..4).map(|_| scene.is_refused_a_token()));
    match store {
        StoreKind::Sqlite => drop(tokio::join!(callers, scene.is_unready())),
        // Only the writers of some rows are held up there.
        StoreKind::Postgres => drop(callers.await),
    }
    stranger.let_go().await;
    scene.is_well().await;
}

async fn a_refresh_that_cannot_be_saved_at_once_is_saved_later(store: StoreKind) {
    let scene = Scene::of(Installation::on(store)).await;
    let Scene { upstream, installation, caller, id, .. } = &scene;
    let old = caller.lent(id, "").await;
    installation.store.expire_access_tokens();
    upstream.reset();
    upstream.set_faults([Fault::slow(FaultPlace::Token, Duration::from_secs(3))]);
    let asking = caller.request_for_token(id, "?min_ttl=3600");
    let asking = tokio::spawn(async move { asking.send().await.unwrap().status() });
    eventually("the refresh to begin", async || (upstream.stats().max_in_flight == 1).then_some(())).await;
    let stranger = installation.store.hold_writes().await;
    let status = asking.await.unwrap();
    assert!([StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE].contains(&status), "{status}");
    eventually("an attempt to fail", async || {
        installation.log().contains("tokens cannot be stored yet").then_some(())
    })
    .await;
    stranger.let_go().await;
    let new = eventually("the token", async || {
        let (status, lent) = caller.access_token(id, "").await;
        (status == StatusCode::CREATED).then(|| lent["accessToken"].as_str().unwrap().to_owned())
    })
    .await;
    assert_ne!(new, old);
    assert_eq!(simulated::refreshes(&upstream.stats()), 1);
    scene.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_somebody_has_locked_holds_up_whoever_reads_it_and_for_no_longer() {
    let scene = Scene::of(Installation::on(StoreKind::Postgres)).await;
    let stranger = scene.installation.store.lock("authorizations").await;
    let callers = (0..8).map(|_| scene.is_refused_a_token());
    let other = async { assert_eq!(scene.running.get("/healthz").await.0, StatusCode::OK) };
    tokio::join!(join_all(callers), other);
    stranger.let_go().await;
    scene.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_may_only_be_read_is_read() {
    let scene = Scene::of(Installation::on(StoreKind::Postgres)).await;
    become_read_only(&scene.installation.store, true);
    eventually("the process to notice", async || {
        (scene.running.get("/readyz").await.0 != StatusCode::OK).then_some(())
    })
    .await;
    scene.is_unready().await;
    scene.shows_things().await;
    scene.is_refused_a_token().await;
    let body = json!({ "name": "E2E", "type": "oidc", "clientId": "any", "clientSecret": "secret", "host": scene.upstream.url() });
    let request = scene.caller.request(Method::POST, "/providers/").body(body.to_string());
    assert_unavailable(request.header("content-type", "application/json").send().await.unwrap()).await;
    become_read_only(&scene.installation.store, false);
    eventually("the process to notice", async || {
        (scene.running.get("/readyz").await.0 == StatusCode::OK).then_some(())
    })
    .await;
    scene.is_well().await;
}

/// As when another server takes over, which cannot be written to (yet): connections end, and new ones find it so. When
/// it can be written to, nobody is told.
fn become_read_only(store: &Store, read_only: bool) {
    let switch = if read_only { "on" } else { "off" };
    let switch = format!(
        "SET default_transaction_read_only = off;
         DO $$ BEGIN EXECUTE format(
             'ALTER DATABASE %I SET default_transaction_read_only = {switch}', current_database()
         ); END $$"
    );
    store.sql(&switch);
    if read_only {
        store.end_connections();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_grow_is_read() {
    let installation = strict(Installation::new());
    let running = installation.serve_with_limited_files().await;
    let scene = Scene::with(installation, running).await;
    // Now nothing can be written any more: the disk is full, for this process alone.
    scene.running.limit_files(Some(0));
    for _ in 0..2 {
        scene.shows_things().await;
        scene.is_refused_a_token().await;
    }
    scene.running.limit_files(None);
    scene.is_well().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_written_keeps_nobody_from_a_token() {
    let installation = Installation::new();
    let running = installation.serve_with_full_log().await;
    Scene::with(installation, running).await.is_well().await;
}

#[test]
fn a_store_that_is_gone_at_the_start_is_named() {
    let cluster = PostgresCluster::start();
    let installation = Installation::over(Store::Postgres(std::sync::Arc::new(cluster.fresh_database())));
    installation.run(&["migrate"]);
    cluster.stop();
    for command in [&["serve"][..], &["migrate"], &["org", "list"]] {
        let why = installation.refuses(command);
        assert!(
            why.contains("the PostgreSQL database") && why.contains("check that the server runs"),
            "{why}"
        );
        assert!(!why.contains(password(&installation).as_str()), "the message holds the password: {why}");
    }
    cluster.start_again();
    installation.run(&["org", "list"]);

    let mut installation = Installation::new();
    installation.set("DATABASE_URL", "sqlite:///no/such/folder/grantkeeper.db");
    let why = installation.refuses(&["serve"]);
    assert!(why.contains("the folder /no/such/folder does not exist"), "{why}");
}

fn password(installation: &Installation) -> String {
    url::Url::parse(&installation.store.url()).unwrap().password().unwrap().to_owned()
}
