//! One's own API tokens.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use grantkeeper_domain::accounts::TokenReach;
use serde_json::json;

use super::pages::sign_in_at_provider;
use super::{request, told};
use crate::browser::Browser;
use crate::service::{Service, login_settings};

#[actix_web::test]
async fn any_api_token_is_told_of() {
    let service = Service::for_logins(login_settings()).await;
    let accounts = service.ports.store.accounts_with_email("member@acme.example").await.unwrap();
    let hour = Duration::from_secs(3600);
    let short_lived =
        service.use_cases.issue_api_token.run(accounts[0].id, TokenReach::Account, Some(hour)).await.unwrap();
    let mut browser = Browser::new(&service);
    browser.sign_in(&service.member, "/account").await;
    let session = browser.cookies[0].value().to_owned();
    let uuid = service.signed_in_as("1001").await;
    for (token, expires_at) in [
        (service.member.as_str(), "9999-12-31T23:59:59Z"),
        (short_lived.secret.expose(), "2026-01-01T01:00:00.123456Z"),
        (&session, "2026-01-01T08:00:00.123456Z"),
        (&uuid, "2026-04-01T00:00:00.123456Z"),
        (&uuid.to_uppercase(), "2026-04-01T00:00:00.123456Z"),
    ] {
        for path in ["/v1/login/token", "/v1/me/token"] {
            let answer = service.ask_as(token, "GET", path).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            assert_eq!(answer.text("expiresAt"), expires_at);
        }
    }
}

#[actix_web::test]
async fn who_has_no_valid_token() {
    let service = Service::start().await;
    let mut all = Vec::new();
    for authorization in [
        None,
        Some("Bearer"),
        Some("Bearer "),
        Some("Bearer gk_wrong"),
        Some("Bearer a860a344-d7b2-406e-828e-8d442f23f344"),
        Some("Basic a860a344-d7b2-406e-828e-8d442f23f344"),
        Some("a860a344-d7b2-406e-828e-8d442f23f344"),
    ] {
        for (method, path) in [
            ("GET", "/v1/login/token"),
            ("DELETE", "/v1/me/token"),
            ("GET", "/v1/me/tokens"),
            ("DELETE", "/v1/me/tokens/x"),
        ] {
            let mut request = request(method, path);
            request = authorization
                .into_iter()
                .fold(request, |request, it| request.insert_header((AUTHORIZATION, it)));
            all.push(told(&service.send(request).await));
        }
    }
    all.dedup();
    insta::assert_snapshot!(all.join("\n"));
}

#[actix_web::test]
async fn signing_out_revokes_the_token() {
    let service = Service::for_logins(login_settings()).await;
    for path in ["/v1/login/token", "/v1/me/token"] {
        let token = service.signed_in_as("1001").await;
        let answer = service.ask_as(&token, "DELETE", path).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::NO_CONTENT, ""));
        assert_eq!(service.ask_as(&token, "DELETE", path).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(service.get(&token, "/providers/").await.status, StatusCode::UNAUTHORIZED);
    }
}

#[actix_web::test]
async fn an_accounts_own_tokens_are_listed_and_revoked() {
    let service = Service::for_logins(login_settings()).await;
    let first = service.signed_in_as("1001").await;
    service.clock.advance(Duration::from_secs(60));
    let second = service.signed_in_as("1001").await;
    let mut browser = Browser::new(&service);
    browser.sign_in(&first, "/account").await;
    sign_in_at_provider(&mut Browser::new(&service), &[]).await;
    service.settle().await;
    let listed = service.ask_as(&second, "GET", "/v1/me/tokens").await;
    insta::assert_snapshot!(told(&listed));
    let ids: Vec<String> =
        listed.json().as_array().unwrap().iter().map(|token| token["id"].to_string()).collect();
    let path = |id: &str| format!("/v1/me/tokens/{}", id.trim_matches('"'));
    let by_another = service.ask_as(&service.member, "DELETE", &path(&ids[0])).await;
    assert_eq!(by_another.status, StatusCode::NOT_FOUND, "what is another's is not there");
    assert_eq!(by_another.json(), json!({ "error": "there is no such token" }));
    for status in [StatusCode::NO_CONTENT, StatusCode::NO_CONTENT] {
        assert_eq!(service.ask_as(&second, "DELETE", &path(&ids[0])).await.status, status);
    }
    assert_eq!(service.get(&first, "/providers/").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        browser.get("/account").await.status,
        StatusCode::SEE_OTHER,
        "its browser sessions end with it"
    );
    let left = service.ask_as(&second, "GET", "/v1/me/tokens").await;
    assert_eq!(left.json().as_array().map(Vec::len), Some(2), "{left:?}");
    for id in ["unknown", "019b76da-a87b-7cdf-8584-cac45c6cb651"] {
        assert_eq!(service.ask_as(&second, "DELETE", &path(id)).await.status, StatusCode::NOT_FOUND, "{id}");
    }
}
