//! The pages: sign in, say yes, come back from the provider.

use std::time::Duration;

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, ORIGIN, REFERRER_POLICY};
use actix_web::test::TestRequest;
use grantkeeper_testkit::scripted_provider::{Call, ISSUER};
use url::Url;

use crate::service::{Answer, PUBLIC_URL, Service};

/// A browser with its cookies.
pub(crate) struct Browser<'s> {
    service: &'s Service,
    pub(crate) cookies: Vec<Cookie<'static>>,
}

impl<'s> Browser<'s> {
    pub(crate) fn new(service: &'s Service) -> Self {
        Self { service, cookies: Vec::new() }
    }

    pub(crate) async fn send(&mut self, mut request: TestRequest) -> Answer {
        for cookie in &self.cookies {
            request = request.cookie(cookie.clone());
        }
        let answer = self.service.send(request).await;
        for value in answer.headers.get_all("set-cookie") {
            let cookie = Cookie::parse(value.to_str().unwrap().to_owned()).unwrap();
            self.cookies.retain(|known| known.name() != cookie.name());
            if !cookie.value().is_empty() {
                self.cookies.push(cookie);
            }
        }
        answer
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(TestRequest::get().uri(path)).await
    }

    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(TestRequest::post().uri(path).insert_header((ORIGIN, PUBLIC_URL)).set_form(form)).await
    }

    pub(crate) async fn sign_in(&mut self, token: &str, flow: &str) {
        let answer = self.post("/sign-in", &[("token", token), ("return_to", flow)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
        assert_eq!(answer.header(LOCATION), flow);
    }

    /// Says yes; returns the provider's page.
    pub(crate) async fn say_yes(&mut self, flow: &str) -> Url {
        let page = self.get(flow).await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        leads_on(&self.post(flow, &[("decision", "yes"), ("form_token", &form_token(&page))]).await)
    }
}

pub(crate) fn form_token(page: &Answer) -> String {
    let (_, rest) = page.body.split_once("name=\"form_token\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// Starts a flow without a page of the caller's own; returns the path of our page.
/// The other site that a page leads to by itself, and by a link.
pub(crate) fn leads_on(page: &Answer) -> Url {
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    let after = |before: &str| {
        let (_, rest) = page.body.split_once(before).unwrap_or_else(|| panic!("no {before}: {page:?}"));
        Url::parse(&rest.split('"').next().unwrap().replace("&#38;", "&")).unwrap()
    };
    let by_itself = after("<meta http-equiv=\"refresh\" content=\"0;url=");
    assert_eq!(after("<a href=\""), by_itself);
    by_itself
}

async fn start(service: &Service, provider: &str) -> String {
    let started = service.post(&service.member, &format!("/providers/{provider}/authorize/")).await;
    started.text("redirectUrl").strip_prefix(PUBLIC_URL).unwrap().to_owned()
}

/// A provider, a flow at it, and a browser in which the member who started it is signed in.
async fn signed_in(service: &Service) -> (String, String, Browser<'_>) {
    let provider = service.register().await;
    let flow = start(service, &provider).await;
    let mut browser = Browser::new(service);
    browser.sign_in(&service.member, &flow).await;
    (provider, flow, browser)
}

pub(crate) fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
}

/// Where the provider sends the browser back to.
pub(crate) fn way_back(page: &Url, query: &str) -> String {
    let path = parameter(page, "redirect_uri").strip_prefix(PUBLIC_URL).unwrap().to_owned();
    format!("{path}?state={}&iss={ISSUER}&{query}", parameter(page, "state"))
}

#[actix_web::test]
async fn a_person_links_an_account() {
    let service = Service::start().await;
    let provider = service.register().await;
    let flow = start(&service, &provider).await;
    let mut browser = Browser::new(&service);
    let first = browser.get(&flow).await;
    assert_eq!(first.status, StatusCode::SEE_OTHER, "nobody is signed in yet");
    assert!(first.header(LOCATION).starts_with("/sign-in?return_to="));
    assert_eq!(browser.get(first.header(LOCATION)).await.status, StatusCode::OK);
    browser.sign_in(&service.member, &flow).await;
    let page = browser.get(&flow).await;
    for shown in ["member@acme.example", "Acme", "Example", "issuer.example", "offline_access openid"] {
        assert!(page.body.contains(shown), "{shown} in {}", page.body);
    }
    assert!(
        page.header(CONTENT_SECURITY_POLICY).ends_with("form-action 'self'"),
        "the provider is no form's"
    );
    assert_eq!(page.header(REFERRER_POLICY), "same-origin", "else browsers post the form without an origin");
    let provider_page = browser.say_yes(&flow).await;
    let back = browser.get(&way_back(&provider_page, "code=c")).await;
    assert_eq!(back.status, StatusCode::SEE_OTHER, "{back:?}");
    assert_eq!(back.header(LOCATION), format!("{flow}/done"), "a clean address");
    assert_eq!(back.header(REFERRER_POLICY), "no-referrer");
    let done = browser.get(back.header(LOCATION)).await;
    assert!(done.body.contains("The account is linked"), "{}", done.body);
    let listed = service.get(&service.member, "/authorizedProviders/").await;
    assert_eq!(listed.json()["data"].as_array().unwrap().len(), 1);
    assert!(
        !browser.cookies.iter().any(|cookie| cookie.name().starts_with("grantkeeper_flow_")),
        "the cookie is gone"
    );
    assert_eq!(
        browser.get(&way_back(&provider_page, "code=c")).await.status,
        StatusCode::BAD_REQUEST,
        "replay"
    );
    assert_eq!(service.provider.calls(Call::Exchange), 1);
}

#[actix_web::test]
async fn cookies_are_for_this_site_and_no_script() {
    let service = Service::start().await;
    let (_, flow, mut browser) = signed_in(&service).await;
    browser.say_yes(&flow).await;
    assert_eq!(browser.cookies.len(), 2);
    for cookie in &browser.cookies {
        assert_eq!(cookie.http_only(), Some(true), "{}", cookie.name());
        assert_eq!(cookie.same_site(), Some(actix_web::cookie::SameSite::Lax), "{}", cookie.name());
        assert_ne!(cookie.value(), service.member, "the API token itself does not rest in a browser");
    }
}

#[actix_web::test]
async fn another_browser_cannot_finish_a_flow() {
    let service = Service::start().await;
    let provider = service.register().await;
    let flow = start(&service, &provider).await;
    let mut attacker = Browser::new(&service);
    attacker.sign_in(&service.member, &flow).await;
    let provider_page = attacker.say_yes(&flow).await;
    let mut victim = Browser::new(&service);
    let back = victim.get(&way_back(&provider_page, "code=victims")).await;
    assert_eq!(back.status, StatusCode::BAD_REQUEST);
    assert_eq!(service.provider.calls(Call::Exchange), 0);
}

#[actix_web::test]
async fn another_account_cannot_confirm_a_flow() {
    let service = Service::start().await;
    let provider = service.register().await;
    let flow = start(&service, &provider).await;
    let mut browser = Browser::new(&service);
    browser.sign_in(&service.colleague, &flow).await;
    assert_eq!(browser.get(&flow).await.status, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn a_form_of_another_site_is_refused() {
    let service = Service::start().await;
    let (_, flow, mut browser) = signed_in(&service).await;
    let token = form_token(&browser.get(&flow).await);
    let forged = TestRequest::post().uri(&flow).insert_header((ORIGIN, "https://evil.example"));
    let forged = forged.set_form([("decision", "yes"), ("form_token", token.as_str())]);
    assert_eq!(browser.send(forged).await.status, StatusCode::BAD_REQUEST, "another origin");
    let guessed = browser.post(&flow, &[("decision", "yes"), ("form_token", "guess")]).await;
    assert_eq!(guessed.status, StatusCode::BAD_REQUEST, "no form of ours");
    let login = TestRequest::post().uri("/sign-in").insert_header((ORIGIN, "https://evil.example"));
    let login = login.set_form([("token", service.member.as_str()), ("return_to", flow.as_str())]);
    assert_eq!(
        Browser::new(&service).send(login).await.status,
        StatusCode::BAD_REQUEST,
        "login of another site"
    );
}

#[actix_web::test]
async fn what_is_no_form_of_ours_gets_a_page() {
    let service = Service::start().await;
    let (_, flow, mut browser) = signed_in(&service).await;
    let page = browser.get("/connect/unknown").await;
    assert_eq!(page.header(CONTENT_TYPE), "text/html; charset=utf-8");
    let huge = "x".repeat(1 << 20);
    for path in ["/sign-in", &flow] {
        for (what, form) in [
            ("nothing", TestRequest::post()),
            ("missing fields", TestRequest::post().set_form([("surprise", "1")])),
            ("another content type", TestRequest::post().set_json(["token"])),
            ("too much", TestRequest::post().set_form([("token", &huge)])),
        ] {
            let answer = browser.send(form.uri(path).insert_header((ORIGIN, PUBLIC_URL))).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{what} to {path}: {answer:?}");
            assert_eq!(answer.header(CONTENT_TYPE), page.header(CONTENT_TYPE), "{what} to {path}");
            assert_eq!(answer.body, page.body, "{what} to {path}");
        }
    }
}

#[actix_web::test]
async fn a_wrong_api_token_does_not_sign_in() {
    let service = Service::start().await;
    let provider = service.register().await;
    let flow = start(&service, &provider).await;
    let mut browser = Browser::new(&service);
    let answer = browser.post("/sign-in", &[("token", "gk_wrong"), ("return_to", &flow)]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.body.contains("role=\"alert\""));
    assert!(browser.cookies.is_empty());
    let elsewhere =
        browser.post("/sign-in", &[("token", &service.member), ("return_to", "//evil.example")]).await;
    assert_eq!(elsewhere.status, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn a_session_ends_with_the_token_that_opened_it() {
    let service = Service::start().await;
    let (_, flow, mut browser) = signed_in(&service).await;
    let accounts = service.ports.store.accounts_with_email("member@acme.example").await.unwrap();
    let tokens = service.use_cases.list_api_tokens.run(accounts[0].id).await.unwrap();
    service.use_cases.revoke_api_token.run(tokens[0].id).await.unwrap();
    assert_eq!(browser.get(&flow).await.status, StatusCode::SEE_OTHER, "back to sign-in");
}

#[actix_web::test]
async fn no_is_no() {
    let service = Service::start().await;
    let (_, flow, mut browser) = signed_in(&service).await;
    let token = form_token(&browser.get(&flow).await);
    let answer = browser.post(&flow, &[("decision", "no"), ("form_token", &token)]).await;
    assert_eq!(answer.header(LOCATION), format!("{flow}/done"));
    assert!(browser.get(answer.header(LOCATION)).await.body.contains("not linked"));
    assert_eq!(browser.get(&flow).await.status, StatusCode::BAD_REQUEST, "and the flow is over");
}

#[actix_web::test]
async fn a_refusal_at_the_provider_is_shown_as_a_code_only() {
    let service = Service::start().await;
    let provider = service.register().await;
    for (error, shown) in [("access_denied", "access_denied"), ("%3Cscript%3E", "unlisted_error")] {
        let flow = start(&service, &provider).await;
        let mut browser = Browser::new(&service);
        browser.sign_in(&service.member, &flow).await;
        let page = browser.say_yes(&flow).await;
        let query = format!("error={error}&error_description=%3Cscript%3Ealert(1)%3C/script%3E");
        let back = browser.get(&way_back(&page, &query)).await;
        let done = browser.get(back.header(LOCATION)).await;
        assert!(done.body.contains(shown) && !done.body.contains("<script"), "{}", done.body);
    }
    assert_eq!(service.provider.calls(Call::Exchange), 0);
}

#[actix_web::test]
async fn callbacks_that_belong_to_no_flow_get_one_answer() {
    let service = Service::start().await;
    let provider = service.register().await;
    let other = service.register().await;
    let flow = start(&service, &provider).await;
    let mut browser = Browser::new(&service);
    browser.sign_in(&service.member, &flow).await;
    let page = browser.say_yes(&flow).await;
    let state = parameter(&page, "state");
    let mut answers = Vec::new();
    for path in [
        format!("/callback/{provider}?code=c"),
        format!("/callback/{provider}?state={state}"),
        format!("/callback/{provider}?code=c&state=unknown"),
        format!("/callback/{provider}?code=c&state={state}&state={state}"),
        format!("/callback/{provider}?code=c&code=c&state={state}"),
        format!("/callback/{provider}?code=%ff&state={state}"),
        format!("/callback/{provider}?code=c&state={state}&%zz"),
        format!("/callback/{provider}?code=c&state={state}&iss={ISSUER}&iss={ISSUER}"),
        format!("/callback/{provider}?code=c&error=access_denied&state={state}"),
        format!("/callback/{other}?code=c&state={state}&iss={ISSUER}"),
        format!("/callback/unknown?code=c&state={state}"),
    ] {
        let answer = browser.get(&path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        answers.push(answer.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "nothing can be learned from the page");
    assert_eq!(service.provider.calls(Call::Exchange), 0);
}

#[actix_web::test]
async fn the_issuer_of_the_answer_has_to_be_the_one_of_the_flow() {
    let service = Service::start().await;
    let provider = service.register().await;
    for iss in [
        "",
        "&iss=https://evil.example",
        "&iss=https://issuer.example/",
        "&iss=https://ISSUER.example",
        "&iss=https://issuer.example:443",
    ] {
        let flow = start(&service, &provider).await;
        let mut browser = Browser::new(&service);
        browser.sign_in(&service.member, &flow).await;
        let page = browser.say_yes(&flow).await;
        let path = parameter(&page, "redirect_uri").strip_prefix(PUBLIC_URL).unwrap().to_owned();
        let back = browser.get(&format!("{path}?code=c&state={}{iss}", parameter(&page, "state"))).await;
        let done = browser.get(back.header(LOCATION)).await;
        assert!(done.body.contains("issuer_mismatch"), "{iss}: {}", done.body);
    }
    assert_eq!(service.provider.calls(Call::Exchange), 0);
}

#[actix_web::test]
async fn a_flow_does_not_live_longer_than_ten_minutes() {
    let service = Service::start().await;
    let (_, flow, mut browser) = signed_in(&service).await;
    let page = browser.say_yes(&flow).await;
    service.clock.advance(Duration::from_secs(600));
    assert_eq!(browser.get(&way_back(&page, "code=c")).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(browser.get(&flow).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(service.provider.calls(Call::Exchange), 0);
}

#[actix_web::test]
async fn parallel_flows_do_not_clobber_each_other() {
    let service = Service::start().await;
    let provider = service.register().await;
    let (one, two) = (start(&service, &provider).await, start(&service, &provider).await);
    let mut browser = Browser::new(&service);
    browser.sign_in(&service.member, &one).await;
    let (first, second) = (browser.say_yes(&one).await, browser.say_yes(&two).await);
    for page in [second, first] {
        let back = browser.get(&way_back(&page, "code=c")).await;
        assert_eq!(back.status, StatusCode::SEE_OTHER, "{back:?}");
    }
    assert_eq!(service.provider.calls(Call::Exchange), 2);
}

#[actix_web::test]
async fn where_nobody_is_asked_our_page_goes_straight_on() {
    let service = Service::with(false).await;
    let provider = service.register().await;
    let flow = start(&service, &provider).await;
    let mut browser = Browser::new(&service);
    let straight_on = browser.get(&flow).await;
    assert_eq!(straight_on.status, StatusCode::SEE_OTHER);
    let page = Url::parse(straight_on.header(LOCATION)).unwrap();
    let back = browser.get(&way_back(&page, "code=c")).await;
    assert!(browser.get(back.header(LOCATION)).await.body.contains("linked"));
}

#[test]
fn the_style_of_the_pages_is_the_one_that_their_policy_allows() {
    // Browsers refuse a style whose hash is not in the policy; a page without style would still pass every test above.
    let layout = include_str!("../../templates/layout.html");
    let policy = include_str!("../../src/pages/page.rs");
    let style = layout.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let digest = grantkeeper_domain::secret::SecretHash::of(style);
    let bytes: Vec<u8> =
        (0..32).map(|i| u8::from_str_radix(&digest.as_str()[2 * i..2 * i + 2], 16).unwrap()).collect();
    let hash = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    assert!(policy.contains(&hash), "sha256-{hash}");
}
