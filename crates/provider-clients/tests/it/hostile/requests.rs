//! What is sent, and where to.

use std::process::Command;
use std::sync::Arc;

use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_provider_clients::ClientSettings;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::{Server, ok, refresh, unavailable, userinfo};
use crate::world::{connection, loopback_settings, oidc_client, refused, registration, secret};

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
        client.identify(&Scopes::default()).identify_user(&connection, &secret("token"), None).await.unwrap();
        let request = requests.recv().await.unwrap();
        let mut names: Vec<_> =
            request.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0)).collect();
        names.sort_unstable();
        // No cookie, no referer, no offer to unpack anything.
        assert_eq!(names, ["accept", "authorization", "host", "user-agent"]);
        assert!(request.contains("user-agent: grantkeeper/"), "{request}");
    }
}

/// Says to this test, when it runs as a child of itself, whom to call.
const SERVER: &str = "GRANTKEEPER_TEST_CALL";

#[tokio::test]
async fn proxies_of_the_environment_are_ignored() {
    if let Ok(url) = std::env::var(SERVER) {
        let server = Server { url, hits: Arc::default() };
        let (client, _) = oidc_client(loopback_settings());
        assert_eq!(userinfo(&*client, &server).await.unwrap().subject, "u1");
        return;
    }
    let server = Server::answering(ok(br#"{"sub":"u1"}"#)).await;
    let proxy = Server::answering(ok(br#"{"sub":"attacker"}"#)).await;
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "hostile::requests::proxies_of_the_environment_are_ignored"]);
    child.env(SERVER, &server.url).env_remove("NO_PROXY").env_remove("no_proxy");
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, &proxy.url);
    }
    let output = tokio::task::spawn_blocking(move || child.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((server.hits(), proxy.hits()), (1, 0));
}

#[tokio::test]
async fn this_machine_is_not_called_unless_that_is_allowed() {
    let server = Server::answering(ok(b"")).await;
    let (client, _) = oidc_client(ClientSettings::default());
    assert_eq!(refused(userinfo(&*client, &server).await), unavailable("address_refused"));
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
    let (client, _) = oidc_client(loopback_settings());
    assert_eq!(refresh(&*client, &server).await, unavailable("connection_failed"));
}
