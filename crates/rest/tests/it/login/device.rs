//! Signing in by device code.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use actix_web::web::block;
use grantkeeper_domain::login::LoginSettings;
use grantkeeper_domain::providers::UpstreamError;
use grantkeeper_rest::app;
use grantkeeper_testkit::scripted_provider::{Call, Decision};
use serde_json::{Value, json};

use super::{secret, told};
use crate::service::{Answer, Service, login_settings};

const START: &str = "/login/oauth2/device/start";
const COMPLETE: &str = "/login/oauth2/device/complete";

impl Service {
    async fn start_device_login(&self) -> Answer {
        let begun = self.ask("POST", START).await;
        assert_eq!(begun.status, StatusCode::OK, "{begun:?}");
        begun
    }

    async fn complete(&self, session: &Value) -> Answer {
        self.send(TestRequest::post().uri(COMPLETE).set_json(session)).await
    }

    /// Waits with a session, while something happens as soon as it waits.
    async fn complete_while<T>(&self, session: &str, happens: impl Future<Output = T>) -> Answer {
        let session = json!(session);
        let happens = async {
            self.clock.until_sleeping(1).await;
            happens.await
        };
        let (answer, _) = tokio::join!(self.complete(&session), happens);
        answer
    }

    /// The person decides, and the provider may be asked again.
    fn decided(&self, user_code: &str, decision: Decision) {
        self.provider.decide(user_code, decision);
        self.clock.advance(Duration::from_secs(5));
    }
}

fn approved() -> Decision {
    Decision::Approved("1001".to_owned())
}

