//! Whoever calls, and whatever is sent: the API's own error body, and never a 500.

use actix_web::http::header::ALLOW;
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use grantkeeper_rest::EXTERNAL_AUTH_ROUTES;

use super::check_error;
use crate::service::Service;

fn request(method: &str, path: &str) -> TestRequest {
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    TestRequest::default().method(method).uri(path)
}

#[actix_web::test]
async fn every_route_refuses_an_anonymous_caller_in_the_words_of_its_api() {
    let service = Service::start().await;
    let below = [
        ("get", "/api/v2/external-auth/x/y/z"),
        ("put", "/api/v2/external-auth/example/device"),
        ("get", "/api/v2/workspaceagents/me"),
        ("get", "/api/v2/workspaceagents/me/gitsshkey"),
    ];
    for (method, path) in EXTERNAL_AUTH_ROUTES.iter().chain(&below) {
        for slash in ["", "/"] {
            let answer =
                service.send(request(method, &format!("{path}{slash}")).set_payload("{ nonsense")).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            check_error(&answer);
        }
    }
}

#[actix_web::test]
async fn paths_and_methods_that_are_not_there() {
    let service = Service::start().await;
    for (method, path, status, allow) in [
        ("get", "/api/v2/external-auth/x/y", StatusCode::NOT_FOUND, ""),
        ("get", "/api/v2/workspaceagents/me", StatusCode::NOT_FOUND, ""),
        ("get", "/api/v2/workspaceagents/me/gitsshkey", StatusCode::NOT_FOUND, ""),
        ("post", "/api/v2/external-auth", StatusCode::METHOD_NOT_ALLOWED, "GET"),
        ("post", "/api/v2/external-auth/x", StatusCode::METHOD_NOT_ALLOWED, "GET, DELETE"),
        ("post", "/api/v2/workspaceagents/me/external-auth", StatusCode::METHOD_NOT_ALLOWED, "GET"),
    ] {
        let request = request(method, path).insert_header(("Coder-Session-Token", service.member.as_str()));
        let answer = service.send(request).await;
        assert_eq!((answer.status, answer.header(ALLOW)), (status, allow), "{method} {path}");
        check_error(&answer);
    }
}

#[actix_web::test]
async fn every_route_answers_nonsense_in_the_words_of_its_api() {
    let service = Service::start().await;
    service.register_with_device_flow().await;
    for (method, path) in EXTERNAL_AUTH_ROUTES {
        for id in ["example", "x", "%ff%fe", "%00", "{id}", "..%2f..%2fetc", &"x".repeat(4_000)] {
            for query in ["?%ff=%zz", &format!("?id={id}"), &format!("?match={id}")] {
                for body in ["", "null", "[", "\u{0}", "{\"device_code\":{}}", &"[".repeat(100_000)] {
                    let path = format!("{path}{query}").replace("{id}", id);
                    let request = request(method, &path);
                    let request = request.insert_header(("Coder-Session-Token", service.admin.as_str()));
                    let answer = service.send(request.set_payload(body.to_owned())).await;
                    assert!(!answer.status.is_server_error(), "{method} {path}: {answer:?}");
                    if !answer.status.is_success() {
                        check_error(&answer);
                    }
                }
            }
        }
    }
}
