//! Refreshes ahead of expiry, which nobody asks for.

use std::collections::BTreeMap;

use grantkeeper_provider_simulator::{Simulator, Stats};
use reqwest::StatusCode;

use crate::callers::Caller;
use crate::installation::{Installation, Running};
use crate::simulated;
use crate::stores::{StoreKind, on_either_store};
use crate::waiting::eventually;

on_either_store!(tokens_in_use_are_refreshed_ahead_of_their_expiry_and_idle_ones_are_left_alone);

/// The lifetime of access tokens in seconds: half of it is over when they are refreshed, or a little more.
const SHORT: u32 = 10;
const PEOPLE: usize = 8;

/// How often each refresh token of a provider was used.
fn refreshes_of_families(stats: &Stats) -> BTreeMap<String, usize> {
    let mut refreshes: BTreeMap<_, _> = stats.families.keys().map(|family| (family.clone(), 0)).collect();
    for call in &stats.token_calls {
        if call.grant.as_deref() == Some("refresh_token") {
            *refreshes.get_mut(call.family.as_ref().unwrap()).unwrap() += 1;
        }
    }
    refreshes
}

async fn authorize_all(caller: &Caller, provider: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for person in 0..PEOPLE {
        ids.push(caller.authorize_as(provider, &format!("person-{person}")).await);
    }
    ids
}

/// Waits until each of the grants that are in use was refreshed so often.
async fn all_are_refreshed(upstream: &Simulator, times: usize) {
    eventually("each to be refreshed", async || {
        let refreshes = refreshes_of_families(&upstream.stats());
        (refreshes.values().filter(|refreshes| **refreshes >= times).count() == PEOPLE).then_some(())
    })
    .await;
}

async fn tokens_in_use_are_refreshed_ahead_of_their_expiry_and_idle_ones_are_left_alone(store: StoreKind) {
    let installation = Installation::on(store);
    let caller = installation.caller(&installation.token("admin@acme.example", true));
    let upstream = simulated::provider();
    let running = installation.serve().await;
    let provider = caller.register_simulated(&upstream).await;
    let idle = caller.authorize_as(&provider, "idle").await;
    // Nobody has wanted its token for long; its refresh would be due, were it in use.
    let (store, long_ago) = (&installation.store, installation.store.long_ago());
    store.expire_access_tokens();
    store.sql(&format!("UPDATE authorizations SET grant_since = {long_ago}, used_at = {long_ago}"));
    store.sql(&format!("UPDATE refreshes SET last_used_at = {long_ago}, due_at = {long_ago}"));
    eventually("it to be found idle", async || {
        (store.count("refreshes WHERE due_at IS NULL") == 1).then_some(())
    })
    .await;
    upstream.update_settings(|settings| settings.access_token_lifetime = SHORT);
    let ids = authorize_all(&caller, &provider).await;
    all_are_refreshed(&upstream, 1).await;
    assert_eq!(running.terminate().await, Some(0));

    let stats = upstream.stats();
    simulated::assert_nothing_was_sent_twice(&stats);
    let never = refreshes_of_families(&stats).values().filter(|refreshes| **refreshes == 0).count();
    assert_eq!(never, 1, "the idle one");
    // Whoever comes after all finds it as good as the others.
    upstream.update_settings(|settings| settings.access_token_lifetime = 3600);
    let _running: Running = installation.serve().await;
    for id in ids.iter().chain([&idle]) {
        let token = caller.lent(id, "?min_ttl=3600").await;
        assert!(simulated::owner(&upstream, &token).await.is_some(), "a valid token");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_share_the_work_and_do_none_of_it_twice() {
    let installation = Installation::on(StoreKind::Postgres);
    let caller = installation.caller(&installation.token("admin@acme.example", true));
    let upstream = simulated::provider();
    upstream.update_settings(|settings| settings.access_token_lifetime = SHORT);
    // Who has held a lease.
    installation.store.sql(
        "CREATE TABLE holders (holder text PRIMARY KEY);
         CREATE FUNCTION note_holder() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN INSERT INTO holders VALUES (NEW.holder) ON CONFLICT DO NOTHING; RETURN NULL; END $$;
         CREATE TRIGGER note_holder AFTER UPDATE ON refreshes FOR EACH ROW WHEN (NEW.holder IS NOT NULL)
         EXECUTE FUNCTION note_holder()",
    );
    let replicas = installation.serve_replicas(2).await;
    let provider = caller.register_simulated(&upstream).await;
    authorize_all(&caller, &provider).await;
    all_are_refreshed(&upstream, 2).await;
    eventually("both to have done some of it", async || {
        (installation.store.count("holders") == 2).then_some(())
    })
    .await;
    for replica in replicas {
        assert_eq!(replica.get("/readyz").await.0, StatusCode::OK);
        assert_eq!(replica.terminate().await, Some(0));
    }
    simulated::assert_nothing_was_sent_twice(&upstream.stats());
}
