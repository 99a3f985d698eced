//! Rules that only GitHub has.

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::deployment::{CLIENT, Deployment, Presented, Tokens, Visit};
use super::rows::Way;

const TABLE: &str = "github";
const USER: &str = "/api.github.com/user";
const INSTALLATIONS: &str = "/api.github.com/user/installations";

/// <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps>
#[tokio::test]
async fn the_api_tells_scopes_with_a_comma_and_a_space() {
    let deployment = Deployment::open(TABLE).await;
    let tokens = deployment.sign_in(Visit { scope: "gist read:user", ..deployment.visit() }).await;
    let answer = deployment.get(USER, &tokens.access).await;
    let mut scopes: Vec<_> = answer.header("x-oauth-scopes").split(", ").collect();
    scopes.sort_unstable();
    assert_eq!(scopes, ["gist", "read:user"]);
}

/// <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>
#[tokio::test]
async fn a_request_without_scopes_gets_those_of_former_requests() {
    let deployment = Deployment::open(TABLE).await;
    for scope in ["gist", "read:org"] {
        deployment.sign_in(Visit { scope, ..deployment.visit() }).await;
    }
    let tokens = deployment.sign_in(Visit { scope: "", ..deployment.visit() }).await;
    let told = tokens.answer["scope"].as_str().expect("scopes");
    let mut scopes: Vec<_> = told.split(',').collect();
    scopes.sort_unstable();
    assert_eq!(scopes, ["gist", "read:org"]);
    let stranger = Visit { scope: "", user: "1002", ..deployment.visit() };
    assert_eq!(deployment.sign_in(stranger).await.answer["scope"], "");
}

/// <https://docs.github.com/en/rest/users/emails>
#[tokio::test]
async fn a_hidden_address_is_among_the_emails_only() {
    let deployment = Deployment::open(TABLE).await;
    let tokens = deployment.sign_in(Visit { scope: "user", ..deployment.visit() }).await;
    assert_eq!(deployment.get(USER, &tokens.access).await.json()["email"], Value::Null);
    let emails = deployment.get(&format!("{USER}/emails"), &tokens.access).await.json();
    let emails = emails.as_array().expect("a list");
    assert_eq!(emails.iter().filter(|email| email["primary"] == true).count(), 1);
    let hidden = |email: &&Value| {
        email["email"].as_str().is_some_and(|address| address.ends_with("@users.noreply.github.com"))
    };
    assert_eq!(emails.iter().filter(hidden).count(), 1);
}

/// <https://docs.github.com/en/rest/credentials/revoke>
#[tokio::test]
async fn credentials_are_revoked_by_nobody_in_particular() {
    let deployment = Deployment::open(TABLE).await;
    let visit = deployment.visit_for_refresh();
    let (tokens, other) = (deployment.sign_in(visit).await, deployment.sign_in(visit).await);
    let revoke = |body: &Value| {
        let request = deployment.to(Method::POST, "/api.github.com/credentials/revoke");
        let request = request.header(USER_AGENT, "facts").header(CONTENT_TYPE, "application/json");
        request.body(body.to_string())
    };
    let body = json!({ "credentials": [tokens.access, other.refresh()] });
    let authenticated = revoke(&body).header(AUTHORIZATION, format!("Bearer {}", tokens.access));
    assert_eq!(deployment.send(authenticated).await.status, StatusCode::FORBIDDEN);
    assert!(deployment.is_alive(&tokens.access).await);
    assert_eq!(deployment.send(revoke(&body)).await.status, StatusCode::ACCEPTED);
    assert!(!deployment.is_alive(&tokens.access).await);
    assert!(!deployment.refreshes(other.refresh()).await);
}

/// <https://docs.github.com/en/rest/apps/oauth-applications>
#[tokio::test]
async fn a_grant_is_revoked_with_a_living_token_only() {
    let deployment = Deployment::open(TABLE).await;
    let grant = &deployment.facts.revocations[1].call;
    assert!(grant.path.ends_with("/grant"));
    let (dead, alive) =
        (deployment.sign_in(deployment.visit()).await, deployment.sign_in(deployment.visit()).await);
    let token = &deployment.facts.revocations[0].call;
    deployment.carry(token, deployment.client(CLIENT), &dead.access).await;
    let answer = deployment.carry(grant, deployment.client(CLIENT), &dead.access).await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
    assert!(deployment.is_alive(&alive.access).await);
}

