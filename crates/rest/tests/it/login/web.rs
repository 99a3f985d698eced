//! Signing in on the web.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, CONTENT_TYPE, LOCATION, SET_COOKIE};
use actix_web::test::TestRequest;
use grantkeeper_domain::login::LoginSettings;
use grantkeeper_domain::providers::UpstreamError;
use grantkeeper_testkit::scripted_provider::{Call, ISSUER};
use serde_json::json;
use url::Url;

use super::{by_invitation, secret, told};
use crate::browser::{Browser, leads_on, parameter};
use crate::service::{Answer, PUBLIC_URL, Service, login_settings};

fn silent() -> LoginSettings {
    LoginSettings { asks_people: false, ..login_settings() }
}

/// The reference's callback, brought by a program or by a browser.
fn callback(path: &str, url: &Url, answer: &str, accept: &str) -> TestRequest {
    let state = parameter(url, "state");
    let path = format!("/v1/login/oauth2/web/callback{path}?state={state}&iss={ISSUER}&{answer}");
    TestRequest::get().uri(&path).insert_header((ACCEPT, accept))
}

#[actix_web::test]
async fn a_person_signs_in_and_the_client_gets_the_token() {
    let service = Service::for_logins(login_settings()).await;
    let started = service.start_login("&match-code=shown&redirect=https://golem.cloud/done").await;
    let pending = service.poll_login(&started.state).await;
    assert_eq!((pending.status, pending.body.as_str()), (StatusCode::ACCEPTED, "{}"));
    let mut browser = Browser::new(&service);
    let page = browser.come_back(&started.url, "code=c").await;
    assert!(!page.contains('?'), "neither code nor state: {page}");
    assert_eq!(service.poll_login(&started.state).await.status, StatusCode::ACCEPTED, "nobody has said yes");
    let yes = browser.answer(&page, "yes").await;
    assert_eq!(leads_on(&yes).as_str(), "https://golem.cloud/done");
    let answer = service.poll_login(&started.state).await;
    let token = secret(&answer);
    assert_eq!(token.len(), 36);
    assert_eq!(token.as_bytes()[14], b'4', "a random UUID: {token}");
    let data = answer.json()["data"].clone();
    assert_eq!(service.ask_as(&token, "GET", "/v1/login/token").await.json(), data);
    assert_eq!(service.get(&token, "/providers/").await.status, StatusCode::OK, "it opens the other APIs");
}

#[actix_web::test]
async fn the_provider_sees_another_state_than_the_poller() {
    let service = Service::for_logins(login_settings()).await;
    let started = service.start_login("").await;
    let shown = parameter(&started.url, "state");
    assert_ne!(shown, started.state);
    assert_eq!(service.poll_login(&shown).await.status, StatusCode::NOT_FOUND);
    assert!(started.url.query().unwrap().contains("code_challenge_method=S256"), "PKCE always");
    let redirect_uri = parameter(&started.url, "redirect_uri");
    assert!(redirect_uri.starts_with(&format!("{PUBLIC_URL}/callback/")), "{redirect_uri}");
}

#[actix_web::test]
async fn starting() {
    let service = Service::for_logins(login_settings()).await;
    let mut all = Vec::new();
    for query in [
        "?provider=github",
        "?provider=github&redirect=http://127.0.0.1:4711/done&match-code=shown",
        "?provider=github&redirect=https://golem.cloud.evil.example/",
        "?provider=github&redirect=",
        "?provider=github&match-code=maybe",
        "?provider=gitlab",
        "?provider=github&provider=github",
        "?provider=%ff",
        "",
        "?redirect=",
    ] {
        all.push(service.asked_for_snapshot("GET", &format!("/v1/login/oauth2/web/authorize{query}")).await);
    }
    let off = Service::with_logins(LoginSettings { providers: Vec::new(), ..login_settings() }).await;
    all.push(off.asked_for_snapshot("GET", "/v1/login/oauth2/web/authorize?provider=github").await);
    let unregistered = Service::start().await;
    all.push(unregistered.asked_for_snapshot("GET", "/v1/login/oauth2/web/authorize?provider=github").await);
    insta::assert_snapshot!(all.join("\n"));
}

