//! Servers that mean harm: they redirect, never end, or never begin.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use grantkeeper_domain::providers::{Identity, ProviderEndpoints, UpstreamError};
use grantkeeper_domain::services::Clock;
use grantkeeper_provider_clients::ClientSettings;
use grantkeeper_testkit::entities;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::world::{connection, loopback_settings, oidc_client, refused, registration, secret};

/// A server that treats every connection alike, after it has read the request.
pub(crate) struct Server {
    pub(crate) url: String,
    hits: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) async fn start<F, Fut>(treat: F) -> Self
    where
        F: Fn(TcpStream, String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let hits = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&hits);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read_request(&mut stream).await;
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(treat(stream, request));
            }
        });
        Self { url, hits }
    }

    /// Always gives the same answer, after which it closes the connection.
    pub(crate) async fn answering(answer: String) -> Self {
        Self::start(move |mut stream, _| {
            let answer = answer.clone();
            async move {
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        })
        .await
    }

    pub(crate) fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }

    fn endpoints(&self) -> ProviderEndpoints {
        let at = |path: &str| format!("{}/{path}", self.url).parse().unwrap();
        ProviderEndpoints {
            token: at("token"),
            userinfo: Some(at("userinfo")),
            ..entities::endpoints("idp.example")
        }
    }
}

/// The head of a request, and no more of the body than came with it.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read_buf(&mut request).await {
            Ok(read) if read > 0 => {}
            _ => break,
        }
    }
    String::from_utf8_lossy(&request).into_owned()
}

async fn userinfo(settings: ClientSettings, server: &Server) -> Result<Identity, UpstreamError> {
    let (client, _) = oidc_client(settings);
    client.identify().identify_user(&connection(server.endpoints(), "secret"), &secret("token"), None).await
}

async fn refresh(server: &Server) -> UpstreamError {
    let (client, _) = oidc_client(loopback_settings());
    let refresh = client.refresh().unwrap();
    refused(refresh.refresh_token(&connection(server.endpoints(), "secret"), &secret("token")).await)
}

fn unavailable(reason: &'static str) -> UpstreamError {
    UpstreamError::Unavailable { reason, retry_after: None }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let canary = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned()).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("{}/stolen", canary.url);
        let answer = format!("HTTP/1.1 {status} Go\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let server = Server::answering(answer).await;
        assert_eq!(refresh(&server).await, unavailable("redirect"), "{status}");
        assert_eq!(
            refused(userinfo(loopback_settings(), &server).await),
            unavailable("redirect"),
            "{status}"
        );
        let (client, _) = oidc_client(loopback_settings());
        assert_eq!(client.register(&registration(Some(&server.url))).await.unwrap_err().field, "host");
    }
    assert_eq!(canary.hits(), 0);
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let server = Server::start(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
        // Until the client hangs up.
        while stream.write_all(chunk.as_bytes()).await.is_ok() {}
    })
    .await;
    assert_eq!(refresh(&server).await, unavailable("answer_too_large"));
    assert_eq!(refused(userinfo(loopback_settings(), &server).await), unavailable("answer_too_large"));
}

#[tokio::test]
async fn an_answer_that_announces_too_much_is_not_read() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 65537\r\n\r\n".to_owned()).await;
    assert_eq!(refresh(&server).await, unavailable("answer_too_large"));
}

#[tokio::test]
async fn each_kind_of_answer_has_its_own_limit() {
    // A document may be larger than the answer of a token endpoint.
    let body = format!(r#"{{"sub":"u1","access_token":"t","filler":"{}"}}"#, "x".repeat(100_000));
    let server =
        Server::answering(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await;
    assert_eq!(userinfo(loopback_settings(), &server).await.unwrap().subject, "u1");
    assert_eq!(refresh(&server).await, unavailable("answer_too_large"));
}

#[tokio::test]
async fn a_slow_answer_is_given_up() {
    let (begun, mut answer_begun) = mpsc::channel(1);
    let server = Server::start(move |mut stream, _| {
        let begun = begun.clone();
        async move {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{").await;
            let _ = begun.send(()).await;
            // Holds the connection until the client hangs up.
            let _ = stream.read(&mut [0]).await;
        }
    })
    .await;
    let (client, clock) = oidc_client(loopback_settings());
    let refresh = client.refresh().unwrap();
    let connection = connection(server.endpoints(), "secret");
    let call =
        tokio::spawn(async move { refused(refresh.refresh_token(&connection, &secret("token")).await) });
    answer_begun.recv().await.unwrap();
    clock.until_sleeping(1).await;
    let start = clock.now();
    clock.advance(Duration::from_secs(30));
    assert_eq!(call.await.unwrap(), unavailable("timeout"));
    assert_eq!(clock.now() - start, chrono::TimeDelta::seconds(30), "nobody else moved the clock");
}

#[tokio::test]
async fn compressed_answers_are_not_unpacked() {
    // The first bytes of a gzip stream, which might unpack to anything.
    let answer = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x00\x08\x00";
    let server = Server::answering(answer.to_owned()).await;
    assert_eq!(refresh(&server).await, unavailable("unreadable_answer"));
}

#[tokio::test]
async fn nothing_but_what_is_needed_is_sent() {
    let (seen, mut requests) = mpsc::channel(1);
    let server = Server::start(move |mut stream, request| {
        let seen = seen.clone();
        async move {
            let cookie = "HTTP/1.1 200 OK\r\nset-cookie: a=b\r\ncontent-length: 12\r\n\r\n{\"sub\":\"u1\"}";
            let _ = stream.write_all(cookie.as_bytes()).await;
            let _ = seen.send(request).await;
        }
    })
    .await;
    let (client, _) = oidc_client(loopback_settings());
    for _ in 0..2 {
        let connection = connection(server.endpoints(), "secret");
        client.identify().identify_user(&connection, &secret("token"), None).await.unwrap();
        let request = requests.recv().await.unwrap();
        let mut names: Vec<_> =
            request.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0)).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "authorization", "host", "user-agent"]);
        assert!(request.contains("user-agent: grantkeeper/"), "{request}");
    }
}

#[tokio::test]
async fn this_machine_is_not_called_unless_that_is_allowed() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned()).await;
    let error = refused(userinfo(ClientSettings::default(), &server).await);
    assert_eq!(error, unavailable("address_refused"));
    let (client, _) = oidc_client(ClientSettings::default());
    for host in [
        &server.url,
        "http://localhost:1",
        "http://localhost.",
        "https://127.0.0.1",
        "https://localhost.",
        "https://169.254.169.254",
    ] {
        let error = client.register(&registration(Some(host))).await.unwrap_err();
        assert_eq!(error.field, "host", "{host}");
    }
    assert_eq!(server.hits(), 0);
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let server = Server { url, hits: Arc::default() };
    assert_eq!(refresh(&server).await, unavailable("connection_failed"));
}
