//! Rules that only Google has.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::StatusCode;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::deployment::{CLIENT, Deployment, Presented, SECRET, Tokens, Visit};
use super::rows::Way;
use super::topics::id_tokens;
use crate::browser::Answer;

const TABLE: &str = "google";

async fn has_refresh_token(deployment: &Deployment, params: &[(&str, &str)]) -> bool {
    let visit = Visit { params: Some(params), ..deployment.visit() };
    deployment.sign_in(visit).await.refresh.is_some()
}

/// <https://developers.google.com/identity/protocols/oauth2/web-server>
#[tokio::test]
async fn a_refresh_token_comes_with_the_first_offline_consent_and_with_each_that_is_asked_for() {
    let deployment = Deployment::open(TABLE).await;
    let (offline, consent) = (("access_type", "offline"), ("prompt", "consent"));
    assert!(!has_refresh_token(&deployment, &[]).await, "online");
    assert!(!has_refresh_token(&deployment, &[("access_type", "online"), consent]).await, "online");
    assert!(has_refresh_token(&deployment, &[offline, consent]).await, "consent is asked for");
    assert!(!has_refresh_token(&deployment, &[offline]).await, "consent was given before");
    assert!(has_refresh_token(&deployment, &[offline, consent]).await, "consent is asked for again");
    let newcomer = Visit { user: "1002", params: Some(&[offline]), ..deployment.visit() };
    assert!(deployment.sign_in(newcomer).await.refresh.is_some(), "the first consent");
}

/// <https://developers.google.com/identity/protocols/oauth2/web-server>
#[tokio::test]
async fn offline_access_is_no_scope_here() {
    let deployment = Deployment::open(TABLE).await;
    let visit = Visit { scope: "openid offline_access", ..deployment.visit() };
    let answer = deployment.authorize(&deployment.authorize_params(visit)).await;
    assert!(answer.status.is_client_error() && answer.header("location").is_empty(), "{}", answer.status);
    assert!(answer.body.contains("invalid_scope"), "{}", answer.body);
}

/// <https://developers.google.com/identity/protocols/oauth2/web-server>
#[tokio::test]
async fn people_grant_less_than_was_asked_for() {
    let deployment = Deployment::open(TABLE).await;
    deployment.set(&json!({ "grantedScopes": ["openid"] })).await;
    let tokens = deployment.sign_in(deployment.visit()).await;
    assert_eq!(tokens.answer["scope"], "openid");
}

/// <https://developers.google.com/identity/openid-connect/openid-connect>
#[tokio::test]
async fn the_id_token_is_bound_to_the_access_token() {
    let deployment = Deployment::open(TABLE).await;
    let tokens = deployment.sign_in(deployment.visit()).await;
    let id_token = tokens.answer["id_token"].as_str().expect("an ID token");
    let claims = id_token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims: Value = serde_json::from_slice(&claims.expect("claims")).expect("JSON");
    let digest = Sha256::digest(&tokens.access);
    assert_eq!(claims["at_hash"], URL_SAFE_NO_PAD.encode(&digest[..16]));
    assert_eq!(claims["azp"], CLIENT);
}

/// <https://developers.google.com/identity/openid-connect/openid-connect>
#[tokio::test]
async fn the_id_token_names_the_user_of_userinfo() {
    let deployment = Deployment::open(TABLE).await;
    let visit = deployment.visit();
    let tokens = deployment.sign_in(visit).await;
    let user = deployment.get(&deployment.facts.access_token.probe, &tokens.access).await.json();
    assert_eq!(id_tokens::claims(&deployment, visit).await["sub"], user["sub"]);
}

async fn begin_device(deployment: &Deployment, scope: &str) -> Answer {
    let nobody = Presented { way: Way::Body, id: CLIENT, secret: None };
    let request = deployment.form("/oauth2.googleapis.com/device/code", nobody, &[("scope", scope)]);
    deployment.send(request.header(ACCEPT, "application/json")).await
}

/// <https://developers.google.com/identity/protocols/oauth2/limited-input-device>
#[tokio::test]
async fn devices_get_few_scopes() {
    let deployment = Deployment::open_for_people(TABLE).await;
    let allowed = "openid email profile https://www.googleapis.com/auth/drive.file";
    assert_eq!(begin_device(&deployment, allowed).await.status, StatusCode::OK);
    let refused = begin_device(&deployment, "openid https://www.googleapis.com/auth/calendar").await;
    assert!(refused.status.is_client_error(), "{}", refused.status);
    assert_eq!(refused.json()["error"], "invalid_scope");
}

/// <https://developers.google.com/identity/protocols/oauth2/limited-input-device>
#[tokio::test]
async fn user_codes_are_case_sensitive() {
    let deployment = Deployment::open_for_people(TABLE).await;
    let begun = begin_device(&deployment, "openid").await.json();
    let user_code = begun["user_code"].as_str().expect("a code");
    let swapped: String = user_code.chars().map(swap_case).collect();
    assert_ne!(swapped, user_code, "a code without letters shows nothing");
    let body = json!({ "userCode": swapped, "decision": "approve" });
    let request = deployment.to(reqwest::Method::POST, "/control/device").body(body.to_string());
    assert_eq!(deployment.send(request).await.status, StatusCode::NOT_FOUND);
    deployment.decide(user_code, "approve").await;
    let client = Presented { way: Way::Body, id: CLIENT, secret: Some(SECRET) };
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let device_code = begun["device_code"].as_str().expect("a code");
    let params = [("grant_type", grant), ("device_code", device_code)];
    Tokens::of(&deployment.token(client, &params).await);
}

fn swap_case(letter: char) -> char {
    if letter.is_ascii_uppercase() { letter.to_ascii_lowercase() } else { letter.to_ascii_uppercase() }
}
