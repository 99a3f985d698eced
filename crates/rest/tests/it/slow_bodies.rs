//! Bodies that come a byte at a time, or not at all.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::web::block;
use grantkeeper_rest::app;

use crate::service::{BASE, EXTERNAL_AUTH, PUBLIC_URL, Service};

/// Sends what it has and no more, and reads until it reads this, or the server hangs up.
fn exchange(address: SocketAddr, sent: &str, until: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(sent.as_bytes()).unwrap();
    let (mut answer, mut part) = (String::new(), [0; 4096]);
    while !answer.contains(until) {
        let read = connection.read(&mut part).unwrap();
        if read == 0 {
            break;
        }
        answer.push_str(std::str::from_utf8(&part[..read]).unwrap());
    }
    answer
}

#[actix_web::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let service = Service::start().await;
    let provider = service.register_with_device_flow().await;
    service.get(&service.member, "/providers/").await;
    service.settle().await;
    let api = service.api.clone();
    let server = HttpServer::new(move || app(api.clone())).workers(1).disable_signals();
    let server = server.bind(("127.0.0.1", 0)).unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    let json = format!(
        "POST {BASE}/providers/ HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-length: 1000\r\n\r\n{{\"name\":",
        service.admin
    );
    let poll = format!(
        "POST {EXTERNAL_AUTH}/{provider}/device HTTP/1.1\r\nhost: x\r\ncoder-session-token: {}\r\n\
         content-length: 1000\r\n\r\n{{\"device_code\":",
        service.member
    );
    let form = format!(
        "POST /sign-in HTTP/1.1\r\nhost: x\r\norigin: {PUBLIC_URL}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: 1000\r\n\r\ntoken="
    );
    let session = "POST /login/oauth2/device/complete HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n\"x"
        .to_owned();
    for (request, status, content_type, told) in [
        (
            json,
            "408",
            "application/json",
            "{\"message\":\"the body took too long to come\",\"errorFields\":[]}",
        ),
        (
            poll,
            "408",
            "application/json; charset=utf-8",
            "{\"message\":\"Request body took too long to come.\",\"detail\":\"\",\"validations\":[]}",
        ),
        (session, "400", "application/json", "{\"errors\":[\"the body took too long to come\"]}"),
        (form, "408", "text/html; charset=utf-8", "This took too long"),
    ] {
        let answer = actix_web::rt::spawn(block(move || exchange(address, &request, told)));
        service.clock.until_sleeping(1).await;
        service.clock.advance(Duration::from_secs(10));
        let answer = answer.await.unwrap().unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains(&format!("content-type: {content_type}\r\n")), "{answer}");
        assert!(answer.contains(told), "{answer}");
    }
    handle.stop(false).await;
    running.await.unwrap().unwrap();
}
