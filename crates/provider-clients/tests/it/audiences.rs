//! For which client a token is: every answer that there can be.

use grantkeeper_domain::providers::{ProviderKind, TokenAudience, UpstreamError};
use serde_json::{Value, json};

use crate::scripted_api::{Scripted, ScriptedApi};
use crate::world::{CLIENT_ID, secret};

const ISSUER: &str = "https://github.com/login/oauth";

/// With the client id as one segment of a path.
const GITHUB: &str = "POST /applications/client%3A1%20%25/token";
const GITLAB: &str = "GET /token/info";
const GOOGLE: &str = "POST /tokeninfo";
const OIDC: &str = "POST /introspect";

type Told = Result<TokenAudience, UpstreamError>;

async fn told_by(api: &ScriptedApi, token: &str) -> Told {
    let connection = api.connection(ISSUER);
    let check = api.client.audience(&connection.client.endpoints).expect("it tells");
    check.check_audience(&connection, &secret(token)).await
}

/// What comes of that one answer, and how often it was given.
async fn told(kind: ProviderKind, call: &'static str, head: &'static str, body: &str) -> (Told, usize) {
    let answer: Scripted = (head, body.to_owned());
    let api = ScriptedApi::of(kind, move |_, _| answer.clone()).await;
    let told = told_by(&api, "a-token").await;
    let asked = api.asked();
    assert_eq!(asked.keys().collect::<Vec<_>>(), [call]);
    (told, asked[call])
}

fn unavailable(reason: &'static str) -> Told {
    Err(UpstreamError::Unavailable { reason, retry_after: None })
}

const OURS: Told = Ok(TokenAudience::Ours);
const ANOTHER: Told = Ok(TokenAudience::Another);
const REFUSED: Told = Err(UpstreamError::TokenRefused);

