//! Linking by a code on another device.

use std::time::Duration;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, ORIGIN, RETRY_AFTER};
use actix_web::test::TestRequest;
use grantkeeper_domain::providers::UpstreamError;
use grantkeeper_rest::{LimitSettings, PerMinute};
use grantkeeper_testkit::scripted_provider::{Call, Decision};
use serde_json::json;

use super::{LINKED, PAGE, assert_lacks, assert_says};
use crate::browser::{Browser, form_token};
use crate::service::{Answer, Service};

const DEVICE: &str = "/external-auth/example/device";
const COOKIE: &str = "grantkeeper_device_";
const REFRESH: &str = "<meta http-equiv=\"refresh\"";

/// A service with a provider whose device flow is on.
async fn service() -> Service {
    let service = Service::start().await;
    service.register_with_device_flow().await;
    service
}

impl Browser<'_> {
    /// Presses the button; returns the answer to it.
    async fn wants_a_code(&mut self) -> Answer {
        let page = self.get(PAGE).await;
        self.press(&page, DEVICE).await
    }

    /// Gets a code; returns the page that shows it.
    async fn gets_a_code(&mut self) -> Answer {
        let begun = self.wants_a_code().await;
        assert_eq!((begun.status, begun.header(LOCATION)), (StatusCode::SEE_OTHER, DEVICE), "{begun:?}");
        self.get(DEVICE).await
    }

    /// Looks again when it is time.
    async fn looks_again(&mut self, service: &Service) -> Answer {
        service.clock.advance(Duration::from_secs(5));
        self.get(DEVICE).await
    }
}

#[actix_web::test]
async fn the_page_shows_the_code_and_where_to_enter_it_and_looks_again_by_itself() {
    let service = service().await;
    let mut browser = Browser::of_member(&service).await;
    let page = browser.gets_a_code().await;
    assert_says(&page, &["Enter this code Enter it at Example", "USER-1", "You can also close it"]);
    for held in [
        "<meta http-equiv=\"refresh\" content=\"5\">",
        "<p class=\"code\">USER-1</p>",
        "<a href=\"https://device.example/\" target=\"_blank\" rel=\"noreferrer\">",
        "<a href=\"https://device.example/?user_code=USER-1\" target=\"_blank\" rel=\"noreferrer\">",
    ] {
        assert!(page.body.contains(held), "{held} in {}", page.body);
    }
    assert_eq!(service.provider.calls(Call::PollDevice), 0, "it is not time yet");
    assert!(browser.looks_again(&service).await.body.contains("USER-1"));
    assert_eq!(service.provider.calls(Call::PollDevice), 1);
    assert!(browser.get(DEVICE).await.body.contains("USER-1"), "whoever is impatient sees no more");
    assert_eq!(service.provider.calls(Call::PollDevice), 1, "and costs the provider nothing");
}

#[actix_web::test]
async fn a_person_can_keep_the_page_still() {
    let service = service().await;
    let mut browser = Browser::of_member(&service).await;
    let page = browser.gets_a_code().await;
    assert!(page.body.contains(&format!("href=\"{DEVICE}?still=true\"")), "{}", page.body);
    let still = browser.get(&format!("{DEVICE}?still=true")).await;
    assert_says(&still, &["USER-1", "Look again now"]);
    assert_lacks(&still, &[REFRESH]);
}

#[actix_web::test]
async fn an_approved_code_links_the_account() {
    let service = service().await;
    let mut browser = Browser::of_member(&service).await;
    browser.gets_a_code().await;
    service.provider.decide("USER-1", Decision::Approved("ada".to_owned()));
    let end = browser.looks_again(&service).await;
    assert_eq!((end.status, end.header(LOCATION)), (StatusCode::SEE_OTHER, LINKED), "{end:?}");
    assert!(browser.cookies_named(COOKIE).is_empty(), "good for nothing any more");
    assert_says(&browser.get(LINKED).await, &["Example is linked Done. You can close this window."]);
    assert_eq!(browser.get(DEVICE).await.header(LOCATION), PAGE, "there is no code to show");
    assert_eq!(service.links_of(&service.member).await, 1);
}

