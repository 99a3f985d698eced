//! The pages of a login, the sign-in page and signing out.

use std::time::Duration;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, LOCATION, ORIGIN, REFERRER_POLICY, USER_AGENT};
use actix_web::test::TestRequest;
use grantkeeper_domain::login::LoginSettings;
use grantkeeper_domain::providers::UpstreamError;
use grantkeeper_testkit::scripted_provider::Call;
use url::Url;

use super::{by_invitation, request};
use crate::browser::{Browser, form_token, leads_on, parameter, way_back};
use crate::service::{Answer, PUBLIC_URL, Service, login_settings};

const FROM_ELSEWHERE: &str = "another network address than the one you are at";
const NO_CODE: &str = "It may not show the code";

/// A login that a client at that address has started.
async fn started_at(service: &Service, address: &str, query: &str) -> (Url, String) {
    let path = format!("/v1/login/oauth2/web/authorize?provider=github{query}");
    let call = request("GET", &path).insert_header((USER_AGENT, "a <client>/1.0"));
    let answer = service.send_from(address, call).await;
    (Url::parse(&answer.text("url")).unwrap(), answer.text("matchCode"))
}

#[actix_web::test]
async fn the_page_names_what_asks() {
    let service = Service::for_logins(login_settings()).await;
    let (url, match_code) =
        started_at(&service, "127.0.0.1", "&match-code=shown&redirect=https://golem.cloud/x").await;
    let mut browser = Browser::new(&service);
    let path = browser.come_back(&url, "code=c").await;
    let page = browser.get(&path).await;
    for shown in [
        &match_code,
        "127.0.0.1",
        "a &#60;client&#62;/1.0",
        "2026-01-01 00:00:00 UTC",
        "ada at Example",
        "Acme",
        "https://golem.cloud/x",
        "<button class=\"main\" type=\"submit\" name=\"answer\" value=\"yes\">",
    ] {
        assert!(page.body.contains(shown), "{shown} in {}", page.body);
    }
    assert!(!page.body.contains("role=\"alert\""), "nothing to warn of: {}", page.body);
    assert_eq!(page.header(REFERRER_POLICY), "same-origin", "or no origin is named with the form");
    let policy = page.header(CONTENT_SECURITY_POLICY);
    assert!(policy.ends_with("form-action 'self'"), "browsers check every redirect behind a form: {policy}");
}

#[actix_web::test]
async fn the_page_warns_of_a_client_that_shows_no_code_or_is_elsewhere() {
    let service = Service::for_logins(login_settings()).await;
    for (address, query, warnings) in [
        ("127.0.0.1", "", [false, true]),
        ("203.0.113.9", "&match-code=shown", [true, false]),
        ("203.0.113.9", "", [true, true]),
    ] {
        let (url, _) = started_at(&service, address, query).await;
        let mut browser = Browser::new(&service);
        let path = browser.come_back(&url, "code=c").await;
        let page = browser.get(&path).await;
        assert!(page.body.contains("role=\"alert\""), "{address} {query}");
        assert_eq!([FROM_ELSEWHERE, NO_CODE].map(|text| page.body.contains(text)), warnings, "{}", page.body);
    }
}

