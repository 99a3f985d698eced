//! The ways to send a token, and what comes with a cookie.

use actix_web::cookie::Cookie;
use actix_web::http::header::{AUTHORIZATION, ORIGIN};
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use grantkeeper_testkit::scripted_provider::Call;

use super::check_error;
use crate::browser::Browser;
use crate::service::{PUBLIC_URL, Service};

/// The ways to send a token, in the order in which they count.
const WAYS: [fn(Sent, &str) -> Sent; 5] = [
    |sent, token| Sent {
        request: sent.request.cookie(Cookie::new("coder_session_token", token.to_owned())),
        ..sent
    },
    |sent, token| Sent { query: format!("{}&coder_session_token={token}", sent.query), ..sent },
    |sent, token| Sent { request: sent.request.insert_header(("Coder-Session-Token", token)), ..sent },
    |sent, token| Sent {
        request: sent.request.insert_header((AUTHORIZATION, format!("Bearer {token}"))),
        ..sent
    },
    |sent, token| Sent { query: format!("{}&access_token={token}", sent.query), ..sent },
];

/// Those of them that an operator has to switch on.
const IN_QUERY: [usize; 2] = [1, 4];

struct Sent {
    request: TestRequest,
    query: String,
}

impl Sent {
    fn new() -> Self {
        Self { request: TestRequest::get(), query: String::new() }
    }

    async fn to(self, service: &Service) -> StatusCode {
        let uri = format!("/api/v2/external-auth?{}", self.query);
        service.send(self.request.uri(&uri)).await.status
    }
}

#[actix_web::test]
async fn of_five_ways_to_send_a_token_the_first_one_with_something_in_it_counts() {
    let service = Service::start().await.with_tokens_in_query();
    let good = service.member.clone();
    for (first, way) in WAYS.iter().enumerate() {
        assert_eq!(way(Sent::new(), &good).to(&service).await, StatusCode::OK, "{first}");
        assert_eq!(way(Sent::new(), "").to(&service).await, StatusCode::UNAUTHORIZED, "{first}");
        for (second, later) in WAYS.iter().enumerate().skip(first + 1) {
            let told = format!("{first} before {second}");
            let sent = later(way(Sent::new(), &good), "gk_wrong");
            assert_eq!(sent.to(&service).await, StatusCode::OK, "{told}");
            let sent = later(way(Sent::new(), "gk_wrong"), &good);
            assert_eq!(sent.to(&service).await, StatusCode::UNAUTHORIZED, "{told}");
            let sent = later(way(Sent::new(), ""), &good);
            assert_eq!(sent.to(&service).await, StatusCode::OK, "{told}: an empty one is none");
        }
    }
    assert_eq!(Sent::new().to(&service).await, StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn tokens_in_the_query_are_passed_by_unless_they_are_switched_on() {
    let service = Service::start().await;
    for (index, way) in WAYS.iter().enumerate() {
        let expected = if IN_QUERY.contains(&index) { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
        assert_eq!(way(Sent::new(), &service.member).to(&service).await, expected, "{index}");
    }
    let sent = WAYS[1](WAYS[2](Sent::new(), &service.member), "gk_wrong");
    assert_eq!(sent.to(&service).await, StatusCode::OK, "not used at all");
}

#[actix_web::test]
async fn a_way_that_is_used_twice_brings_no_token() {
    let service = Service::start().await.with_tokens_in_query();
    for index in IN_QUERY {
        let sent = WAYS[index](WAYS[index](Sent::new(), &service.member), &service.member);
        assert_eq!(sent.to(&service).await, StatusCode::UNAUTHORIZED, "{index}");
    }
    let request = TestRequest::get().uri("/api/v2/external-auth");
    let twice = ["Coder-Session-Token"; 2].into_iter();
    let request = twice.fold(request, |request, name| request.append_header((name, service.member.as_str())));
    assert_eq!(service.send(request).await.status, StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn other_schemes_are_no_way_to_send_a_token() {
    let service = Service::start().await;
    for scheme in ["Token", "Basic", ""] {
        let request = TestRequest::get().uri("/api/v2/external-auth");
        let request = request.insert_header((AUTHORIZATION, format!("{scheme} {}", service.member)));
        assert_eq!(service.send(request).await.status, StatusCode::UNAUTHORIZED, "{scheme}");
    }
}

#[actix_web::test]
async fn what_comes_with_a_cookie_and_changes_something_has_to_come_from_our_pages() {
    let service = Service::start().await;
    service.register_with_device_flow().await;
    let mut browser = Browser::new(&service);
    browser.sign_in(&service.member, "/account").await;
    let calls = [
        (Method::DELETE, "/api/v2/external-auth/example", StatusCode::NOT_FOUND),
        (Method::POST, "/api/v2/external-auth/example/device", StatusCode::BAD_REQUEST),
        (Method::PUT, "/api/v2/external-auth/example", StatusCode::METHOD_NOT_ALLOWED),
    ];
    let foreign = ["https://evil.example", "null", "", "http://127.0.0.1:8081", "http://127.0.0.1:8080/"];
    for (method, path, let_in) in calls {
        let call = || TestRequest::default().method(method.clone()).uri(path);
        let mut told = vec![browser.send(call()).await];
        for origin in foreign {
            told.push(browser.send(call().insert_header((ORIGIN, origin))).await);
        }
        let twice = call().append_header((ORIGIN, PUBLIC_URL)).append_header((ORIGIN, PUBLIC_URL));
        told.push(browser.send(twice).await);
        for answer in told {
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}: {answer:?}");
            check_error(&answer);
        }
        let ours = browser.send(call().insert_header((ORIGIN, PUBLIC_URL))).await;
        assert_eq!(ours.status, let_in, "{path}: {ours:?}");
        let with_header = call().insert_header(("Coder-Session-Token", service.member.as_str()));
        assert_eq!(service.send(with_header).await.status, let_in, "no browser sends that by itself");
    }
    let read = browser.send(TestRequest::get().uri("/api/v2/external-auth/example")).await;
    assert_eq!(read.status, StatusCode::OK, "nobody else's page can read it");
    let refused = browser.send(TestRequest::delete().uri("/api/v2/external-auth/example")).await;
    insta::assert_snapshot!(refused.render());
}

#[actix_web::test]
async fn another_site_cannot_begin_a_device_flow_with_the_cookie_of_a_person() {
    let service = Service::start().await;
    service.register_with_device_flow().await;
    let mut browser = Browser::new(&service);
    browser.sign_in(&service.member, "/account").await;
    let led = |path: &str, site: &str| TestRequest::get().uri(path).insert_header(("sec-fetch-site", site));
    let device = "/api/v2/external-auth/example/device";
    for path in [device, "/api/v2/external-auth/example/device/", "/api/v2//external-auth/example/%64evice"] {
        let refused = browser.send(led(path, "cross-site")).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}: {refused:?}");
        check_error(&refused);
    }
    assert_eq!(service.provider.calls(Call::BeginDevice), 0);
    for site in ["same-origin", "none", ""] {
        assert_eq!(browser.send(led(device, site)).await.status, StatusCode::OK, "{site}");
    }
    assert_eq!(browser.send(TestRequest::get().uri(device)).await.status, StatusCode::OK, "an older browser");
    let read = browser.send(led("/api/v2/external-auth/example", "cross-site")).await;
    assert_eq!(read.status, StatusCode::OK, "nobody else's page can read it");
    let with_header =
        led(device, "cross-site").insert_header(("Coder-Session-Token", service.member.as_str()));
    assert_eq!(service.send(with_header).await.status, StatusCode::OK, "no browser sends that by itself");
}
