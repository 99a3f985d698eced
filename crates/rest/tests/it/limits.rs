//! Limits: who is over one is refused in the API's own form, and nobody else is.

use std::time::Duration;

use actix_web::cookie::Cookie;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, ORIGIN, RETRY_AFTER};
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use grantkeeper_domain::accounts::TokenReach;
use grantkeeper_rest::{
    EXTERNAL_AUTH_LIMITS, EXTERNAL_AUTH_ROUTES, EXTERNAL_OAUTH_LIMITS, EXTERNAL_OAUTH_ROUTES, LOGIN_LIMITS,
    LOGIN_ROUTES, LimitSettings, PAGES, PerMinute, Purpose,
};

use crate::service::{Answer, BASE, PUBLIC_URL, Service};

const HERE: &str = "203.0.113.9";
const ELSEWHERE: &str = "203.0.113.10";
const SOME_ID: &str = "0199c1f0-0000-7000-8000-000000000000";

/// The routes of the `external_oauth` API that are limited, and as what. All others are not.
const LIMITED: [(&str, &str, Purpose); 5] = [
    ("post", "/authorizedProviders/{id}/token", Purpose::TokenRead),
    ("post", "/authorizedProviders/{id}/accessToken", Purpose::TokenRead),
    ("post", "/providers/callback", Purpose::Callback),
    ("post", "/providers/{id}/authorize", Purpose::StartFlow),
    ("get", "/authorizedProviders/{id}/userinfo", Purpose::TokenRead),
];

/// Those of the `login` API. Nobody is signed in there: an address is limited.
const LIMITED_LOGINS: [(&str, &str, Purpose); 4] = [
    ("post", "/login/oauth2/device/start", Purpose::StartDeviceLogin),
    ("post", "/v1/oauth2", Purpose::StartLogin),
    ("get", "/v1/login/oauth2/web/authorize", Purpose::StartLogin),
    ("get", "/v1/login/oauth2/web/callback/{provider}", Purpose::Callback),
];

/// Those of the `external_auth` API.
const LIMITED_LINKS: [(&str, &str, Purpose); 5] = [
    ("get", "/api/v2/workspaceagents/me/external-auth", Purpose::TokenRead),
    ("get", "/api/v2/external-auth/{id}/device", Purpose::StartDeviceFlow),
    ("post", "/api/v2/external-auth/{id}/device", Purpose::PollDeviceFlow),
    ("get", "/api/v2/external-auth/{id}", Purpose::TokenRead),
    ("get", "/api/v2/external-auth", Purpose::TokenRead),
];

/// Two a minute for each account, or from each address.
const FOR_CALLERS: PerMinute = PerMinute { caller: 2, address: 0 };
const FOR_ADDRESSES: PerMinute = PerMinute { caller: 0, address: 2 };

fn only(purpose: Purpose, rates: PerMinute) -> LimitSettings {
    let mut limits = LimitSettings::default();
    match purpose {
        Purpose::StartFlow | Purpose::StartLogin => limits.flows = rates,
        // Of device flows there may be a tenth.
        Purpose::StartDeviceFlow | Purpose::StartDeviceLogin => {
            limits.flows = PerMinute { caller: 10 * rates.caller, address: 10 * rates.address };
        }
        Purpose::Callback | Purpose::PollDeviceFlow => limits.callbacks = rates,
        Purpose::TokenRead => limits.token_reads = rates,
    }
    limits
}

/// As narrow as can be.
fn one_of_everything() -> LimitSettings {
    let one = PerMinute { caller: 1, address: 1 };
    LimitSettings { flows: one, callbacks: one, token_reads: one, wrong_tokens_per_address: 1 }
}

fn request(method: &str, path: &str) -> TestRequest {
    let parameters = ["{id}", "{flow}", "{login}", "{provider}"];
    let path = parameters.iter().fold(path.to_owned(), |path, name| path.replace(name, SOME_ID));
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    TestRequest::default().method(method).uri(&path)
}

fn bearer(token: &str) -> (actix_web::http::header::HeaderName, String) {
    (AUTHORIZATION, format!("Bearer {token}"))
}