#[actix_web::test]
async fn what_the_service_has_finished_in_the_meantime_is_shown_as_done() {
    let service = service().await;
    let mut browser = Browser::of_member(&service).await;
    browser.gets_a_code().await;
    service.provider.decide("USER-1", Decision::Approved("ada".to_owned()));
    service.clock.advance(Duration::from_secs(60));
    service.use_cases.finish_device_flows.run().await.unwrap();
    service.settle().await;
    assert_eq!(service.links_of(&service.member).await, 1, "a window that was closed loses nothing");
    assert_eq!(browser.get(DEVICE).await.header(LOCATION), LINKED);
    assert_eq!(service.provider.calls(Call::PollDevice), 1);
}

#[actix_web::test]
async fn a_code_that_leads_to_nothing_says_why_and_offers_another() {
    for (decision, sentence) in [
        (
            Decision::Denied,
            "The account was not linked: you said no at the provider, or the provider does not let you (access_denied).",
        ),
        (
            Decision::Expired,
            "The account was not linked: nobody has entered the code in time (expired_token).",
        ),
    ] {
        let service = service().await;
        let mut browser = Browser::of_member(&service).await;
        browser.gets_a_code().await;
        service.provider.decide("USER-1", decision);
        let end = browser.looks_again(&service).await;
        assert_eq!(end.status, StatusCode::OK);
        assert_says(&end, &["Not linked", sentence, "Start again"]);
        assert_lacks(&end, &[REFRESH]);
        assert!(end.body.contains(&format!("href=\"{PAGE}\"")), "{}", end.body);
        assert!(browser.cookies_named(COOKIE).is_empty());
        assert!(browser.gets_a_code().await.body.contains("USER-2"));
    }
}

#[actix_web::test]
async fn codes_are_no_longer_shown_than_they_are_good() {
    let service = service().await;
    let mut browser = Browser::of_member(&service).await;
    browser.gets_a_code().await;
    service.clock.advance(Duration::from_secs(900));
    assert_says(&browser.get(DEVICE).await, &["Not linked", "(expired_token)"]);
}

#[actix_web::test]
async fn nobody_is_shown_a_code_of_somebody_else() {
    let service = service().await;
    let mut attacker = Browser::new(&service);
    attacker.sign_in(&service.colleague, PAGE).await;
    attacker.gets_a_code().await;
    let mut victim = Browser::of_member(&service).await;
    victim
        .cookies
        .extend(attacker.cookies.iter().filter(|cookie| cookie.name().starts_with(COOKIE)).cloned());
    let page = victim.get(DEVICE).await;
    assert_lacks(&page, &["USER-1", "device.example"]);
    assert_says(&page, &["Not linked"]);
}

#[actix_web::test]
async fn a_cookie_that_is_not_ours_is_none() {
    let service = Service::start().await;
    let id = service.register_with_device_flow().await;
    for value in ["", "nonsense", "e30", "%00", "eyJoYW5kbGUiOjF9"] {
        let mut browser = Browser::of_member(&service).await;
        browser.cookies.push(Cookie::new(format!("{COOKIE}{id}"), value));
        let answer = browser.get(DEVICE).await;
        assert_eq!((answer.status, answer.header(LOCATION)), (StatusCode::SEE_OTHER, PAGE), "{value}");
    }
}

