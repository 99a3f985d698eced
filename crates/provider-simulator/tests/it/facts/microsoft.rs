//! Rules that only Microsoft has.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::deployment::{CLIENT, Deployment, Tokens, Visit};
use super::topics::id_tokens::claims;

const TABLE: &str = "microsoft";
const DIRECTORY: &str = "8f0c9d1e-3a5b-4c7d-9e8f-1a2b3c4d5e6f";
/// The tenant of personal accounts.
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// A deployment whose client talks to this tenant.
async fn open(tenant: &str) -> Deployment {
    let mut deployment = Deployment::open(TABLE).await;
    let facts = &mut deployment.facts;
    let paths = [&mut facts.authorize.path, &mut facts.token.path];
    for path in paths.into_iter().chain(facts.id_token.as_mut().map(|row| &mut row.jwks)) {
        *path = path.replace("/common/", &format!("/{tenant}/"));
    }
    deployment
}

async fn graph_id(deployment: &Deployment, visit: Visit<'_>) -> Value {
    let tokens = deployment.sign_in(visit).await;
    deployment.get("/graph.microsoft.com/v1.0/me", &tokens.access).await.json()["id"].clone()
}

/// <https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference>
#[tokio::test]
async fn the_object_id_is_that_of_graph_and_needs_a_scope() {
    let deployment = open(DIRECTORY).await;
    let visit = Visit { scope: "openid profile User.Read", ..deployment.visit() };
    let with_profile = claims(&deployment, visit).await;
    assert_eq!(with_profile["oid"], graph_id(&deployment, visit).await);
    assert_eq!(with_profile["tid"], DIRECTORY);
    let without = claims(&deployment, Visit { scope: "openid User.Read", ..visit }).await;
    assert_eq!(without.get("oid"), None);
    assert_eq!(without["sub"], with_profile["sub"]);
}

/// <https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference>
#[tokio::test]
async fn the_subject_is_of_one_application_and_the_object_of_all() {
    let deployment = open(DIRECTORY).await;
    let visit = Visit { scope: "openid profile", ..deployment.visit() };
    let tokens = deployment.sign_in(Visit { client: "another-client", ..visit }).await;
    let other = unverified(&tokens);
    let one = claims(&deployment, visit).await;
    assert_ne!(one["sub"], other["sub"]);
    assert_eq!((&one["oid"], &one["tid"]), (&other["oid"], &other["tid"]));
}

/// The claims without a check: another client's token.
fn unverified(tokens: &Tokens) -> Value {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let id_token = tokens.answer["id_token"].as_str().expect("an ID token");
    let part = id_token.split('.').nth(1).expect("claims");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON")
}

/// <https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference>
#[tokio::test]
async fn every_tenant_has_its_issuer() {
    for (tenant, directory) in [(DIRECTORY, DIRECTORY), ("kumo.example", DIRECTORY), ("consumers", CONSUMERS)]
    {
        let deployment = open(tenant).await;
        let visit = Visit { scope: "openid profile", ..deployment.visit() };
        let claims = claims(&deployment, visit).await;
        assert_eq!(claims["tid"], directory, "{tenant}");
        assert_eq!(claims["iss"], format!("https://login.microsoftonline.com/{directory}/v2.0"), "{tenant}");
    }
}

/// <https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes>
#[tokio::test]
async fn a_tenant_that_is_none_is_refused_everywhere() {
    let deployment = open("nobody.example").await;
    let discovery = "/login.microsoftonline.com/nobody.example/v2.0/.well-known/openid-configuration";
    let discovery = deployment.get_anonymously(discovery).await;
    let params = [("grant_type", "refresh_token"), ("refresh_token", "never-issued")];
    let token = deployment.token(deployment.client(CLIENT), &params).await;
    for answer in [discovery, token] {
        assert_eq!(
            (answer.status, &answer.json()["error"]),
            (StatusCode::BAD_REQUEST, &"invalid_tenant".into())
        );
        assert_eq!(answer.json()["error_codes"][0], 90002);
    }
    let page = deployment.authorize(&deployment.authorize_params(deployment.visit())).await;
    assert!(page.status.is_client_error() && page.header("location").is_empty(), "{}", page.status);
}

/// <https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens>
#[tokio::test]
async fn every_refresh_token_of_a_row_stays_good() {
    let deployment = Deployment::open(TABLE).await;
    let first = deployment.sign_in(deployment.visit()).await;
    let second = Tokens::of(&deployment.refresh(first.refresh()).await);
    let third = Tokens::of(&deployment.refresh(second.refresh()).await);
    for tokens in [&first, &second, &third] {
        assert!(deployment.refreshes(tokens.refresh()).await);
    }
    assert!(!third.answer["scope"].as_str().expect("scopes").contains("offline_access"));
}

/// <https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow>
#[tokio::test]
async fn pages_and_documents_are_where_the_tenant_is() {
    let deployment = open("organizations").await;
    assert!(deployment.facts.token.path.contains("/organizations/"));
    let tokens = deployment.sign_in(deployment.visit()).await;
    assert!(deployment.is_alive(&tokens.access).await);
    let missing = deployment.to(Method::GET, "/login.microsoftonline.com/oauth2/v2.0/token");
    assert_ne!(deployment.send(missing).await.status, StatusCode::OK);
}

/// <https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow>
#[tokio::test]
async fn a_refresh_may_name_all_that_was_asked_for_at_first() {
    let deployment = Deployment::open(TABLE).await;
    deployment.set(&json!({ "grantedScopes": ["offline_access", "User.Read"] })).await;
    let scope = "offline_access User.Read Mail.Read";
    let tokens = deployment.sign_in(Visit { scope, ..deployment.visit() }).await;
    let params = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh()), ("scope", scope)];
    let answer = Tokens::of(&deployment.token(deployment.client(CLIENT), &params).await).answer;
    assert_eq!(answer["scope"], "User.Read");
}
