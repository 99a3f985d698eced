//! Links and authorizations are the same thing, seen by two APIs.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::world::{LinkWorld, PROVIDER};
use crate::device::Device;
use crate::simulated;
use crate::stores::{StoreKind, on_either_store};
use crate::waiting::what_was_read_before_is_too_old;

on_either_store!(
    what_is_done_through_one_api_is_seen_through_the_other_at_once,
    the_newest_authorization_is_the_link_and_unlinking_ends_all_of_them,
    an_expired_link_that_can_be_refreshed_counts_as_authenticated,
);

async fn what_is_done_through_one_api_is_seen_through_the_other_at_once(store: StoreKind) {
    let world = LinkWorld::on(store).await;
    world.assert_not_linked().await;

    let id = world.member.authorize_unattended(&world.provider).await;
    let link = world.only_link().await;
    let told =
        ["provider_id", "authenticated", "has_refresh_token", "validate_error"].map(|member| &link[member]);
    assert_eq!(told, [&json!(PROVIDER), &json!(true), &json!(true), &json!("")], "{link}");
    let view = world.links.view(&world.provider).await;
    let (_, user) = world.member.get(&format!("/authorizedProviders/{id}/userinfo/")).await;
    assert_eq!((&view["authenticated"], &view["user"]["name"]), (&json!(true), &user["name"]), "{view}");
    let token = world.agent.lent(&format!("id={PROVIDER}&match=")).await;
    assert_eq!(token, world.member.lent(&id, "").await, "both lend the same");

    let unlinked = world.links.unlink(PROVIDER).await;
    let revoked = json!({ "token_revoked": true, "token_revocation_error": "" });
    assert_eq!(unlinked, (StatusCode::OK, revoked));
    assert_eq!(simulated::owner(&world.upstream, &token).await, None, "it is dead at the provider");
    let path = format!("/authorizedProviders/{id}/");
    assert_eq!(world.member.get(&path).await.0, StatusCode::NOT_FOUND);
    world.assert_not_linked().await;
    assert_eq!(world.links.unlink(PROVIDER).await.0, StatusCode::NOT_FOUND);

    Device::begin(&world.member, PROVIDER).await.linked().await;
    let [authorization] = world.authorizations().await.try_into().unwrap();
    let id = authorization["id"].as_str().unwrap();
    assert_eq!(world.only_link().await["authenticated"], json!(true));
    assert_eq!(world.member.delete(&format!("/authorizedProviders/{id}/")).await.0, StatusCode::NO_CONTENT);
    world.assert_not_linked().await;
}

async fn the_newest_authorization_is_the_link_and_unlinking_ends_all_of_them(store: StoreKind) {
    let world = LinkWorld::on(store).await;
    let mut tokens = BTreeMap::new();
    // The last one is the first person again: what counts is when they agreed.
    for person in ["alice", "bob", "alice"] {
        world.member.authorize_as(&world.provider, person).await;
        let token = world.agent.lent(&format!("id={PROVIDER}&match=")).await;
        assert_eq!(simulated::owner(&world.upstream, &token).await.as_deref(), Some(person));
        tokens.insert(person, token);
    }
    assert_eq!(world.authorizations().await.len(), 2);
    world.only_link().await;
    let (status, unlinked) = world.links.unlink(PROVIDER).await;
    assert_eq!((status, &unlinked["token_revoked"]), (StatusCode::OK, &json!(true)), "{unlinked}");
    for token in tokens.into_values() {
        assert_eq!(simulated::owner(&world.upstream, &token).await, None);
    }
    assert_eq!(world.authorizations().await, Vec::<Value>::new());
}

async fn an_expired_link_that_can_be_refreshed_counts_as_authenticated(store: StoreKind) {
    let world = LinkWorld::on(store).await;
    world.member.authorize_unattended(&world.provider).await;
    let expire = async || {
        world.installation.store.expire_access_tokens();
        what_was_read_before_is_too_old().await;
    };
    expire().await;
    let link = world.only_link().await;
    assert_eq!((&link["authenticated"], &link["validate_error"]), (&json!(true), &json!("")), "{link}");
    assert_eq!(simulated::refreshes(&world.upstream.stats()), 1);
    expire().await;
    assert_eq!(world.links.view(PROVIDER).await["authenticated"], json!(true));
    assert_eq!(simulated::refreshes(&world.upstream.stats()), 2);
    simulated::assert_nothing_was_sent_twice(&world.upstream.stats());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_provider_that_is_down_does_not_fail_the_list() {
    let world = LinkWorld::on(StoreKind::Sqlite).await;
    let other = simulated::provider();
    let down = world.admin.register_simulated(&other).await;
    for provider in [&world.provider, &down] {
        world.member.authorize_unattended(provider).await;
    }
    other.stop().await;
    let list = world.links.list().await;
    let links = list["links"].as_array().unwrap();
    assert_eq!(links.len(), 2, "{list}");
    for link in links {
        assert_eq!(link["authenticated"], json!(true), "nothing says that it does not hold: {link}");
        let is_up = link["provider_id"] == PROVIDER;
        assert_eq!(link["validate_error"] == "", is_up, "{link}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn links_of_removed_providers_are_gone() {
    let world = LinkWorld::on(StoreKind::Sqlite).await;
    world.member.authorize_unattended(&world.provider).await;
    let job = world.admin.delete_provider(&world.provider).await;
    let list = world.links.list().await;
    assert_eq!((&list["providers"], &list["links"]), (&json!([]), &json!([])), "from the first moment on");
    assert_eq!(world.admin.finished(&job).await["status"], "COMPLETED");
    let query = format!("id={PROVIDER}&match=");
    assert_eq!(world.agent.access(&query).await.0, StatusCode::NOT_FOUND);
}
