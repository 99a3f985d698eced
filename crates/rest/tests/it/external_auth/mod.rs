//! The `external_auth` API: links, tokens for machines, and who may call.

mod agents;
mod callers;
mod hand_outs;
mod links;
mod listening;
mod nonsense;
mod unlinking;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::service::{AGENT_CALL, Answer, Service, new_provider};

impl Service {
    /// Registers a provider with that slug, and with those members beside the usual ones.
    async fn register_with(&self, slug: &str, members: Value) -> String {
        let mut new = new_provider();
        new["slug"] = json!(slug);
        new["name"] = json!(format!("The {slug}"));
        for (name, value) in members.as_object().unwrap() {
            new[name] = value.clone();
        }
        let answer = self.call(&self.admin, "POST", "/providers/", Some(new)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.text("id")
    }

    /// Registers a provider with the slug `example`, whose repositories are at `git.example`.
    async fn register_with_repositories(&self) -> String {
        self.register_with("example", json!({ "gitHosts": ["git.example"] })).await
    }

    /// What the workspace's agent asks, as published clients write it: both parameters, one of them empty.
    async fn ask_for_token(&self, token: &str, id: &str, remote: &str) -> Answer {
        self.ask_for_token_with(token, &format!("?id={id}&match={}", encoded(remote))).await
    }

    async fn ask_for_token_with(&self, token: &str, query: &str) -> Answer {
        let request = TestRequest::get().uri(&format!("{AGENT_CALL}{query}"));
        self.send(request.insert_header(("Coder-Session-Token", token))).await
    }

    /// The list of the member's links.
    async fn links(&self) -> Value {
        let answer = self.external_auth(&self.member, "GET", "", None).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()["links"].clone()
    }

    /// The member's link to a provider.
    async fn link(&self, id: &str) -> Value {
        let answer = self.external_auth(&self.member, "GET", &format!("/{id}"), None).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()
    }
}

/// As it stands in a query.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Fails unless an answer is an error in the words of this API.
fn check_error(answer: &Answer) {
    assert_eq!(answer.header(CONTENT_TYPE), "application/json; charset=utf-8", "{answer:?}");
    assert!(!answer.text("message").is_empty(), "{answer:?}");
    let error = answer.json();
    assert!(error["detail"].is_string() && error["validations"].is_array(), "{answer:?}");
    let not_found = "Resource not found or you do not have access to this resource";
    assert_eq!(answer.status == StatusCode::NOT_FOUND, error["message"] == not_found, "{answer:?}");
}
