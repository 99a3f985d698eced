//! Limits on the wire: large requests get an answer, slow ones an end, and who comes too often is told so.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::callers::client;
use crate::installation::Installation;

const KIB: usize = 1024;

/// What the server says to these bytes, until it hangs up, however it does so.
fn said_to(installation: &Installation, request: &[u8]) -> String {
    let mut connection = TcpStream::connect(installation.base_url.trim_start_matches("http://")).unwrap();
    // It may have answered and hung up before it has read everything.
    let _ = connection.write_all(request);
    let mut answer = Vec::new();
    let _ = connection.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

/// The same as status, content type and body.
fn answer_to(installation: &Installation, head: &str, body: &[u8]) -> (u16, String, String) {
    let request = [format!("{head}\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes(), body].concat();
    let answer = said_to(installation, &request);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let content_type = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or_default();
    (status, content_type.to_owned(), body.to_owned())
}

fn is_error_of_the_api((_, content_type, body): &(u16, String, String)) -> bool {
    content_type == "application/json"
        && serde_json::from_str(body).is_ok_and(|error: Value| error["errorFields"].is_array())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_four_kilobytes_is_handed_out_and_presented_whole() {
    let installation = Installation::with_simulator();
    let admin = installation.caller(&installation.token("admin@acme.example", true));
    let running = installation.serve().await;
    let settings = client().post(format!("{}/control/settings", running.simulator()));
    let settings = settings.header("content-type", "application/json").body(r#"{"tokenLength":4096}"#);
    assert_eq!(settings.send().await.unwrap().status(), StatusCode::OK);
    let provider = admin.register("test", None, ("any", "secret")).await;
    let id = admin.authorize_unattended(&provider).await;
    for query in ["", "?min_ttl=3600"] {
        let (status, lent) = admin.access_token(&id, query).await;
        assert_eq!((status, lent["accessToken"].as_str().unwrap().len()), (StatusCode::CREATED, 4096));
    }
    // The user's document is behind the token itself.
    let (status, user) = admin.get(&format!("/authorizedProviders/{id}/userinfo/")).await;
    assert_eq!(status, StatusCode::OK, "{user}");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_heads_get_an_answer() {
    let installation = Installation::new();
    let _running = installation.serve().await;
    let get = "GET /api/v2/externalOAuth/providers/ HTTP/1.1";
    for length in [4 * KIB, 100 * KIB] {
        let head = format!("{get}\r\nauthorization: Bearer {}", "x".repeat(length));
        let answer = answer_to(&installation, &head, b"");
        assert!(answer.0 == 401 && is_error_of_the_api(&answer), "{length}: {answer:?}");
    }
    let connect = "GET /connect/0199c1f0-0000-7000-8000-000000000000 HTTP/1.1";
    let cookie = format!("{connect}\r\ncookie: coder_session_token={}", "x".repeat(4 * KIB));
    assert_eq!(answer_to(&installation, &cookie, b"").0, 303, "to the sign-in form");
    let endless = format!("{get}\r\nauthorization: Bearer {}", "x".repeat(200 * KIB));
    assert_eq!(answer_to(&installation, &endless, b"").0, 431);
    let many = (0..100).fold(get.to_owned(), |head, number| format!("{head}\r\nx-{number}: 1"));
    assert_eq!(answer_to(&installation, &many, b"").0, 431);
    assert_eq!(answer_to(&installation, "GET /healthz HTTP/1.1", b"").0, 200, "and the service goes on");
    assert!(!installation.log().contains("panicked"), "{}", installation.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn long_targets_get_an_answer() {
    let installation = Installation::with_simulator();
    let token = installation.token("admin@acme.example", true);
    let admin = installation.caller(&token);
    let _running = installation.serve().await;
    let provider = admin.register("test", None, ("any", "secret")).await;
    let answer = |path: &str, length: usize| {
        let state = "x".repeat(length);
        let head = format!("POST {path}?state={state} HTTP/1.1\r\nauthorization: Bearer {token}");
        answer_to(&installation, &head, b"")
    };
    let authorize = format!("/api/v2/externalOAuth/providers/{provider}/authorize/");
    assert_eq!(answer(&authorize, 2 * KIB).0, 200);
    for length in [8 * KIB, 60 * KIB] {
        let refused = answer(&authorize, length);
        assert!(refused.0 == 422 && is_error_of_the_api(&refused), "{length}: {refused:?}");
    }
    assert_eq!(answer(&authorize, 70 * KIB).0, 400, "no room for a target like this");
    let long_id = format!("/api/v2/externalOAuth/providers/{}/authorize/", "x".repeat(8 * KIB));
    assert_eq!(answer(&long_id, 1).0, 422);
    let callback = format!("GET /callback/{provider}?code={}&state=x HTTP/1.1", "x".repeat(8 * KIB));
    assert_eq!(answer_to(&installation, &callback, b"").0, 400, "a page, since nobody started this");
    assert!(!installation.log().contains("panicked"), "{}", installation.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_get_an_answer() {
    let installation = Installation::new();
    let token = installation.token("admin@acme.example", true);
    let _running = installation.serve().await;
    let post = format!("POST /api/v2/externalOAuth/providers/ HTTP/1.1\r\nauthorization: Bearer {token}");
    let body = format!("{{\"name\":\"{}\"}}", "x".repeat(1024 * KIB));
    let sized = format!("{post}\r\ncontent-length: {}", body.len());
    let refused = answer_to(&installation, &sized, body.as_bytes());
    assert!(refused.0 == 413 && is_error_of_the_api(&refused), "{refused:?}");
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let chunked = format!("{post}\r\ntransfer-encoding: chunked");
    let refused = answer_to(&installation, &chunked, chunks.as_bytes());
    assert!(refused.0 == 413 && is_error_of_the_api(&refused), "{refused:?}");
    // What nobody may send is answered before it is read.
    let anonymous =
        format!("POST /api/v2/externalOAuth/providers/ HTTP/1.1\r\ncontent-length: {}", body.len());
    let refused = answer_to(&installation, &anonymous, body.as_bytes());
    assert!(refused.0 == 401 && is_error_of_the_api(&refused), "{refused:?}");
    let form = format!(
        "POST /sign-in HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}",
        body.len()
    );
    let refused = answer_to(&installation, &form, body.as_bytes());
    assert_eq!((refused.0, refused.1.as_str()), (400, "text/html; charset=utf-8"));
    assert_eq!(answer_to(&installation, "GET /healthz HTTP/1.1", b"").0, 200, "and the service goes on");
    assert!(!installation.log().contains("panicked"), "{}", installation.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let installation = Installation::new();
    let _running = installation.serve().await;
    let answer = said_to(&installation, b"GET /healthz HTTP/1.1\r\nhost: ");
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_too_often_is_told_so_and_the_operator_once() {
    let mut installation = Installation::with_simulator();
    installation.set("LIMITS__TOKEN_READS_PER_CALLER", "2");
    let tokens = [installation.token("a@acme.example", true), installation.token("b@acme.example", false)];
    let [greedy, modest] = tokens.map(|token| installation.caller(&token));
    let running = installation.serve().await;
    let provider = greedy.register("test", None, ("any", "secret")).await;
    let id = greedy.authorize_unattended(&provider).await;
    let own = modest.authorize_unattended(&provider).await;
    for _ in 0..2 {
        assert_eq!(greedy.access_token(&id, "").await.0, StatusCode::CREATED);
    }
    for _ in 0..10 {
        let (status, refused) = greedy.access_token(&id, "").await;
        assert_eq!((status, &refused["errorFields"]), (StatusCode::TOO_MANY_REQUESTS, &json!([])));
    }
    assert_eq!(modest.access_token(&own, "").await.0, StatusCode::CREATED);
    assert_eq!(running.terminate().await, Some(0));
    let log = installation.log();
    assert_eq!(log.matches("over a limit").count(), 1, "{log}");
}
