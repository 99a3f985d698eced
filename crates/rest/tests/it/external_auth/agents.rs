//! Tokens that only read access tokens.

use std::collections::BTreeSet;

use actix_web::cookie::Cookie;
use actix_web::http::header::{AUTHORIZATION, LOCATION};
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use grantkeeper_rest::{EXTERNAL_AUTH_ROUTES, EXTERNAL_OAUTH_ROUTES, LOGIN_ROUTES};

use super::check_error;
use crate::service::{BASE, Service};

/// What the token of an agent is for.
const FOR_AGENTS: [(&str, &str); 5] = [
    ("get", "/api/v2/workspaceagents/me/external-auth"),
    ("post", "/api/v2/externalOAuth/authorizedProviders/{id}/token"),
    ("post", "/api/v2/externalOAuth/authorizedProviders/{id}/accessToken"),
    ("get", "/v1/login/token"),
    ("delete", "/v1/login/token"),
];

/// What anybody may call without a token.
const OPEN: [&str; 6] = [
    "/v1/login/oauth2/web/poll",
    "/login/oauth2/device/complete",
    "/login/oauth2/device/start",
    "/v1/oauth2",
    "/v1/login/oauth2/web/authorize",
    "/v1/login/oauth2/web/callback/{provider}",
];

/// Every route that wants a token.
fn closed() -> impl Iterator<Item = (&'static str, String)> {
    let oauth = EXTERNAL_OAUTH_ROUTES.iter().map(|(method, path)| (*method, format!("{BASE}{path}")));
    let others = EXTERNAL_AUTH_ROUTES.iter().chain(LOGIN_ROUTES);
    let others = others.filter(|(_, path)| !OPEN.contains(path));
    oauth.chain(others.map(|(method, path)| (*method, (*path).to_owned())))
}

#[actix_web::test]
async fn an_agents_token_is_refused_everywhere_but_where_tokens_are_read() {
    let service = Service::start().await;
    let id = service.register_with_device_flow().await;
    let mut taken = BTreeSet::new();
    let mut told = BTreeSet::new();
    for (method, path) in closed() {
        // An administrator's: it is the token that counts.
        let agent = service.agent_of("admin@acme.example").await;
        let called = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let request = TestRequest::default().method(called).uri(&path.replace("{id}", &id));
        let request = request.insert_header((AUTHORIZATION, format!("Bearer {agent}")));
        let answer = service.send(request.set_payload("{ nonsense")).await;
        if FOR_AGENTS.contains(&(method, &path)) {
            assert_ne!(answer.status, StatusCode::FORBIDDEN, "{method} {path}: {answer:?}");
            assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}: {answer:?}");
            taken.insert((method, path));
        } else {
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}: {answer:?}");
            told.insert(answer.render());
        }
    }
    assert_eq!(taken.len(), FOR_AGENTS.len(), "{taken:?}");
    insta::assert_snapshot!(Vec::from_iter(told).join("\n"));
}

#[actix_web::test]
async fn an_agent_reads_the_tokens_of_its_account_and_no_others() {
    let service = Service::start().await;
    let provider = service.register_with_repositories().await;
    let own = service.authorize(&service.member, &provider).await;
    service.provider.sign_in("2002");
    let others = service.authorize(&service.colleague, &provider).await;
    let agent = service.agent_of("member@acme.example").await;
    let by_remote = service.ask_for_token(&agent, "", "git@git.example:acme/app.git").await;
    assert_eq!(by_remote.text("access_token"), "access-1");
    let read = async |id: &str| {
        let answer = service.post(&agent, &format!("/authorizedProviders/{id}/accessToken/")).await;
        (answer.status, answer.body)
    };
    let (status, body) = read(&own).await;
    assert!(status == StatusCode::CREATED && body.contains("access-1"), "{body}");
    assert_eq!(read(&others).await.0, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn an_agent_is_told_of_its_own_token_and_may_give_it_up() {
    let service = Service::start().await;
    let agent = service.agent_of("member@acme.example").await;
    let call = async |method: Method, token: &str, path: &str| {
        let request = TestRequest::default().method(method).uri(path);
        service.send(request.insert_header((AUTHORIZATION, format!("Bearer {token}")))).await
    };
    let own = call(Method::GET, &agent, "/v1/login/token").await;
    assert_eq!(own.status, StatusCode::OK, "{own:?}");
    let listed = call(Method::GET, &service.member, "/v1/me/tokens").await.json();
    let kinds: Vec<_> = listed.as_array().unwrap().iter().map(|token| token["kind"].clone()).collect();
    assert_eq!(kinds, ["api", "agent"]);
    assert_eq!(call(Method::DELETE, &agent, "/v1/me/token").await.status, StatusCode::NO_CONTENT);
    let gone = service.ask_for_token(&agent, "example", "").await;
    assert_eq!(gone.status, StatusCode::UNAUTHORIZED);
    check_error(&gone);
}

#[actix_web::test]
async fn an_agents_token_signs_nobody_in() {
    let service = Service::start().await;
    let agent = service.agent_of("member@acme.example").await;
    let cookie = Cookie::new("coder_session_token", agent.clone());
    let account = service.send(TestRequest::get().uri("/account").cookie(cookie)).await;
    assert_eq!(account.status, StatusCode::SEE_OTHER, "{account:?}");
    assert!(account.header(LOCATION).starts_with("/sign-in"), "{account:?}");
    let form =
        TestRequest::post().uri("/sign-in").set_form([("token", agent.as_str()), ("return_to", "/account")]);
    assert_eq!(service.send(form).await.status, StatusCode::UNAUTHORIZED);
}
