//! The `login` API and its pages: every way in, and every outcome of the contract.

mod device;
mod exchange;
mod form;
mod guessing;
mod landing;
mod logs;
mod pages;
mod tokens;
mod waiting;
mod web;

use actix_web::http::header::AUTHORIZATION;
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use grantkeeper_domain::login::{LoginSettings, NewAccounts};
use serde_json::Value;
use url::Url;

use crate::browser::{Browser, form_token, way_back};
use crate::service::{Answer, Service, login_settings};

/// A login that a client has started.
struct Started {
    /// What it polls with.
    state: String,
    /// The provider's page.
    url: Url,
}

fn request(method: &str, path: &str) -> TestRequest {
    TestRequest::default().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path)
}

/// Rules under which only those get in who have an account already.
fn by_invitation() -> LoginSettings {
    let mut settings = login_settings();
    settings.providers[0].new_accounts = NewAccounts::Nobody;
    settings
}

impl Service {
    /// A service with a login provider that is registered and has a device flow.
    async fn for_logins(settings: LoginSettings) -> Self {
        let service = Self::with_logins(settings).await;
        service.register_with_device_flow().await;
        service
    }

    /// Calls without a token.
    async fn ask(&self, method: &str, path: &str) -> Answer {
        self.send(request(method, path)).await
    }

    /// Calls with a token.
    async fn ask_as(&self, token: &str, method: &str, path: &str) -> Answer {
        let authorization = (AUTHORIZATION, format!("Bearer {token}"));
        self.send(request(method, path).insert_header(authorization)).await
    }

    /// Starts a login; the query is what there is beside the provider.
    async fn start_login(&self, query: &str) -> Started {
        let path = format!("/v1/login/oauth2/web/authorize?provider=github{query}");
        let answer = self.ask("GET", &path).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        Started { state: answer.text("state"), url: Url::parse(&answer.text("url")).unwrap() }
    }

    async fn poll_login(&self, state: &str) -> Answer {
        self.ask("GET", &format!("/v1/login/oauth2/web/poll?state={state}")).await
    }

    /// Goes through a login on the web as that person at the provider; returns the token.
    async fn signed_in_as(&self, person: &str) -> String {
        self.provider.sign_in(person);
        let started = self.start_login("").await;
        let mut browser = Browser::new(self);
        let page = browser.come_back(&started.url, "code=c").await;
        browser.answer(&page, "yes").await;
        secret(&self.poll_login(&started.state).await)
    }

    /// What an answer is like, for a snapshot: without what is random.
    async fn asked_for_snapshot(&self, method: &str, path: &str) -> String {
        let answer = self.ask(method, path).await;
        format!("{method} {path}\n{}\n", told(&answer))
    }
}

impl Browser<'_> {
    /// Comes back from the provider; returns the path of the login's page.
    async fn come_back(&mut self, url: &Url, query: &str) -> String {
        let back = self.get(&way_back(url, query)).await;
        assert_eq!((back.status, back.body.as_str()), (StatusCode::FOUND, "{}"), "{back:?}");
        back.header(actix_web::http::header::LOCATION).to_owned()
    }

    /// Answers the page of a login.
    async fn answer(&mut self, path: &str, answer: &str) -> Answer {
        let page = self.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        self.post(path, &[("answer", answer), ("form_token", &form_token(&page))]).await
    }
}

/// The token of an answer that brings one.
fn secret(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["secret"]["value"].as_str().unwrap().to_owned()
}

/// An answer without what is random.
fn told(answer: &Answer) -> String {
    let mut answer = answer.clone();
    if !answer.body.is_empty() {
        let mut body = answer.json();
        blank(&mut body);
        answer.body = body.to_string();
    }
    answer.render()
}

fn blank(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(blank),
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "id" | "accountId" | "value" | "state" | "matchCode" | "encodedSession" | "url"
                        if member.is_string() =>
                    {
                        *member = Value::from("…");
                    }
                    _ => blank(member),
                }
            }
        }
        _ => {}
    }
}