fn call(method: &str, path: &str, token: &str) -> TestRequest {
    request(method, &format!("{BASE}{path}")).insert_header(bearer(token))
}

fn device_call(method: &str, token: &str) -> TestRequest {
    request(method, "/api/v2/external-auth/{id}/device").insert_header(("Coder-Session-Token", token))
}

fn is_refused(answer: &Answer, seconds: &str) -> bool {
    assert_eq!(
        answer.status == StatusCode::TOO_MANY_REQUESTS,
        answer.header(RETRY_AFTER) == seconds,
        "{answer:?}"
    );
    answer.status == StatusCode::TOO_MANY_REQUESTS
}

#[test]
fn every_route_says_what_it_is_limited_as() {
    let limited: Vec<_> = EXTERNAL_OAUTH_ROUTES
        .iter()
        .zip(EXTERNAL_OAUTH_LIMITS)
        .filter_map(|((method, path), purpose)| Some((*method, *path, (*purpose)?)))
        .collect();
    assert_eq!(limited, LIMITED);
    let links: Vec<_> = EXTERNAL_AUTH_ROUTES
        .iter()
        .zip(EXTERNAL_AUTH_LIMITS)
        .filter_map(|((method, path), purpose)| Some((*method, *path, (*purpose)?)))
        .collect();
    assert_eq!(links, LIMITED_LINKS);
    let logins: Vec<_> = LOGIN_ROUTES
        .iter()
        .zip(LOGIN_LIMITS)
        .filter_map(|((method, path), purpose)| Some((*method, *path, (*purpose)?)))
        .collect();
    assert_eq!(logins, LIMITED_LOGINS);
    for (method, path, purpose) in PAGES {
        let expected = match (*method, *path) {
            ("post", "/sign-in/{provider}") => Purpose::StartLogin,
            ("get", "/external-auth/{provider}/device") => Purpose::PollDeviceFlow,
            _ => Purpose::Callback,
        };
        assert_eq!(*purpose, Some(expected), "{method} {path}");
    }
}

#[actix_web::test]
async fn a_caller_is_limited_on_every_such_route_and_no_other_caller_is() {
    for (method, path, purpose) in LIMITED {
        let service = Service::start().await.limited(only(purpose, FOR_CALLERS), &[]);
        let send = |token| service.send_from(HERE, call(method, path, token));
        for _ in 0..2 {
            assert!(!is_refused(&send(&service.member).await, "30"), "{method} {path}");
        }
        let refused = send(&service.member).await;
        assert!(is_refused(&refused, "30"), "{method} {path}");
        assert_eq!(refused.header(CONTENT_TYPE), "application/json", "{method} {path}");
        assert_eq!(
            refused.json(),
            serde_json::json!({
                "message": "too many requests of this kind; try again in 30 seconds",
                "errorFields": [],
            })
        );
        assert!(refused.headers.contains_key("x-request-id"), "{method} {path}");
        let elsewhere = service.send_from(ELSEWHERE, call(method, path, &service.member)).await;
        assert!(is_refused(&elsewhere, "30"), "the caller is, wherever they are");
        assert!(!is_refused(&send(&service.colleague).await, "30"), "another one is not");
        service.clock.advance(Duration::from_secs(30));
        assert!(!is_refused(&send(&service.member).await, "30"), "whoever waited as told is let in");
        assert!(is_refused(&send(&service.member).await, "30"), "for one more");
    }
}

#[actix_web::test]
async fn device_flows_are_limited_by_caller_and_by_address() {
    for (rates, neighbour_is_refused) in [(FOR_CALLERS, false), (FOR_ADDRESSES, true)] {
        let service = Service::start().await.limited(only(Purpose::StartDeviceFlow, rates), &[]);
        let begin = |token| service.send_from(HERE, device_call("get", token));
        for _ in 0..2 {
            assert!(!is_refused(&begin(&service.member).await, "30"));
        }
        let refused = begin(&service.member).await;
        assert!(is_refused(&refused, "30"));
        assert_eq!(refused.header(CONTENT_TYPE), "application/json; charset=utf-8");
        assert_eq!(
            refused.json(),
            serde_json::json!({
                "message": "Too many requests of this kind.",
                "detail": "too many requests of this kind; try again in 30 seconds",
                "validations": [],
            })
        );
        assert_eq!(is_refused(&begin(&service.colleague).await, "30"), neighbour_is_refused);
        service.clock.advance(Duration::from_secs(30));
        assert!(!is_refused(&begin(&service.member).await, "30"), "whoever waited as told is let in");
    }
}

