//! Servers that take their time. It is the clock of the tests that passes.

use std::sync::Arc;
use std::time::Duration;

use grantkeeper_domain::providers::UpstreamError;
use grantkeeper_domain::services::Clock;
use grantkeeper_provider_clients::Limits;
use grantkeeper_testkit::FixedClock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Server, refresh, unavailable};
use crate::world::{loopback_settings, oidc_client};

const SECOND: Duration = Duration::from_secs(1);

/// A refresh under way, and the clock that its limit goes by.
fn call(server: Server) -> (JoinHandle<UpstreamError>, Arc<FixedClock>) {
    let (client, clock) = oidc_client(loopback_settings());
    (tokio::spawn(async move { refresh(&*client, &server).await }), clock)
}

#[tokio::test]
async fn an_answer_that_trickles_is_given_up_at_the_limit() {
    for begun in [
        "HTTP/1.1 200 ",
        "HTTP/1.1 200 OK\r\nendless: ",
        "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;extension=",
        "HTTP/1.1 200 OK\r\n\r\n{",
    ] {
        let (sent, mut bytes) = mpsc::channel(1);
        let server = Server::start(move |mut stream, _| {
            let sent = sent.clone();
            async move {
                let _ = stream.write_all(begun.as_bytes()).await;
                // Until the client hangs up.
                while stream.write_all(b"x").await.is_ok() {
                    let _ = sent.send(()).await;
                }
            }
        })
        .await;
        let (call, clock) = call(server);
        let start = clock.now();
        for second in 0..Limits::default().request.as_secs() {
            bytes.recv().await.unwrap();
            clock.until_sleeping(1).await;
            assert!(!call.is_finished(), "{begun:?} after {second} s");
            clock.advance(SECOND);
        }
        assert_eq!(call.await.unwrap(), unavailable("timeout"), "{begun:?}");
        assert_eq!(clock.now() - start, chrono::TimeDelta::seconds(20), "nobody else moved the clock");
        bytes.close();
    }
}

#[tokio::test]
async fn a_server_that_does_not_go_on_is_given_up_and_hung_up_on() {
    for begun in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"] {
        let (tell, mut told) = mpsc::channel(2);
        let server = Server::start(move |mut stream, _| {
            let tell = tell.clone();
            async move {
                let _ = stream.write_all(begun.as_bytes()).await;
                let _ = tell.send("begun").await;
                while stream.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {}
                let _ = tell.send("hung up on").await;
            }
        })
        .await;
        let (call, clock) = call(server);
        assert_eq!(told.recv().await, Some("begun"));
        clock.until_sleeping(1).await;
        clock.advance(Limits::default().request);
        assert_eq!(call.await.unwrap(), unavailable("timeout"), "{begun:?}");
        assert_eq!(told.recv().await, Some("hung up on"), "{begun:?}");
    }
}

#[tokio::test]
async fn a_server_that_only_announces_answers_is_given_up() {
    let (sent, mut hints) = mpsc::channel(1);
    let server = Server::start(move |mut stream, _| {
        let sent = sent.clone();
        async move {
            while stream.write_all(b"HTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\n").await.is_ok() {
                let _ = sent.send(()).await;
            }
        }
    })
    .await;
    let (call, clock) = call(server);
    for _ in 0..Limits::default().request.as_secs() {
        hints.recv().await.unwrap();
        clock.until_sleeping(1).await;
        clock.advance(SECOND);
    }
    assert_eq!(call.await.unwrap(), unavailable("timeout"));
}

#[tokio::test]
async fn documents_have_a_limit_of_their_own() {
    let (begun, mut answer_begun) = mpsc::channel(1);
    let server = Server::start(move |mut stream, _| {
        let begun = begun.clone();
        async move {
            let _ = begun.send(()).await;
            let _ = stream.read(&mut [0]).await;
        }
    })
    .await;
    let (client, clock) = oidc_client(loopback_settings());
    let call = tokio::spawn(async move { super::userinfo(&*client, &server).await });
    answer_begun.recv().await.unwrap();
    for _ in 0..Limits::default().document.as_secs() {
        clock.until_sleeping(1).await;
        assert!(!call.is_finished());
        clock.advance(SECOND);
    }
    assert_eq!(call.await.unwrap(), Err(unavailable("timeout")));
}
