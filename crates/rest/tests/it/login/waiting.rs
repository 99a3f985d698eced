//! Calls that wait for a person hold connections: nobody may hold them all.

use std::rc::Rc;

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::rt::task::JoinHandle;
use actix_web::test::TestRequest;
use grantkeeper_rest::{LimitSettings, PerMinute};
use serde_json::json;

use crate::service::{Answer, Service, login_settings};

const HERE: &str = "203.0.113.9";
const ELSEWHERE: &str = "203.0.113.10";
/// Calls that may wait with one session, and from one address.
const PER_SESSION: usize = 4;
const PER_ADDRESS: usize = 60;

/// A service with as narrow limits as can be, and so many sessions of logins that nobody has answered.
async fn waiting_for(people: usize) -> (Rc<Service>, Vec<String>) {
    let service = Service::for_logins(login_settings()).await;
    let mut sessions = Vec::new();
    for _ in 0..people {
        sessions.push(service.ask("POST", "/login/oauth2/device/start").await.text("encodedSession"));
    }
    service.settle().await;
    let flows = PerMinute { caller: 0, address: 1 };
    let limits = LimitSettings { flows, ..LimitSettings::default() };
    (Rc::new(service.limited(limits, &[])), sessions)
}

async fn complete(service: Rc<Service>, peer: &str, session: String) -> Answer {
    let request = TestRequest::post().uri("/login/oauth2/device/complete").set_json(session);
    service.send_from(peer, request).await
}

/// Calls that go on meanwhile.
fn begin(service: &Rc<Service>, sessions: &[String]) -> Vec<JoinHandle<Answer>> {
    let call = |session: &String| complete(Rc::clone(service), HERE, session.clone());
    sessions.iter().map(|session| actix_web::rt::spawn(call(session))).collect()
}

fn assert_refused(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{answer:?}");
    assert_eq!(answer.header(RETRY_AFTER), "30");
    assert_eq!(answer.json(), json!({ "error": "too many requests of this kind; try again in 30 seconds" }));
}

/// Whether a call with that session waits. It is given up then.
async fn waits(service: &Rc<Service>, peer: &str, session: &str) -> bool {
    let call = complete(Rc::clone(service), peer, session.to_owned());
    let given_up = async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! { biased; answer = call => { assert_refused(&answer); false } () = given_up => true }
}

#[actix_web::test]
async fn few_wait_with_one_session() {
    let (service, sessions) = waiting_for(2).await;
    let waiting = begin(&service, &vec![sessions[0].clone(); PER_SESSION]);
    service.clock.until_sleeping(1).await;
    assert!(!waits(&service, HERE, &sessions[0]).await);
    assert!(!waits(&service, ELSEWHERE, &sessions[0]).await, "wherever they are");
    assert!(waits(&service, HERE, &sessions[1]).await, "another one may");
    waiting[0].abort();
    tokio::task::yield_now().await;
    assert!(waits(&service, HERE, &sessions[0]).await, "somebody has left");
    waiting.iter().for_each(JoinHandle::abort);
}

#[actix_web::test]
async fn no_address_takes_all_connections() {
    let (service, sessions) = waiting_for(PER_ADDRESS + 1).await;
    let waiting = begin(&service, &sessions[..PER_ADDRESS]);
    service.clock.until_sleeping(PER_ADDRESS).await;
    assert!(!waits(&service, HERE, &sessions[PER_ADDRESS]).await);
    assert!(waits(&service, ELSEWHERE, &sessions[PER_ADDRESS]).await, "another address may");
    waiting[0].abort();
    tokio::task::yield_now().await;
    assert!(waits(&service, HERE, &sessions[PER_ADDRESS]).await, "somebody has left");
    waiting.iter().for_each(JoinHandle::abort);
}
