//! A process that is told to stop while it refreshes.

use std::time::Duration;

use grantkeeper_provider_simulator::{Fault, FaultPlace};
use reqwest::StatusCode;

use crate::installation::Installation;
use crate::simulated;
use crate::stores::{StoreKind, on_either_store};
use crate::waiting::eventually;

on_either_store!(a_refresh_under_way_is_saved_before_the_service_stops);

async fn a_refresh_under_way_is_saved_before_the_service_stops(store: StoreKind) {
    let upstream = simulated::provider();
    let installation = Installation::on(store);
    let caller = installation.caller(&installation.token("admin@acme.example", true));
    let running = installation.serve().await;
    let provider = caller.register_simulated(&upstream).await;
    let id = &caller.authorize_unattended(&provider).await;
    // Connections to the provider that were opened by requests must not end with the threads that answered these.
    for _ in 0..8 {
        assert_eq!(caller.get(&format!("/authorizedProviders/{id}/userinfo/")).await.0, StatusCode::OK);
    }
    upstream.reset();
    upstream.set_faults([Fault::slow(FaultPlace::Token, Duration::from_secs(2))]);
    let request = caller.request_for_token(id, "?min_ttl=3600");
    let asking = tokio::spawn(async move { request.send().await.ok().map(|answer| answer.status()) });
    eventually("the refresh to begin", async || (upstream.stats().max_in_flight == 1).then_some(())).await;
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
