//! Calls that wait for a link.

use std::rc::Rc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::rt::task::JoinHandle;
use grantkeeper_rest::{LimitSettings, PerMinute};
use serde_json::json;

use super::check_error;
use crate::service::{Answer, LINK_WAIT, Service};

/// As published clients write it.
const LISTEN: &str = "?id=example&match=&listen";
/// Calls of one account that may wait.
const PER_ACCOUNT: usize = 200;
/// What a call that waits sleeps for: the end of its time, and the next look.
const SLEEPS: usize = 2;

async fn service() -> (Rc<Service>, String) {
    let service = Service::start().await;
    let provider = service.register_with_repositories().await;
    service.know(&service.member).await;
    (Rc::new(service), provider)
}

impl Service {
    /// Has a token used for the first time in a while, and that written down: later uses leave nothing to do.
    async fn know(&self, token: &str) {
        let answer = self.ask_for_token(token, "example", "").await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        self.settle().await;
    }
}

/// A call that goes on meanwhile.
fn listen(service: &Rc<Service>, token: &str) -> JoinHandle<Answer> {
    let (service, token) = (Rc::clone(service), token.to_owned());
    actix_web::rt::spawn(async move { service.ask_for_token_with(&token, LISTEN).await })
}

#[actix_web::test]
async fn one_who_waits_is_answered_when_the_link_is_there() {
    let (service, provider) = service().await;
    let agent = service.agent_of("member@acme.example").await;
    service.know(&agent).await;
    let waiting = [listen(&service, &agent), listen(&service, &service.member)];
    service.clock.until_sleeping(2 * SLEEPS).await;
    service.provider.sign_in("2002");
    service.authorize(&service.colleague, &provider).await;
    for call in &waiting {
        assert!(!call.is_finished(), "that was somebody else");
    }
    service.provider.sign_in("1001");
    service.authorize(&service.member, &provider).await;
    for call in waiting {
        let answer = call.await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(answer.text("access_token"), "access-2");
    }
}

#[actix_web::test]
async fn a_link_that_is_there_is_not_waited_for() {
    let (service, provider) = service().await;
    service.authorize(&service.member, &provider).await;
    for value in ["listen", "listen=", "listen=true", "listen=false", "listen&listen"] {
        let answer = service.ask_for_token_with(&service.member, &format!("?id=example&{value}")).await;
        assert_eq!(answer.text("access_token"), "access-1", "{value}");
    }
}

#[actix_web::test]
async fn what_is_not_valid_is_not_waited_for() {
    let (service, _) = service().await;
    for (query, status) in [
        ("?id=&match=&listen", StatusCode::BAD_REQUEST),
        ("?id=unknown&match=&listen", StatusCode::NOT_FOUND),
        ("?id=&match=file%3A%2F%2F%2Fsrv&listen", StatusCode::NOT_FOUND),
    ] {
        let answer = service.ask_for_token_with(&service.member, query).await;
        assert_eq!(answer.status, status, "{query}");
        check_error(&answer);
    }
}

#[actix_web::test]
async fn a_wait_ends_with_an_error_that_says_to_ask_again() {
    let (service, _) = service().await;
    let waiting = listen(&service, &service.member);
    service.clock.until_sleeping(SLEEPS).await;
    service.clock.advance(LINK_WAIT);
    let time_is_up = waiting.await.unwrap();
    let waiting = listen(&service, &service.member);
    service.clock.until_sleeping(SLEEPS).await;
    service.use_cases.await_link.waits.stop();
    insta::assert_snapshot!([time_is_up.render(), waiting.await.unwrap().render()].join("\n"));
}

#[actix_web::test]
async fn whose_token_is_revoked_waits_no_longer() {
    let (service, provider) = service().await;
    let waiting = listen(&service, &service.member);
    service.clock.until_sleeping(SLEEPS).await;
    let accounts = service.ports.store.accounts_with_email("member@acme.example").await.unwrap();
    let tokens = service.use_cases.list_api_tokens.run(accounts[0].id).await.unwrap();
    service.use_cases.revoke_api_token.run(tokens[0].id).await.unwrap();
    service.clock.advance(Duration::from_secs(60));
    let answer = waiting.await.unwrap();
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
    check_error(&answer);
    drop(provider);
}

#[actix_web::test]
async fn no_account_takes_all_connections() {
    let token_reads = PerMinute { caller: 100_000, address: 0 };
    let limits = LimitSettings { token_reads, ..LimitSettings::default() };
    let service = Service::start().await.limited(limits, &[]);
    service.register_with_repositories().await;
    for token in [&service.member, &service.colleague] {
        service.know(token).await;
    }
    let service = Rc::new(service);
    let waiting: Vec<_> = (0..PER_ACCOUNT).map(|_| listen(&service, &service.member)).collect();
    service.clock.until_sleeping(PER_ACCOUNT * SLEEPS).await;
    let refused = service.ask_for_token_with(&service.member, LISTEN).await;
    assert_eq!((refused.status, refused.header(RETRY_AFTER)), (StatusCode::TOO_MANY_REQUESTS, "30"));
    check_error(&refused);
    let others = listen(&service, &service.colleague);
    service.clock.until_sleeping((PER_ACCOUNT + 1) * SLEEPS).await;
    let without = service.ask_for_token(&service.member, "example", "").await;
    assert_eq!(
        without.json(),
        json!({ "url": "http://127.0.0.1:8080/external-auth/example" }),
        "asking goes on"
    );
    waiting[0].abort();
    tokio::task::yield_now().await;
    let next = listen(&service, &service.member);
    service.clock.until_sleeping((PER_ACCOUNT + 1) * SLEEPS).await;
    assert!(!next.is_finished(), "somebody has left");
    waiting.iter().chain([&others, &next]).for_each(JoinHandle::abort);
}
