//! Health.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use actix_web::web::Data;
use async_trait::async_trait;
use grantkeeper_rest::{Api, Readiness, RestSettings};

use crate::service::{PUBLIC_URL, Service};

struct NotReady;

#[async_trait]
impl Readiness for NotReady {
    async fn check(&self) -> Result<(), String> {
        Err("key".to_owned())
    }
}

#[actix_web::test]
async fn a_service_in_order_is_alive_and_ready() {
    let service = Service::start().await;
    for path in ["/healthz", "/readyz", "/healthz/"] {
        let answer = service.send(TestRequest::get().uri(path)).await;
        assert_eq!((answer.status, answer.text("status").as_str()), (StatusCode::OK, "ok"), "{path}");
    }
}

#[actix_web::test]
async fn without_its_key_a_service_is_alive_but_not_ready() {
    let mut service = Service::start().await;
    let settings = RestSettings {
        public_url: PUBLIC_URL.to_owned(),
        session_cookie: "s".to_owned(),
        trusted_proxies: Vec::new(),
        asks_people: true,
    };
    service.api =
        Data::new(Api::new(&service.ports, service.use_cases.clone(), Arc::new(NotReady), settings));
    assert_eq!(service.send(TestRequest::get().uri("/healthz")).await.status, StatusCode::OK);
    let answer = service.send(TestRequest::get().uri("/readyz")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json()["failed"], serde_json::json!(["key"]));
}
