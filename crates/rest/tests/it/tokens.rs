//! Flows, authorizations, access tokens, users.

use std::time::Duration;

use actix_web::http::StatusCode;
use grantkeeper_domain::providers::UpstreamError;
use grantkeeper_testkit::scripted_provider::Call;
use serde_json::json;

use crate::service::Service;

fn grant_refused() -> UpstreamError {
    UpstreamError::GrantRefused { code: "invalid_grant".to_owned() }
}

fn client_refused() -> UpstreamError {
    UpstreamError::ClientRefused { code: "invalid_client".to_owned() }
}

fn unavailable() -> UpstreamError {
    UpstreamError::Unavailable { reason: "connection", retry_after: None }
}

#[actix_web::test]
async fn starting_a_flow() {
    let service = Service::start().await;
    let id = service.register().await;
    let start = |query| {
        let path = format!("/providers/{id}/authorize/{query}");
        let service = &service;
        async move { service.told(&service.member, "POST", &path, None).await }
    };
    let mut told = vec![
        start("").await,
        start("?state=&redirect_uri=http://127.0.0.1:9999/cb").await,
        start("?state=chosen%20by%2Bme&redirect_uri=http://localhost:1/cb&skip_consent=true").await,
        start("?redirect_uri=https://evil.example/cb").await,
        start("?redirect_uri=nonsense").await,
        start("?redirect_uri=").await,
        start("?skip_consent=maybe").await,
        start("?state=a&state=b").await,
        service.told(&service.stranger, "POST", &format!("/providers/{id}/authorize/"), None).await,
        service.told(&service.member, "POST", "/providers/unknown/authorize/", None).await,
    ];
    let path = format!("/providers/{id}/");
    service.call(&service.admin, "PATCH", &path, Some(json!({ "status": "inactive" }))).await;
    told.push(start("").await);
    insta::assert_snapshot!(told.join("\n"));
}