#[actix_web::test]
async fn calls_about_links_are_limited_by_caller_and_by_address() {
    let reads = LIMITED_LINKS.iter().filter(|(_, _, purpose)| *purpose == Purpose::TokenRead);
    for (method, path, _) in reads {
        for (rates, neighbour_is_refused) in [(FOR_CALLERS, false), (FOR_ADDRESSES, true)] {
            let service = Service::start().await.limited(only(Purpose::TokenRead, rates), &[]);
            let call = |token: &str| {
                service.send_from(
                    HERE,
                    request(method, path).insert_header(("Coder-Session-Token", token.to_owned())),
                )
            };
            for _ in 0..2 {
                assert!(!is_refused(&call(&service.member).await, "30"), "{path}");
            }
            assert!(is_refused(&call(&service.member).await, "30"), "{path}");
            assert_eq!(is_refused(&call(&service.colleague).await, "30"), neighbour_is_refused, "{path}");
            service.clock.advance(Duration::from_secs(30));
            assert!(!is_refused(&call(&service.member).await, "30"), "{path}");
        }
    }
}

#[actix_web::test]
async fn a_poll_a_second_is_never_refused() {
    let one = PerMinute { caller: 1, address: 1 };
    let service = Service::start().await.limited(only(Purpose::PollDeviceFlow, one), &[]);
    let poll = || service.send_from(HERE, device_call("post", &service.member));
    for _ in 0..90 {
        assert!(!is_refused(&poll().await, "1"));
        service.clock.advance(Duration::from_secs(1));
    }
    for _ in 0..60 {
        assert!(!is_refused(&poll().await, "1"));
    }
    assert!(is_refused(&poll().await, "1"));
}

#[actix_web::test]
async fn an_address_is_limited_on_every_such_route_and_no_other_address_is() {
    for (method, path, purpose) in LIMITED {
        let service = Service::start().await.limited(only(purpose, FOR_ADDRESSES), &[]);
        for token in [&service.member, &service.colleague] {
            let answer = service.send_from(HERE, call(method, path, token)).await;
            assert!(!is_refused(&answer, "30"), "{method} {path}");
        }
        let refused = service.send_from(HERE, call(method, path, &service.admin)).await;
        assert!(is_refused(&refused, "30"), "{method} {path}: whoever is there");
        let elsewhere = service.send_from(ELSEWHERE, call(method, path, &service.admin)).await;
        assert!(!is_refused(&elsewhere, "30"), "{method} {path}");
    }
}

#[actix_web::test]
async fn every_limited_page_refuses_with_a_page() {
    // One that polls is never limited as narrowly as the others.
    let polls = |purpose| purpose == Some(Purpose::PollDeviceFlow);
    for (method, path, purpose) in PAGES.iter().filter(|(.., purpose)| !polls(*purpose)) {
        let service = Service::start().await.limited(one_of_everything(), &[]);
        let first = service.send_from(HERE, request(method, path)).await;
        assert!(!is_refused(&first, "60"), "{method} {path}");
        let second = service.send_from(HERE, request(method, path)).await;
        assert_eq!(is_refused(&second, "60"), purpose.is_some(), "{method} {path}");
        if purpose.is_some() {
            assert_eq!(second.header(CONTENT_TYPE), "text/html; charset=utf-8", "{method} {path}");
            assert!(second.body.contains("Please try again in 60 seconds."), "{}", second.body);
        }
        let elsewhere = service.send_from(ELSEWHERE, request(method, path)).await;
        assert!(!is_refused(&elsewhere, "60"), "{method} {path}");
    }
}

