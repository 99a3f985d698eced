//! A database that is away in the middle of a refresh, and a provider that is away.

use std::sync::Arc;

use futures_util::future::join_all;
use grantkeeper_provider_simulator::{Fault, FaultPlace};
use grantkeeper_testkit::postgres::PostgresCluster;
use reqwest::StatusCode;
use serde_json::json;

use crate::fleet::REPLICAS;
use crate::gate::Held;
use crate::installation::Installation;
use crate::refresh_models::{Providers, ROTATING};
use crate::simulated;
use crate::stores::{Store, StoreKind, on_either_store};
use crate::unavailable::assert_unavailable;
use crate::waiting::eventually;

on_either_store!(while_a_provider_is_away_valid_tokens_are_lent_and_then_all_comes_back);

/// In seconds: time enough after the outage for a holder to be heard, in a debug build on a busy machine.
const LEASE: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_for_longer_than_a_lease_costs_no_grant() {
    let cluster = PostgresCluster::start_durable();
    let mut installation = Installation::over(Store::Postgres(Arc::new(cluster.fresh_database())));
    installation.run(&["migrate"]);
    installation.set("TOKENS__REFRESH_LEASE", &LEASE.to_string());
    let providers = Providers::start().await;
    providers.stand_in(&mut installation);
    let admin = installation.caller(&installation.token("admin@acme.example", true));
    let replicas = installation.serve_replicas(REPLICAS).await;
    let callers: Vec<_> = replicas.iter().map(|replica| admin.at(replica)).collect();
    let provider = providers.register(&admin, &ROTATING).await;
    let id = &admin.authorize_unattended(&provider).await;
    providers.forget_calls();
    installation.store.expire_access_tokens();
    // One of them has asked, and the provider has replaced the refresh token; the others wait for it.
    providers.gate.hold(Held::Answers);
    let waiting = callers.iter().map(|caller| caller.access_token(id, ""));
    for (status, waited) in join_all(waiting).await {
        assert_eq!(status, StatusCode::BAD_GATEWAY, "{waited}");
    }
    providers.gate.has_stopped(1).await;
    cluster.stop();
    providers.gate.open();
    eventually("the outage to outlast the lease", async || {
        for caller in &callers {
            assert_unavailable(caller.request_for_token(id, "").send().await.unwrap()).await;
        }
        // Once a second.
        (installation.log().matches("tokens cannot be stored yet").count() > LEASE).then_some(())
    })
    .await;
    cluster.start_again();

    let tokens = join_all(callers.iter().map(|caller| {
        eventually("a token", async || {
            let (status, lent) = caller.access_token(id, "").await;
            assert_ne!(status, StatusCode::GONE, "{lent}");
            (status == StatusCode::CREATED).then(|| lent["accessToken"].as_str().unwrap().to_owned())
        })
    }))
    .await;
    assert!(tokens.iter().all(|token| *token == tokens[0]), "one token for all");
    assert!(providers.honours(&ROTATING, &tokens[0]).await, "a valid token");
    assert_eq!(providers.refreshes(&ROTATING), 1);
    admin.lent(id, "?min_ttl=3600").await;
    simulated::assert_nothing_was_sent_twice(&providers.upstream.stats());
}

const PEOPLE: usize = 8;

async fn while_a_provider_is_away_valid_tokens_are_lent_and_then_all_comes_back(store: StoreKind) {
    let installation = Installation::on(store);
    let caller = installation.caller(&installation.token("admin@acme.example", true));
    let _running = installation.serve().await;
    let upstream = simulated::provider();
    let provider = caller.register_simulated(&upstream).await;
    let mut ids = Vec::new();
    for person in 0..PEOPLE {
        ids.push(caller.authorize_as(&provider, &format!("person-{person}")).await);
    }
    let (valid, expired) = ids.split_at(PEOPLE / 2);
    let store = &installation.store;
    store.expire_access_tokens();
    store.sql(&format!(
        "UPDATE authorizations SET expires_at = {} WHERE id IN (SELECT id FROM authorizations ORDER BY id LIMIT {})",
        store.in_half_an_hour(),
        valid.len()
    ));
    upstream.reset();
    upstream.set_faults([Fault::status(FaultPlace::Token, 503).until_cleared()]);
    for id in valid {
        // What they would like is not to be had, and what is there will do.
        let token = caller.lent(id, "?min_ttl=3600").await;
        assert!(simulated::owner(&upstream, &token).await.is_some(), "a valid token");
    }
    for id in expired {
        let (status, refused) = caller.access_token(id, "").await;
        assert_eq!(status, StatusCode::BAD_GATEWAY, "{refused}");
    }
    for id in &ids {
        let (_, view) = caller.get(&format!("/authorizedProviders/{id}/")).await;
        assert_eq!(view["status"], "active", "{view}");
    }

    upstream.set_faults([]);
    // All have expired, and the quarter of a minute is over that a refresh rests which has failed once.
    store.expire_access_tokens();
    store.sql(&format!("UPDATE authorizations SET next_attempt_at = {}", store.long_ago()));
    store.sql(&format!("UPDATE refreshes SET due_at = {}", store.long_ago()));
    eventually("all to be refreshed with nobody asking", async || {
        (simulated::refreshes(&upstream.stats()) == PEOPLE).then_some(())
    })
    .await;
    for id in &ids {
        let token = eventually("the token", async || {
            let (status, lent) = caller.access_token(id, "").await;
            (status == StatusCode::CREATED).then(|| lent["accessToken"].as_str().unwrap().to_owned())
        })
        .await;
        assert!(simulated::owner(&upstream, &token).await.is_some(), "a valid token");
        let (_, view) = caller.get(&format!("/authorizedProviders/{id}/")).await;
        assert_eq!((&view["status"], &view["statusReason"]), (&json!("active"), &json!(null)), "{view}");
    }
    assert!(upstream.stats().families.values().all(|family| family.alive), "nothing was lost");
}
