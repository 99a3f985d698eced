//! "My links".

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use grantkeeper_domain::providers::UpstreamError;
use grantkeeper_testkit::scripted_provider::Call;

use super::{assert_lacks, assert_says};
use crate::browser::Browser;
use crate::service::Service;

const PATH: &str = "/external-auth";

#[actix_web::test]
async fn whoever_is_not_signed_in_does_so_first_and_comes_back() {
    let service = Service::start().await;
    let mut browser = Browser::new(&service);
    let nobody = browser.get(PATH).await;
    assert_eq!(
        (nobody.status, nobody.header(LOCATION)),
        (StatusCode::SEE_OTHER, "/sign-in?return_to=%2Fexternal%2Dauth")
    );
    let sign_in = browser.get(nobody.header(LOCATION)).await;
    assert!(sign_in.body.contains("name=\"return_to\" value=\"/external-auth\""), "{}", sign_in.body);
    browser.sign_in(&service.member, PATH).await;
    let page = browser.get(PATH).await;
    assert_says(&page, &["My links", "member@acme.example (Acme)", "has no providers yet", "Sign out"]);
    let account = browser.get("/account").await;
    assert!(account.body.contains("<a href=\"/external-auth\">My links</a>"), "{}", account.body);
}

#[actix_web::test]
async fn every_provider_is_there_with_how_its_link_stands() {
    let service = Service::start().await;
    service.register().await;
    service.register_named("Other").await;
    let mut browser = Browser::of_member(&service).await;
    let page = browser.get(PATH).await;
    assert_says(&page, &["Example Not linked. Link Example", "Other Not linked. Link Other"]);
    assert!(
        page.body.contains("href=\"/external-auth/other/callback?redirect=%2Fexternal-auth\""),
        "{page:?}"
    );
    assert_lacks(&page, &["/unlink\""]);
    browser.link().await;
    let page = browser.get(PATH).await;
    assert_says(&page, &["Example Linked. Unlink Example", "Other Not linked. Link Other"]);
    assert_lacks(&page, &["/external-auth/other/unlink", "/external-auth/example/callback"]);
}

#[actix_web::test]
async fn a_link_that_cannot_be_checked_or_is_dead_says_why() {
    for (error, sentence) in [
        (
            UpstreamError::Unavailable { reason: "connection_failed", retry_after: None },
            "Example Linked, but it could not be checked just now: the provider cannot be reached \
             (connection_failed). Unlink Example",
        ),
        (
            UpstreamError::TokenRefused,
            "Example Has to be linked again: the provider no longer takes what you have allowed (invalid_token). \
             Link Example again Unlink Example",
        ),
    ] {
        let service = Service::start().await;
        service.register().await;
        let mut browser = Browser::of_member(&service).await;
        browser.link().await;
        service.provider.fail(Call::Validate, error);
        assert_says(&browser.get(PATH).await, &[sentence]);
    }
}

#[actix_web::test]
async fn a_provider_that_is_paused_takes_no_links_and_lets_go_of_those_it_has() {
    let service = Service::start().await;
    let id = service.register().await;
    let mut browser = Browser::of_member(&service).await;
    service.pause(&id).await;
    let page = browser.get(PATH).await;
    assert_says(&page, &["Example Not linked. This provider is paused or switched off."]);
    assert_lacks(&page, &["/callback"]);
}

#[actix_web::test]
async fn the_links_of_others_are_nobody_elses() {
    let service = Service::start().await;
    service.register().await;
    Browser::of_member(&service).await.link().await;
    let mut colleague = Browser::new(&service);
    colleague.sign_in(&service.colleague, PATH).await;
    assert_says(&colleague.get(PATH).await, &["Example Not linked."]);
    let mut stranger = Browser::new(&service);
    stranger.sign_in(&service.stranger, PATH).await;
    assert_lacks(&stranger.get(PATH).await, &["Example"]);
}