#[actix_web::test]
async fn everything_else_is_never_limited() {
    let service = Service::start().await.limited(one_of_everything(), &[]);
    let free = EXTERNAL_OAUTH_ROUTES.iter().zip(EXTERNAL_OAUTH_LIMITS);
    let free = free.filter(|(_, purpose)| purpose.is_none()).map(|((method, path), _)| (*method, *path));
    for (method, path) in free {
        for _ in 0..5 {
            let answer = service.send_from(HERE, call(method, path, &service.admin)).await;
            assert!(!is_refused(&answer, "60"), "{method} {path}");
        }
    }
    for path in ["/healthz", "/readyz", "/api/v2/version/", "/openapi.json", "/docs", "/nothing"] {
        for _ in 0..5 {
            let answer = service.send_from(HERE, request("get", path)).await;
            assert!(!is_refused(&answer, "60"), "{path}");
        }
    }
}

#[actix_web::test]
async fn the_tokens_of_an_account_share_its_limit() {
    let service = Service::start().await;
    let accounts = service.ports.store.accounts_with_email("member@acme.example").await.unwrap();
    let issued =
        service.use_cases.issue_api_token.run(accounts[0].id, TokenReach::Account, None).await.unwrap();
    let second = issued.secret.expose();
    let service = service.limited(only(Purpose::TokenRead, FOR_CALLERS), &[]);
    let (method, path, _) = LIMITED[0];
    for token in [&service.member, second] {
        assert!(!is_refused(&service.send(call(method, path, token)).await, "30"));
    }
    assert!(is_refused(&service.send(call(method, path, &service.member)).await, "30"));
    let (method, path, _) = LIMITED[4];
    assert!(is_refused(&service.send(call(method, path, second)).await, "30"), "and so do routes of a kind");
}

#[actix_web::test]
async fn what_a_caller_is_refused_is_not_counted_against_the_neighbours() {
    let rates = PerMinute { caller: 1, address: 3 };
    let service = Service::start().await.limited(only(Purpose::TokenRead, rates), &[]);
    let (method, path, _) = LIMITED[0];
    for _ in 0..10 {
        service.send_from(HERE, call(method, path, &service.member)).await;
    }
    for token in [&service.colleague, &service.admin] {
        assert!(!is_refused(&service.send_from(HERE, call(method, path, token)).await, "60"));
    }
}

#[actix_web::test]
async fn what_is_refused_is_not_looked_into_and_leaves_no_trace() {
    let service = Service::start().await;
    let provider = service.register().await;
    let service = service.limited(only(Purpose::StartFlow, FOR_CALLERS), &[]);
    let start = format!("/providers/{provider}/authorize/");
    for _ in 0..2 {
        assert_eq!(service.post(&service.member, &start).await.status, StatusCode::OK);
    }
    let organization = service.ports.store.organization_named("Acme").await.unwrap().unwrap();
    let entries = async || service.ports.store.newest_entries(organization.id, 10_000).await.unwrap().len();
    let before = entries().await;
    for query in ["", "?state=a&state=b"] {
        let answer = service.post(&service.member, &format!("{start}{query}")).await;
        assert!(is_refused(&answer, "30"), "{query}");
    }
    assert_eq!(entries().await, before);
}

#[actix_web::test]
async fn an_address_cannot_be_made_up() {
    let limits = only(Purpose::TokenRead, FOR_ADDRESSES);
    let (method, path, _) = LIMITED[0];
    let service = Service::start().await.limited(limits, &["10.0.0.0/8"]);
    let send = async |peer: &str, forwarded: &str| {
        let request = call(method, path, &service.member).insert_header(("x-forwarded-for", forwarded));
        let answer = service.send_from(peer, request).await;
        is_refused(&answer, "30")
    };
    for forwarded in ["1.1.1.1", "1.1.1.2"] {
        assert!(!send(HERE, forwarded).await);
    }
    assert!(send(HERE, "1.1.1.3").await, "no proxy of ours says so");
    for made_up in ["1.1.1.4", "1.1.1.5"] {
        assert!(!send("10.0.0.1", &format!("{made_up}, 198.51.100.1")).await);
    }
    assert!(send("10.0.0.2", "1.1.1.6, 198.51.100.1").await, "what the proxy itself saw counts");
    assert!(!send("10.0.0.1", "198.51.100.2").await, "its other clients are not affected");
}