#[actix_web::test]
async fn a_person_signs_in_by_device_code() {
    let service = Service::for_logins(login_settings()).await;
    let begun = service.start_device_login().await;
    assert_eq!(begun.text("userCode"), "USER-1");
    assert_eq!(begun.text("matchCode"), "USER-1");
    assert_eq!(begun.text("url"), "https://device.example/?user_code=USER-1");
    let session = begun.text("encodedSession");
    let own = service.provider.read(|state| state.devices[0].device_code.clone());
    assert!(!session.contains(&own), "the provider's own code stays with us");
    let decided = async { service.decided("USER-1", approved()) };
    let answer = service.complete_while(&session, decided).await;
    let token = secret(&answer);
    assert_eq!(service.get(&token, "/providers/").await.status, StatusCode::OK);
    let again = secret(&service.complete(&json!(session)).await);
    assert_ne!(again, token, "an answer that was lost");
    assert_eq!(service.get(&token, "/providers/").await.status, StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn starting() {
    let service = Service::for_logins(login_settings()).await;
    let mut all = vec![service.asked_for_snapshot("POST", START).await];
    service
        .provider
        .fail_next(Call::BeginDevice, UpstreamError::ClientRefused { code: "invalid_client".to_owned() });
    all.push(service.asked_for_snapshot("POST", START).await);
    let off = LoginSettings { device_provider: None, ..login_settings() };
    all.push(Service::for_logins(off).await.asked_for_snapshot("POST", START).await);
    let without_device_flow = Service::start().await;
    without_device_flow.register().await;
    all.push(without_device_flow.asked_for_snapshot("POST", START).await);
    insta::assert_snapshot!(all.join("\n"));
}

#[actix_web::test]
async fn completing() {
    let service = Service::for_logins(login_settings()).await;
    let mut all = Vec::new();
    for (what, decision) in [("yes", approved()), ("no", Decision::Denied), ("too late", Decision::Expired)] {
        let begun = service.start_device_login().await;
        let user_code = begun.text("userCode");
        let decided = async { service.decided(&user_code, decision) };
        let answer = service.complete_while(&begun.text("encodedSession"), decided).await;
        all.push(format!("{what}\n{}\n", told(&answer)));
    }
    let begun = service.start_device_login().await;
    let expires = async { service.clock.advance(Duration::from_secs(900)) };
    let answer = service.complete_while(&begun.text("encodedSession"), expires).await;
    all.push(format!("nobody answers\n{}\n", told(&answer)));
    let session = service.start_device_login().await.text("encodedSession");
    let (handle, check) = session.split_once('.').unwrap();
    let other = if handle.starts_with('A') { "B" } else { "A" };
    for (what, body) in [
        ("tampered with", json!(format!("{other}{}.{check}", &handle[1..]))),
        ("cut off", json!(handle)),
        ("empty", json!("")),
        ("no string", json!({ "encodedSession": session })),
        ("too long", json!("x".repeat(300_000))),
    ] {
        let answer = service.complete(&body).await;
        all.push(format!("{what}\n{}\n", told(&answer)));
    }
    let answer = service.ask("POST", COMPLETE).await;
    all.push(format!("no body\n{}\n", told(&answer)));
    let elsewhere = Service::for_logins(login_settings()).await;
    elsewhere.clock.advance(Duration::from_secs(1));
    let answer = Service::for_logins(login_settings()).await.complete(&json!(session)).await;
    all.push(format!("unknown\n{}\n", told(&answer)));
    insta::assert_snapshot!(all.join("\n"));
}

#[actix_web::test]
async fn the_session_of_somebody_who_has_signed_out_is_unknown() {
    let service = Service::for_logins(login_settings()).await;
    let session = service.start_device_login().await.text("encodedSession");
    let decided = async { service.decided("USER-1", approved()) };
    let token = secret(&service.complete_while(&session, decided).await);
    assert_eq!(service.ask_as(&token, "DELETE", "/v1/login/token").await.status, StatusCode::NO_CONTENT);
    let answer = service.complete(&json!(session)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "404 is for states: {answer:?}");
    assert!(answer.body.contains("(unknown_session)"), "{answer:?}");
}

#[actix_web::test]
async fn slow_down_adds_five_seconds() {
    let service = Service::for_logins(login_settings()).await;
    let begun = service.start_device_login().await;
    service.provider.slow_down_next(None);
    let meanwhile = async {
        service.clock.advance(Duration::from_secs(5));
        service.provider.until_called(Call::PollDevice, 1).await;
        service.clock.until_sleeping(1).await;
        service.provider.decide("USER-1", approved());
        service.clock.advance(Duration::from_secs(9));
        service.clock.until_sleeping(1).await;
        assert_eq!(service.provider.calls(Call::PollDevice), 1, "ten seconds, and not five");
        service.clock.advance(Duration::from_secs(1));
    };
    secret(&service.complete_while(&begun.text("encodedSession"), meanwhile).await);
    assert_eq!(service.provider.calls(Call::PollDevice), 2);
}

#[actix_web::test]
async fn two_who_wait_with_one_session_share_the_wait_and_the_token() {
    let service = Service::for_logins(login_settings()).await;
    let session = json!(service.start_device_login().await.text("encodedSession"));
    let decided = async {
        service.clock.until_sleeping(1).await;
        service.decided("USER-1", approved());
    };
    let (one, two, ()) = tokio::join!(service.complete(&session), service.complete(&session), decided);
    assert_eq!(secret(&one), secret(&two));
    assert_eq!(service.provider.calls(Call::PollDevice), 1);
}

#[actix_web::test]
async fn a_client_that_leaves_is_waited_for_no_longer() {
    let service = Service::for_logins(login_settings()).await;
    let session = service.start_device_login().await.text("encodedSession");
    let api = service.api.clone();
    // What the server of the service is set to as well: a client that hangs up is one that has left.
    let server = HttpServer::new(move || app(api.clone())).h1_allow_half_closed(false);
    let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    // Whoever waits has a share of the clock.
    let shares = || Arc::strong_count(&service.clock);
    let before = shares();
    let connection = block(move || call_complete(address, &session)).await.unwrap();
    while shares() == before {
        tokio::task::yield_now().await;
    }
    service.clock.until_sleeping(1).await;
    let told = block(move || hung_up(connection)).await.unwrap();
    assert_eq!(told, "", "there was nothing to tell");
    while shares() > before {
        tokio::task::yield_now().await;
    }
    service.decided("USER-1", approved());
    assert_eq!(service.provider.calls(Call::PollDevice), 0, "nobody waits");
    handle.stop(false).await;
    running.await.unwrap().unwrap();
}

fn call_complete(address: SocketAddr, session: &str) -> TcpStream {
    let mut connection = TcpStream::connect(address).unwrap();
    let body = json!(session).to_string();
    let head = format!("POST {COMPLETE} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    connection.write_all(format!("{head}{body}").as_bytes()).unwrap();
    connection
}

fn hung_up(mut connection: TcpStream) -> String {
    connection.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}
