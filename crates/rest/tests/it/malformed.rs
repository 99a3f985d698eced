//! Whatever is sent: the API's own error body, and never a 500.

use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use grantkeeper_rest::EXTERNAL_OAUTH_ROUTES;

use crate::service::{BASE, Service};

/// Bodies that no call takes.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("nothing", Vec::new()),
        ("half an object", b"{\"name\":".to_vec()),
        ("no object", b"[1,2,3]".to_vec()),
        ("null", b"null".to_vec()),
        ("bad UTF-8", b"{\"name\":\"\xff\xfe\"}".to_vec()),
        ("a NUL", b"{\"name\":\"\x00\"}".to_vec()),
        ("an unknown member", br#"{"surprise":1}"#.to_vec()),
        (
            "wrong types",
            br#"{"name":1,"type":[],"clientId":{},"clientSecret":true,"code":1,"state":2,"providerId":3}"#
                .to_vec(),
        ),
        (
            "empty strings",
            br#"{"name":"","type":"","clientId":" ","clientSecret":"","code":"","state":"","providerId":""}"#
                .to_vec(),
        ),
        ("nulls", br#"{"name":null,"type":null}"#.to_vec()),
        ("deep", "[".repeat(100_000).into_bytes()),
        ("huge", format!("{{\"name\":\"{}\"}}", "x".repeat(1 << 20)).into_bytes()),
    ]
}

/// Query strings that no call takes, or that say nothing to it.
const QUERIES: [&str; 7] = [
    "?types=%ff%fe",
    "?orderBy=%00",
    "?orderBy=a&orderBy=b",
    "?state=a&state=b",
    "?min_ttl=1e3",
    "?status=%F0%9F%92%A9&type=",
    "?%zz=1&&&=",
];

/// Ids that are not ours.
const IDS: [&str; 6] =
    ["x", "%ff%fe", "..%2f..%2fetc", "00000000-0000-7000-8000-000000000000", "%00", "{id}"];

#[actix_web::test]
async fn every_route_answers_nonsense_in_its_own_words() {
    let service = Service::start().await;
    for (method, path) in EXTERNAL_OAUTH_ROUTES {
        for id in IDS {
            let path = path.replace("{id}", id);
            for query in QUERIES {
                check(&service, method, &format!("{path}/{query}"), "nothing", Vec::new()).await;
            }
            for (name, body) in bodies() {
                check(&service, method, &format!("{path}/"), name, body).await;
            }
        }
    }
}

async fn check(service: &Service, method: &str, path: &str, name: &str, body: Vec<u8>) {
    let request = TestRequest::default()
        .method(Method::from_bytes(method.to_uppercase().as_bytes()).unwrap())
        .uri(&format!("{BASE}{path}"))
        .insert_header((AUTHORIZATION, format!("Bearer {}", service.admin)))
        .insert_header((CONTENT_TYPE, "application/json"))
        .set_payload(body);
    let answer = service.send(request).await;
    assert!(!answer.status.is_server_error(), "{method} {path} with {name}: {answer:?}");
    assert_eq!(answer.header(CONTENT_TYPE), "application/json", "{method} {path} with {name}");
    if answer.status.is_success() {
        return;
    }
    let error = answer.json();
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{method} {path}: {error}");
    let fields = error["errorFields"].as_array().unwrap_or_else(|| panic!("{method} {path}: {error}"));
    if answer.status == StatusCode::UNPROCESSABLE_ENTITY {
        assert!(!fields.is_empty(), "{method} {path} with {name}: a field is named: {error}");
    }
    for field in fields {
        assert!(field["name"].is_string() && field["message"].is_string(), "{method} {path}: {error}");
    }
}

#[actix_web::test]
async fn a_query_that_is_not_utf_8_is_refused_by_parameter() {
    let service = Service::start().await;
    let provider = service.register().await;
    let authorization = service.authorize(&service.admin, &provider).await;
    let authorize = format!("/providers/{provider}/authorize/");
    let access_token = format!("/authorizedProviders/{authorization}/accessToken/");
    for (method, path, query, name) in [
        ("POST", authorize.as_str(), "state=%ff", "state"),
        ("POST", &authorize, "redirect_uri=http://127.0.0.1/%F0%9F", "redirect_uri"),
        ("POST", &authorize, "state=fine&%ff=1", "query"),
        ("POST", &access_token, "min_ttl=1%", "min_ttl"),
        ("GET", "/providers/", "ids=%zz", "ids"),
        ("GET", "/providers/", "ids=x&%zz", "query"),
        ("GET", "/jobs/", "status=%C3%28", "status"),
    ] {
        let answer = service.call(&service.admin, method, &format!("{path}?{query}"), None).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path} {query}: {answer:?}");
        assert_eq!(answer.json()["errorFields"][0]["name"], name, "{path} {query}: {answer:?}");
    }
}

#[actix_web::test]
async fn what_is_wrong_with_a_body_is_told_by_field_and_all_at_once() {
    let service = Service::start().await;
    let mut told = Vec::new();
    for (name, body) in bodies() {
        let request = TestRequest::post()
            .uri(&format!("{BASE}/providers/"))
            .insert_header((AUTHORIZATION, format!("Bearer {}", service.admin)))
            .set_payload(body);
        let answer = service.send(request).await;
        let body = serde_json::to_string_pretty(&answer.json()).unwrap();
        told.push(format!("{name}\n→ {}\n{body}\n", answer.status));
    }
    insta::assert_snapshot!(told.join("\n"));
}
