//! Headers of answers that never end, or hold too much.

use tokio::io::AsyncWriteExt;

use super::{Server, ok, refresh, unavailable, userinfo};
use crate::world::{loopback_settings, oidc_client};

const BODY: &str = r#"{"sub":"u1"}"#;

fn with_headers(headers: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{headers}\r\n{BODY}", BODY.len())
}

#[tokio::test]
async fn an_endless_header_is_cut() {
    let (client, _) = oidc_client(loopback_settings());
    for (head, again) in [
        ("", "x"),
        ("HTTP/1.1 200 ", "x"),
        ("HTTP/1.1 200 OK\r\n", "x: y\r\n"),
        ("HTTP/1.1 200 OK\r\nx: ", "y"),
        ("HTTP/1.1 200 OK\r\n", "x"),
    ] {
        let server = Server::start(move |mut stream, _| async move {
            let _ = stream.write_all(head.as_bytes()).await;
            let many = again.repeat(1024);
            while stream.write_all(many.as_bytes()).await.is_ok() {}
        })
        .await;
        assert_eq!(refresh(&*client, &server).await, unavailable("connection_broken"), "{head:?} {again:?}");
    }
}

#[tokio::test]
async fn a_header_has_a_largest_number_of_fields_and_a_largest_size() {
    let (client, _) = oidc_client(loopback_settings());
    for (headers, expected) in [
        ("x: y\r\n".repeat(99), Ok("u1".to_owned())),
        ("x: y\r\n".repeat(100), Err(unavailable("connection_broken"))),
        (format!("x: {}\r\n", "y".repeat(65_000)), Ok("u1".to_owned())),
        (format!("x: {}\r\n", "y".repeat(66_000)), Err(unavailable("answer_too_large"))),
        (format!("x: {}\r\n", "y".repeat(1_000)).repeat(90), Err(unavailable("answer_too_large"))),
    ] {
        let server = Server::answering(with_headers(&headers)).await;
        let found = userinfo(&*client, &server).await.map(|identity| identity.subject);
        assert_eq!(found, expected, "{} bytes", headers.len());
    }
}

#[tokio::test]
async fn what_headers_ask_for_is_not_done() {
    let canary = Server::answering(ok(b"")).await;
    let (client, _) = oidc_client(loopback_settings());
    for name in
        ["location", "content-location", "refresh", "link", "alt-svc", "www-authenticate", "set-cookie"]
    {
        let server = Server::answering(with_headers(&format!("{name}: {}\r\n", canary.url))).await;
        for _ in 0..2 {
            assert_eq!(userinfo(&*client, &server).await.unwrap().subject, "u1", "{name}");
        }
        assert_eq!(server.hits(), 2, "{name}");
    }
    assert_eq!(canary.hits(), 0);
}
