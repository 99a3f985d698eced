//! Signing in with an access token of a provider.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use actix_web::HttpServer;
use actix_web::http::StatusCode;
use actix_web::web::block;
use grantkeeper_domain::login::LoginSettings;
use grantkeeper_domain::providers::{TokenAudience, UpstreamError};
use grantkeeper_rest::app;
use grantkeeper_testkit::scripted_provider::Call;

use super::{by_invitation, secret};
use crate::service::{Service, login_settings};

/// A service whose provider has issued `ours`, and with it `theirs` to another client and `handmade` to none.
async fn with_tokens(settings: LoginSettings) -> Service {
    let service = Service::for_logins(settings).await;
    service.provider.change(|state| {
        for token in ["ours", "theirs", "handmade"] {
            state.access_tokens.insert(token.to_owned(), "1001".to_owned());
        }
        state.foreign_tokens.insert("theirs".to_owned(), TokenAudience::Another);
        state.foreign_tokens.insert("handmade".to_owned(), TokenAudience::Nobody);
    });
    service
}

#[actix_web::test]
async fn signing_in_with_a_token() {
    let service = with_tokens(login_settings()).await;
    let mut all = Vec::new();
    for query in [
        "?provider=github&access-token=ours",
        "?provider=github&access-token=unknown",
        "?provider=github&access-token=theirs",
        "?provider=github&access-token=handmade",
        "?provider=gitlab&access-token=ours",
        "?provider=github",
        "?access-token=ours&access-token=ours",
        "?provider=github&access-token=",
        "",
    ] {
        all.push(service.asked_for_snapshot("POST", &format!("/v1/oauth2{query}")).await);
    }
    let ours = "/v1/oauth2?provider=github&access-token=ours";
    service
        .provider
        .fail_next(Call::CheckAudience, UpstreamError::Unavailable { reason: "timeout", retry_after: None });
    all.push(format!("away: {}", service.asked_for_snapshot("POST", ours).await));
    service.provider.change(|state| state.tells_audience = false);
    all.push(format!("cannot tell: {}", service.asked_for_snapshot("POST", ours).await));
    let strict = with_tokens(by_invitation()).await;
    all.push(format!("a stranger: {}", strict.asked_for_snapshot("POST", ours).await));
    let off = with_tokens(LoginSettings { providers: Vec::new(), ..login_settings() }).await;
    all.push(format!("off: {}", off.asked_for_snapshot("POST", ours).await));
    insta::assert_snapshot!(all.join("\n"));
}

#[actix_web::test]
async fn a_token_of_another_client_or_of_nobodys_signs_in_only_where_the_operator_says_so() {
    let mut settings = login_settings();
    settings.providers[0].foreign_tokens = true;
    let service = with_tokens(settings).await;
    let sign_in = async |token: &str| {
        service.ask("POST", &format!("/v1/oauth2?provider=github&access-token={token}")).await
    };
    secret(&sign_in("handmade").await);
    assert_eq!(
        sign_in("theirs").await.status,
        StatusCode::UNAUTHORIZED,
        "a token of another client is refused"
    );
}

#[actix_web::test]
async fn whoever_is_suspended_gets_no_token() {
    let service = with_tokens(login_settings()).await;
    let path = "/v1/oauth2?provider=github&access-token=ours";
    let first = service.ask("POST", path).await;
    let account = first.json()["data"]["accountId"].as_str().unwrap().parse().unwrap();
    service.use_cases.suspend_account.suspend(account).await.unwrap();
    assert_eq!(service.ask("POST", path).await.status, StatusCode::FORBIDDEN);
    let token = secret(&first);
    assert_eq!(service.ask_as(&token, "GET", "/v1/login/token").await.status, StatusCode::UNAUTHORIZED);
    service.use_cases.suspend_account.resume(account).await.unwrap();
    secret(&service.ask("POST", path).await);
}

#[actix_web::test]
async fn published_clients_send_neither_a_body_nor_its_length() {
    let service = with_tokens(login_settings()).await;
    let api = service.api.clone();
    let server = HttpServer::new(move || app(api.clone())).workers(1).disable_signals();
    let server = server.bind(("127.0.0.1", 0)).unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    for path in ["/v1/oauth2?provider=github&access-token=ours", "/login/oauth2/device/start"] {
        let answer = block(move || bare_post(address, path)).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    handle.stop(false).await;
    running.await.unwrap().unwrap();
}

fn bare_post(address: SocketAddr, path: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    let request = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}