#[actix_web::test]
async fn the_page_is_only_for_the_browser_that_came_back() {
    let service = Service::for_logins(login_settings()).await;
    let started = service.start_login("").await;
    let mut browser = Browser::new(&service);
    let path = browser.come_back(&started.url, "code=c").await;
    let form = [("answer", "yes"), ("form_token", &form_token(&browser.get(&path).await))];
    let mut other = Browser::new(&service);
    assert_eq!(other.get(&path).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(other.post(&path, &form).await.status, StatusCode::BAD_REQUEST);
    let name = browser.cookies[0].name().to_owned();
    other.cookies.push(Cookie::new(name, "guess"));
    assert_eq!(other.get(&path).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(service.poll_login(&started.state).await.status, StatusCode::ACCEPTED);
}

#[actix_web::test]
async fn a_yes_that_another_site_says_does_not_count() {
    let service = Service::for_logins(login_settings()).await;
    let started = service.start_login("").await;
    let mut browser = Browser::new(&service);
    let path = browser.come_back(&started.url, "code=c").await;
    let token = form_token(&browser.get(&path).await);
    let form = [("answer", "yes"), ("form_token", token.as_str())];
    let forged =
        TestRequest::post().uri(&path).insert_header((ORIGIN, "https://evil.example")).set_form(form);
    assert_eq!(browser.send(forged).await.status, StatusCode::BAD_REQUEST, "another origin");
    for form in [[("answer", "yes"), ("form_token", "guess")], [("answer", "maybe"), ("form_token", &token)]]
    {
        assert_eq!(browser.post(&path, &form).await.status, StatusCode::BAD_REQUEST, "{form:?}");
    }
    assert_eq!(service.poll_login(&started.state).await.status, StatusCode::ACCEPTED);
}

#[actix_web::test]
async fn the_cookie_of_a_login_is_for_this_site_and_no_script() {
    let service = Service::for_logins(login_settings()).await;
    let started = service.start_login("").await;
    let mut browser = Browser::new(&service);
    browser.come_back(&started.url, "code=c").await;
    let [cookie] = &browser.cookies[..] else { panic!("one cookie: {:?}", browser.cookies) };
    assert!(cookie.name().starts_with("grantkeeper_login_"), "{cookie}");
    assert_eq!(
        (cookie.http_only(), cookie.same_site(), cookie.path()),
        (Some(true), Some(SameSite::Lax), Some("/"))
    );
}

#[actix_web::test]
async fn where_https_is_spoken_cookies_never_travel_without_it_and_no_neighbour_plants_a_logins() {
    let service = Service::for_logins(login_settings()).await.reached_at("https://auth.example");
    let mut browser = Browser::new(&service);
    browser.come_back(&service.start_login("").await.url, "code=c").await;
    let token = service.member.clone();
    let form = TestRequest::post().uri("/sign-in");
    browser.send(form.set_form([("token", token.as_str()), ("return_to", "/account")])).await;
    let [login, session] = &browser.cookies[..] else { panic!("two cookies: {:?}", browser.cookies) };
    assert!(login.name().starts_with("__Host-grantkeeper_login_"), "{login}");
    assert_eq!(session.name(), "coder_session_token");
    for cookie in [login, session] {
        assert_eq!(
            (cookie.secure(), cookie.http_only(), cookie.same_site(), cookie.path(), cookie.domain()),
            (Some(true), Some(true), Some(SameSite::Lax), Some("/"), None)
        );
    }
}

#[actix_web::test]
async fn the_page_tells_how_it_ended() {
    let service = Service::for_logins(login_settings()).await;
    let mut browser = Browser::new(&service);
    let started = service.start_login("").await;
    let path = browser.come_back(&started.url, "code=c").await;
    let yes = browser.answer(&path, "yes").await;
    assert_eq!(yes.header(LOCATION), path);
    assert!(browser.get(&path).await.body.contains("You are signed in"));
    let path = browser.come_back(&service.start_login("").await.url, "code=c").await;
    browser.answer(&path, "no").await;
    assert!(browser.get(&path).await.body.contains("Nobody was signed in (declined)."));
    service
        .provider
        .fail_next(Call::Exchange, UpstreamError::Unavailable { reason: "connection", retry_after: None });
    let path = browser.come_back(&service.start_login("").await.url, "code=c").await;
    assert!(browser.get(&path).await.body.contains("has not told who you are (connection)."));
    let strict = Service::for_logins(by_invitation()).await;
    let mut browser = Browser::new(&strict);
    let path = browser.come_back(&strict.start_login("").await.url, "code=c").await;
    assert!(browser.get(&path).await.body.contains("You may not sign in here"));
}

#[actix_web::test]
async fn while_the_provider_is_slow_the_page_looks_again_by_itself() {
    let service = Service::for_logins(login_settings()).await;
    let started = service.start_login("").await;
    let mut browser = Browser::new(&service);
    service.settle().await;
    service.provider.hold(Call::Exchange);
    let patience = async {
        service.provider.until_called(Call::Exchange, 1).await;
        // The exchange has a limit of its own, and the browser waits for no longer than this.
        service.clock.until_sleeping(2).await;
        service.clock.advance(Duration::from_secs(4));
    };
    let (path, ()) = tokio::join!(browser.come_back(&started.url, "code=c"), patience);
    let page = browser.get(&path).await;
    assert!(page.body.contains("<meta http-equiv=\"refresh\" content=\"2\">"), "{}", page.body);
    service.provider.release(Call::Exchange);
    // The exchange is nobody's to wait for: the page is what tells.
    while !browser.get(&path).await.body.contains("name=\"answer\"") {
        tokio::task::yield_now().await;
    }
}

#[actix_web::test]
async fn a_callback_that_is_loaded_again_leads_to_the_same_page() {
    let service = Service::for_logins(login_settings()).await;
    let started = service.start_login("").await;
    let mut browser = Browser::new(&service);
    let path = browser.come_back(&started.url, "code=c").await;
    assert_eq!(browser.come_back(&started.url, "code=c").await, path);
    let other = Browser::new(&service).get(&way_back(&started.url, "code=c")).await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST, "to nobody else");
    assert_eq!(service.provider.calls(Call::Exchange), 1);
}

#[actix_web::test]
async fn a_callback_with_an_empty_parameter_is_none_and_ends_nothing() {
    let service = Service::for_logins(login_settings()).await;
    let started = service.start_login("").await;
    let mut browser = Browser::new(&service);
    let path = parameter(&started.url, "redirect_uri").strip_prefix(PUBLIC_URL).unwrap().to_owned();
    let state = parameter(&started.url, "state");
    for query in ["code=c&iss=", "code=", "error="] {
        let back = browser.get(&format!("{path}?state={state}&{query}")).await;
        assert_eq!(back.status, StatusCode::BAD_REQUEST, "{query}");
    }
    browser.come_back(&started.url, "code=c").await;
}

/// Signs a browser in at the provider; returns the answer that signs it in.
pub(super) async fn sign_in_at_provider(browser: &mut Browser<'_>, return_to: &[(&str, &str)]) -> Answer {
    let page = browser.post("/sign-in/github", return_to).await;
    browser.get(&way_back(&leads_on(&page), "code=c")).await
}

#[actix_web::test]
async fn a_browser_signs_in_at_a_provider() {
    for settings in [login_settings(), LoginSettings { asks_people: false, ..login_settings() }] {
        let service = Service::for_logins(settings).await;
        let mut browser = Browser::new(&service);
        let page = browser.get("/sign-in").await;
        for offered in ["action=\"/sign-in/github\"", "Sign in with Example", "Or with an API token"] {
            assert!(page.body.contains(offered), "{offered} in {}", page.body);
        }
        let policy = page.header(CONTENT_SECURITY_POLICY);
        assert!(policy.ends_with("form-action 'self'"), "{policy}");
        let back = sign_in_at_provider(&mut browser, &[("return_to", "/account")]).await;
        assert_eq!((back.status, back.header(LOCATION)), (StatusCode::FOUND, "/account"), "{back:?}");
        let page = browser.get("/account").await;
        for shown in ["Acme", "Sign out"] {
            assert!(page.body.contains(shown), "{shown} in {}", page.body);
        }
        let session = browser.cookies.iter().find(|cookie| cookie.name() == "coder_session_token").unwrap();
        assert_eq!((session.http_only(), session.same_site()), (Some(true), Some(SameSite::Lax)));
        let of_login = |cookie: &&Cookie<'_>| cookie.name().starts_with("grantkeeper_login_");
        assert_eq!(browser.cookies.iter().find(of_login), None, "it is good for nothing any more");
    }
}

#[actix_web::test]
async fn a_browser_login_needs_the_browser_that_began_it() {
    let service = Service::for_logins(login_settings()).await;
    let mut attacker = Browser::new(&service);
    let url = leads_on(&attacker.post("/sign-in/github", &[]).await);
    let mut victim = Browser::new(&service);
    let back = victim.get(&way_back(&url, "code=c")).await;
    assert_eq!(back.status, StatusCode::BAD_REQUEST, "nobody is signed in to an attacker's account");
    assert!(victim.cookies.is_empty());
    assert_eq!(service.provider.calls(Call::Exchange), 0);
    let mut forged =
        TestRequest::post().uri("/sign-in/github").insert_header((ORIGIN, "https://evil.example"));
    forged = forged.set_form([("return_to", "/account")]);
    assert_eq!(victim.send(forged).await.status, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn signing_in_leads_to_a_page_of_ours_and_nowhere_else() {
    let service = Service::for_logins(login_settings()).await;
    for return_to in ["//evil.example", "https://evil.example", "/connect/../x", ""] {
        let mut browser = Browser::new(&service);
        let answer = browser.post("/sign-in/github", &[("return_to", return_to)]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{return_to}");
    }
    let mut browser = Browser::new(&service);
    let back =
        sign_in_at_provider(&mut browser, &[("return_to", "/connect/0199c1f0-0000-7000-8000-000000000000")])
            .await;
    assert_eq!(back.header(LOCATION), "/connect/0199c1f0-0000-7000-8000-000000000000");
    assert_eq!(Browser::new(&service).post("/sign-in/gitlab", &[]).await.status, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn whoever_may_not_sign_in_is_told() {
    let service = Service::for_logins(by_invitation()).await;
    let mut browser = Browser::new(&service);
    let back = sign_in_at_provider(&mut browser, &[]).await;
    let page = browser.get(back.header(LOCATION)).await;
    assert!(page.body.contains("(not_invited)"), "{}", page.body);
    assert!(!browser.cookies.iter().any(|cookie| cookie.name() == "coder_session_token"));
}

#[actix_web::test]
async fn where_nobody_can_sign_in_at_a_provider_none_is_offered() {
    let service = Service::start().await;
    let page = Browser::new(&service).get("/sign-in").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.body.contains("/sign-in/") && page.body.contains("API token"), "{}", page.body);
    assert_eq!(Browser::new(&service).post("/sign-in/github", &[]).await.status, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn a_token_signs_a_browser_in_for_its_own_sake() {
    let service = Service::start().await;
    let mut browser = Browser::new(&service);
    let nobody = browser.get("/account").await;
    assert_eq!(nobody.header(LOCATION), "/sign-in");
    let answer = browser.post("/sign-in", &[("token", &service.member)]).await;
    assert_eq!((answer.status, answer.header(LOCATION)), (StatusCode::SEE_OTHER, "/account"));
    assert!(browser.get("/account").await.body.contains("member@acme.example"));
}

#[actix_web::test]
async fn signing_out_ends_the_session_and_takes_the_cookie_away() {
    let service = Service::for_logins(login_settings()).await;
    let mut browser = Browser::new(&service);
    sign_in_at_provider(&mut browser, &[]).await;
    let session =
        browser.cookies.iter().find(|cookie| cookie.name() == "coder_session_token").unwrap().clone();
    let form = [("form_token", form_token(&browser.get("/account").await))];
    let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
    let wrong = browser.post("/sign-out", &[("form_token", "guess")]).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let forged = TestRequest::post().uri("/sign-out").insert_header((ORIGIN, "https://evil.example"));
    assert_eq!(browser.send(forged.set_form(form)).await.status, StatusCode::BAD_REQUEST);
    let out = browser.post("/sign-out", &form).await;
    assert_eq!((out.status, out.header(LOCATION)), (StatusCode::SEE_OTHER, "/sign-in"));
    assert!(!browser.cookies.iter().any(|cookie| cookie.name() == session.name()), "the cookie is gone");
    browser.cookies.push(session);
    assert_eq!(browser.get("/account").await.status, StatusCode::SEE_OTHER, "and good for nothing");
    let again = browser.post("/sign-out", &form).await;
    assert_eq!((again.status, again.header(LOCATION)), (StatusCode::SEE_OTHER, "/sign-in"));
}

#[actix_web::test]
async fn whoever_is_asked_to_link_an_account_can_sign_out() {
    let service = Service::start().await;
    let provider = service.register().await;
    let path = format!("/providers/{provider}/authorize/");
    let started = service.post(&service.member, &path).await;
    let flow = started.text("redirectUrl").strip_prefix(PUBLIC_URL).unwrap().to_owned();
    let mut browser = Browser::new(&service);
    browser.sign_in(&service.member, &flow).await;
    let page = browser.get(&flow).await;
    assert!(page.body.contains("action=\"/sign-out\""), "{}", page.body);
}

#[actix_web::test]
async fn the_pages_have_labels_and_one_heading_and_no_script() {
    let service = Service::for_logins(login_settings()).await;
    let mut browser = Browser::new(&service);
    let path = browser.come_back(&service.start_login("").await.url, "code=c").await;
    sign_in_at_provider(&mut browser, &[]).await;
    for path in ["/sign-in", "/account", &path, "/login/unknown"] {
        let page = browser.get(path).await.body;
        assert_eq!(page.matches("<h1>").count(), 1, "{path}: {page}");
        assert!(page.contains("<html lang=\"en\">") && page.contains("<title>"), "{path}");
        assert!(
            !page.contains("<script") && !page.contains(" style=") && !page.contains(" on"),
            "{path}: {page}"
        );
        for input in page.split("<input ").skip(1).filter(|input| !input.contains("type=\"hidden\"")) {
            let id = input.split_once("id=\"").unwrap().1.split('"').next().unwrap();
            assert!(page.contains(&format!("<label for=\"{id}\">")), "{path}: {input}");
        }
    }
}

#[actix_web::test]
async fn signing_in_is_not_linking() {
    let service = Service::for_logins(login_settings()).await;
    let token = service.signed_in_as("1001").await;
    let authorized = service.get(&token, "/authorizedProviders/").await.json();
    assert_eq!(authorized["data"], serde_json::json!([]));
    let scope = parameter(&service.start_login("").await.url, "scope");
    assert!(!scope.contains("offline_access"), "nothing that outlasts the person's presence: {scope}");
}
