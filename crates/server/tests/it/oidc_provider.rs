//! The main job against npm `oidc-provider`: a provider that nobody here wrote, with rotation and reuse detection.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::json;

use crate::callers::detail;
use crate::waiting::eventually;
use crate::world::{WEB, World, id_of};

#[tokio::test(flavor = "multi_thread")]
async fn authorize_hand_out_look_up() {
    let Some(world) = World::new(WEB).await else { return };
    let completed = world.authorize("alice").await;
    assert_eq!(completed["userInfo"]["sub"], "alice");
    assert_eq!(completed["userInfo"]["email"], "alice@example.test");
    let id = id_of(&completed);
    assert_eq!(completed["authorizedProvider"]["missingScopes"], json!([]));
    let token = world.member.lent(&id, "").await;
    assert!(world.upstream.is_active(&token).await);
    let (status, user) = world.member.get(&format!("/authorizedProviders/{id}/userinfo/")).await;
    assert_eq!((status, &user["nickname"]), (StatusCode::OK, &json!("alice")), "{user}");
    assert_eq!(id_of(&world.authorize("alice").await), id, "the same account keeps its id");
    assert_ne!(id_of(&world.authorize("bob").await), id, "another account is a second authorization");
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_callers_cause_one_refresh_and_get_one_token() {
    let Some(world) = World::new(WEB).await else { return };
    let id = id_of(&world.authorize("alice").await);
    let old = world.member.lent(&id, "").await;
    // Slow enough for all callers to come while the refresh is under way.
    world
        .upstream
        .control("faults", &json!({ "route": "token", "grant": "refresh_token", "delay_ms": 1500 }))
        .await;
    let callers = (0..64).map(|_| {
        let (member, id) = (world.member.clone(), id.clone());
        tokio::spawn(async move { member.access_token(&id, "?min_ttl=3600").await })
    });
    let mut tokens = BTreeSet::new();
    for caller in callers.collect::<Vec<_>>() {
        let (status, lent) = caller.await.unwrap();
        assert_eq!(status, StatusCode::CREATED, "{lent}");
        tokens.insert(lent["accessToken"].as_str().unwrap().to_owned());
    }
    assert_eq!(tokens.len(), 1, "one token for all");
    assert!(!tokens.contains(&old), "a new one");
    let (refreshes, statuses) = world.upstream.token_calls("refresh_token").await;
    assert_eq!(refreshes, 1, "one upstream refresh: {statuses}");
    // A second use of the rotated token would have killed the grant.
    let next = world.member.lent(&id, "?min_ttl=3600").await;
    assert!(!tokens.contains(&next));
    assert!(world.upstream.is_active(&next).await, "the grant lives");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_no_revocation_and_a_revocation_is_final() {
    let Some(world) = World::new(WEB).await else { return };
    let id = id_of(&world.authorize("alice").await);
    let path = format!("/authorizedProviders/{id}/");
    world.upstream.control("faults", &json!({ "route": "token", "status": 502, "body": "<html>" })).await;
    let token = world.member.lent(&id, "?min_ttl=3600").await;
    assert!(world.upstream.is_active(&token).await, "the stored token is handed out in an outage");
    let (_, view) = world.member.get(&path).await;
    assert_eq!((&view["status"], view["nextAttemptAt"].is_string()), (&json!("active"), true), "{view}");
    // It is over, and what became of the refresh in it is of no account any more.
    assert_ne!(world.member.lent(&id, "?min_ttl=3600").await, token);
    world.upstream.control("revoke-user", &json!({ "account": "alice" })).await;
    // A user lookup cannot do without a token that the provider takes.
    let (status, gone) = world.member.get(&format!("{path}userinfo/")).await;
    assert_eq!(status, StatusCode::GONE, "{gone}");
    let (_, view) = world.member.get(&path).await;
    assert_eq!(
        (&view["status"], &view["statusReason"]),
        (&json!("expired"), &json!("invalid_grant")),
        "{view}"
    );
    assert_eq!(world.member.access_token(&id, "").await.0, StatusCode::GONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_an_authorization_revokes_it_upstream() {
    let Some(world) = World::new(WEB).await else { return };
    let id = id_of(&world.authorize("alice").await);
    let token = world.member.lent(&id, "").await;
    let path = format!("/authorizedProviders/{id}/");
    assert_eq!(world.member.delete(&path).await.0, StatusCode::NO_CONTENT);
    assert_eq!(world.member.get(&path).await.0, StatusCode::NOT_FOUND);
    eventually("the revocation", async || (!world.upstream.is_active(&token).await).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_provider_revokes_all_of_it_by_job() {
    let Some(world) = World::new(WEB).await else { return };
    let mut tokens = Vec::new();
    for account in ["alice", "bob", "carol"] {
        let id = id_of(&world.authorize(account).await);
        tokens.push(world.member.lent(&id, "").await);
    }
    let job = world.admin.delete_provider(&world.provider).await;
    let job = world.admin.finished(&job).await;
    assert_eq!(job["status"], "COMPLETED", "{job}");
    assert_eq!(detail(&job, "authorization_ids").as_array().unwrap().len(), 3);
    for receipt in detail(&job, "revocations").as_array().unwrap() {
        assert_eq!(receipt["status"], "revoked", "{receipt}");
    }
    for token in tokens {
        assert!(!world.upstream.is_active(&token).await);
    }
    assert_eq!(world.admin.get(&format!("/providers/{}/", world.provider)).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_secret_may_have_any_characters() {
    let Some(world) = World::new(("web:odd", "s3cr+t/=&% :x")).await else { return };
    let id = id_of(&world.authorize("alice").await);
    assert!(world.upstream.is_active(&world.member.lent(&id, "?min_ttl=3600").await).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_client_secret_disables_the_provider_and_the_right_one_brings_it_back() {
    let Some(world) = World::new(("web", "not the secret")).await else { return };
    let page = world.member.start_flow(&world.provider).await;
    let location = world.upstream.log_in(&page, "alice").await;
    let (status, refused) = world.member.complete(&world.provider, &location).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
    let path = format!("/providers/{}/", world.provider);
    assert_eq!(world.admin.get(&path).await.1["status"], "disabled");
    let (status, patched) = world.admin.patch_json(&path, &json!({ "clientSecret": "web-secret" })).await;
    assert_eq!(status, StatusCode::OK, "{patched}");
    world.authorize("alice").await;
    let log = world.installation.log();
    assert!(!log.contains("not the secret") && !log.contains("web-secret"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_may_refuse() {
    let Some(world) = World::new(WEB).await else { return };
    let page = world.member.start_flow(&world.provider).await;
    let location = world.upstream.log_in(&page, "deny").await;
    assert!(location.contains("error=access_denied"), "{location}");
    let (_, list) = world.member.get("/authorizedProviders/").await;
    assert_eq!(list["data"], json!([]));
}
