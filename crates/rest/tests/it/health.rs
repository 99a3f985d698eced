//! Health.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use actix_web::HttpServer;
use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use actix_web::web::{Data, block};
use async_trait::async_trait;
use grantkeeper_rest::{Api, LimitSettings, Readiness, RestSettings, app};

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
        tokens_in_query: false,
        asks_people: true,
        limits: LimitSettings::default(),
    };
    service.api =
        Data::new(Api::new(&service.ports, service.use_cases.clone(), Arc::new(NotReady), settings));
    assert_eq!(service.send(TestRequest::get().uri("/healthz")).await.status, StatusCode::OK);
    let answer = service.send(TestRequest::get().uri("/readyz")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json()["failed"], serde_json::json!(["key"]));
}

#[actix_web::test]
async fn head_answers_like_get_without_the_body() {
    let api = Service::start().await.api;
    // What a body is left out of is the server's business, so this takes one.
    let server = HttpServer::new(move || app(api.clone())).workers(1).disable_signals();
    let server = server.bind(("127.0.0.1", 0)).unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    for path in ["/healthz", "/readyz"] {
        let (head, body) = on_the_wire(address, "HEAD", path).await;
        assert_eq!(body, "", "{path}");
        let (like_get, body) = on_the_wire(address, "GET", path).await;
        assert_eq!(head, like_get, "{path}");
        assert!(head[0].contains("200") && !body.is_empty(), "{path}: {head:?}");
    }
    handle.stop(false).await;
    running.await.unwrap().unwrap();
}

/// The status line and the headers that two answers have in common, and all that follows.
async fn on_the_wire(address: SocketAddr, method: &str, path: &str) -> (Vec<String>, String) {
    let request = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    let exchange = move || {
        let mut answer = String::new();
        let mut connection = TcpStream::connect(address)?;
        connection.write_all(request.as_bytes())?;
        connection.read_to_string(&mut answer)?;
        std::io::Result::Ok(answer)
    };
    let answer = block(exchange).await.unwrap().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let of_one_request = |line: &&str| line.starts_with("date:") || line.starts_with("x-request-id:");
    let mut head: Vec<_> = head.lines().filter(|line| !of_one_request(line)).map(str::to_owned).collect();
    // The server writes them in no particular order.
    head[1..].sort();
    (head, body.to_owned())
}
