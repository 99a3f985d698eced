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