#[actix_web::test]
async fn the_cookie_is_for_this_site_and_no_script_and_each_provider_has_its_own() {
    let service = service().await;
    let mut new = crate::service::new_provider();
    new["deviceFlow"] = json!(true);
    new["name"] = json!("Other");
    service.call(&service.admin, "POST", "/providers/", Some(new)).await;
    let mut browser = Browser::of_member(&service).await;
    browser.gets_a_code().await;
    let other = browser.get("/external-auth/other").await;
    browser.press(&other, "/external-auth/other/device").await;
    assert_eq!(browser.cookies_named(COOKIE).len(), 2);
    for cookie in browser.cookies.iter().filter(|cookie| cookie.name().starts_with(COOKIE)) {
        assert_eq!(
            (cookie.path(), cookie.http_only(), cookie.same_site()),
            (Some("/"), Some(true), Some(SameSite::Lax)),
            "{cookie}"
        );
    }
    assert!(browser.get(DEVICE).await.body.contains("USER-1"));
    assert!(browser.get("/external-auth/other/device").await.body.contains("USER-2"));
    service.provider.decide("USER-1", Decision::Approved("ada".to_owned()));
    assert_eq!(browser.looks_again(&service).await.header(LOCATION), LINKED);
    assert_eq!(browser.cookies_named(COOKIE).len(), 1, "that of the other one stays");
}

#[actix_web::test]
async fn only_a_form_of_ours_begins_a_device_flow() {
    let service = service().await;
    let mut browser = Browser::of_member(&service).await;
    let token = form_token(&browser.get(PAGE).await);
    let form = [("form_token", token.as_str())];
    let forged =
        TestRequest::post().uri(DEVICE).insert_header((ORIGIN, "https://evil.example")).set_form(form);
    assert_eq!(browser.send(forged).await.status, StatusCode::BAD_REQUEST, "another origin");
    assert_eq!(
        browser.post(DEVICE, &[("form_token", "guess")]).await.status,
        StatusCode::BAD_REQUEST,
        "a guess"
    );
    let nobody = Browser::new(&service).post(DEVICE, &form).await;
    assert_eq!(nobody.status, StatusCode::BAD_REQUEST, "nobody is signed in");
    assert_eq!(browser.post("/external-auth/unknown/device", &form).await.status, StatusCode::NOT_FOUND);
    assert_eq!(service.provider.calls(Call::BeginDevice), 0);
    assert_eq!(browser.get(DEVICE).await.header(LOCATION), PAGE, "nothing was begun");
}

#[actix_web::test]
async fn whoever_is_signed_out_meanwhile_signs_in_and_comes_back() {
    let service = service().await;
    let mut browser = Browser::of_member(&service).await;
    browser.gets_a_code().await;
    browser.cookies.retain(|cookie| cookie.name().starts_with(COOKIE));
    let nobody = browser.get(DEVICE).await;
    assert_eq!(nobody.header(LOCATION), "/sign-in?return_to=%2Fexternal%2Dauth%2Fexample%2Fdevice");
    browser.sign_in(&service.member, DEVICE).await;
    assert!(browser.get(DEVICE).await.body.contains("USER-1"));
}

#[actix_web::test]
async fn a_provider_that_gives_no_code_says_why() {
    let service = service().await;
    let mut browser = Browser::of_member(&service).await;
    let unavailable = UpstreamError::Unavailable { reason: "timeout", retry_after: None };
    service.provider.fail_next(Call::BeginDevice, unavailable);
    let answer = browser.wants_a_code().await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_says(
        &answer,
        &["Example has given no code: the provider has not answered in time (timeout).", "Start again"],
    );
    for (retry_after, told) in [(Some(Duration::from_millis(90_500)), "91"), (None, "60")] {
        service.provider.fail_next(Call::BeginDevice, UpstreamError::RateLimited { retry_after });
        let answer = browser.wants_a_code().await;
        assert_eq!((answer.status, answer.header(RETRY_AFTER)), (StatusCode::TOO_MANY_REQUESTS, told));
        assert_says(&answer, &[&format!("Please try again in {told} seconds."), "Start again"]);
    }
    assert!(browser.cookies_named(COOKIE).is_empty());
}

#[actix_web::test]
async fn a_provider_whose_device_flow_is_off_gives_no_code() {
    let service = Service::start().await;
    let id = service.register().await;
    let mut browser = Browser::of_member(&service).await;
    let token = form_token(&browser.get(PAGE).await);
    let refused = browser.post(DEVICE, &[("form_token", &token)]).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    service.pause(&id).await;
    let paused = browser.post(DEVICE, &[("form_token", &token)]).await;
    assert_eq!(paused.status, StatusCode::CONFLICT);
}