/// How a poll is answered when the person has come back with that, and has answered the page.
async fn outcome(service: &Service, query: &str, answer: Option<&str>) -> Answer {
    let started = service.start_login("").await;
    let mut browser = Browser::new(service);
    let page = browser.come_back(&started.url, query).await;
    if let Some(answer) = answer {
        let answered = browser.answer(&page, answer).await;
        assert_eq!((answered.status, answered.header(LOCATION)), (StatusCode::SEE_OTHER, page.as_str()));
    }
    service.poll_login(&started.state).await
}

#[actix_web::test]
async fn polling() {
    let service = Service::for_logins(login_settings()).await;
    let mut all = Vec::new();
    for query in ["", "?state=", "?state=unknown", "?state=a&state=b", "?state=%ff"] {
        all.push(service.asked_for_snapshot("GET", &format!("/v1/login/oauth2/web/poll{query}")).await);
    }
    let mut tell = |what: &str, answer: &Answer| all.push(format!("{what}\n{}\n", told(answer)));
    let started = service.start_login("").await;
    tell("the person is at the provider", &service.poll_login(&started.state).await);
    tell("the person has to answer", &outcome(&service, "code=c", None).await);
    tell("yes", &outcome(&service, "code=c", Some("yes")).await);
    tell("no", &outcome(&service, "code=c", Some("no")).await);
    tell("no, at the provider", &outcome(&service, "error=access_denied", None).await);
    let refused = UpstreamError::GrantRefused { code: "invalid_grant".to_owned() };
    service.provider.fail_next(Call::Exchange, refused);
    tell("the provider refuses the code", &outcome(&service, "code=c", None).await);
    let down = UpstreamError::Unavailable { reason: "connection", retry_after: None };
    service.provider.fail_next(Call::Exchange, down);
    tell("the provider is away", &outcome(&service, "code=c", None).await);
    let strict = Service::for_logins(by_invitation()).await;
    tell("a stranger", &outcome(&strict, "code=c", None).await);
    service.clock.advance(Duration::from_secs(600));
    tell("after ten minutes", &service.poll_login(&started.state).await);
    insta::assert_snapshot!(all.join("\n"));
}

