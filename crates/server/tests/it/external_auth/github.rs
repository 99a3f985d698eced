//! What is particular at GitHub: one token of several, installations of an app, and limits that say nothing of a token.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::git::Clouds;
use crate::callers::{Caller, answer, client};

const GITHUB: &str = "github";

impl Clouds {
    async fn set_at_github(&self, settings: Value) {
        let url = format!("{}/control/sites/{GITHUB}/settings", self.simulator);
        let changed = answer(client().post(url).body(settings.to_string())).await;
        assert_eq!(changed.0, StatusCode::OK, "{}", changed.1);
    }

    /// Whether GitHub takes an access token.
    async fn takes(&self, token: &str) -> bool {
        let url = format!("{}/api.github.com/user", self.simulator);
        // GitHub refuses callers without a name.
        let request = client().get(url).bearer_auth(token).header("user-agent", "e2e");
        request.send().await.unwrap().status() == StatusCode::OK
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unlinking_revokes_the_one_token_and_not_every_grant_of_the_app() {
    let clouds = Clouds::new().await;
    let provider = clouds.register(GITHUB, json!({})).await;
    let other = clouds.installation.caller(&clouds.installation.token("other@acme.example", false));
    let linked = async |caller: &Caller| {
        let id = caller.authorize_unattended(&provider).await;
        caller.lent(&id, "").await
    };
    let (ours, theirs) = (linked(&clouds.member).await, linked(&other).await);
    assert!(clouds.takes(&ours).await && clouds.takes(&theirs).await);
    assert_eq!(clouds.links.view(GITHUB).await["supports_revocation"], json!(true));

    let (status, unlinked) = clouds.links.unlink(GITHUB).await;
    assert_eq!((status, &unlinked["token_revoked"]), (StatusCode::OK, &json!(true)), "{unlinked}");
    assert!(!clouds.takes(&ours).await);
    assert!(clouds.takes(&theirs).await, "what the same person has allowed elsewhere lives on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_leaves_a_link_as_it_is() {
    let clouds = Clouds::new().await;
    let provider = clouds.register(GITHUB, json!({})).await;
    clouds.member.authorize_unattended(&provider).await;
    for limit in ["github403", "retryAfter", "bare429"] {
        clouds.set_at_github(json!({ "rateLimit": limit })).await;
        let list = clouds.links.list().await;
        let link = &list["links"][0];
        assert_eq!(link["authenticated"], json!(true), "{limit}: {link}");
        assert!(link["validate_error"].as_str().is_some_and(|why| !why.is_empty()), "{limit}: {link}");
        let view = clouds.links.view(GITHUB).await;
        assert_eq!(view["authenticated"], json!(true), "{limit}: {view}");
        clouds.agent.lent("id=github&match=").await;
    }
    clouds.set_at_github(json!({ "rateLimit": "off" })).await;
    assert_eq!(clouds.links.list().await["links"][0]["validate_error"], "");
}

#[tokio::test(flavor = "multi_thread")]
async fn installations_are_paged_through_to_the_end() {
    let clouds = Clouds::new().await;
    let many = 230;
    clouds.set_at_github(json!({ "githubApp": true, "installations": many })).await;
    let provider = clouds.register(GITHUB, json!({ "appSlug": "broker-demo" })).await;
    let before = clouds.links.view(GITHUB).await;
    assert_eq!(
        (&before["installations"], &before["app_installable"]),
        (&json!([]), &json!(true)),
        "{before}"
    );
    assert!(before["app_install_url"].as_str().unwrap().contains("broker-demo"), "{before}");

    clouds.member.authorize_unattended(&provider).await;
    let view = clouds.links.view(GITHUB).await;
    let installations = view["installations"].as_array().unwrap();
    let mut ids: Vec<_> = installations.iter().map(|one| one["id"].as_u64().unwrap()).collect();
    ids.dedup();
    assert_eq!(ids.len(), many, "each of them, and each once");
    for one in installations {
        assert!(one["configure_url"].as_str().unwrap().starts_with("https://github.com/"), "{one}");
        assert!(one["account"]["login"].is_string() && one["account"]["id"].is_u64(), "{one}");
    }
}