#[actix_web::test]
async fn codes_that_browsers_ask_for_are_limited_as_all_others() {
    let flows = PerMinute { caller: 10, address: 0 };
    let service = service().await.limited(LimitSettings { flows, ..LimitSettings::default() }, &[]);
    let mut browser = Browser::of_member(&service).await;
    browser.gets_a_code().await;
    let refused = browser.wants_a_code().await;
    assert_eq!(
        (refused.status, refused.header(RETRY_AFTER)),
        (StatusCode::TOO_MANY_REQUESTS, "60"),
        "{refused:?}"
    );
    let api = service.external_auth(&service.member, "GET", "/example/device", None).await;
    assert_eq!(api.status, StatusCode::TOO_MANY_REQUESTS, "whichever way they are asked for");
}

#[actix_web::test]
async fn a_provider_that_wants_more_time_makes_the_page_slower() {
    let service = service().await;
    let mut browser = Browser::of_member(&service).await;
    let refreshes_in = |page: &Answer, seconds: u32| {
        assert!(page.body.contains(&format!("{REFRESH} content=\"{seconds}\">")), "{seconds}: {}", page.body);
    };
    refreshes_in(&browser.gets_a_code().await, 5);
    for _ in 0..3 {
        refreshes_in(&browser.get(DEVICE).await, 5);
    }
    assert_eq!(service.provider.calls(Call::PollDevice), 0, "the person is impatient, not the page");
    service.provider.slow_down_next(None);
    refreshes_in(&browser.looks_again(&service).await, 5);
    assert_eq!(service.provider.calls(Call::PollDevice), 1);
    refreshes_in(&browser.looks_again(&service).await, 10);
    assert_eq!(service.provider.calls(Call::PollDevice), 1, "it was too early");
    service.clock.advance(Duration::from_secs(5));
    refreshes_in(&browser.looks_again(&service).await, 10);
    assert_eq!(service.provider.calls(Call::PollDevice), 2, "the page keeps the pace now");
}

#[actix_web::test]
async fn whoever_looks_too_often_is_told_that_the_code_stays_good() {
    let callbacks = PerMinute { caller: 1, address: 0 };
    let service = service().await.limited(LimitSettings { callbacks, ..LimitSettings::default() }, &[]);
    let mut browser = Browser::of_member(&service).await;
    browser.gets_a_code().await;
    for _ in 1..60 {
        assert_eq!(browser.get(DEVICE).await.status, StatusCode::OK, "one a second is fine");
    }
    let refused = browser.get(DEVICE).await;
    assert_eq!((refused.status, refused.header(RETRY_AFTER)), (StatusCode::TOO_MANY_REQUESTS, "1"));
    assert_says(&refused, &["Please try again in 1 second.", "Your code stays good meanwhile", "Look again"]);
    assert!(refused.body.contains(&format!("href=\"{DEVICE}\"")), "{}", refused.body);
    let mut colleague = Browser::new(&service);
    colleague.sign_in(&service.colleague, "/external-auth").await;
    colleague.gets_a_code().await;
    service.clock.advance(Duration::from_secs(1));
    assert!(browser.get(DEVICE).await.body.contains("USER-1"));
}

#[actix_web::test]
async fn a_provider_that_is_paused_meanwhile_costs_no_code() {
    let service = Service::start().await;
    let id = service.register_with_device_flow().await;
    let mut browser = Browser::of_member(&service).await;
    browser.gets_a_code().await;
    service.pause(&id).await;
    let paused = browser.looks_again(&service).await;
    assert_eq!(paused.status, StatusCode::CONFLICT);
    assert_says(&paused, &["This provider is not available", "your code may still be good", "Look again"]);
    let active = Some(json!({ "status": "active" }));
    service.call(&service.admin, "PATCH", &format!("/providers/{id}/"), active).await;
    assert!(browser.looks_again(&service).await.body.contains("USER-1"));
}
