//! Starting a flow from the browser.

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, RETRY_AFTER};
use actix_web::test::TestRequest;
use grantkeeper_rest::{LimitSettings, PerMinute};

use super::{LINKED, PAGE, START, text};
use crate::browser::{Browser, parameter, way_back};
use crate::service::{Answer, PUBLIC_URL, Service};

/// Whether an answer leads to the page that asks.
fn asks(answer: &Answer) -> bool {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
    answer.header(LOCATION).starts_with("/connect/")
}

/// Where somebody is in the end who says yes to a flow that was started there.
async fn end(browser: &mut Browser<'_>, path: &str) -> String {
    let provider_page = browser.start(path).await;
    let back = browser.get(&way_back(&provider_page, "code=c")).await;
    assert_eq!(back.status, StatusCode::SEE_OTHER, "{back:?}");
    back.header(LOCATION).to_owned()
}

#[actix_web::test]
async fn only_whoever_comes_from_a_page_of_ours_goes_straight_on() {
    let service = Service::start().await;
    service.register().await;
    let mut browser = Browser::of_member(&service).await;
    for site in ["same-site", "none", "SAME-ORIGIN", ""] {
        assert!(asks(&browser.follow(START, site).await), "{site}");
    }
    assert!(asks(&browser.get(START).await), "a browser that does not say where it comes from");
    let twice = TestRequest::get().uri(START).append_header(("sec-fetch-site", "same-origin"));
    assert!(asks(&browser.send(twice.append_header(("sec-fetch-site", "cross-site"))).await));
    assert!(browser.cookies_named("grantkeeper_flow_").is_empty(), "nothing was begun at the provider");
    let straight_on = browser.follow(START, "same-origin").await;
    assert!(straight_on.header(LOCATION).starts_with("https://issuer.example/"), "{straight_on:?}");
    assert_eq!(browser.cookies_named("grantkeeper_flow_").len(), 1);
}

#[actix_web::test]
async fn the_page_that_asks_leads_to_the_provider_and_back() {
    let service = Service::start().await;
    service.register().await;
    let mut browser = Browser::of_member(&service).await;
    let asked = browser.follow(START, "none").await;
    let provider_page = browser.say_yes(asked.header(LOCATION)).await;
    let back = browser.get(&way_back(&provider_page, "code=c")).await;
    assert_eq!(back.header(LOCATION), LINKED);
    assert_eq!(service.links_of(&service.member).await, 1);
}

#[actix_web::test]
async fn every_address_of_the_callback_starts_a_flow() {
    let service = Service::start().await;
    let id = service.register().await;
    let mut browser = Browser::of_member(&service).await;
    for name in ["example", &id] {
        for path in [
            format!("/external-auth/{name}/callback"),
            format!("/gitauth/{name}/callback"),
            format!("/callback/{name}"),
        ] {
            let provider_page = browser.start(&path).await;
            let callback = format!("{PUBLIC_URL}/callback/{id}");
            assert_eq!(
                parameter(&provider_page, "redirect_uri"),
                callback,
                "the one the provider knows: {path}"
            );
            assert!(asks(&browser.get(&path).await), "{path}");
        }
    }
}

#[actix_web::test]
async fn whoever_is_not_signed_in_does_so_first_and_is_asked_then() {
    let service = Service::start().await;
    let id = service.register().await;
    for (path, back) in [
        (START.to_owned(), "/external-auth/example/callback?ask=true".to_owned()),
        (format!("/callback/{id}"), format!("/external-auth/{id}/callback?ask=true")),
        (
            format!("{START}?redirect=%2Faccount"),
            "/external-auth/example/callback?ask=true&redirect=%2Faccount".to_owned(),
        ),
        (format!("{START}?redirect=//evil.example"), "/external-auth/example/callback?ask=true".to_owned()),
    ] {
        let mut browser = Browser::new(&service);
        let nobody = browser.follow(&path, "cross-site").await;
        assert!(nobody.header(LOCATION).starts_with("/sign-in?return_to="), "{nobody:?}");
        let sign_in = browser.get(nobody.header(LOCATION)).await;
        let escaped = back.replace('&', "&#38;");
        assert!(
            sign_in.body.contains(&format!("name=\"return_to\" value=\"{escaped}\"")),
            "{}",
            sign_in.body
        );
        browser.sign_in(&service.member, &back).await;
        // The form was ours, and so the browser takes the way for our own, whoever has led to the form.
        assert!(asks(&browser.follow(&back, "same-origin").await), "{path}");
    }
}

#[actix_web::test]
async fn a_flow_comes_back_to_the_page_that_wants_it() {
    let service = Service::start().await;
    service.register().await;
    service.register_named("Other").await;
    let mut browser = Browser::of_member(&service).await;
    for (redirect, expected) in [
        ("%2Fexternal-auth", "/external-auth"),
        ("/account", "/account"),
        ("%2Fexternal-auth%2Fother%3Fredirected%3Dtrue", "/external-auth/other?redirected=true"),
    ] {
        assert_eq!(end(&mut browser, &format!("{START}?redirect={redirect}")).await, expected);
    }
    // By way of signing in as well.
    let path = "/external-auth/example/callback?ask=true&redirect=%2Fexternal%2Dauth";
    let asked = browser.follow(path, "same-origin").await;
    let provider_page = browser.say_yes(asked.header(LOCATION)).await;
    assert_eq!(browser.get(&way_back(&provider_page, "code=c")).await.header(LOCATION), "/external-auth");
}

