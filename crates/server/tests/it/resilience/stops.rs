//! Refreshes whose process ends on the way.
//!
//! Two moments of a `kill -9` are survived: before the provider has made anything of the request, and after its answer
//! was committed. Between the two the provider has replaced the refresh token and nobody knows the new one: where old
//! ones are refused, that grant is lost, and its user has to authorize again. No test pretends otherwise. It takes a
//! journal of what was asked, and a provider with a grace period, to get a grant through that moment.

use std::time::Duration;

use grantkeeper_provider_simulator::{Fault, FaultEffect, FaultPlace, Simulator};
use reqwest::StatusCode;
use tokio::task::JoinHandle;

use crate::callers::Caller;
use crate::installation::{Installation, Running};
use crate::simulated;
use crate::stores::{Refusal, StoreKind, on_either_store};
use crate::waiting::eventually;

on_either_store!(
    a_refresh_that_the_provider_has_not_seen_is_made_by_the_next_process,
    a_refresh_that_was_committed_is_not_made_again,
    a_refresh_under_way_is_saved_before_the_service_stops,
);

/// Longer than any test runs.
const FOR_GOOD: Duration = Duration::from_secs(600);

/// An authorization at a provider that outlives the service.
struct Scene {
    upstream: Simulator,
    installation: Installation,
    caller: Caller,
    id: String,
}

impl Scene {
    async fn on(store: StoreKind) -> (Self, Running) {
        let upstream = simulated::provider();
        let installation = Installation::on(store);
        let caller = installation.caller(&installation.token("admin@acme.example", true));
        let running = installation.serve().await;
        let provider = caller.register_simulated(&upstream).await;
        let id = caller.authorize_unattended(&provider).await;
        upstream.reset();
        (Self { upstream, installation, caller, id }, running)
    }

    /// Somebody asks for a token that lives longer than the stored one. Their process may be killed meanwhile.
    fn somebody_wants_a_new_token(&self) -> JoinHandle<Option<StatusCode>> {
        let request = self.caller.request_for_token(&self.id, "?min_ttl=3600");
        tokio::spawn(async move { request.send().await.ok().map(|answer| answer.status()) })
    }

    async fn the_refresh_begins(&self) {
        eventually("the refresh to begin", async || (self.upstream.stats().max_in_flight == 1).then_some(()))
            .await;
    }
}

async fn a_refresh_that_the_provider_has_not_seen_is_made_by_the_next_process(store: StoreKind) {
    let (scene, running) = Scene::on(store).await;
    let Scene { upstream, installation, caller, id } = &scene;
    let old = caller.lent(id, "").await;
    // The request lies there until the service is dead, and is then never handled.
    upstream.set_faults([Fault::once(FaultPlace::Token, FaultEffect::Drop).delayed(FOR_GOOD)]);
    let asking = scene.somebody_wants_a_new_token();
    scene.the_refresh_begins().await;
    running.kill().await;
    assert_eq!(asking.await.unwrap(), None, "nobody was answered");
    installation.store.lapse_leases();

    let _next = installation.serve().await;
    let mut lent = vec![old];
    for _ in 0..2 {
        lent.push(caller.lent(id, "?min_ttl=3600").await);
        assert!(simulated::owner(upstream, &lent[lent.len() - 1]).await.is_some(), "a valid token");
    }
    lent.dedup();
    assert_eq!(lent.len(), 3, "a new one each time");
    let stats = upstream.stats();
    assert_eq!(simulated::refreshes(&stats), 2);
    simulated::assert_nothing_was_sent_twice(&stats);
}

async fn a_refresh_that_was_committed_is_not_made_again(store: StoreKind) {
    let (scene, running) = Scene::on(store).await;
    let Scene { upstream, installation, caller, id } = &scene;
    let old = caller.lent(id, "").await;
    // What a process leaves that is killed right after the commit: an answer in the row, and a lease that nobody gives
    // back.
    installation.store.refuse_updates("refresh_leases", "NEW.holder IS NULL", Refusal::Unnoticed);
    let asking = scene.somebody_wants_a_new_token();
    eventually("the commit", async || {
        (installation.store.count("authorizations WHERE last_refreshed_at IS NOT NULL") == 1).then_some(())
    })
    .await;
    running.kill().await;
    asking.await.unwrap();
    installation.store.admit_updates();
    assert_eq!(installation.store.count("refresh_leases WHERE holder IS NOT NULL"), 1);

    let _next = installation.serve().await;
    let saved = caller.lent(id, "").await;
    assert_ne!(saved, old);
    assert!(simulated::owner(upstream, &saved).await.is_some(), "a valid token");
    assert_eq!(simulated::refreshes(&upstream.stats()), 1, "the one that was committed");
    installation.store.lapse_leases();
    let next = caller.lent(id, "?min_ttl=3600").await;
    assert_ne!(next, saved);
    let stats = upstream.stats();
    assert_eq!(simulated::refreshes(&stats), 2);
    simulated::assert_nothing_was_sent_twice(&stats);
}

async fn a_refresh_under_way_is_saved_before_the_service_stops(store: StoreKind) {
    let (scene, running) = Scene::on(store).await;
    let Scene { upstream, installation, caller, id } = &scene;
    // Connections to the provider that were opened by requests must not end with the threads that answered these.
    for _ in 0..8 {
        assert_eq!(caller.get(&format!("/authorizedProviders/{id}/userinfo/")).await.0, StatusCode::OK);
    }
    upstream.reset();
    upstream.set_faults([Fault::slow(FaultPlace::Token, Duration::from_secs(2))]);
    let asking = scene.somebody_wants_a_new_token();
    scene.the_refresh_begins().await;
    assert_eq!(running.terminate().await, Some(0));
    // The caller had an answer, or a closed connection: what counts is the row.
    asking.await.unwrap();
    let _running = installation.serve().await;
    let (status, lent) = caller.access_token(id, "").await;
    assert_eq!(status, StatusCode::CREATED, "{lent}");
    assert!(lent["authorizedOauthProvider"]["lastRefreshedAt"].is_string(), "{lent}");
    caller.lent(id, "?min_ttl=3600").await;
    simulated::assert_nothing_was_sent_twice(&upstream.stats());
}