/// <https://docs.github.com/en/rest/apps/installations>
#[tokio::test]
async fn installations_are_paged_by_links() {
    let deployment = Deployment::open("github-app").await;
    let tokens = deployment.sign_in(deployment.visit()).await;
    let all = deployment.get(INSTALLATIONS, &tokens.access).await.json();
    let total = all["total_count"].as_u64().expect("a number");
    assert!(total >= 2, "pages need two");
    let mut path = format!("{INSTALLATIONS}?per_page=1");
    let mut found = Vec::new();
    loop {
        let page = deployment.get(&path, &tokens.access).await;
        let document = page.json();
        assert_eq!(document["total_count"], total);
        let installations = document["installations"].as_array().expect("a list");
        assert_eq!(installations.len(), 1, "as many as asked for");
        found.push(installations[0].clone());
        let Some(next) = next_page(page.header("link")) else { break };
        path = next.strip_prefix(deployment.origin()).expect("a page here").to_owned();
        assert!(found.len() < 1000, "pages without an end");
    }
    assert_eq!(all["installations"].as_array().map(Vec::len), Some(found.len()), "all fit on one page");
    assert_eq!(all["installations"], Value::Array(found));
}

/// The page after this one (RFC 8288).
fn next_page(link: &str) -> Option<&str> {
    let next = link.split(", ").find(|link| link.ends_with("rel=\"next\""))?;
    Some(next.split_once('<')?.1.split_once('>')?.0)
}

/// <https://github.com/github/docs/blob/main/content/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps.md>
#[tokio::test]
async fn only_tokens_of_devices_are_refreshed_without_a_secret() {
    let deployment = Deployment::open(TABLE).await;
    let nobody = Presented { way: Way::Body, id: CLIENT, secret: None };
    let of_the_web = deployment.sign_in(deployment.visit_for_refresh()).await;
    let answer = deployment.refresh_as(nobody, of_the_web.refresh()).await;
    assert_eq!(answer.json()["error"], "incorrect_client_credentials");

    let row = deployment.facts.device.as_ref().expect("a device grant");
    let begin = deployment.form(&row.path, nobody, &[("scope", "read:user offline_access")]);
    let begun = deployment.send(begin.header(ACCEPT, "application/json")).await.json();
    deployment.decide(begun["user_code"].as_str().expect("a code"), "approve").await;
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let device_code = begun["device_code"].as_str().expect("a code");
    let params = [("grant_type", grant), ("device_code", device_code)];
    let of_a_device = Tokens::of(&deployment.token(nobody, &params).await);
    Tokens::of(&deployment.refresh_as(nobody, of_a_device.refresh()).await);
}

/// <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>
#[tokio::test]
async fn errors_are_forms_unless_json_is_asked_for() {
    let deployment = Deployment::open(TABLE).await;
    let params = [("grant_type", "refresh_token"), ("refresh_token", "never-issued")];
    let request = deployment.form(&deployment.facts.token.path, deployment.client(CLIENT), &params);
    let answer = deployment.send(request).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header("content-type").starts_with("application/x-www-form-urlencoded"));
    let mut members = form_urlencoded::parse(answer.body.as_bytes());
    assert!(members.any(|(name, value)| name == "error" && value == "bad_refresh_token"), "{}", answer.body);
}

/// <https://github.com/langfuse/langfuse/issues/13091>: it was rolled out, rolled back, and is there again.
#[tokio::test]
async fn the_way_back_can_be_without_iss() {
    let deployment = Deployment::open(TABLE).await;
    deployment.set(&json!({ "callbackIss": "absent" })).await;
    let answer = deployment.authorize(&deployment.authorize_params(deployment.visit())).await;
    assert!(answer.redirect("code").is_some());
    assert_eq!(answer.redirect("iss"), None);
}

/// <https://github.com/coder/coder/blob/main/coderd/externalauth/externalauth.go>
#[tokio::test]
async fn a_new_access_token_can_be_unknown_for_a_moment() {
    let deployment = Deployment::open(TABLE).await;
    let old = deployment.sign_in(deployment.visit_for_refresh()).await;
    deployment.set(&json!({ "replicaLag": 1 })).await;
    let new = Tokens::of(&deployment.refresh(old.refresh()).await);
    assert!(!deployment.is_alive(&new.access).await, "not everywhere yet");
    assert!(deployment.is_alive(&new.access).await, "everywhere");
}
