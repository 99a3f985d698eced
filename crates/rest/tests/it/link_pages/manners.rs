//! What all pages of links have in common.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, RETRY_AFTER,
};
use grantkeeper_rest::{LimitSettings, PerMinute};
use grantkeeper_testkit::scripted_provider::Decision;

use super::{LINKED, PAGE, assert_lacks, assert_says};
use crate::browser::{Browser, form_token};
use crate::service::{Answer, Service};

/// Every page that there is, in a browser that has one account linked and a code for another.
async fn every_page(service: &Service) -> Vec<(&'static str, Answer)> {
    service.register_with_device_flow().await;
    let mut browser = Browser::of_member(service).await;
    let mut pages = vec![("not linked", browser.get(PAGE).await)];
    let flow = browser.get("/external-auth/example/callback").await.header(LOCATION).to_owned();
    let asks = browser.get(&flow).await;
    let yes = [("decision", "yes"), ("form_token", &form_token(&asks))];
    pages.push(("one moment", browser.post(&flow, &yes).await));
    pages.push(("link?", asks));
    pages.push(("almost there", browser.get(&format!("{flow}/done")).await));
    let token = form_token(&browser.get(PAGE).await);
    browser.post("/external-auth/example/device", &[("form_token", &token)]).await;
    pages.push(("a code", browser.get("/external-auth/example/device").await));
    service.provider.decide("USER-1", Decision::Denied);
    service.clock.advance(Duration::from_secs(5));
    pages.push(("denied", browser.get("/external-auth/example/device").await));
    browser.link().await;
    pages.push(("linked", browser.get(LINKED).await));
    pages.push(("all links", browser.get("/external-auth").await));
    pages.push(("nothing there", browser.get("/external-auth/unknown").await));
    pages.push(("unlinked", browser.post("/external-auth/example/unlink", &[("form_token", &token)]).await));
    pages.push((
        "nothing linked",
        browser.post("/external-auth/example/unlink", &[("form_token", &token)]).await,
    ));
    pages
}

#[actix_web::test]
async fn every_page_has_one_heading_a_language_a_title_and_no_script() {
    let service = Service::start().await;
    for (name, page) in every_page(&service).await {
        assert_eq!(page.header(CONTENT_TYPE), "text/html; charset=utf-8", "{name}: {page:?}");
        assert_eq!(page.body.matches("<h1>").count(), 1, "{name}: {}", page.body);
        let title =
            page.body.split_once("<title>").unwrap().1.split_once(" · Grantkeeper</title>").unwrap().0;
        assert!(!title.trim().is_empty(), "{name}");
        assert!(page.body.contains("<html lang=\"en\">"), "{name}");
        assert_lacks(&page, &["<script", " style=", "javascript:"]);
        let has_handler = page.body.split('<').any(|tag| tag.split('>').next().unwrap().contains(" on"));
        assert!(!has_handler, "{name}: {}", page.body);
    }
}

#[actix_web::test]
async fn every_page_has_the_policy_and_forms_lead_to_us_alone() {
    let service = Service::start().await;
    for (name, page) in every_page(&service).await {
        let policy = page.header(CONTENT_SECURITY_POLICY);
        let has_form = page.body.contains("<form");
        for directive in
            ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "style-src 'sha256-"]
        {
            assert!(policy.contains(directive), "{name}: {policy}");
        }
        assert_eq!(policy.ends_with("; form-action 'self'"), has_form, "{name}: {policy}");
        // A form without an origin would be refused; what has no form needs no referrer.
        let referrer = if has_form { "same-origin" } else { "no-referrer" };
        assert_eq!(page.header(REFERRER_POLICY), referrer, "{name}");
        assert_eq!(page.header(actix_web::http::header::CACHE_CONTROL), "no-store", "{name}");
    }
}

#[actix_web::test]
async fn names_are_text_and_never_markup() {
    const NAME: &str = "<i onclick=\"x\">'&\"";
    let service = Service::start().await;
    service.register_named(NAME).await;
    let mut browser = Browser::of_member(&service).await;
    let page = "/external-auth/i-onclick-x";
    let mut pages = vec![browser.get("/external-auth").await, browser.get(page).await];
    let provider_page = browser.start(&format!("{page}/callback")).await;
    browser.get(&crate::browser::way_back(&provider_page, "code=c")).await;
    pages.push(browser.get(page).await);
    pages.push(browser.get("/external-auth").await);
    let token = form_token(&pages[2]);
    for _ in 0..2 {
        pages.push(browser.post(&format!("{page}/unlink"), &[("form_token", &token)]).await);
    }
    for page in pages {
        assert_lacks(&page, &["<i ", "onclick=\"x\""]);
        assert!(page.body.contains("&#60;i onclick=&#34;x&#34;&#62;&#39;&#38;&#34;"), "{}", page.body);
    }
}

#[actix_web::test]
async fn pages_that_ask_providers_are_limited_by_account_as_the_calls_are() {
    let token_reads = PerMinute { caller: 2, address: 0 };
    for (page, is_button) in
        [("/external-auth", false), (PAGE, false), ("/external-auth/example/unlink", true)]
    {
        let limits = LimitSettings { token_reads, ..LimitSettings::default() };
        let service = Service::start().await.limited(limits, &[]);
        service.register().await;
        let mut browser = Browser::of_member(&service).await;
        let form = form_token(&browser.get("/account").await);
        let mut ask = async |page: &str| {
            if is_button {
                browser.post(page, &[("form_token", &form)]).await
            } else {
                browser.get(page).await
            }
        };
        for _ in 0..2 {
            assert_eq!(ask(page).await.status, StatusCode::OK, "{page}");
        }
        let refused = ask(page).await;
        assert_eq!(
            (refused.status, refused.header(RETRY_AFTER)),
            (StatusCode::TOO_MANY_REQUESTS, "30"),
            "{page}"
        );
        assert_says(&refused, &["Please try again in 30 seconds."]);
        let call = service.external_auth(&service.member, "GET", "", None).await;
        assert_eq!(call.status, StatusCode::TOO_MANY_REQUESTS, "{page}: it is one limit");
        let mut colleague = Browser::new(&service);
        colleague.sign_in(&service.colleague, "/external-auth").await;
        assert_eq!(colleague.get(PAGE).await.status, StatusCode::OK, "each account has its own");
    }
}
