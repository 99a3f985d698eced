//! A client secret that is wrong, and then right again.

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;

use crate::fleet::{Fleet, REPLICAS};
use crate::waiting::eventually;

const PEOPLE: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_disables_a_provider_once_and_the_right_one_brings_all_back() {
    let fleet = Fleet::new().await;
    let store = &fleet.installation.store;
    let provider = fleet.admin.register_simulated(&fleet.upstream).await;
    let mut ids = Vec::new();
    for person in 0..PEOPLE {
        ids.push(fleet.member.authorize_as(&provider, &format!("person-{person}")).await);
    }
    let path = format!("/providers/{provider}/");
    let wrong = json!({ "clientSecret": "wrong-secret" });
    assert_eq!(fleet.admin.patch_json(&path, &wrong).await.0, StatusCode::OK);
    store.expire_access_tokens();
    let members = fleet.everywhere(&fleet.member);
    let asking = ids.iter().enumerate().map(|(person, id)| members[person % REPLICAS].access_token(id, ""));
    for (status, refused) in join_all(asking).await {
        assert_eq!(status, StatusCode::FORBIDDEN, "{refused}");
    }
    let disabled = "audit_entries WHERE action = 'provider.disabled'";
    assert_eq!((store.count(disabled), &fleet.admin.get(&path).await.1["status"]), (1, &json!("disabled")));
    for id in &ids {
        let (_, view) = fleet.member.get(&format!("/authorizedProviders/{id}/")).await;
        assert_eq!(view["status"], "invalidOAuthClient", "{view}");
    }

    fleet.upstream.reset();
    let right = json!({ "clientSecret": "the-right-secret" });
    assert_eq!(fleet.admin.patch_json(&path, &right).await.0, StatusCode::OK);
    // What those who were refused wait for is over, whatever that was.
    let long_ago = store.long_ago();
    store.sql(&format!("UPDATE authorizations SET next_attempt_at = {long_ago}"));
    store.sql(&format!("UPDATE refreshes SET due_at = {long_ago}"));
    let refreshed = "authorizations WHERE last_refreshed_at IS NOT NULL AND last_failure IS NULL";
    eventually("all to be refreshed with nobody asking", async || {
        (store.count(refreshed) == PEOPLE).then_some(())
    })
    .await;
    for id in &ids {
        let (_, view) = fleet.member.get(&format!("/authorizedProviders/{id}/")).await;
        assert_eq!(view["status"], "active", "{view}");
    }
    assert_eq!(store.count(disabled), 1);
    assert!(fleet.upstream.stats().families.values().all(|family| family.alive), "nothing was lost");
}
