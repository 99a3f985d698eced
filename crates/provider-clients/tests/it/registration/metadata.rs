//! Metadata of all kinds: what an OpenID Connect provider publishes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use grantkeeper_domain::authorizations::Scopes;
use grantkeeper_domain::providers::{
    ClientAuthentication, PkceSupport, ProviderEndpoints, ProviderKind, Registration, RegistrationError,
};
use grantkeeper_provider_clients::{ClientSettings, EndpointOverrides};
use grantkeeper_testkit::entities;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use url::Url;

use super::publishing;
use crate::hostile::Server;
use crate::world::{connection, loopback_settings, oidc_client, refresh_request, registration, secret};

const OPENID: &str = "/.well-known/openid-configuration";

fn document() -> Value {
    json!({
        "issuer": "ISSUER",
        "authorization_endpoint": "https://idp.example/authorize",
        "token_endpoint": "https://idp.example/token",
        "jwks_uri": "https://keys.example/jwks",
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut document = document();
    document[name] = value;
    document
}

async fn register_at(host: &str) -> Result<ProviderEndpoints, RegistrationError> {
    let client = oidc_client(loopback_settings()).0;
    client.register(&registration(Some(host))).await.map(|registered| registered.endpoints)
}

async fn register(document: Value) -> Result<ProviderEndpoints, RegistrationError> {
    register_at(&publishing(OPENID, document).await.url).await
}

#[tokio::test]
async fn little_is_enough() {
    let endpoints = register(document()).await.unwrap();
    assert_eq!(endpoints.jwks.unwrap().host_str(), Some("keys.example"), "another host is fine");
    assert_eq!(
        (endpoints.userinfo, endpoints.revocation, endpoints.introspection, endpoints.device_authorization),
        (None, None, None, None)
    );
    assert!(!endpoints.announces_iss);
    assert_eq!(endpoints.client_authentication, ClientAuthentication::ClientSecretBasic);
    assert_eq!(endpoints.pkce, PkceSupport::S256);
}

#[tokio::test]
async fn metadata_are_found_in_both_places() {
    let mut document = document();
    document["issuer"] = json!("ISSUER/realms/one");
    for path in
        ["/realms/one/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/realms/one"]
    {
        let server = publishing(path, document.clone()).await;
        let endpoints = register_at(&format!("{}/realms/one", server.url)).await.unwrap();
        assert_eq!(endpoints.issuer, format!("{}/realms/one", server.url), "{path}");
    }
}

#[tokio::test]
async fn every_defect_is_named() {
    for (document, says) in [
        (with("issuer", json!("ISSUER/")), "exactly"),
        (with("issuer", json!("https://another.example")), "exactly"),
        (with("issuer", json!("HTTP://127.0.0.1")), "exactly"),
        (with("issuer", json!(["ISSUER"])), "has no metadata"),
        (with("issuer", Value::Null), "exactly"),
        (with("authorization_endpoint", Value::Null), "no authorization_endpoint"),
        (with("token_endpoint", Value::Null), "no token_endpoint"),
        (with("jwks_uri", Value::Null), "no jwks_uri"),
        (with("token_endpoint", json!("/token")), "token_endpoint that is no URL"),
        (with("token_endpoint", json!("https://idp.example/token#x")), "token_endpoint with a fragment"),
        (with("token_endpoint", json!("http://93.184.215.14/token")), "token_endpoint that is plain http"),
        (with("token_endpoint", json!("https://10.0.0.1/token")), "token_endpoint that is at an address"),
        (
            with("token_endpoint", json!("https://u:p@idp.example/token")),
            "token_endpoint that is not an https URL",
        ),
        (
            with("userinfo_endpoint", json!("https://169.254.169.254/")),
            "userinfo_endpoint that is at an address",
        ),
        (with("jwks_uri", json!("https://metadata.google.internal/")), "jwks_uri that is at an address"),
        (
            with("revocation_endpoint", json!("ftp://idp.example/")),
            "revocation_endpoint that is not an https URL",
        ),
        (with("token_endpoint_auth_methods_supported", json!(["private_key_jwt"])), "client_secret_basic"),
        (with("token_endpoint", json!(42)), "has no metadata"),
        (json!("a text"), "has no metadata"),
    ] {
        let error = register(document.clone()).await.unwrap_err();
        assert_eq!(error.field, "host");
        assert!(error.message.contains(says), "{document}: {}", error.message);
    }
}

#[tokio::test]
async fn no_endpoint_may_be_where_calls_must_not_go() {
    let (client, _) = oidc_client(loopback_settings());
    for name in [
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "jwks_uri",
        "device_authorization_endpoint",
    ] {
        for (url, says) in [
            ("http://93.184.215.14/", "is plain http"),
            ("http://10.0.0.1/", "is plain http"),
            ("https://10.0.0.1/", "is at an address"),
            ("https://10.1/", "is at an address"),
            ("https://167772161/", "is at an address"),
            ("https://0xa.0.0.1:8443/x?y", "is at an address"),
            ("https://[::ffff:10.0.0.1]/", "is at an address"),
            ("https://[fd12::1]/", "is at an address"),
            ("https://[64:ff9b::10.0.0.1]/", "is at an address"),
            ("https://169.254.169.254./", "is at an address"),
            ("https://[fd00:ec2::254]/", "is at an address"),
            ("https://metadata.google.internal./", "is at an address"),
            ("file:///etc/passwd", "is not an https URL"),
            ("javascript:alert(1)", "is not an https URL"),
            ("data:text/html,x", "is not an https URL"),
            ("ftp://idp.example/", "is not an https URL"),
            ("gopher://idp.example/", "is not an https URL"),
            ("https://user@idp.example/", "is not an https URL"),
            ("https://idp.example@10.0.0.1/", "is not an https URL"),
            ("https://idp.example/#", "with a fragment"),
            ("//idp.example/", "is no URL"),
            ("/path", "is no URL"),
            ("https://", "is no URL"),
            ("https://[fe80::1%25eth0]/", "is no URL"),
            ("", "is no URL"),
        ] {
            let server = publishing(OPENID, with(name, json!(url))).await;
            let message = client.register(&registration(Some(&server.url))).await.unwrap_err().message;
            assert!(message.contains(name) && message.contains(says), "{name} at {url:?}: {message}");
        }
    }
}

#[tokio::test]
async fn an_override_is_bound_by_the_network_policy_too() {
    for url in ["https://10.0.0.1/token", "file:///etc/passwd", "https://u:p@proxy.example/token"] {
        let overrides =
            EndpointOverrides { token: Some(url.parse().unwrap()), ..EndpointOverrides::default() };
        let settings =
            ClientSettings { overrides: [(ProviderKind::Oidc, overrides)].into(), ..loopback_settings() };
        let server = publishing(OPENID, document()).await;
        let error = oidc_client(settings).0.register(&registration(Some(&server.url))).await.unwrap_err();
        assert!(error.message.contains("token_endpoint"), "{url}: {error}");
    }
}

#[tokio::test]
async fn endpoints_stay_as_they_were_registered() {
    let (seen, mut requests) = mpsc::unbounded_channel();
    let moved = Arc::new(AtomicBool::new(false));
    let has_moved = Arc::clone(&moved);
    let server = Server::start(move |mut stream, request| {
        seen.send(request.lines().next().unwrap_or_default().to_owned()).unwrap();
        let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
        let issuer = format!("http://{host}");
        let body = if has_moved.load(Ordering::SeqCst) {
            json!({
                "issuer": "https://evil.example",
                "token_endpoint": "https://evil.example/token",
                "access_token": "t",
                "sub": "u1",
            })
        } else {
            json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/authorize"),
                "token_endpoint": format!("{issuer}/token"),
                "userinfo_endpoint": format!("{issuer}/userinfo"),
                "jwks_uri": format!("{issuer}/jwks"),
            })
        };
        let body = body.to_string();
        async move {
            let head =
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
    })
    .await;
    let (client, _) = oidc_client(loopback_settings());
    let endpoints = client.register(&registration(Some(&server.url))).await.unwrap().endpoints;
    moved.store(true, Ordering::SeqCst);

    let connection = connection(endpoints, "secret");
    client.refresh().unwrap().refresh_token(&connection, &refresh_request("token")).await.ok().unwrap();
    client.identify(&Scopes::default()).identify_user(&connection, &secret("token"), None).await.unwrap();
    let error = client.register(&registration(Some(&server.url))).await.unwrap_err();
    assert!(error.message.contains("exactly"), "what changed its issuer is not registered again: {error}");

    let metadata = format!("GET {OPENID} HTTP/1.1");
    for expected in [&metadata, "POST /token HTTP/1.1", "GET /userinfo HTTP/1.1", &metadata] {
        assert_eq!(requests.recv().await.unwrap(), expected);
    }
}

#[tokio::test]
async fn the_issuer_is_an_https_url_and_nothing_else() {
    for host in [
        "",
        "idp.example",
        "ftp://idp.example",
        "http://idp.example",
        "https://idp.example?x=1",
        "https://idp.example#x",
        "https://user@idp.example",
    ] {
        let (client, _) = oidc_client(ClientSettings::default());
        let error = client.register(&registration(Some(host))).await.unwrap_err();
        assert_eq!(error.field, "host", "{host}");
    }
    let (client, _) = oidc_client(ClientSettings::default());
    let error = client.register(&registration(None)).await.unwrap_err();
    assert!(error.field == "host" && error.message.contains("required"), "{error}");
}

#[tokio::test]
async fn openid_is_a_scope_that_is_needed() {
    let (client, _) = oidc_client(loopback_settings());
    let server = publishing(OPENID, document()).await;
    let scopes = Scopes::parse("profile email");
    let registration = Registration { scopes: Some(scopes.clone()), ..registration(Some(&server.url)) };
    assert_eq!(client.register(&registration).await.unwrap_err().field, "scopes");
    assert_eq!(
        client.check_scopes(&entities::endpoints("idp.example"), None, &scopes).unwrap_err().field,
        "scopes"
    );
    assert_eq!(server.hits(), 0);
}

#[tokio::test]
async fn replaced_endpoints_need_not_be_published() {
    let token: Url = "https://proxy.example/token".parse().unwrap();
    let overrides = EndpointOverrides { token: Some(token.clone()), ..EndpointOverrides::default() };
    let settings =
        ClientSettings { overrides: [(ProviderKind::Oidc, overrides)].into(), ..loopback_settings() };
    let server = publishing(OPENID, with("token_endpoint", Value::Null)).await;
    let registered = oidc_client(settings).0.register(&registration(Some(&server.url))).await.unwrap();
    assert_eq!(registered.endpoints.token, token);
}