#[actix_web::test]
async fn an_ipv6_network_is_one_address() {
    let limits = only(Purpose::TokenRead, FOR_ADDRESSES);
    let (method, path, _) = LIMITED[0];
    let service = Service::start().await.limited(limits, &[]);
    let send = async |peer: &str| {
        is_refused(&service.send_from(peer, call(method, path, &service.member)).await, "30")
    };
    assert!(!send("2001:db8::1").await && !send("2001:db8::2").await);
    assert!(send("2001:db8::ffff:3").await, "of the same /64");
    assert!(!send("2001:db8:0:1::1").await, "the next /64");
    for peer in ["::ffff:203.0.113.9", "::ffff:203.0.113.10"] {
        assert!(!send(peer).await, "IPv4 over a socket that speaks both is not one network: {peer}");
    }
}

#[actix_web::test]
async fn an_address_that_guesses_tokens_is_refused_for_a_while() {
    let limits = LimitSettings { wrong_tokens_per_address: 2, ..LimitSettings::default() };
    let service = Service::start().await.limited(limits, &[]);
    let list = async |peer: &str, token: &str| {
        service.send_from(peer, call("get", "/authorizedProviders", token)).await
    };
    for _ in 0..5 {
        assert_eq!(list(HERE, &service.member).await.status, StatusCode::OK, "right ones do not count");
    }
    for guess in ["gk_00000000000000000000000000000000000000", "nonsense"] {
        assert_eq!(list(HERE, guess).await.status, StatusCode::UNAUTHORIZED);
    }
    for token in ["gk_guess", &service.member] {
        let refused = list(HERE, token).await;
        assert!(is_refused(&refused, "30"), "a right one would tell that it is");
        assert_eq!(refused.header(CONTENT_TYPE), "application/json");
    }
    let anonymous = service.send_from(HERE, request("get", BASE)).await;
    assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED, "no token is no guess");
    assert_eq!(list(ELSEWHERE, &service.member).await.status, StatusCode::OK);
    service.clock.advance(Duration::from_secs(30));
    assert_eq!(list(HERE, &service.member).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn tokens_are_guessed_neither_at_the_sign_in_form_nor_by_cookie() {
    let limits = LimitSettings { wrong_tokens_per_address: 1, ..LimitSettings::default() };
    let flow = format!("/connect/{SOME_ID}");
    let form = |token: &str| {
        let form = TestRequest::post().uri("/sign-in").insert_header((ORIGIN, PUBLIC_URL));
        form.set_form([("token", token), ("return_to", &flow)])
    };
    let cookie =
        |value: &'static str| TestRequest::get().uri(&flow).cookie(Cookie::new("coder_session_token", value));
    for (guess, first) in [("form", form("gk_wrong")), ("cookie", cookie("gk_wrong"))] {
        let service = Service::start().await.limited(limits, &[]);
        assert!(!is_refused(&service.send_from(HERE, first).await, "60"), "{guess}");
        for request in [form(&service.member), cookie("gk_wrong")] {
            let refused = service.send_from(HERE, request).await;
            assert!(is_refused(&refused, "60"), "{guess}");
            assert_eq!(refused.header(CONTENT_TYPE), "text/html; charset=utf-8");
        }
        let call = service.send_from(HERE, call("get", "/providers", &service.member)).await;
        assert!(is_refused(&call, "60"), "it is one limit for all ways in: {guess}");
        let elsewhere = service.send_from(ELSEWHERE, form(&service.member)).await;
        assert_eq!(elsewhere.status, StatusCode::SEE_OTHER, "{elsewhere:?}");
    }
}

#[actix_web::test]
async fn nothing_is_limited_where_nothing_is_set() {
    let service = Service::start().await;
    let provider = service.register().await;
    let id = service.authorize(&service.member, &provider).await;
    for _ in 0..500 {
        let answer = service.post(&service.member, &format!("/authorizedProviders/{id}/token/")).await;
        assert_eq!(answer.status, StatusCode::CREATED);
    }
}
