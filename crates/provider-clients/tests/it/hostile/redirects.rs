//! No redirect is followed, wherever it leads and whoever says it.

use grantkeeper_domain::providers::ProviderEndpoints;

use super::{Server, exchange, ok, refresh, revoke, unavailable, userinfo};
use crate::world::{loopback_settings, oidc_client, refused, registration};

fn redirect(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Go\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let canary = Server::answering(ok(b"{}")).await;
    let (client, _) = oidc_client(loopback_settings());
    for status in 300..=308 {
        for location in [
            &format!("{}/stolen", canary.url),
            "http://169.254.169.254/latest/meta-data/",
            "file:///etc/passwd",
            "https://idp.example/",
            "/token",
            "",
        ] {
            let server = Server::answering(redirect(status, location)).await;
            let what = format!("{status} to {location:?}");
            assert_eq!(refresh(&*client, &server).await, unavailable("redirect"), "{what}");
            assert_eq!(revoke(&*client, &server).await, unavailable("redirect"), "{what}");
            let error = refused(userinfo(&*client, &server).await);
            assert_eq!(error, unavailable("redirect"), "{what}");
            assert_eq!(server.hits(), 3, "{what}: each of them was sent once");

            let error = client.register(&registration(Some(&server.url))).await.unwrap_err();
            let status = format!("the last answer had status {status}");
            assert!(error.field == "host" && error.message.contains(&status), "{what}: {error}");
            assert_eq!(server.hits(), 5, "{what}: both places were asked once");
        }
    }
    assert_eq!(canary.hits(), 0);
}

#[tokio::test]
async fn keys_are_not_taken_from_where_a_redirect_leads() {
    let canary = Server::answering(ok(br#"{"keys":[]}"#)).await;
    let (client, _) = oidc_client(loopback_settings());
    let server = Server::answering(redirect(302, &canary.url)).await;
    let tokens = Server::answering(ok(br#"{"access_token":"t","id_token":"a.b.c"}"#)).await;
    let endpoints = ProviderEndpoints { token: tokens.endpoints().token, ..server.endpoints() };
    let tokens = exchange(&*client, endpoints).await.ok().unwrap();
    assert_eq!(tokens.distrust, Some(unavailable("redirect")));
    assert_eq!((server.hits(), canary.hits()), (4, 0), "asked for again, and never followed");
}
