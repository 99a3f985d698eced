//! Nobody gets in without an API token, but for one closed list.

use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use grantkeeper_domain::accounts::TokenReach;
use grantkeeper_rest::{EXTERNAL_OAUTH_ROUTES, LOGIN_ROUTES};

use crate::service::{BASE, Service};

/// What anybody may call: the SDK's handshake, health, the description of the API, which tells nothing of anybody, and
/// the pages, which bring their own checks.
const OPEN: [(&str, &str); 7] = [
    ("GET", "/api/v2/version/"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/sign-in?return_to=/connect/0"),
    ("GET", "/connect/0199c1f0-0000-7000-8000-000000000000/done"),
];

/// How people get a token, who have none yet.
const OPEN_LOGINS: [(&str, &str); 6] = [
    ("get", "/v1/login/oauth2/web/poll"),
    ("post", "/login/oauth2/device/complete"),
    ("post", "/login/oauth2/device/start"),
    ("post", "/v1/oauth2"),
    ("get", "/v1/login/oauth2/web/authorize"),
    ("get", "/v1/login/oauth2/web/callback/{provider}"),
];

fn request(method: &str, path: &str) -> TestRequest {
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    TestRequest::default().method(method).uri(path)
}

#[actix_web::test]
async fn every_route_refuses_an_anonymous_caller() {
    let service = Service::start().await;
    for base in [BASE, "/externalOAuth"] {
        for (method, path) in EXTERNAL_OAUTH_ROUTES {
            for slash in ["", "/"] {
                let path = format!("{base}{path}{slash}");
                let answer = service.send(request(method, &path)).await;
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
                assert_eq!(answer.header(CONTENT_TYPE), "application/json", "{method} {path}");
                assert_eq!(answer.json()["errorFields"], serde_json::json!([]), "{method} {path}");
            }
        }
    }
}

#[actix_web::test]
async fn of_the_login_api_only_the_ways_in_are_open() {
    let service = Service::start().await;
    for route in LOGIN_ROUTES {
        let (method, path) = route;
        let answer = service.send(request(method, path)).await;
        let is_open = OPEN_LOGINS.contains(route);
        assert_eq!(answer.status != StatusCode::UNAUTHORIZED, is_open, "{method} {path}: {answer:?}");
    }
}

#[actix_web::test]
async fn a_wrong_token_is_refused_before_anything_else_is_looked_at() {
    let service = Service::start().await;
    let member = &service.member;
    let typo = format!("{}x", &member[..member.len() - 1]);
    let revoked = {
        let tokens = service.ports.store.accounts_with_email("colleague@acme.example").await.unwrap();
        let tokens = service.use_cases.list_api_tokens.run(tokens[0].id).await.unwrap();
        service.use_cases.revoke_api_token.run(tokens[0].id).await.unwrap();
        service.colleague.clone()
    };
    let authorizations = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Basic {member}"),
        member.clone(),
        format!("Bearer {typo}"),
        "Bearer gk_00000000000000000000000000000000000000".to_owned(),
        format!("Bearer {revoked}"),
    ];
    for authorization in authorizations {
        for path in ["/providers/", "/providers/unknown/", "/nothing/here", "/providers/?types=nonsense"] {
            let request = request("POST", &format!("{BASE}{path}"));
            let request =
                request.insert_header((AUTHORIZATION, authorization.clone())).set_payload("{ nonsense");
            assert_eq!(
                service.send(request).await.status,
                StatusCode::UNAUTHORIZED,
                "{authorization:?} {path}"
            );
        }
    }
}

#[actix_web::test]
async fn both_spellings_of_the_header_are_taken() {
    let service = Service::start().await;
    for scheme in ["Bearer", "bearer", "Token", "TOKEN"] {
        let authorization = format!("{scheme} {}", service.member);
        let request =
            request("GET", "/externalOAuth/providers").insert_header((AUTHORIZATION, authorization));
        assert_eq!(service.send(request).await.status, StatusCode::OK, "{scheme}");
    }
}

#[actix_web::test]
async fn an_expired_token_is_refused() {
    let service = Service::start().await;
    let accounts = service.ports.store.accounts_with_email("member@acme.example").await.unwrap();
    let hour = std::time::Duration::from_secs(3600);
    let issued =
        service.use_cases.issue_api_token.run(accounts[0].id, TokenReach::Account, Some(hour)).await.unwrap();
    let token = issued.secret.expose();
    assert_eq!(service.get(token, "/providers/").await.status, StatusCode::OK);
    service.clock.advance(hour);
    assert_eq!(service.get(token, "/providers/").await.status, StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn the_open_list_is_open() {
    let service = Service::start().await;
    for (method, path) in OPEN {
        let status = service.send(request(method, path)).await.status;
        assert_ne!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
    }
    let version = service.send(request("GET", "/api/v2/version/")).await;
    assert_eq!(version.json()["major"], 2);
    assert_eq!(version.text("versionString"), "2.49.0");
}