#[actix_web::test]
async fn a_lost_answer_can_be_asked_for_again_for_30_seconds_and_the_first_token_is_dead() {
    let service = Service::for_logins(login_settings()).await;
    let started = service.start_login("").await;
    let mut browser = Browser::new(&service);
    let page = browser.come_back(&started.url, "code=c").await;
    browser.answer(&page, "yes").await;
    let first = secret(&service.poll_login(&started.state).await);
    service.clock.advance(Duration::from_secs(30));
    let second = secret(&service.poll_login(&started.state).await);
    assert_ne!(first, second);
    assert_eq!(service.ask_as(&first, "GET", "/v1/login/token").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(service.ask_as(&second, "GET", "/v1/login/token").await.status, StatusCode::OK);
    service.clock.advance(Duration::from_secs(1));
    assert_eq!(service.poll_login(&started.state).await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn two_logins_at_once_never_get_each_others_token() {
    let service = Service::for_logins(login_settings()).await;
    let (one, two) = (service.start_login("").await, service.start_login("").await);
    let (mut ada, mut bob) = (Browser::new(&service), Browser::new(&service));
    let page_of_one = ada.come_back(&one.url, "code=code:ada:1").await;
    let page_of_two = bob.come_back(&two.url, "code=code:bob:1").await;
    assert_eq!(bob.get(&page_of_one).await.status, StatusCode::BAD_REQUEST, "another browser's page");
    bob.answer(&page_of_two, "yes").await;
    assert_eq!(service.poll_login(&one.state).await.status, StatusCode::ACCEPTED);
    ada.answer(&page_of_one, "yes").await;
    let [of_ada, of_bob] = [
        service.poll_login(&one.state).await.json()["data"]["accountId"].clone(),
        service.poll_login(&two.state).await.json()["data"]["accountId"].clone(),
    ];
    assert_ne!(of_ada, of_bob);
    service.provider.sign_in("ada");
    let again = service.signed_in_as("ada").await;
    assert_eq!(service.ask_as(&again, "GET", "/v1/login/token").await.json()["accountId"], of_ada);
}

#[actix_web::test]
async fn a_victims_browser_does_not_complete_an_attackers_login() {
    let service = Service::for_logins(login_settings()).await;
    let attackers = service.start_login("&redirect=https://golem.cloud/").await;
    let mut victim = Browser::new(&service);
    let page = victim.come_back(&attackers.url, "code=code:victim:1").await;
    for _ in 0..3 {
        assert_eq!(service.poll_login(&attackers.state).await.status, StatusCode::ACCEPTED);
        victim.get(&page).await;
    }
    let told = victim.answer(&page, "no").await;
    assert_eq!(told.header(LOCATION), page, "not to where the attacker wants");
    assert_eq!(service.poll_login(&attackers.state).await.status, StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn the_callback_of_the_reference_leads_to_the_page() {
    let service = Service::for_logins(login_settings()).await;
    for path in ["/github", ""] {
        for accept in ["application/json", "text/html,*/*"] {
            let started = service.start_login("").await;
            let back = service.send(callback(path, &started.url, "code=c", accept)).await;
            assert_eq!((back.status, back.body.as_str()), (StatusCode::FOUND, "{}"), "{path} {accept}");
            assert!(back.header(LOCATION).starts_with("/login/"), "{path} {accept}");
            assert!(back.header(SET_COOKIE).starts_with("grantkeeper_login_"), "{path} {accept}");
        }
    }
}

#[actix_web::test]
async fn callbacks_that_fail() {
    let service = Service::for_logins(login_settings()).await;
    let mut all = Vec::new();
    for path in [
        "/github",
        "/github?state=s",
        "/github?state=s&code=c&error=e",
        "/github?state=&code=c",
        "/github?state=s&state=s&code=c",
        "/github?state=unknown&code=c",
        "/gitlab?state=s&code=c",
        "?state=unknown&code=c",
    ] {
        all.push(service.asked_for_snapshot("GET", &format!("/v1/login/oauth2/web/callback{path}")).await);
    }
    let program = "application/json";
    let mut tell = |what: &str, answer: &Answer| all.push(format!("{what}\n{}\n", told(answer)));
    let started = service.start_login("").await;
    tell("denied", &service.send(callback("/github", &started.url, "error=access_denied", program)).await);
    tell("again", &service.send(callback("/github", &started.url, "code=c", program)).await);
    let down = UpstreamError::Unavailable { reason: "connection", retry_after: None };
    service.provider.fail_next(Call::Exchange, down);
    let started = service.start_login("").await;
    tell("the provider is away", &service.send(callback("/github", &started.url, "code=c", program)).await);
    let strict = Service::for_logins(by_invitation()).await;
    let started = strict.start_login("").await;
    tell("a stranger", &strict.send(callback("/github", &started.url, "code=c", program)).await);
    insta::assert_snapshot!(all.join("\n"));
    assert_eq!(service.provider.calls(Call::Exchange), 1, "what is refused here costs no call");
}

#[actix_web::test]
async fn a_browser_whose_login_failed_is_told_on_a_page() {
    let service = Service::for_logins(login_settings()).await;
    let started = service.start_login("").await;
    let request = callback("/github", &started.url, "error=access_denied", "text/html");
    let mut browser = Browser::new(&service);
    let back = browser.send(request).await;
    assert_eq!(back.status, StatusCode::FOUND, "{back:?}");
    let page = browser.get(back.header(LOCATION)).await;
    assert!(page.body.contains("Nobody was signed in (access_denied)."), "{}", page.body);
}

#[actix_web::test]
async fn where_nobody_is_asked_the_callback_is_the_references() {
    let service = Service::for_logins(silent()).await;
    for (path, query, accept, status, location) in [
        ("/github", "", "application/json", StatusCode::OK, ""),
        ("/github", "", "text/html", StatusCode::OK, ""),
        ("", "&redirect=https://golem.cloud/x?y", "*/*", StatusCode::FOUND, "https://golem.cloud/x?y"),
        ("/github", "&redirect=http://[::1]:5/", "text/html", StatusCode::FOUND, "http://[::1]:5/"),
    ] {
        let started = service.start_login(query).await;
        let back = service.send(callback(path, &started.url, "code=c", accept)).await;
        assert_eq!((back.status, back.header(LOCATION)), (status, location), "{back:?}");
        if accept == "text/html" && location.is_empty() {
            assert_eq!(back.header(CONTENT_TYPE), "text/html; charset=utf-8");
            assert!(back.body.contains("You are signed in"), "{}", back.body);
        } else {
            assert_eq!(back.json(), json!({}));
        }
        secret(&service.poll_login(&started.state).await);
    }
}