#[actix_web::test]
async fn a_flow_comes_back_to_no_page_but_ours() {
    let service = Service::start().await;
    service.register().await;
    let mut browser = Browser::of_member(&service).await;
    for redirect in [
        "https://evil.example",
        "//evil.example",
        "%2F%2Fevil.example%2Fexternal-auth%2Fexample",
        "/%5Cevil.example",
        "http:%2F%2F127.0.0.1:8080%2Faccount",
        "javascript:alert(1)",
        "/sign-out",
        "/external-auth/example/callback",
        "/external-auth/../api/v2",
        "/account%0d%0aset-cookie:%20a=b",
        "",
        "/account&redirect=/account",
    ] {
        assert_eq!(end(&mut browser, &format!("{START}?redirect={redirect}")).await, LINKED, "{redirect}");
    }
}

#[actix_web::test]
async fn a_browser_that_looks_ahead_starts_nothing() {
    let service = Service::start().await.limited(one_flow_a_minute(), &[]);
    service.register().await;
    let mut browser = Browser::of_member(&service).await;
    for (name, value) in [
        ("sec-purpose", "prefetch;prerender"),
        ("sec-purpose", "prefetch"),
        ("purpose", "prefetch"),
        ("x-moz", "prefetch"),
    ] {
        let ahead = TestRequest::get().uri(START).insert_header(("sec-fetch-site", "same-origin"));
        let answer = browser.send(ahead.insert_header((name, value))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name}: {value}");
    }
    assert!(asks(&browser.get(START).await), "nor was it counted as a flow");
}

#[actix_web::test]
async fn another_site_starts_nothing_however_often_it_leads_a_browser_here() {
    let service = Service::start().await.limited(one_flow_a_minute(), &[]);
    let id = service.register().await;
    let mut browser = Browser::of_member(&service).await;
    let organization = service.ports.store.organization_named("Acme").await.unwrap().unwrap();
    let entries = async || service.ports.store.newest_entries(organization.id, 1_000).await.unwrap().len();
    let before = entries().await;
    for (path, page) in [
        (START.to_owned(), PAGE.to_owned()),
        (format!("{START}?redirect=%2Faccount&ask=true"), PAGE.to_owned()),
        ("/gitauth/example/callback".to_owned(), PAGE.to_owned()),
        (format!("/callback/{id}"), format!("/external-auth/{id}")),
    ] {
        let led = browser.follow(&path, "cross-site").await;
        assert_eq!((led.status, led.header(LOCATION)), (StatusCode::SEE_OTHER, &*page), "{path}: {led:?}");
    }
    assert_eq!(entries().await, before, "nothing is written");
    let page = browser.get(PAGE).await;
    assert!(page.body.contains(&format!("href=\"{START}\"")), "but the person can: {}", page.body);
    browser.start(START).await;
}

fn one_flow_a_minute() -> LimitSettings {
    LimitSettings { flows: PerMinute { caller: 1, address: 0 }, ..LimitSettings::default() }
}

#[actix_web::test]
async fn flows_that_browsers_start_are_limited_as_all_others() {
    let service = Service::start().await.limited(one_flow_a_minute(), &[]);
    let id = service.register().await;
    let mut browser = Browser::of_member(&service).await;
    assert!(asks(&browser.get(START).await));
    let refused = browser.get(START).await;
    assert_eq!(
        (refused.status, refused.header(RETRY_AFTER)),
        (StatusCode::TOO_MANY_REQUESTS, "60"),
        "{refused:?}"
    );
    assert!(text(&refused).contains("Please try again in 60 seconds."), "{refused:?}");
    let api = service.post(&service.member, &format!("/providers/{id}/authorize/")).await;
    assert_eq!(api.status, StatusCode::TOO_MANY_REQUESTS, "whichever way they are started");
    let mut colleague = Browser::new(&service);
    colleague.sign_in(&service.colleague, "/external-auth").await;
    assert!(asks(&colleague.get(START).await), "each account has its own");
}

#[actix_web::test]
async fn a_provider_that_is_paused_takes_nobody() {
    let service = Service::start().await;
    let id = service.register().await;
    service.pause(&id).await;
    let answer = Browser::of_member(&service).await.follow(START, "same-origin").await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(text(&answer).contains("This provider is not available"), "{answer:?}");
}

#[actix_web::test]
async fn where_nobody_is_asked_the_page_between_goes_straight_on() {
    let service = Service::with(false).await;
    service.register().await;
    let mut browser = Browser::new(&service);
    let nobody = browser.get(START).await;
    assert!(nobody.header(LOCATION).starts_with("/sign-in?"), "whose account would it be?");
    browser.sign_in(&service.member, "/external-auth").await;
    let started = browser.get(START).await;
    assert!(asks(&started));
    let straight_on = browser.get(started.header(LOCATION)).await;
    assert_eq!(straight_on.status, StatusCode::SEE_OTHER);
    let back = browser.get(&way_back(&straight_on.header(LOCATION).parse().unwrap(), "code=c")).await;
    assert_eq!(back.header(LOCATION), LINKED);
}
