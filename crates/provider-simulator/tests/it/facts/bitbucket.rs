//! Rules that only Bitbucket has, in its cloud and in data centers.

use percent_encoding::percent_decode_str;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::deployment::{Deployment, Visit};
use super::rows::Shape;
use super::topics::documents::has_shape;

const CLOUD: &str = "bitbucket";
const DATA_CENTER: &str = "bitbucket-data-center";
const API: &str = "/self-managed/bitbucket/rest/api/latest";

/// <https://community.developer.atlassian.com/t/oauth-2-0-and-api-authentication-changes-for-bitbucket-cloud/99003>
#[tokio::test]
async fn access_tokens_travel_in_the_header_only() {
    let deployment = Deployment::open(CLOUD).await;
    let tokens = deployment.sign_in(deployment.visit()).await;
    let path = format!("{}?access_token={}", deployment.facts.access_token.probe, tokens.access);
    assert_eq!(deployment.get_anonymously(&path).await.status, StatusCode::UNAUTHORIZED);
    assert!(deployment.is_alive(&tokens.access).await);
}

/// <https://github.com/terrakube-io/terrakube/issues/47>: the name until May 2026.
#[tokio::test]
async fn scopes_can_have_their_old_name() {
    let deployment = Deployment::open(CLOUD).await;
    deployment.set(&json!({ "scopeField": "scopes" })).await;
    let answer = deployment.sign_in(deployment.visit()).await.answer;
    assert_eq!((&answer["scopes"], answer.get("scope")), (&"account email".into(), None));
}

/// <https://github.com/avivsinai/bitbucket-cli/issues/136>
#[tokio::test]
async fn the_token_endpoint_reads_forms_only() {
    let deployment = Deployment::open(CLOUD).await;
    let tokens = deployment.sign_in(deployment.visit()).await;
    let body = json!({ "grant_type": "refresh_token", "refresh_token": tokens.refresh() });
    let request = deployment.to(Method::POST, &deployment.facts.token.path);
    let request = request.header(USER_AGENT, "facts").header(CONTENT_TYPE, "application/json");
    // `client:client-secret`.
    let request = request.header(AUTHORIZATION, "Basic Y2xpZW50OmNsaWVudC1zZWNyZXQ=");
    let answer = deployment.send(request.body(body.to_string())).await;
    assert_eq!((answer.status, &answer.json()["error"]), (StatusCode::BAD_REQUEST, &"invalid_grant".into()));
    assert_eq!(answer.json()["error_description"], "Unsupported grant type: None");
}

/// <https://community.developer.atlassian.com/t/obtain-authorised-users-username-from-api/24422/2>
#[tokio::test]
async fn a_data_center_names_its_user_in_a_header() {
    let deployment = Deployment::open(DATA_CENTER).await;
    for user in ["1001", "somebody@example.test"] {
        let tokens = deployment.sign_in(Visit { user, ..deployment.visit() }).await;
        let answer = deployment.get(&format!("{API}/application-properties"), &tokens.access).await;
        let encoded = answer.header("x-ausername");
        let name = percent_decode_str(encoded).decode_utf8().expect("UTF-8");
        assert!(!encoded.contains('@') && !name.is_empty(), "{encoded}");

        let path = format!("{API}/users/{encoded}?avatarSize=48");
        let user = deployment.get(&path, &tokens.access).await.json();
        for member in
            ["name", "emailAddress", "id", "displayName", "active", "slug", "type", "links", "avatarUrl"]
        {
            assert!(user.get(member).is_some(), "no {member}: {user}");
        }
        assert_eq!(user["name"], *name);
        assert!(has_shape(&user["id"], Shape::Number), "{user}");
        assert!(user["links"]["self"][0]["href"].is_string(), "{user}");
        let avatar = user["avatarUrl"].as_str().expect("a path");
        assert!(avatar.starts_with('/') && !avatar.starts_with("//"), "{avatar}");
        let anonymous = deployment.get_anonymously(&path).await;
        assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED);
    }
}
