//! Brute force: who guesses is answered as ever, and nothing is looked at any more; who polls for their own is not disturbed.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, RETRY_AFTER};
use actix_web::test::TestRequest;
use grantkeeper_rest::{LimitSettings, PerMinute};
use grantkeeper_testkit::scripted_provider::{Call, Decision};
use serde_json::json;

use super::request;
use crate::browser::Browser;
use crate::service::{Answer, Service, login_settings};

const HERE: &str = "203.0.113.9";
const ELSEWHERE: &str = "203.0.113.10";
const DEVICE_START: &str = "/login/oauth2/device/start";
/// What one address may look at in a minute where it is over the limit.
const POLLS: usize = 60;
const GUESS: &str = "a860a344-d7b2-406e-828e-8d442f23f344";

/// So many wrong secrets a minute.
fn wrong(secrets: u32) -> LimitSettings {
    LimitSettings { wrong_tokens_per_address: secrets, ..LimitSettings::default() }
}

fn with_token(method: &str, path: &str, token: &str) -> TestRequest {
    request(method, path).insert_header((AUTHORIZATION, format!("Bearer {token}")))
}

fn poll(state: &str) -> TestRequest {
    request("GET", &format!("/v1/login/oauth2/web/poll?state={state}"))
}

fn complete(session: &str) -> TestRequest {
    TestRequest::post().uri("/login/oauth2/device/complete").set_json(session)
}

impl Service {
    /// Waits for the first person of a device login, who says no.
    async fn denied_while_waiting(&self, session: &str) -> Answer {
        let decided = async {
            self.clock.until_sleeping(1).await;
            self.provider.decide("USER-1", Decision::Denied);
            self.clock.advance(Duration::from_secs(5));
        };
        tokio::join!(self.send_from(HERE, complete(session)), decided).0
    }
}

/// Everything that a caller could tell answers apart by.
fn seen(answer: &Answer) -> (StatusCode, String, Vec<String>) {
    let mut headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
    headers.sort_unstable();
    (answer.status, answer.body.clone(), headers)
}