async fn expect(kind: ProviderKind, call: &'static str, answers: Vec<(&str, Told)>) {
    for (body, expected) in answers {
        assert_eq!(told(kind, call, "200 OK", body).await, (expected, 1), "{body}");
    }
    for (head, body) in [
        ("200 OK", ""),
        ("200 OK", "<html>"),
        ("200 OK", "{}"),
        ("200 OK", "[]"),
        ("200 OK", r#"{"active":true,"client_id""#),
    ] {
        assert_eq!(told(kind, call, head, body).await, (unavailable("unreadable_answer"), 1), "{body}");
    }
    for (head, reason) in [
        ("500 Internal Server Error", "server_trouble"),
        ("302 Found\r\nlocation: https://elsewhere.example/", "redirect"),
        ("408 Request Timeout", "request_timeout"),
    ] {
        assert_eq!(told(kind, call, head, "").await, (unavailable(reason), 1), "{head}");
    }
}

#[tokio::test]
async fn introspection_tells_the_client_or_the_audience() {
    let answers: [(Value, Told); 14] = [
        (json!({"active": true, "client_id": CLIENT_ID}), OURS),
        (json!({"active": true, "client_id": "another"}), ANOTHER),
        (json!({"active": true, "client_id": ""}), ANOTHER),
        // The audience is where a token may be shown, which does not say who got it.
        (json!({"active": true, "client_id": "another", "aud": CLIENT_ID}), ANOTHER),
        (json!({"active": true, "client_id": CLIENT_ID, "aud": "https://api.example"}), OURS),
        (json!({"active": true, "azp": "another", "aud": CLIENT_ID}), ANOTHER),
        (json!({"active": true, "azp": CLIENT_ID}), OURS),
        (json!({"active": true, "aud": CLIENT_ID}), OURS),
        (json!({"active": true, "client_id": null, "aud": ["https://api.example", CLIENT_ID]}), OURS),
        (json!({"active": true, "aud": "another"}), ANOTHER),
        (json!({"active": true, "aud": ["another", "third"]}), ANOTHER),
        (json!({"active": true, "aud": []}), Err(UpstreamError::NotSupported)),
        (json!({"active": true, "scope": "openid", "sub": "u1"}), Err(UpstreamError::NotSupported)),
        (json!({"active": false, "client_id": CLIENT_ID}), REFUSED),
    ];
    let answers: Vec<_> = answers.into_iter().map(|(body, told)| (body.to_string(), told)).collect();
    let answers = answers.iter().map(|(body, told)| (body.as_str(), told.clone())).collect();
    expect(ProviderKind::Oidc, OIDC, answers).await;
}

#[tokio::test]
async fn what_introspection_may_not_say_is_not_guessed_at() {
    for body in [
        json!({"client_id": CLIENT_ID}).to_string(),
        json!({"active": "true", "client_id": CLIENT_ID}).to_string(),
        json!({"active": 1, "client_id": CLIENT_ID}).to_string(),
        json!({"active": true, "client_id": [CLIENT_ID]}).to_string(),
        json!({"active": true, "aud": {"client": CLIENT_ID}}).to_string(),
        format!(r#"{{"active":false,"active":true,"client_id":"{CLIENT_ID}"}}"#),
        format!(r#"{{"active":true,"client_id":"another","client_id":"{CLIENT_ID}"}}"#),
    ] {
        let found = told(ProviderKind::Oidc, OIDC, "200 OK", &body).await;
        assert_eq!(found, (unavailable("unreadable_answer"), 1), "{body}");
    }
    let client = Err(UpstreamError::ClientRefused { code: "invalid_client".to_owned() });
    for (head, body, expected) in [
        ("401 Unauthorized", r#"{"error":"invalid_client"}"#, client),
        ("403 Forbidden", r#"{"error":"access_denied"}"#, unavailable("unknown_error")),
        ("401 Unauthorized", r#"{"error":"invalid_token"}"#, unavailable("unknown_error")),
        ("404 Not Found", "", unavailable("unreadable_answer")),
    ] {
        assert_eq!(told(ProviderKind::Oidc, OIDC, head, body).await, (expected, 1), "{head} {body}");
    }
}

#[tokio::test]
async fn introspection_is_asked_as_our_client_and_not_in_the_address() {
    let active = json!({"active": true, "client_id": CLIENT_ID}).to_string();
    let api = ScriptedApi::of(ProviderKind::Oidc, move |_, _| ("200 OK", active.clone())).await;
    assert_eq!(told_by(&api, "a+token").await, OURS);
    let request = api.last(OIDC);
    assert!(request.starts_with("POST /introspect HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("authorization: Basic "), "{request}");
    assert!(request.ends_with("\r\n\r\ntoken=a%2Btoken&token_type_hint=access_token"), "{request}");
}

#[tokio::test]
async fn what_a_token_says_of_itself_is_not_believed() {
    // Unsigned, and just what a good one of ours would say (RFC 9068).
    let claims = "eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiY2xpZW50X2lkIjoiY2xpZW50OjEgJSJ9";
    let forged = format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{claims}.");
    let api = ScriptedApi::of(ProviderKind::Oidc, |_, _| ("200 OK", r#"{"active":false}"#.to_owned())).await;
    assert_eq!(told_by(&api, &forged).await, REFUSED);
}

#[tokio::test]
async fn github_names_the_app() {
    let answers = [
        (json!({"id": 1, "app": {"name": "x", "client_id": CLIENT_ID}}).to_string(), OURS),
        (json!({"id": 1, "app": {"name": "x", "client_id": "another"}}).to_string(), ANOTHER),
        (json!({"id": 1, "app": {"name": "x"}}).to_string(), unavailable("unreadable_answer")),
        (json!({"id": 1, "app": {"client_id": 7}}).to_string(), unavailable("unreadable_answer")),
        (json!({"id": 1, "client_id": CLIENT_ID}).to_string(), unavailable("unreadable_answer")),
    ];
    let answers = answers.iter().map(|(body, told)| (body.as_str(), told.clone())).collect();
    expect(ProviderKind::Github, GITHUB, answers).await;
    // It may be that it does not know it yet.
    assert_eq!(told(ProviderKind::Github, GITHUB, "404 Not Found", "{}").await, (REFUSED, 3));
    let client = UpstreamError::ClientRefused { code: "incorrect_client_credentials".to_owned() };
    assert_eq!(told(ProviderKind::Github, GITHUB, "401 Unauthorized", "{}").await, (Err(client), 1));
    let unknown = (unavailable("unknown_error"), 1);
    assert_eq!(told(ProviderKind::Github, GITHUB, "422 Unprocessable Entity", "{}").await, unknown);
}

#[tokio::test]
async fn gitlab_names_the_application() {
    let answers = [
        (json!({"application": {"uid": CLIENT_ID}}).to_string(), OURS),
        (json!({"application": {"uid": "another"}}).to_string(), ANOTHER),
        (json!({"application": {"uid": null}}).to_string(), unavailable("unreadable_answer")),
        (json!({"application": null, "uid": CLIENT_ID}).to_string(), unavailable("unreadable_answer")),
    ];
    let answers = answers.iter().map(|(body, told)| (body.as_str(), told.clone())).collect();
    expect(ProviderKind::Gitlab, GITLAB, answers).await;
    assert_eq!(told(ProviderKind::Gitlab, GITLAB, "401 Unauthorized", "").await, (REFUSED, 1));
}

#[tokio::test]
async fn google_names_whom_a_token_was_issued_to_and_whom_it_is_for() {
    let answers = [
        (json!({"azp": CLIENT_ID, "aud": CLIENT_ID, "exp": "1"}).to_string(), OURS),
        (json!({"aud": CLIENT_ID}).to_string(), OURS),
        (json!({"azp": CLIENT_ID}).to_string(), OURS),
        (json!({"azp": "another", "aud": "another"}).to_string(), ANOTHER),
        (json!({"azp": "another", "aud": CLIENT_ID}).to_string(), ANOTHER),
        (json!({"azp": CLIENT_ID, "aud": "another"}).to_string(), ANOTHER),
        (json!({"azp": null, "aud": null}).to_string(), unavailable("unreadable_answer")),
        (json!({"azp": 7}).to_string(), unavailable("unreadable_answer")),
        (json!({"audience": CLIENT_ID}).to_string(), unavailable("unreadable_answer")),
    ];
    let answers = answers.iter().map(|(body, told)| (body.as_str(), told.clone())).collect();
    expect(ProviderKind::Google, GOOGLE, answers).await;
    for (head, body, expected) in [
        ("400 Bad Request", r#"{"error":"invalid_token","error_description":"Invalid Value"}"#, REFUSED),
        ("401 Unauthorized", "", REFUSED),
        ("400 Bad Request", r#"{"error":"invalid_grant"}"#, unavailable("unknown_error")),
        ("400 Bad Request", "", unavailable("unreadable_answer")),
        ("404 Not Found", "<html>", unavailable("unreadable_answer")),
    ] {
        assert_eq!(told(ProviderKind::Google, GOOGLE, head, body).await, (expected, 1), "{head} {body}");
    }
}

#[tokio::test]
async fn google_gets_the_token_in_the_header() {
    let info = json!({"azp": CLIENT_ID, "aud": CLIENT_ID}).to_string();
    let api = ScriptedApi::of(ProviderKind::Google, move |_, _| ("200 OK", info.clone())).await;
    assert_eq!(told_by(&api, "ya29.token").await, OURS);
    let request = api.last(GOOGLE);
    assert!(request.starts_with("POST /tokeninfo HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("authorization: Bearer ya29.token\r\n"), "{request}");
    assert_eq!(request.matches("ya29.token").count(), 1, "{request}");
}

#[tokio::test]
async fn a_personal_token_is_shown_to_nobody() {
    for (kind, tokens) in [
        (ProviderKind::Github, &["ghp_made-by-hand", "github_pat_made-by-hand"][..]),
        (ProviderKind::Gitlab, &["glpat-made-by-hand"]),
    ] {
        let api = ScriptedApi::of(kind, |_, _| ("500 Internal Server Error", String::new())).await;
        for token in tokens {
            assert_eq!(told_by(&api, token).await, Ok(TokenAudience::Nobody), "{token}");
        }
        assert!(api.asked().is_empty());
    }
}
