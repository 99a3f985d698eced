//! Access tokens for machines.

use std::time::Duration;

use actix_web::http::StatusCode;
use grantkeeper_domain::providers::UpstreamError;
use grantkeeper_testkit::scripted_provider::Call;
use serde_json::json;

use crate::service::Service;

fn timeout() -> UpstreamError {
    UpstreamError::Unavailable { reason: "timeout", retry_after: None }
}

impl Service {
    /// What an answer to a machine is like, for a snapshot.
    async fn asked(&self, query: &str) -> String {
        format!("{query}\n{}\n", self.ask_for_token_with(&self.member, query).await.render())
    }
}

#[actix_web::test]
async fn what_a_machine_is_answered() {
    let service = Service::start().await;
    let provider = service.register_with_repositories().await;
    let remote = "?id=&match=https%3A%2F%2Fgit.example%2Facme%2Fapp.git";
    let mut told = vec![service.asked("?id=example&match=").await];
    service.authorize(&service.member, &provider).await;
    for query in [
        "?id=example&match=",
        remote,
        "?id=example",
        &format!("?id={provider}&match="),
        "?id=&match=git.example",
    ] {
        told.push(service.asked(query).await.replace(&provider, "[provider]"));
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[actix_web::test]
async fn what_a_machine_may_not_ask() {
    let service = Service::start().await;
    service.register_with_repositories().await;
    let mut told = Vec::new();
    for query in [
        "",
        "?id=&match=",
        "?id=example&match=https%3A%2F%2Fgit.example%2Fa",
        "?id=example&id=example",
        "?id=example&match=%ff",
        "?id=unknown&match=",
        "?id=&match=https%3A%2F%2Fother.example%2Facme%2Fapp.git",
        "?id=&match=no%20remote",
        "?id=&match=%2Fsrv%2Fapp.git",
        "?id=&match=file%3A%2F%2F%2Fsrv%2Fapp.git",
        "?id=&match=git%3A%2F%2Fgit.example%2Fapp.git",
        "?id=&match=http%3A%2F%2Fgit.example%2Fapp.git",
    ] {
        told.push(service.asked(query).await);
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[actix_web::test]
async fn a_remote_that_fits_several_providers_takes_the_most_specific_and_a_tie_names_the_candidates() {
    let service = Service::start().await;
    for (slug, host) in [("all", "git.example"), ("acme", "git.example/acme"), ("acme-2", "git.example/ACME")]
    {
        let provider = service.register_with(slug, json!({ "gitHosts": [host] })).await;
        service.authorize(&service.member, &provider).await;
    }
    let ask = |remote| service.ask_for_token(&service.member, "", remote);
    assert_eq!(ask("https://git.example/others/app.git").await.text("access_token"), "access-1");
    let tie = ask("https://git.example/acme/app.git").await;
    insta::assert_snapshot!(tie.render());
    let pause = Some(json!({ "status": "inactive" }));
    let providers = service.get(&service.admin, "/providers/").await.json();
    let mut providers = providers["data"].as_array().unwrap().iter();
    let last = providers.find(|provider| provider["slug"] == "acme-2").unwrap()["id"].as_str().unwrap();
    service.call(&service.admin, "PATCH", &format!("/providers/{last}/"), pause).await;
    assert_eq!(ask("https://git.example/acme/app.git").await.text("access_token"), "access-2");
    let renamed = Some(json!({ "gitHosts": ["git.example/other", "ssh.example:2222/acme"] }));
    let changed = service.call(&service.admin, "PATCH", &format!("/providers/{last}/"), renamed).await;
    assert_eq!(changed.json()["gitHosts"], json!(["git.example/other", "ssh.example:2222/acme"]));
}

#[actix_web::test]
async fn a_provider_that_is_paused_or_does_not_answer() {
    let service = Service::start().await;
    let provider = service.register_with_repositories().await;
    service.authorize(&service.member, &provider).await;
    service.clock.advance(Duration::from_secs(3600));
    service.provider.fail(Call::Refresh, timeout());
    let mut told = vec![service.asked("?id=example").await];
    let path = format!("/providers/{provider}/");
    service.call(&service.admin, "PATCH", &path, Some(json!({ "status": "inactive" }))).await;
    told.push(service.asked("?id=example").await);
    insta::assert_snapshot!(told.join("\n"));
}

#[actix_web::test]
async fn a_token_that_cannot_be_checked_is_handed_out_and_a_refused_one_is_not() {
    let service = Service::start().await;
    service.provider.change(|state| state.gives_refresh_tokens = false);
    let provider = service.register_with_repositories().await;
    service.authorize(&service.member, &provider).await;
    service.provider.fail_next(Call::Validate, timeout());
    let unproven = service.ask_for_token(&service.member, "example", "").await;
    assert_eq!((unproven.status, unproven.text("access_token").as_str()), (StatusCode::OK, "access-1"));
    service.clock.advance(Duration::from_secs(60));
    service.provider.fail_next(Call::Validate, UpstreamError::TokenRefused);
    let refused = service.ask_for_token(&service.member, "example", "").await;
    assert_eq!(refused.json(), json!({ "url": "http://127.0.0.1:8080/external-auth/example" }));
}