#[actix_web::test]
async fn over_the_limit_a_right_token_is_answered_like_a_wrong_one() {
    let service = Service::for_logins(login_settings()).await.limited(wrong(1), &[]);
    let show = |token: &str| with_token("GET", "/v1/login/token", token);
    let first = service.send_from(HERE, show(GUESS)).await;
    assert_eq!(first.status, StatusCode::UNAUTHORIZED, "and never 429");
    let right = service.send_from(HERE, show(&service.member)).await;
    assert_eq!(seen(&right), seen(&first));
    assert_eq!(service.send_from(ELSEWHERE, show(&service.member)).await.status, StatusCode::OK);
    service.clock.advance(Duration::from_secs(60));
    assert_eq!(service.send_from(HERE, show(&service.member)).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn over_the_limit_states_that_are_not_known_are_looked_at_no_more_than_once_a_second() {
    let service = Service::for_logins(login_settings()).await;
    let old = service.start_login("").await;
    let service = service.limited(wrong(1), &[]);
    let own = service.start_login("").await;
    let first = service.send_from(HERE, poll("guess")).await;
    assert_eq!(first.status, StatusCode::NOT_FOUND);
    for _ in 0..POLLS {
        let guessed = service.send_from(HERE, poll("guess")).await;
        assert_eq!(seen(&guessed), seen(&first));
    }
    let unseen = service.send_from(HERE, poll(&old.state)).await;
    assert_eq!(seen(&unseen), seen(&first), "right, but not known to this process");
    for _ in 0..90 {
        let polled = service.send_from(HERE, poll(&own.state)).await;
        assert_eq!(polled.status, StatusCode::ACCEPTED, "a poll a second is never refused");
    }
    assert_eq!(service.send_from(ELSEWHERE, poll(&old.state)).await.status, StatusCode::ACCEPTED);
    let known = service.send_from(HERE, poll(&old.state)).await;
    assert_eq!(known.status, StatusCode::ACCEPTED, "known by now");
}

#[actix_web::test]
async fn who_polls_another_replica_than_the_one_that_started_is_heard_beside_a_guesser() {
    let service = Service::for_logins(login_settings()).await;
    let started = service.start_login("").await;
    let session = service.ask("POST", DEVICE_START).await.text("encodedSession");
    let service = service.limited(wrong(1), &[]);
    for _ in 0..3 {
        service.send_from(HERE, with_token("GET", "/v1/login/token", GUESS)).await;
    }
    let polled = service.send_from(HERE, poll(&started.state)).await;
    assert_eq!(polled.status, StatusCode::ACCEPTED, "{polled:?}");
    let answer = service.denied_while_waiting(&session).await;
    assert!(answer.body.contains("access_denied"), "{answer:?}");
}

#[actix_web::test]
async fn a_person_who_says_no_is_no_guess() {
    let service = Service::for_logins(login_settings()).await.limited(wrong(1), &[]);
    let session = service.ask("POST", DEVICE_START).await.text("encodedSession");
    let answer = service.denied_while_waiting(&session).await;
    assert!(answer.body.contains("access_denied"), "{answer:?}");
    let shown = service.send_from(HERE, with_token("GET", "/v1/login/token", &service.member)).await;
    assert_eq!(shown.status, StatusCode::OK, "{shown:?}");
}

#[actix_web::test]
async fn a_token_that_the_provider_refuses_is_no_wrong_api_token() {
    let service = Service::for_logins(login_settings()).await.limited(wrong(1), &[]);
    let sign_in = || request("POST", "/v1/oauth2?provider=github&access-token=stale");
    for _ in 0..3 {
        assert_eq!(service.send_from(HERE, sign_in()).await.status, StatusCode::UNAUTHORIZED);
    }
    let shown = service.send_from(HERE, with_token("GET", "/v1/login/token", &service.member)).await;
    assert_eq!(shown.status, StatusCode::OK, "{shown:?}");
}

#[actix_web::test]
async fn over_the_limit_no_session_is_looked_at_but_those_that_are_known() {
    let service = Service::for_logins(login_settings()).await;
    let other = Service::for_logins(login_settings()).await.ask("POST", DEVICE_START).await;
    let wrong_one = service.send_from(HERE, complete(&other.text("encodedSession"))).await;
    let service = service.limited(wrong(1), &[]);
    service.send_from(HERE, with_token("GET", "/v1/login/token", GUESS)).await;
    for _ in 0..POLLS {
        service.send_from(HERE, poll("guess")).await;
    }
    let unseen = service.send_from(HERE, complete(&other.text("encodedSession"))).await;
    assert_eq!(seen(&unseen), seen(&wrong_one));
    let session = service.ask("POST", DEVICE_START).await.text("encodedSession");
    let answer = service.denied_while_waiting(&session).await;
    assert!(answer.body.contains("access_denied"), "{answer:?}");
}

#[actix_web::test]
async fn over_the_limit_the_provider_is_asked_about_no_token() {
    let service = Service::for_logins(login_settings()).await.limited(wrong(1), &[]);
    let sign_in = || request("POST", "/v1/oauth2?provider=github&access-token=guess");
    let first = service.send_from(HERE, sign_in()).await;
    assert_eq!(first.status, StatusCode::UNAUTHORIZED);
    let second = service.send_from(HERE, sign_in()).await;
    assert_eq!(seen(&second), seen(&first));
    assert_eq!(service.provider.calls(Call::CheckAudience), 1);
}

#[actix_web::test]
async fn callbacks_with_wrong_states_count_as_well() {
    let service = Service::for_logins(login_settings()).await.limited(wrong(1), &[]);
    let path = "/v1/login/oauth2/web/callback/github?state=guess&code=c";
    let first = service.send_from(HERE, request("GET", path)).await;
    assert_eq!(first.status, StatusCode::NOT_FOUND);
    let second = service.send_from(HERE, request("GET", path)).await;
    assert_eq!(seen(&second), seen(&first));
    let token = service.send_from(HERE, with_token("GET", "/v1/login/token", &service.member)).await;
    assert_eq!(token.status, StatusCode::UNAUTHORIZED, "it is one limit for all ways in");
}

#[actix_web::test]
async fn an_account_that_guesses_ids_is_not_listened_to() {
    let service = Service::start().await.limited(wrong(2), &[]);
    let revoke = |token: &str, id: &str| with_token("DELETE", &format!("/v1/me/tokens/{id}"), token);
    for peer in [HERE, ELSEWHERE] {
        let answer =
            service.send_from(peer, revoke(&service.member, "019b76da-a87b-7cdf-8584-cac45c6cb651")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    let listed = service.ask_as(&service.member, "GET", "/v1/me/tokens").await.json();
    let own = listed[0]["id"].as_str().unwrap();
    let answer = service.send_from(HERE, revoke(&service.member, own)).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "though it is there");
    assert_eq!(answer.json(), json!({ "error": "there is no such token" }));
    service.clock.advance(Duration::from_secs(30));
    assert_eq!(service.send_from(HERE, revoke(&service.member, own)).await.status, StatusCode::NO_CONTENT);
}

#[actix_web::test]
async fn who_starts_too_many_is_refused_with_403() {
    let rates = PerMinute { caller: 0, address: 2 };
    for (method, path, flows) in [
        ("GET", "/v1/login/oauth2/web/authorize?provider=github", 2),
        ("POST", "/v1/oauth2?provider=github&access-token=guess", 2),
        ("POST", "/login/oauth2/device/start", 20),
        ("GET", "/v1/login/oauth2/web/callback/github?state=guess&code=c", 2),
    ] {
        let flows = PerMinute { caller: 0, address: flows };
        let limits = LimitSettings { flows, callbacks: rates, ..LimitSettings::default() };
        let service = Service::for_logins(login_settings()).await.limited(limits, &[]);
        for _ in 0..2 {
            let answer = service.send_from(HERE, request(method, path)).await;
            assert_ne!(answer.status, StatusCode::FORBIDDEN, "{path}: {answer:?}");
        }
        let refused = service.send_from(HERE, request(method, path)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(refused.header(RETRY_AFTER), "30", "{path}");
        let error = "too many requests of this kind; try again in 30 seconds";
        assert_eq!(refused.json(), json!({ "error": error }), "{path}");
        let elsewhere = service.send_from(ELSEWHERE, request(method, path)).await;
        assert_ne!(elsewhere.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[actix_web::test]
async fn a_browser_that_signs_in_too_often_is_refused_with_a_page() {
    let limits = LimitSettings { flows: PerMinute { caller: 0, address: 1 }, ..LimitSettings::default() };
    let service = Service::for_logins(login_settings()).await.limited(limits, &[]);
    let mut browser = Browser::new(&service);
    assert_eq!(browser.post("/sign-in/github", &[]).await.status, StatusCode::OK);
    let refused = browser.post("/sign-in/github", &[]).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.body.contains("<h1>Too many requests</h1>"), "{}", refused.body);
}