#[actix_web::test]
async fn completing_a_flow() {
    let service = Service::start().await;
    let id = service.register().await;
    let complete = |token: String, code: &'static str, state: String, provider: String| {
        let service = &service;
        async move {
            let body = json!({ "providerId": provider, "code": code, "state": state });
            service.told(&token, "POST", "/providers/callback/", Some(body)).await
        }
    };
    let member = service.member.clone();
    let state = service.start_flow(&member, &id).await;
    let mut told = vec![
        complete(member.clone(), "code-1", "unknown".to_owned(), id.clone()).await,
        complete(service.colleague.clone(), "code-1", state.clone(), id.clone()).await,
        complete(service.stranger.clone(), "code-1", state.clone(), id.clone()).await,
        complete(member.clone(), "code-1", state.clone(), "unknown".to_owned()).await,
        complete(member.clone(), "code-1", state.clone(), id.clone()).await,
    ];
    service.clock.advance(Duration::from_secs(61));
    told.push(complete(member.clone(), "code-1", state, id.clone()).await);
    for error in [grant_refused(), unavailable(), client_refused()] {
        service.provider.fail_next(Call::Exchange, error);
        let state = service.start_flow(&member, &id).await;
        told.push(complete(member.clone(), "code-2", state, id.clone()).await);
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[actix_web::test]
async fn a_slow_exchange_is_answered_502_and_its_outcome_is_kept_for_the_repeat() {
    let service = Service::start().await;
    let id = service.register().await;
    let state = service.start_flow(&service.member, &id).await;
    service.provider.hold(Call::Exchange);
    let first = service.callback(&service.member, &id, "code", &state);
    let impatience = async {
        // The caller's patience, and the provider's limit.
        service.clock.until_sleeping(2).await;
        service.clock.advance(Duration::from_secs(4));
    };
    let (first, ()) = tokio::join!(first, impatience);
    assert_eq!(first.status, StatusCode::BAD_GATEWAY, "{first:?}");
    service.provider.release(Call::Exchange);
    service.ports.tasks.drain().await;
    service.clock.advance(Duration::from_secs(30));
    let repeated = service.callback(&service.member, &id, "code", &state).await;
    assert_eq!(repeated.status, StatusCode::OK, "{repeated:?}");
    assert_eq!(service.provider.calls(Call::Exchange), 1);
    service.clock.advance(Duration::from_secs(60));
    assert_eq!(service.callback(&service.member, &id, "code", &state).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(service.provider.calls(Call::Exchange), 1);
}

#[actix_web::test]
async fn viewing_and_deleting_authorizations() {
    let service = Service::start().await;
    let provider = service.register().await;
    let id = service.authorize(&service.member, &provider).await;
    let path = format!("/authorizedProviders/{id}/");
    let told = [
        service.told(&service.member, "GET", "/authorizedProviders/", None).await,
        service.told(&service.admin, "GET", "/authorizedProviders/", None).await,
        service.told(&service.member, "GET", &path, None).await,
        service.told(&service.colleague, "GET", &path, None).await,
        service.told(&service.admin, "GET", &path, None).await,
        service.told(&service.stranger, "GET", &path, None).await,
        service.told(&service.colleague, "DELETE", &path, None).await,
        service.told(&service.member, "DELETE", &path, None).await,
        service.told(&service.member, "DELETE", &path, None).await,
        service.told(&service.member, "GET", &path, None).await,
    ];
    insta::assert_snapshot!(told.join("\n"));
    service.run_workers().await;
    assert_eq!(service.provider.calls(Call::Revoke), 1, "the tokens do not live on upstream");
}

#[actix_web::test]
async fn the_same_account_keeps_its_id_and_another_is_a_second_authorization() {
    let service = Service::start().await;
    let provider = service.register().await;
    let first = service.authorize(&service.member, &provider).await;
    assert_eq!(service.authorize(&service.member, &provider).await, first);
    service.provider.sign_in("2002");
    assert_ne!(service.authorize(&service.member, &provider).await, first);
}

#[actix_web::test]
async fn access_tokens() {
    let service = Service::start().await;
    let provider = service.register().await;
    let id = service.authorize(&service.member, &provider).await;
    let token_path = format!("/authorizedProviders/{id}/accessToken/");
    let sdk_path = format!("/authorizedProviders/{id}/token/");
    let lend = |path: String| {
        let service = &service;
        async move { service.told(&service.member, "POST", &path, None).await }
    };
    let mut told = vec![
        lend(token_path.clone()).await,
        lend(sdk_path.clone()).await,
        lend(format!("{token_path}?min_ttl=3600")).await,
        lend(format!("{token_path}?min_ttl=3601")).await,
        lend(format!("{token_path}?min_ttl=-1")).await,
        lend(format!("{token_path}?min_ttl=1&min_ttl=1")).await,
        service.told(&service.colleague, "POST", &token_path, None).await,
        service.told(&service.stranger, "POST", &token_path, None).await,
        lend("/authorizedProviders/unknown/accessToken/".to_owned()).await,
    ];
    service.clock.advance(Duration::from_secs(3600));
    service.provider.fail_next(Call::Refresh, unavailable());
    told.push(lend(token_path.clone()).await);
    told.push(lend(token_path.clone()).await);
    service.clock.advance(Duration::from_secs(3600));
    service.provider.fail_next(Call::Refresh, grant_refused());
    told.push(lend(token_path.clone()).await);
    told.push(service.told(&service.member, "GET", &format!("/authorizedProviders/{id}/"), None).await);
    insta::assert_snapshot!(told.join("\n"));
}

#[actix_web::test]
async fn a_hand_out_tells_of_the_provider_as_it_is_now() {
    let service = Service::start().await;
    let provider = service.register().await;
    let id = service.authorize(&service.member, &provider).await;
    for name in ["One name", "Another name"] {
        let rename = Some(json!({ "name": name }));
        let renamed = service.call(&service.admin, "PATCH", &format!("/providers/{provider}/"), rename).await;
        let lent = service.post(&service.member, &format!("/authorizedProviders/{id}/accessToken/")).await;
        let told = &lent.json()["authorizedOauthProvider"]["provider"];
        assert_eq!((told, &told["name"]), (&renamed.json(), &json!(name)));
    }
}

#[actix_web::test]
async fn a_provider_that_is_not_active() {
    let service = Service::start().await;
    let provider = service.register().await;
    let id = service.authorize(&service.member, &provider).await;
    let provider_path = format!("/providers/{provider}/");
    let token_path = format!("/authorizedProviders/{id}/accessToken/");
    let status = |answer: crate::service::Answer| answer.status.as_u16();
    let authorization_status =
        async || service.get(&service.member, &format!("/authorizedProviders/{id}/")).await.text("status");
    let patch = async |body| service.call(&service.admin, "PATCH", &provider_path, Some(body)).await;

    patch(json!({ "status": "inactive" })).await;
    assert_eq!(status(service.post(&service.member, &token_path).await), 403, "paused: no tokens");
    assert_eq!(authorization_status().await, "invalidProviderState");

    patch(json!({ "status": "active" })).await;
    service.clock.advance(Duration::from_secs(3590));
    service.provider.fail_next(Call::Refresh, client_refused());
    let lent = service.post(&service.member, &token_path).await;
    assert_eq!(status(lent), 201, "refused client: the valid token is handed out");
    assert_eq!(authorization_status().await, "invalidOAuthClient");
    assert_eq!(service.get(&service.member, &provider_path).await.text("status"), "disabled");
    service.clock.advance(Duration::from_secs(10));
    assert_eq!(
        status(service.post(&service.member, &token_path).await),
        403,
        "refused client, expired token"
    );

    patch(json!({ "clientSecret": "the right one" })).await;
    assert_eq!(authorization_status().await, "active");
    assert_eq!(
        status(service.post(&service.member, &token_path).await),
        201,
        "and nobody had to do anything"
    );
}

#[actix_web::test]
async fn users() {
    let service = Service::start().await;
    let provider = service.register().await;
    let id = service.authorize(&service.member, &provider).await;
    let path = format!("/authorizedProviders/{id}/userinfo/");
    let look_up = || service.told(&service.member, "GET", &path, None);
    let mut told = vec![look_up().await];
    service.provider.fail_next(Call::Identify, UpstreamError::TokenRefused);
    told.push(look_up().await);
    assert_eq!(service.provider.calls(Call::Refresh), 1, "a refused token is replaced once");
    // One that was refreshed a moment ago is not refreshed again.
    service.clock.advance(Duration::from_secs(60));
    service.provider.fail_next(Call::Identify, UpstreamError::TokenRefused);
    service.provider.fail_next(Call::Identify, UpstreamError::TokenRefused);
    told.push(look_up().await);
    service.provider.fail_next(Call::Identify, unavailable());
    told.push(look_up().await);
    told.push(service.told(&service.colleague, "GET", &path, None).await);
    insta::assert_snapshot!(told.join("\n"));
}
