//! Answers that are larger than they may be.

use tokio::io::AsyncWriteExt;

use super::{Server, refresh, unavailable, userinfo};
use crate::world::{loopback_settings, oidc_client, refused};

/// What a server does that answers with a head, and with a text over and over until the client hangs up.
async fn endless(head: &'static str, again: &'static str) -> Server {
    Server::start(move |mut stream, _| async move {
        let _ = stream.write_all(head.as_bytes()).await;
        let many = again.repeat(4096 / again.len());
        while stream.write_all(many.as_bytes()).await.is_ok() {}
    })
    .await
}

#[tokio::test]
async fn an_endless_body_is_cut() {
    let (client, _) = oidc_client(loopback_settings());
    for (head, again) in [
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "10\r\nxxxxxxxxxxxxxxxx\r\n"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFE\r\n", "x"),
        ("HTTP/1.1 200 OK\r\n\r\n", "x"),
        ("HTTP/1.0 200 OK\r\n\r\n", "x"),
        ("HTTP/1.1 500 No\r\n\r\n", "x"),
    ] {
        let server = endless(head, again).await;
        assert_eq!(refresh(&*client, &server).await, unavailable("answer_too_large"), "{head:?}");
        let error = refused(userinfo(&*client, &server).await);
        assert_eq!(error, unavailable("answer_too_large"), "{head:?}");
    }
}

#[tokio::test]
async fn an_answer_that_announces_too_much_is_not_read() {
    let (client, _) = oidc_client(loopback_settings());
    for length in ["65537", "9223372036854775807"] {
        let server = Server::answering(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n")).await;
        assert_eq!(refresh(&*client, &server).await, unavailable("answer_too_large"), "{length}");
    }
}

#[tokio::test]
async fn each_kind_of_answer_has_its_own_limit() {
    // A document may be larger than the answer of a token endpoint.
    let body = format!(r#"{{"sub":"u1","access_token":"t","filler":"{}"}}"#, "x".repeat(100_000));
    let server =
        Server::answering(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await;
    let (client, _) = oidc_client(loopback_settings());
    assert_eq!(userinfo(&*client, &server).await.unwrap().subject, "u1");
    assert_eq!(refresh(&*client, &server).await, unavailable("answer_too_large"));
}

#[tokio::test]
async fn the_framing_of_chunks_is_bounded_too() {
    let (client, _) = oidc_client(loopback_settings());
    for (head, again) in [
        // The extension of a chunk, chunks of it, and what may follow the last chunk.
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;", "x"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "1;xxxxxxxxxxx\r\n \r\n"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", "x: y\r\n"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: ", "y"),
    ] {
        let server = endless(head, again).await;
        assert_eq!(refresh(&*client, &server).await, unavailable("connection_broken"), "{head:?} {again:?}");
    }
}
