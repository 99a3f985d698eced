//! Tokens and states travel in query strings here: none is logged.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};

use actix_web::http::header::AUTHORIZATION;
use tracing::dispatcher::set_default;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

use super::request;
use crate::browser::Browser;
use crate::service::{Service, login_settings};

/// Everything that is logged, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        attributes.record(&mut Fields(&mut self.0.lock().unwrap()));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Fields(&mut self.0.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Fields(&mut self.0.lock().unwrap()));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[actix_web::test]
async fn no_query_string_and_no_token_is_logged() {
    let log = Log::default();
    let listening = [Dispatch::new(log.clone()), Dispatch::new(Log::default())];
    // With two of them, what other tests log first in their threads is not taken for what nobody listens to.
    let guard = set_default(&listening[0]);
    let service = Service::for_logins(login_settings()).await.with_tokens_in_query();
    let started = service.start_login("&redirect=http://127.0.0.1:1/QUERY").await;
    let mut browser = Browser::new(&service);
    let page = browser.come_back(&started.url, "code=CODE").await;
    browser.answer(&page, "yes").await;
    let answer = service.poll_login(&started.state).await;
    let token = super::secret(&answer);
    service.ask("POST", "/v1/oauth2?provider=github&access-token=ACCESS").await;
    service.ask("GET", "/v1/login/oauth2/web/callback/github?state=GUESS&code=CODE").await;
    service.ask("GET", "/v1/login/oauth2/web/poll?state=GUESS").await;
    service
        .send(
            request("GET", "/v1/login/token?QUERY").insert_header((AUTHORIZATION, format!("Bearer {token}"))),
        )
        .await;
    service.ask("GET", "/api/v2/external-auth?access_token=ACCESS").await;
    service.ask("GET", &format!("/api/v2/external-auth?coder_session_token={token}")).await;
    service.ask("GET", "/nothing/here?QUERY").await;
    drop((guard, listening));
    let log = log.0.lock().unwrap().clone();
    assert!(log.contains("/v1/login/oauth2/web/poll"), "the log has what it should have: {log}");
    for secret in [&started.state, &token, "QUERY", "CODE", "ACCESS", "GUESS", "state=", "access-token"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
